"""How errors spread over authors, categories and languages, as a page shows it."""

from __future__ import annotations

from collections.abc import Mapping

from scoring import page
from scoring.page import Html, cell, foreign, head, text
from scoring.report_scores import number
from scoring.spread import LEAST_ROWS, GroupError, Spread


def spread_section(spread: Mapping[str, Spread]) -> Html:
    """Return for each kind of group how many there are, the mean of their errors, and the worst."""
    if not spread:
        return Html("")
    explained = page.paragraph(
        "The error of a row is its distance from the truth, or 1 for a wrong class. The mean gives "
        "every group the same weight, however many rows it has; named are groups of at least "
        f"{LEAST_ROWS} rows.",
        "soft",
    )
    columns = [("by", ""), ("groups", "number"), ("mean", "number"), ("middle", "number")]
    rows = [
        [head(foreign(name), "long"), cell(text(found.groups), "number")]
        + [cell(text(number(value)), "number") for value in (found.macro, found.median)]
        + [cell(Html(", ".join(map(_worst, found.worst)) or "&ndash;"), "long names")]
        for name, found in spread.items()
    ]
    columns.append(("farthest off, with the number of rows", ""))
    return page.section("How errors spread", explained, page.table(columns, rows))


def _worst(group: GroupError) -> Html:
    error = text(f"{number(group.error)} ({group.rows})")
    return Html(f"<span>{foreign(group.name)} {error}</span>")
