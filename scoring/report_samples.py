"""Single rows as a page shows them: a strip of frames, what was true, what was said, the words."""

from __future__ import annotations

import math
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
    parts = [Html(f'<div class="cards">{cards}</div>')]
    if any(example.curve for example in examples):
        parts.insert(0, page.paragraph("Lines: the true curve; dashed, the predicted one.", "soft"))
    return page.section(heading, *parts)


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
    body = page.join([strip, title, _curves(example.curve), *words])
    return Html(f'<article class="card">\n{body}\n</article>')


def _strip(strip: Strip) -> Html:
    if not strip.picture:
        return Html(f'<p class="gap">{text(strip.said)}</p>')
    note = Html(f'<p class="soft">{text(strip.note)}</p>') if strip.note else Html("")
    return page.join([page.image(strip.picture, strip.said), note])


def _curves(steps: Sequence[tuple[float, float]]) -> Html:
    """Draw the true curve and the predicted one, which is dashed, on one scale."""
    known = [value for step in steps for value in step if math.isfinite(value)]
    if len(steps) < 2 or not known:
        return Html("")
    low, high = min(known), max(known)
    true, said = (
        _path([(value - low) / ((high - low) or 1) for value in side])
        for side in zip(*steps, strict=True)
    )
    return Html(
        '<svg class="curves" viewBox="-1 -2 102 34" preserveAspectRatio="none" role="img" '
        'aria-label="the true curve, and dashed the predicted one">'
        f'<path class="true" d="{true}"/><path class="said" d="{said}"/></svg>'
    )


def _path(shares: Sequence[float]) -> str:
    """Return a line through shares of the height, broken where one is NaN."""
    words, pen = [], "M"
    for place, share in enumerate(shares):
        if math.isfinite(share):
            across, down = 100 * place / (len(shares) - 1), 30 * (1 - share)
            words.append(f"{pen}{across:.1f},{down:.1f}")
        pen = "L" if math.isfinite(share) else "M"
    return " ".join(words)


def _short(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 1] + "…"
