"""Scores as a page shows them: large at the top, beside baselines, by class, by day."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from scoring import page
from scoring.bootstrap import METRICS, Score
from scoring.classification import ClassScore
from scoring.decades import Decade
from scoring.page import Html, cell, foreign, head, text
from scoring.report_data import METRIC_WORDS, ReportData, Steps

HEADLINES = ("srocc", "plcc", "final", "asrc", "amae", "accuracy", "f1_weighted", "auc")
HEADLINE_COUNT = 3
_SHORTEST_PART = 10  # days of a table, of which up to three stand side by side
_ROUNDING = 1e-12  # what is smaller is nothing that was measured
BASELINE_WORDS = {
    "mean": "what is usual among the train rows",
    "category": "what is usual in the row's category",
    "persistence": "the last observed day goes on",
    "observed": "a linear head on the observed days alone",
    "metadata": "a linear head on the table's own numbers and categories",
}


def number(value: float) -> str:
    """Return a figure for a table: four digits that count, "undefined" for nan."""
    if not math.isfinite(value):
        return "undefined"
    sign, size = "\N{MINUS SIGN}" if value < 0 else "", abs(value)
    if size < _ROUNDING:
        return "0.000"
    if not 1e-4 <= size < 1e6:
        return f"{sign}{size:.3g}"
    places = 3 if size < 10 else 2 if size < 100 else 1
    return f"{sign}{size:.{places}f}"


def value_text(value: object) -> str:
    """Return a number, a class, or the two ends of a sequence, as people read it."""
    if isinstance(value, np.ndarray):
        known = value[np.isfinite(value)]
        return f"{number(known[0])} … {number(known[-1])}" if len(known) else "unknown"
    return number(value) if isinstance(value, float) else str(value)


def interval(score: Score) -> str:
    """Return "[low, high]", or that there is none."""
    if not math.isfinite(score.low):
        return "no interval"
    return f"[{number(score.low)}, {number(score.high)}]"


def with_arrow(metric: str) -> str:
    """Return a metric's name with an arrow to the better side."""
    if metric not in METRICS:
        return metric
    return f"{metric}\N{NO-BREAK SPACE}{'↑' if METRICS[metric].higher_is_better else '↓'}"


def score_cell(score: Score | None, kind: str = "") -> Html:
    """Return a cell with value and interval; `kind` "best" makes it stand out."""
    if score is None:
        return cell(Html("&ndash;"), "number")
    around = f"<small>{text(interval(score))}</small>" if math.isfinite(score.value) else ""
    return cell(Html(f"{text(number(score.value))}{around}"), f"number {kind}".strip())


def headline(data: ReportData) -> Html:
    """Return the few scores that stand large, each with the best baseline under it."""
    chosen = [name for name in HEADLINES if name in data.scores][:HEADLINE_COUNT]
    if not chosen:
        return Html("")
    tiles = "".join(_tile(name, data) for name in chosen)
    return Html(f'<div class="headline">{tiles}</div>')


def _tile(metric: str, data: ReportData) -> str:
    score = data.scores[metric]
    beside = _best_baseline(metric, data.baselines)
    return (
        f"<div>{text(with_arrow(metric))}<strong>{text(number(score.value))}</strong>"
        f'<span class="soft">{text(interval(score))}<br>{text(METRIC_WORDS[metric])}'
        f"{'<br>' + text(beside) if beside else ''}</span></div>"
    )


def _best_baseline(metric: str, baselines: Mapping[str, Mapping[str, Score]]) -> str:
    values = {name: scores[metric].value for name, scores in baselines.items() if metric in scores}
    defined = {name: value for name, value in values.items() if math.isfinite(value)}
    if not defined:
        return ""
    better = max if METRICS[metric].higher_is_better else min
    name = better(defined, key=lambda each: defined[each])
    return f"best baseline: {name} {number(defined[name])}"


def scores_section(data: ReportData) -> Html:
    """Return all scores beside the baselines, with a picture of the main one."""
    rows_scored = max((score.n for score in data.scores.values()), default=0)
    known = [f"{name}: {BASELINE_WORDS[name]}" for name in data.baselines if name in BASELINE_WORDS]
    explained = page.paragraph(
        f"{rows_scored} rows that the fit has not seen. Brackets are 95 % bootstrap intervals; "
        "↑ more is better, ↓ less is better."
        + (f" Baselines, on the same rows: {'; '.join(known)}." if known else ""),
        "soft",
    )
    columns = [("metric", ""), ("this run", "number")]
    columns += [(name, "number") for name in data.baselines]
    rows = [
        [head(_metric(name)), score_cell(score, "best")]
        + [score_cell(others.get(name)) for others in data.baselines.values()]
        for name, score in data.scores.items()
    ]
    drawn = page.picture(data.forest, "This run beside its baselines") if data.forest else Html("")
    return page.section("Scores", explained, drawn, page.table(columns, rows))


def _metric(name: str) -> Html:
    words = f"<small>{text(METRIC_WORDS[name])}</small>" if name in METRIC_WORDS else ""
    return Html(f"{text(with_arrow(name))}{words}")


def classes_section(classes: Sequence[ClassScore]) -> Html:
    """Return each class's own scores."""
    if not classes:
        return Html("")
    names = ("precision", "recall", "f1", "auc")
    columns = [("class", ""), ("rows", "number"), *((name, "number") for name in names)]
    rows = [
        [head(foreign(row.name), "long"), cell(text(row.support), "number")]
        + [cell(text(number(getattr(row, name))), "number") for name in names]
        for row in classes
    ]
    explained = page.paragraph(
        "Precision: how many of those taken for the class are of it. Recall: how many of the class "
        "are found. AUC: the class against all others.",
        "soft",
    )
    return page.section("Class by class", explained, page.table(columns, rows))


def steps_section(steps: Steps | None) -> Html:
    """Return each day's own scores."""
    if steps is None:
        return Html("")
    rows = [
        [head(foreign(name)), cell(text(number(mae)), "number"), cell(text(number(src)), "number")]
        for name, mae, src in zip(steps.names, steps.mae.tolist(), steps.src.tolist(), strict=True)
    ]
    columns = [("day", ""), ("mean absolute error", "number"), ("rank correlation", "number")]
    length = max(_SHORTEST_PART, -(-len(rows) // 3))
    parts = [rows[start : start + length] for start in range(0, len(rows), length)]
    tables = page.join(page.table(columns, part) for part in parts)
    return page.section("Day by day", Html(f'<div class="beside">{tables}</div>'))


def decades_section(decades: Sequence[Decade]) -> Html:
    """Return the error where few and where many had watched."""
    if not decades:
        return Html("")
    rows = [
        [
            head(text(f"{decade.low:,.0f} to {decade.high:,.0f}")),
            cell(text(f"{decade.n:,}"), "number"),
            cell(text(number(decade.mae)), "number"),
        ]
        for decade in decades
    ]
    columns = [("true views until that day", ""), ("days", "number")]
    columns.append(("mean absolute error", "number"))
    return page.section("Where few and where many watched", page.table(columns, rows))
