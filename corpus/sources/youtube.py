"""The names of YouTube's categories, however a table spells them."""

from __future__ import annotations

import re

CATEGORIES = (
    "Autos & Vehicles",
    "Comedy",
    "Education",
    "Entertainment",
    "Film & Animation",
    "Gaming",
    "Howto & Style",
    "Movies",
    "Music",
    "News & Politics",
    "Nonprofits & Activism",
    "People & Blogs",
    "Pets & Animals",
    "Science & Technology",
    "Short Movies",
    "Shorts",
    "Shows",
    "Sports",
    "Trailers",
    "Travel & Events",
    "Videoblogging",
)


def category_name(text: str) -> str:
    """Return YouTube's own spelling of a category; another name as it is, its spaces evened out.

    "People  Blogs" (the "&" was taken out), "people and blogs" and "People & Blogs" are one, and
    "Travel" is "Travel & Events". "NA" is the name of a category in some tables.
    """
    return _BY_WORDS.get(_words(text), " ".join(text.split()))


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in re.findall(r"\w+", text.casefold()) if word != "and")


_BY_WORDS = {_words(name): name for name in CATEGORIES} | {("travel",): "Travel & Events"}
