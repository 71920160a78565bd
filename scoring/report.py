"""One page about one run: what was done, how well it went, beside what, and where it goes wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.files import write_text
from core.status import Status
from scoring import page
from scoring.bootstrap import METRICS, Score
from scoring.page import Html, cell, foreign, head, text

FILE_NAME = "report.html"
EXAMPLES = 8
HEADLINES = {  # the metrics that stand large at the top, where the run has them
    "srocc": "rank correlation",
    "plcc": "linear correlation",
    "final": "0.6 srocc + 0.4 plcc",
    "asrc": "rank correlation, mean of days",
    "amae": "absolute error, mean of days",
    "accuracy": "share that is right",
    "f1_weighted": "F1, by class size",
    "auc": "area under the ROC curve",
}
HEADLINE_COUNT = 3


@dataclass(frozen=True)
class Example:
    """One row's prediction, as it is shown; texts may come from anybody and are escaped."""

    id: str
    true: str
    predicted: str
    error: float
    text: str = ""


@dataclass(frozen=True)
class ReportData:
    """What a report says. Texts are plain; nothing in them is taken for HTML.

    facts       what was done, in order: head, features, data set, target, split, seed, ...
    scores      by metric
    baselines   by baseline, then by metric
    fitted      scores after a curve fitted on the labels: shown apart, with a warning
    coverage    by feature, the number of samples by status: {"OK": 200, "ABSENT": 3}
    plots       by caption, PNG
    notes       what a reader must know before believing the numbers
    error_name  what `Example.error` measures, such as "absolute error (%)"
    """

    title: str
    facts: Mapping[str, str]
    scores: Mapping[str, Score]
    baselines: Mapping[str, Mapping[str, Score]] = field(default_factory=dict)
    fitted: Mapping[str, Score] = field(default_factory=dict)
    coverage: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    plots: Mapping[str, bytes] = field(default_factory=dict)
    best: Sequence[Example] = ()
    worst: Sequence[Example] = ()
    notes: Sequence[str] = ()
    error_name: str = "error"


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
        _headline(data.scores),
        *(page.paragraph(note, "note") for note in data.notes),
        _facts(data.facts),
        _scores(data),
        _plots(data.plots),
        _coverage(data.coverage),
        _examples("Worst predictions", data.worst, data.error_name),
        _examples("Best predictions", data.best, data.error_name),
    ]
    return page.page(data.title, page.join(part for part in parts if part))


