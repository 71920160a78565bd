"""The pictures of a finished fit, drawn from its folder."""

from __future__ import annotations

from collections import Counter

from matplotlib.figure import Figure

from corpus.steps import first_step
from heads.runs.reading import FitRun
from scoring import plots
from scoring.bootstrap import METRICS
from scoring.calibration import reliability
from scoring.classification import confusion
from scoring.curves import training_curve
from scoring.regression import by_day
from scoring.report_data import MAIN_METRIC

FOREST = "baselines"  # the picture that stands beside the scores


def plots_of(run: FitRun) -> dict[str, tuple[str, Figure]]:
    """Return by file name a caption and a figure.

    Raises:
        RunError: if the run's rows or curves cannot be read.
    """
    drawn = {"regression": _of_numbers, "classification": _of_classes, "sequence": _of_sequences}
    pictures = {FOREST: _forest(run), **drawn[run.task](run)}
    if run.history:
        chosen = run.content.get("chosen", {})
        pictures["history"] = ("How the head learnt", training_curve(run.history, chosen))
    return pictures


def _forest(run: FitRun) -> tuple[str, Figure]:
    metric = MAIN_METRIC[run.task]
    rows = [("this run", run.scores[metric])]
    rows += [(name, scores[metric]) for name, scores in run.baselines.items()]
    better = METRICS[metric].higher_is_better
    figure = plots.forest(rows, metric=metric, higher_is_better=better)
    return f"{metric} beside the baselines", figure


def _of_numbers(run: FitRun) -> dict[str, tuple[str, Figure]]:
    scored, name = run.scored, run.target
    both = plots.predicted_and_true(
        scored.target, scored.predicted, name=name, low=scored.low, high=scored.high
    )
    levels = plots.levels(scored.target, scored.predicted, name=name)
    left = plots.residuals(scored.target, scored.predicted, name=name)
    return {
        "predicted_and_true": ("Predicted and true", both),
        "residuals": ("What the prediction misses", left),
        **({"levels": ("Error by how high the truth is", levels)} if levels else {}),
    }


def _of_sequences(run: FitRun) -> dict[str, tuple[str, Figure]]:
    scores = by_day(run.scored.target, run.scored.predicted)
    figure = plots.days(scores, first_step(run.target))
    return {"steps": ("Error and rank correlation of each day", figure)}


def _of_classes(run: FitRun) -> dict[str, tuple[str, Figure]]:
    labels, shares, classes = run.labels(), run.scored.probabilities, run.classes
    assert shares is not None
    counts = Counter(run.scored.target.tolist())
    spread = plots.class_distribution({name: counts[name] for name in classes}, name=run.target)
    matrix = plots.confusion_matrix(confusion(labels, shares), classes)
    return {
        "confusion": ("Which classes are taken for which", matrix),
        "calibration": ("Calibration", plots.calibration(reliability(labels, shares))),
        "classes": ("Rows of each class", spread),
    }
