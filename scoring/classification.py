"""How right predicted class probabilities are.

All take labels int64 [N] (class indices) and probabilities float [N, C] whose rows sum to 1. A
share with nothing below its line (precision of a class that was never predicted) counts as 0, as in
scikit-learn with zero_division=0; means over classes take the classes that occur in the labels or
the predictions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn import metrics as sklearn_metrics

from scoring.checks import check_classes

TOP = 5
SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)  # as scikit-learn's log_loss


def accuracy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the share of rows whose most probable class is right; of equals the first is taken."""
    truth, given = check_classes(labels, probabilities)
    return float(sklearn_metrics.accuracy_score(truth, given.argmax(axis=1)))


def top_accuracy(labels: np.ndarray, probabilities: np.ndarray, k: int = TOP) -> float:
    """Return the share of rows whose class is among the k most probable; nan where C <= k."""
    truth, given = check_classes(labels, probabilities)
    if given.shape[1] <= k:
        return float("nan")
    return float(in_top(truth, given, k).mean())


def in_top(labels: np.ndarray, probabilities: np.ndarray, k: int = TOP) -> np.ndarray:
    """Say for each row whether its class is among the k most probable, bool [N].

    Of equal probabilities the class with the lower index comes first, as in `accuracy`.
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :k]
    found: np.ndarray = (order == labels[:, None]).any(axis=1)
    return found


def averaged(
    labels: np.ndarray, probabilities: np.ndarray, average: str
) -> tuple[float, float, float]:
    """Return precision, recall and F1; `average` is "weighted" (by support) or "macro"."""
    truth, given = check_classes(labels, probabilities)
    found = sklearn_metrics.precision_recall_fscore_support(
        truth, given.argmax(axis=1), average=average, zero_division=0
    )
    return float(found[0]), float(found[1]), float(found[2])


def confusion(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return the confusion matrix, int64 [C true, C predicted]."""
    truth, given = check_classes(labels, probabilities)
    matrix: np.ndarray = sklearn_metrics.confusion_matrix(
        truth, given.argmax(axis=1), labels=np.arange(given.shape[1])
    )
    return matrix.astype(np.int64)


def auc_by_class(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return the area under the ROC curve of each class against the rest, float64 [C].

    It is nan for a class that no row, or every row, belongs to: there is nothing to tell apart.
    """
    truth, given = check_classes(labels, probabilities)
    areas = np.full(given.shape[1], np.nan)
    for index in range(given.shape[1]):
        positive = truth == index
        if positive.any() and not positive.all():
            areas[index] = sklearn_metrics.roc_auc_score(positive, given[:, index])
    return areas


def auc(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the area under the ROC curve of class 1 when C is 2, else the mean over classes.

    Each class stands against the rest. The mean takes the classes that occur in the labels; it is
    nan where fewer than two do.
    """
    areas = auc_by_class(labels, probabilities)
    if len(areas) == 2:
        return float(areas[1])
    defined = areas[np.isfinite(areas)]
    return float(defined.mean()) if len(defined) else float("nan")


def log_loss(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the mean negative logarithm (base e) of the true class's probability."""
    truth, given = check_classes(labels, probabilities)
    return float(sklearn_metrics.log_loss(truth, given, labels=np.arange(given.shape[1])))


def brier(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the mean squared distance of probabilities and truth: 0..1 when C is 2, else 0..2."""
    truth, given = check_classes(labels, probabilities)
    return float(brier_rows(truth, given).mean())


def brier_rows(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return each row's part of the Brier score, float64 [N]; halved when C is 2."""
    wrong = probabilities - np.eye(probabilities.shape[1])[labels]
    squared: np.ndarray = np.square(wrong).sum(axis=1)
    return squared / 2 if probabilities.shape[1] == 2 else squared


def log_loss_rows(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return each row's part of the log loss, float64 [N]."""
    true = probabilities[np.arange(len(labels)), labels]
    loss: np.ndarray = -np.log(np.clip(true, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY))
    return loss


@dataclass(frozen=True)
class ClassScore:
    """One class's row of the table; `auc` is nan where the class is absent from the labels."""

    name: str
    precision: float
    recall: float
    f1: float
    auc: float
    support: int


def by_class(
    labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]
) -> list[ClassScore]:
    """Return the scores of every class, in the order of `classes` (as many names as columns)."""
    truth, given = check_classes(labels, probabilities)
    if len(classes) != given.shape[1]:
        raise ValueError(f"{len(classes)} class names for {given.shape[1]} columns; must match")
    found = sklearn_metrics.precision_recall_fscore_support(
        truth, given.argmax(axis=1), labels=np.arange(len(classes)), average=None, zero_division=0
    )
    areas = auc_by_class(truth, given)
    return [
        ClassScore(name, float(p), float(r), float(f), float(area), int(support))
        for name, p, r, f, support, area in zip(classes, *found, areas, strict=True)
    ]
