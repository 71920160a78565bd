"""The page of a finished fit: what is shown, in what order, with what notes.

It is made from the run folder alone. What lies outside (the table's texts, frames of its clips) is
given as plain data by who can read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.files import replacing
from corpus.steps import step_names
from heads.runs.account import (
    coverage_of,
    facts_of,
    notes_of,
    repeat_of,
    rows_of,
    subtitle_of,
    tried_of,
)
from heads.runs.plots import FOREST, plots_of
from heads.runs.reading import FitRun
from scoring.canvas import png
from scoring.classification import ClassScore, by_class
from scoring.decades import Decade
from scoring.regression import by_day
from scoring.report import extremes, write_report
from scoring.report_data import Example, ReportData, Steps, Strip
from scoring.report_scores import value_text
from scoring.spread import Spread

SHOWN = 6  # rows of the best, and of the worst


@dataclass(frozen=True)
class Outside:
    """What a run folder does not hold, for the rows that are shown.

    texts   by id, then by field
    strips  by id
    notes   such as that the table has changed since
    """

    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    strips: Mapping[str, Strip] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shown:
    """The scored rows that are shown one by one, int64, and how wrong every row is."""

    best: np.ndarray
    worst: np.ndarray
    error: np.ndarray
    error_name: str


def shown_rows(run: FitRun, count: int = SHOWN) -> Shown:
    """Choose the rows to show: the nearest and the farthest predictions.

    Raises:
        RunError: if the run's rows cannot be read.
    """
    error, name = _errors(run)
    best, worst = extremes(error, count)
    return Shown(best, worst, error, name)


def write_run_report(run: FitRun, shown: Shown, outside: Outside | None = None) -> Path:
    """Draw the plots and write `report.html` into the run's folder; return its path.

    Raises:
        RunError: if the run cannot be read.
        StorageError: if the folder cannot be written.
    """
    pictures: dict[str, tuple[str, bytes]] = {}
    for name, (caption, figure) in plots_of(run).items():
        pictures[name] = (caption, png(figure))
        with replacing(run.folder / "plots" / f"{name}.png") as temporary:
            temporary.write_bytes(pictures[name][1])
    return write_report(run.folder, report_of(run, pictures, shown, outside or Outside()))


def report_of(
    run: FitRun, pictures: Mapping[str, tuple[str, bytes]], shown: Shown, outside: Outside
) -> ReportData:
    """Return what the page says; `pictures` are caption and PNG by name."""
    return ReportData(
        title=f"{run.target}: {run.content['head']}",
        subtitle=subtitle_of(run),
        notes=[*notes_of(run), *outside.notes],
        scores=run.scores,
        baselines=run.baselines,
        forest=pictures[FOREST][1],
        plots={caption: content for name, (caption, content) in pictures.items() if name != FOREST},
        classes=_classes(run),
        steps=_steps(run),
        decades=[Decade(**each) for each in run.content.get("decades", ())],
        spread={name: Spread.from_json(of) for name, of in run.content.get("spread", {}).items()},
        best=[_example(run, row, shown.error[row], outside) for row in shown.best.tolist()],
        worst=[_example(run, row, shown.error[row], outside) for row in shown.worst.tolist()],
        error_name=shown.error_name,
        tried=tried_of(run),
        importances=run.content.get("importances", {}),
        coverage=coverage_of(run),
        rows=rows_of(run),
        facts=facts_of(run),
        repeat=repeat_of(run),
    )


def _classes(run: FitRun) -> list[ClassScore]:
    shares = run.scored.probabilities if run.classes else None
    return by_class(run.labels(), shares, run.classes) if shares is not None else []


def _steps(run: FitRun) -> Steps | None:
    if run.task != "sequence":
        return None
    found = by_day(run.scored.target, run.scored.predicted)
    return Steps(step_names(run.target, len(found["mae"])), found["mae"], found["src"])


def _errors(run: FitRun) -> tuple[np.ndarray, str]:
    """Return how wrong each scored row is, float64 [M], and what that measures; "" of classes.

    A class is the more wrong the less probable it was said to be, which its row shows.
    """
    scored = run.scored
    if scored.probabilities is not None:
        labels = run.labels()
        given: np.ndarray = scored.probabilities[np.arange(len(labels)), labels]
        return 1 - given, ""
    distance = np.abs(scored.target - scored.predicted)
    if distance.ndim == 1:
        return distance, "absolute error"
    known = np.isfinite(distance)
    sums = np.where(known, distance, 0).sum(axis=1)
    return sums / np.maximum(known.sum(axis=1), 1), "mean absolute error of days"


def _example(run: FitRun, row: int, error: float, outside: Outside) -> Example:
    scored, name = run.scored, str(run.scored.ids[row])
    both = np.stack([scored.target[row], scored.predicted[row]], axis=-1)
    true, predicted = (value_text(side[row]) for side in (scored.target, scored.predicted))
    if scored.probabilities is not None:
        predicted += f" ({scored.probabilities[row].max():.0%})"
        true += f" ({1 - error:.1%})"
    elif scored.low is not None and scored.high is not None and scored.low.ndim == 1:
        predicted += f" [{value_text(scored.low[row])}, {value_text(scored.high[row])}]"
    return Example(
        id=name,
        true=true,
        predicted=predicted,
        error=float(error),
        texts=outside.texts.get(name, {}),
        strip=outside.strips.get(name),
        curve=both.tolist() if both.ndim == 2 else (),
    )
