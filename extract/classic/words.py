"""Text as words: one normal form, and what counts as a word in any script."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

# No spaces stand between words in these scripts, so each character is a word: Han, Kana, Bopomofo.
UNSPACED = (
    "\u3005-\u3007\u3040-\u30ff\u3100-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003134f"
)
# Pictographs, flags, dingbats, and what is drawn as one of them when \ufe0f follows.
EMOJI = (
    "\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf\u2934\u2935"
    "\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_TONES = "\U0001f3fb-\U0001f3ff"
_INVISIBLE = re.compile(f"[\ufe0e\ufe0f\u200b\u200e\u200f\u2060\ufeff\u00ad{_TONES}]")
URL, MENTION = "<url>", "<mention>"


def normalise(text: str) -> str:
    """Return a text in NFKC, case folded, without invisible marks and skin tones of emoji."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return _INVISIBLE.sub("", folded).replace("\u2019", "'")


def words(normal: str) -> list[str]:
    """Return the words of a text that `normalise` made, in order.

    A word is a run of letters, marks and digits with inner apostrophes; a character of a script
    that has no spaces; an emoji with all that is joined to it, or a flag; a hashtag with its #.
    Links and mentions are `URL` and `MENTION`: which ones says less than that there are some.
    """
    return [_word(match) for match in pattern().finditer(normal)]


@cache
def pattern() -> re.Pattern[str]:
    """Return the expression of a word: url, mention, hashtag, emoji, unspaced or word, by group."""
    letter = rf"[\w{_marks()}]"
    spaced = rf"(?:(?![{UNSPACED}_]){letter})"
    picture = rf"(?:[\U0001f1e6-\U0001f1ff]{{2}}|[{EMOJI}](?:\u200d[{EMOJI}])*)"
    return re.compile(
        rf"(?P<url>(?:https?://|www\.)\S+)|(?P<mention>@[\w.]*\w)|(?P<hashtag>\#{letter}+)"
        rf"|(?P<emoji>{picture})|(?P<unspaced>[{UNSPACED}])"
        rf"|(?P<word>{spaced}+(?:'{spaced}+)*)"
    )


def _word(match: re.Match[str]) -> str:
    if match.lastgroup == "url":
        return URL
    return MENTION if match.lastgroup == "mention" else match.group()


@cache
def _marks() -> str:
    """Return all combining marks as ranges for a character class.

    Python does not count them as letters: words of Indic scripts, and of Arabic with vowels, would
    be cut.
    """
    marks = [n for n in range(0x300, 0x1F000) if unicodedata.category(chr(n)).startswith("M")]
    marks = [n for n in marks if not 0xFE00 <= n <= 0xFE0F]  # variation selectors
    known = set(marks)
    starts = [n for n in marks if n - 1 not in known]
    ends = [n for n in marks if n + 1 not in known]
    return "".join(f"{chr(a)}-{chr(b)}" for a, b in zip(starts, ends, strict=True))
