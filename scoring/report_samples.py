"""Single rows as a page shows them: a strip of frames, what was true, what was said, the words."""

from __future__ import annotations

from collections.abc import Sequence

from scoring import page
from scoring.page import Html, foreign, text
from scoring.report_data import Example, Strip
from scoring.report_scores import number

LONGEST_TEXT = 280  # signs of a text; the table has the rest


def samples_section(heading: str, examples: Sequence[Example], error_name: str) -> Html:
    """Return a card for each example."""
    if not examples:
        return Html("")
    cards = page.join(_card(example, error_name) for example in examples)
    return page.section(heading, Html(f'<div class="cards">{cards}</div>'))


def _card(example: Example, error_name: str) -> Html:
    numbers = {"true": foreign(example.true), "predicted": foreign(example.predicted)}
    if error_name:
        numbers[error_name] = text(number(example.error))
    pairs = "".join(
        f"<div><dt>{text(name)}</dt><dd>{shown}</dd></div>" for name, shown in numbers.items()
    )
    words = [
        Html(f'<p><span class="soft">{text(name)}</span> {foreign(_short(content))}</p>')
        for name, content in example.texts.items()
    ]
    strip = _strip(example.strip) if example.strip else Html("")
    title = Html(f"<h3>{foreign(example.id)}</h3><dl>{pairs}</dl>")
    body = page.join([strip, title, *words])
    return Html(f'<article class="card">\n{body}\n</article>')


def _strip(strip: Strip) -> Html:
    if not strip.picture:
        return Html(f'<p class="gap">{text(strip.said)}</p>')
    return page.image(strip.picture, strip.said)


def _short(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 1] + "…"