def extremes(error: np.ndarray, count: int = EXAMPLES) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the smallest errors and of the largest, best and worst first, int64 each.

    Equal errors come in the order of rows; no row is in both.
    """
    order = np.argsort(error, kind="stable")
    best = order[: min(count, (len(order) + 1) // 2)]
    worst = np.argsort(-error, kind="stable")
    return best, worst[~np.isin(worst, best)][:count]


def number(value: float) -> str:
    """Return a figure for a table: four digits that count, "undefined" for nan."""
    if not math.isfinite(value):
        return "undefined"
    if value and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.3g}"
    places = 3 if abs(value) < 10 else 2 if abs(value) < 100 else 1
    return f"{value:.{places}f}"


def _headline(scores: Mapping[str, Score]) -> Html:
    chosen = [name for name in HEADLINES if name in scores][:HEADLINE_COUNT]
    if not chosen:
        return Html("")
    tiles = [
        f"<div>{text(name)}<strong>{number(scores[name].value)}</strong>"
        f'<span class="soft">{text(_interval(scores[name]))}<br>'
        f"{text(HEADLINES[name])}</span></div>"
        for name in chosen
    ]
    return Html(f'<div class="headline">{"".join(tiles)}</div>')


def _interval(score: Score) -> str:
    if not math.isfinite(score.low):
        return "no interval"
    return f"[{number(score.low)}, {number(score.high)}]"


def _facts(facts: Mapping[str, str]) -> Html:
    rows = [(head(text(name)), cell(foreign(value))) for name, value in facts.items()]
    return page.section("What was done", page.table([], rows, kind="facts"))


def _scores(data: ReportData) -> Html:
    rows_scored = max((score.n for score in data.scores.values()), default=0)
    explained = page.paragraph(
        f"{rows_scored} rows that the fit has not seen. Brackets are 95 % bootstrap intervals; "
        "↑ more is better, ↓ less is better.",
        "soft",
    )
    columns = [("metric", ""), ("this run", "number")]
    columns += [(name, "number") for name in data.baselines]
    rows = [
        [head(text(_with_arrow(name))), _score_cell(score, strong=True)]
        + [_score_cell(others.get(name)) for others in data.baselines.values()]
        for name, score in data.scores.items()
    ]
    return page.section("Scores", explained, page.table(columns, rows), *_fitted(data.fitted))


def _fitted(fitted: Mapping[str, Score]) -> list[Html]:
    if not fitted:
        return []
    warning = page.paragraph(
        "After a logistic curve fitted on the very labels that it is scored against: optimistic, "
        "for comparison with papers that report it so.",
        "soft",
    )
    rows = [[head(text(name)), _score_cell(score)] for name, score in fitted.items()]
    return [warning, page.table([("metric", ""), ("this run", "number")], rows)]


def _with_arrow(metric: str) -> str:
    if metric not in METRICS:
        return metric
    return f"{metric}\N{NO-BREAK SPACE}{'↑' if METRICS[metric].higher_is_better else '↓'}"


def _score_cell(score: Score | None, *, strong: bool = False) -> Html:
    if score is None:
        return cell(Html("&ndash;"), "number")
    value = f"<strong>{number(score.value)}</strong>" if strong else number(score.value)
    interval = f"<small>{text(_interval(score))}</small>" if math.isfinite(score.value) else ""
    return cell(Html(f"{value}{interval}"), "number")


def _plots(plots: Mapping[str, bytes]) -> Html:
    if not plots:
        return Html("")
    figures = [page.picture(png, caption) for caption, png in plots.items()]
    return page.section("Pictures", Html(f'<div class="plots">{page.join(figures)}</div>'))


def _coverage(coverage: Mapping[str, Mapping[str, int]]) -> Html:
    if not coverage:
        return Html("")
    key = Html(
        '<p class="soft key"><span><i class="ok"></i>OK</span> '
        '<span><i class="absent"></i>ABSENT: the sample has no such part</span> '
        '<span><i class="failed"></i>FAILED: it could not be read</span></p>'
    )
    names = [status.name for status in Status]
    columns = [("feature", ""), *((name, "number") for name in names), ("", "")]
    rows = [_coverage_row(feature, counts, names) for feature, counts in coverage.items()]
    return page.section("Coverage", key, page.table(columns, rows))


def _coverage_row(feature: str, counts: Mapping[str, int], names: Sequence[str]) -> list[Html]:
    total = sum(counts.get(name, 0) for name in names)
    parts = "".join(
        f'<span class="{name.lower()}" style="width:{100 * counts[name] / total:.2f}%"></span>'
        for name in names
        if counts.get(name, 0)
    )
    numbers = [cell(text(counts.get(name, 0)), "number") for name in names]
    return [head(foreign(feature)), *numbers, cell(Html(f'<div class="bar">{parts}</div>'))]


def _examples(heading: str, examples: Sequence[Example], error_name: str) -> Html:
    if not examples:
        return Html("")
    columns = [("id", ""), ("true", "number"), ("predicted", "number"), (error_name, "number")]
    rows = [
        [
            head(_who(example), "long"),
            cell(foreign(example.true), "number"),
            cell(foreign(example.predicted), "number"),
            cell(text(number(example.error)), "number"),
        ]
        for example in examples
    ]
    return page.section(heading, page.table(columns, rows))


def _who(example: Example) -> Html:
    words = f"<small>{foreign(example.text)}</small>" if example.text else ""
    return Html(f"{foreign(example.id)}{words}")
