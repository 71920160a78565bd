"""One page about one run: how well it went, beside what, where it goes wrong, and what was done."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from core.files import write_text
from scoring import page
from scoring.page import Html, text
from scoring.report_account import (
    coverage_section,
    facts_section,
    importances_section,
    repeat_section,
    rows_section,
)
from scoring.report_data import ReportData
from scoring.report_samples import samples_section
from scoring.report_scores import (
    classes_section,
    decades_section,
    headline,
    scores_section,
    steps_section,
)
from scoring.report_spread import spread_section
from scoring.report_tuning import tuning_section

FILE_NAME = "report.html"


def write_report(folder: Path, data: ReportData) -> Path:
    """Write `report.html` into a folder, whole or not at all, and return its path.

    Raises:
        StorageError: if it cannot be written.
    """
    place = folder / FILE_NAME
    write_text(place, render(data))
    return place


def render(data: ReportData) -> str:
    """Return the page, which needs no other file."""
    parts = [
        Html(f"<h1>{text(data.title)}</h1>"),
        page.paragraph(data.subtitle, "soft") if data.subtitle else Html(""),
        headline(data),
        *(page.paragraph(note, "note") for note in data.notes),
        scores_section(data),
        _plots(data),
        classes_section(data.classes),
        steps_section(data.steps),
        decades_section(data.decades),
        spread_section(data.spread),
        samples_section("Where it errs most", data.worst, data.error_name),
        samples_section("Where it is nearest", data.best, data.error_name),
        importances_section(data.importances),
        tuning_section(data.tried),
        coverage_section(data.coverage),
        rows_section(data.rows),
        facts_section(data.facts),
        repeat_section(data.repeat),
    ]
    return page.page(data.title, page.join(part for part in parts if part))


def extremes(error: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the smallest errors and of the largest, best and worst first, int64 each.

    Equal errors come in the order of rows; no row is in both.
    """
    order = np.argsort(error, kind="stable")
    best = order[: min(count, (len(order) + 1) // 2)]
    worst = np.argsort(-error, kind="stable")
    return best, worst[~np.isin(worst, best)][:count]


def _plots(data: ReportData) -> Html:
    if not data.plots:
        return Html("")
    figures = [page.picture(png, caption) for caption, png in data.plots.items()]
    return page.section("Pictures", Html(f'<div class="plots">{page.join(figures)}</div>'))
