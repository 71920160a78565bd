"""The pictures and the page of one fit: what is shown, in what order, with what notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from cache.known import Coverage
from core.status import Status
from heads.result import FitResult
from scoring import plots
from scoring.bootstrap import METRICS
from scoring.calibration import reliability
from scoring.classification import confusion
from scoring.regression import by_day
from scoring.report import Example, ReportData, extremes

_HEADLINE = {"regression": "srocc", "classification": "accuracy", "sequence": "amae"}
_MAX_FACTS = 12  # chosen numbers and features that are named one by one


def plots_of(result: FitResult) -> dict[str, tuple[str, Figure]]:
    """Return by file name a caption and a figure."""
    task = result.config.target.task
    drawn = {"regression": _of_numbers, "classification": _of_classes, "sequence": _of_sequences}
    pictures = drawn[task](result)
    metric = _HEADLINE[task]
    rows = [("this run", result.metrics[metric])]
    rows += [(name, scores[metric]) for name, scores in result.baselines.items()]
    better = METRICS[metric].higher_is_better
    figure = plots.forest(rows, metric=metric, higher_is_better=better)
    return {"baselines": (f"{metric} beside the baselines", figure), **pictures}


def report_of(
    result: FitResult, pictures: Mapping[str, bytes], coverage: Mapping[str, Coverage]
) -> ReportData:
    """Return what the page says; `pictures` are PNG by caption."""
    config, (error, error_name) = result.config, _errors(result)
    best, worst = extremes(error)
    return ReportData(
        title=f"{config.target.column}: {config.head}",
        facts=_facts(result),
        scores=result.metrics,
        baselines=result.baselines,
        coverage=_coverage(result, coverage),
        plots=pictures,
        best=[_example(result, row, error[row]) for row in best],
        worst=[_example(result, row, error[row]) for row in worst],
        notes=_notes(result),
        error_name=error_name,
    )


def _of_numbers(result: FitResult) -> dict[str, tuple[str, Figure]]:
    scored, name = result.scored, result.config.target.column
    both = plots.predicted_and_true(
        scored.target, scored.predicted, name=name, low=scored.low, high=scored.high
    )
    left = plots.residuals(scored.target, scored.predicted, name=name)
    return {
        "predicted_and_true": ("Predicted and true", both),
        "residuals": ("What the prediction misses", left),
    }


def _of_sequences(result: FitResult) -> dict[str, tuple[str, Figure]]:
    figure = plots.days(by_day(result.scored.target, result.scored.predicted))
    return {"steps": ("Error and rank correlation of each step", figure)}


def _of_classes(result: FitResult) -> dict[str, tuple[str, Figure]]:
    classes, scored = result.bundle.classes, result.scored
    assert scored.probabilities is not None
    place = {name: index for index, name in enumerate(classes)}
    labels = np.array([place[name] for name in scored.target.tolist()], np.int64)
    counts = Counter(scored.target.tolist())
    matrix = confusion(labels, scored.probabilities)
    spread = plots.class_distribution(
        {name: counts[name] for name in classes}, name=result.config.target.column
    )
    return {
        "confusion": ("Which classes are confused", plots.confusion_matrix(matrix, classes)),
        "calibration": (
            "Calibration",
            plots.calibration(reliability(labels, scored.probabilities)),
        ),
        "classes": ("Rows of each class", spread),
    }


def _facts(result: FitResult) -> dict[str, str]:
    config = result.config
    described = result.bundle.head.describe()
    features = [spec.name for spec in result.bundle.features]
    facts = {
        "head": config.head,
        "options": ", ".join(f"{name} {_option(value)}" for name, value in described.items()),
        "features": _some(features),
        "target": _target_text(result),
        "split": f"{config.split.text}, {len(result.folds)} folds, digest {result.split_digest}",
        "rows": ", ".join(f"{count} {what}" for what, count in result.rows.items()),
        "chosen": ", ".join(f"{name} {value:g}" for name, value in result.chosen.items()),
        "weight of features": _some(
            [f"{name} {share:.0%}" for name, share in _by_weight(result.importances)]
        ),
        "seed": str(config.seed),
    }
    return {name: text for name, text in facts.items() if text}


def _by_weight(importances: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(importances.items(), key=lambda pair: -pair[1])


def _option(value: object) -> str:
    return "auto" if value is None else f"{value}"


def _some(words: list[str]) -> str:
    more = len(words) - _MAX_FACTS
    return ", ".join(words[:_MAX_FACTS]) + (f" and {more} more" if more > 0 else "")


def _target_text(result: FitResult) -> str:
    plan, text = result.config.target, f"{result.config.target.column}, {result.config.target.task}"
    if plan.transform != "none":
        text += f", learnt as {plan.transform}"
    if plan.quantiles is not None:
        text += f", classes by the quantiles {plan.quantiles[0]:g} and {plan.quantiles[1]:g}"
    return text


def _notes(result: FitResult) -> list[str]:
    notes = []
    if result.interval:
        notes.append(
            f"Intervals are meant to cover {result.interval['level']:.0%} of rows; they cover "
            f"{result.interval['covered']:.1%} of those scored here."
        )
    if dropped := result.rows["unlabelled"]:
        notes.append(f"{dropped} rows have no label and were left out.")
    if middle := result.rows["middle"]:
        notes.append(f"{middle} rows lie between the quantiles and were left out.")
    if result.config.fold is not None:
        notes.append(f"Only fold {result.config.fold} was fitted: a quick look, not a result.")
    return notes


def _coverage(result: FitResult, given: Mapping[str, Coverage]) -> dict[str, dict[str, int]]:
    """Return by feature the number of rows by status; those of a feature that none has too."""
    counts = {}
    for name, present in result.coverage.items():
        if name in given:
            known = given[name]
            absent, failed = sum(known.absent.values()), sum(known.failed.values())
            counts[name] = {"OK": known.ok, "ABSENT": absent, "FAILED": failed}
        else:
            lacking = len(result.ids) - present
            counts[name] = {Status.OK.name: present, Status.ABSENT.name: lacking}
    return counts


def _errors(result: FitResult) -> tuple[np.ndarray, str]:
    """Return how wrong each scored row is, float64 [M], and what that measures."""
    scored = result.scored
    if scored.probabilities is not None:
        place = {name: index for index, name in enumerate(result.bundle.classes)}
        truth = np.array([place[name] for name in scored.target.tolist()], np.int64)
        given: np.ndarray = scored.probabilities[np.arange(len(truth)), truth]
        return 1 - given, "probability of other classes"
    distance = np.abs(scored.target - scored.predicted)
    if distance.ndim == 1:
        return distance, "absolute error"
    known = np.isfinite(distance)
    sums = np.where(known, distance, 0).sum(axis=1)
    return sums / np.maximum(known.sum(axis=1), 1), "mean absolute error of steps"


def _example(result: FitResult, row: int, error: float) -> Example:
    scored = result.scored
    true, predicted = (_shown(side[row]) for side in (scored.target, scored.predicted))
    return Example(str(scored.ids[row]), true, predicted, float(error))


def _shown(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value[0]:.4g} … {value[-1]:.4g}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
