"""The options that were tried before a head was fitted, as a page shows them."""

from __future__ import annotations

from collections.abc import Sequence

from scoring import page
from scoring.page import Html, cell, foreign, head, text
from scoring.report_data import Tried
from scoring.report_scores import number


def tuning_section(tried: Sequence[Tried]) -> Html:
    """Return trials of each fold: the defaults, number 0, and the best."""
    if not tried:
        return Html("")
    explained = page.paragraph(
        "Of each fold the defaults (trial 0) and the best trials, by the loss of its validation "
        "rows; test rows had no part in it. All trials are in trials.csv. The smallest of many "
        "losses flatters: what the choice is worth shows in the scores above.",
        "soft",
    )
    columns = [("fold", ""), ("trial", "number"), ("loss", "number"), ("options", "")]
    rows = [
        [
            head(foreign(each.fold)),
            cell(text(each.trial), "number"),
            cell(text(number(each.loss)), "number best" if each.chosen else "number"),
            cell(text(each.options), "long"),
        ]
        for each in tried
    ]
    return page.section("Which options were tried", explained, page.table(columns, rows))
