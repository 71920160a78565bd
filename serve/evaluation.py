"""How well a fitted run does on rows that it never saw."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import FitError
from corpus.sample import Sample, Target
from heads.bundle import Bundle
from scoring.bootstrap import Score, score_classification, score_regression, score_sequence
from serve.predictor import Predicted, plain


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Scores on the rows that have a label and a prediction.

    metrics  by name
    rows     counts: "scored", "unlabelled", "failed"
    lines    (id, target, predicted, status, reason) of every row
    """

    metrics: Mapping[str, Score]
    rows: Mapping[str, int]
    lines: Sequence[tuple[str, object, object, str, str]]

    def table(self) -> str:
        """Return the lines as CSV."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["id", "target", "predicted", "status", "reason"])
        writer.writerows(self.lines)
        return text.getvalue()


def evaluate(
    bundle: Bundle, predicted: Predicted, samples: Sequence[Sample], *, seed: int
) -> Evaluation:
    """Score predictions for samples, in their order; rows without label or prediction are counted.

    Raises:
        FitError: if no row has both.
    """
    values = [sample.targets[bundle.target.plan.column] for sample in samples]
    truth, labelled = _truth(bundle, values, [sample.id for sample in samples])
    failed = np.array([sample.id in predicted.failures for sample in samples], bool)
    scored = labelled & ~failed
    if not scored.any():
        raise FitError(
            f"no row has a label for {bundle.unit!r} and could be predicted; "
            "the score needs at least one"
        )
    counts = {
        "scored": int(scored.sum()),
        "unlabelled": int((~labelled).sum()),
        "failed": int((labelled & failed).sum()),
    }
    metrics = _scores(bundle, predicted, truth, np.flatnonzero(scored), seed)
    return Evaluation(metrics, counts, _lines(values, predicted))


def _truth(
    bundle: Bundle, values: Sequence[Target], ids: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return labels as scores take them (numbers, or class indices), and who has one."""
    if bundle.classes:
        return bundle.target.encode(values, ids=ids)
    numbers = bundle.target.plan.numbers(values, ids)
    known = np.isfinite(numbers)
    return numbers, known if known.ndim == 1 else known.any(axis=1)


def _scores(
    bundle: Bundle, predicted: Predicted, truth: np.ndarray, rows: np.ndarray, seed: int
) -> dict[str, Score]:
    found = predicted.predictions
    if found.probabilities is not None:
        shares = found.probabilities[rows]
        return score_classification(truth[rows], shares, bundle.classes, seed=seed)
    score = score_sequence if bundle.target.plan.task == "sequence" else score_regression
    return score(truth[rows], found.value[rows], seed=seed)


def _lines(
    values: Sequence[Target], predicted: Predicted
) -> list[tuple[str, object, object, str, str]]:
    return [
        (sample_id, _shown(value), number, status, reason)
        for value, (sample_id, number, status, reason) in zip(
            values, predicted.table(), strict=True
        )
    ]


def _shown(value: Target) -> object:
    if isinstance(value, np.ndarray):
        return " ".join("" if item is None else f"{item:.6g}" for item in plain(value))
    return "" if value is None else value
