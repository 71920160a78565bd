"""Multinomial logistic regression whose penalty is chosen on inner folds of the train rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from heads.penalised.descent import Weights, cross_entropy, descend
from heads.penalised.rotation import Matrix, rotate, variance_of

PENALTIES = tuple(float(value) for value in 10 ** np.arange(0, -6.01, -0.5))  # strongest first
FOLDS = 5
_PATIENCE = 2  # penalties without an improvement, after which weaker ones (the slow fits) are left
_MOST = 4000  # rows up to which rotating sparse columns, N³, costs less than their descents
_SMALLEST = 1e-6  # probability that a class without train rows in an inner fold is scored with


_Parts = tuple[np.ndarray, np.ndarray]  # int64, rows to learn from and rows to judge by


def fit_logistic(
    matrix: Matrix,
    target: np.ndarray,
    clusters: np.ndarray | None,
    penalty: float | None,
    *,
    seed: int,
) -> tuple[np.ndarray, np.ndarray, dict[float, float]]:
    """Fit float32 [N, D] to classes int64 [N].

    The penalty is a share of the variance of all columns together, per row, as in
    `heads/penalised/ridge.py`. None takes the one of `PENALTIES` with the smallest log loss over
    inner folds, which are stratified, and keep the rows of one of the `clusters` (int64 [N]) on one
    side.

    Returns:
        Weights float64 [D, classes that occur], intercepts, and the log loss by penalty (empty
        where the penalty was given, or no inner fold has two classes to learn from).
    """
    classes, target = np.unique(target, return_inverse=True)
    space = _space(matrix, many_fits=penalty is None)
    unit = variance_of(matrix)
    curve: dict[float, float] = {}
    if penalty is None:
        folds = _inner_folds(target, clusters, seed)
        if folds:
            curve = _curve(space.rows.astype(np.float32), target, folds, unit)
        penalty = best_penalty(curve)
    start = Weights.nothing(space.rows.shape[1], len(classes))
    found = descend(space.rows, target, penalty * unit, start=start, rough=False)
    weights = space.back(found.slopes)  # [D, K], or [D, 1] for two classes
    intercepts = found.intercepts - space.mean @ weights
    if len(classes) == 2:
        weights = np.hstack([np.zeros_like(weights), weights])
        intercepts = np.array([0.0, intercepts[0]])
    return weights, intercepts, curve


def best_penalty(curve: Mapping[float, float]) -> float:
    """Return the penalty with the smallest loss; the strongest where rows are too few to ask."""
    return min(curve, key=lambda value: curve[value], default=PENALTIES[0])


def softmax(scores: np.ndarray) -> np.ndarray:
    """Return probabilities float64 [N, K] of scores [N, K]."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: np.ndarray = raised / raised.sum(axis=1, keepdims=True)
    return shares


@dataclass(frozen=True, eq=False)
class _Space:
    """Rows in which the fit is the same and fast, float64 [N, R]; the way back to the columns."""

    rows: Matrix
    mean: np.ndarray
    back: Callable[[np.ndarray], np.ndarray]


def _space(matrix: Matrix, *, many_fits: bool) -> _Space:
    """Rotate, which makes every fit fast; but not sparse columns for one fit, or for many rows."""
    count = matrix.shape[0]
    if not isinstance(matrix, np.ndarray) and (count > _MOST or not many_fits):
        return _Space(matrix.astype(np.float64), np.zeros(matrix.shape[1]), lambda found: found)
    rotation = rotate(matrix)
    return _Space(rotation.rotated, rotation.mean, rotation.back)


class _InnerFold:
    """One inner fold and the weights it was last fitted with, where the next penalty begins."""

    def __init__(
        self, rows: Matrix, target: np.ndarray, train: np.ndarray, test: np.ndarray
    ) -> None:
        self._rows, self._test = rows[train], rows[test]
        classes, self._target = np.unique(target[train], return_inverse=True)
        self._place = np.searchsorted(classes, target[test]).clip(max=len(classes) - 1)
        self._known = classes[self._place] == target[test]
        self._weights = Weights.nothing(rows.shape[1], len(classes))

    def losses(self, penalty: float) -> np.ndarray:
        """Fit, and return the log losses of the rows left out."""
        self._weights = descend(self._rows, self._target, penalty, start=self._weights, rough=True)
        losses, _ = cross_entropy(self._weights.scores(self._test), self._place)
        worst = -np.log(_SMALLEST)
        found: np.ndarray = np.where(self._known, np.minimum(losses, worst), worst)
        return found


def _curve(
    rows: Matrix,
    target: np.ndarray,
    folds: list[_Parts],
    unit: float,
) -> dict[float, float]:
    """Return the mean log loss of the left-out rows by penalty, until it no longer falls."""
    inner = [_InnerFold(rows, target, train, test) for train, test in folds]
    curve: dict[float, float] = {}
    for penalty in PENALTIES:
        losses = [fold.losses(penalty * unit) for fold in inner]
        curve[penalty] = float(np.concatenate(losses).mean())
        best = min(range(len(curve)), key=list(curve.values()).__getitem__)
        if len(curve) - 1 - best >= _PATIENCE:
            break
    return curve


def _inner_folds(target: np.ndarray, clusters: np.ndarray | None, seed: int) -> list[_Parts]:
    """Return up to five inner folds whose train rows have two classes, or none.

    They are stratified where each class has enough rows, and tear clusters apart only where a class
    is all in one of two clusters, so that nothing could be learnt otherwise.
    """
    folds = [] if clusters is None else _divided(target, clusters, seed)
    return _of_two_classes(target, folds) or _of_two_classes(target, _divided(target, None, seed))


def _of_two_classes(target: np.ndarray, folds: list[_Parts]) -> list[_Parts]:
    return [(train, test) for train, test in folds if len(np.unique(target[train])) > 1]


def _divided(target: np.ndarray, clusters: np.ndarray | None, seed: int) -> list[_Parts]:
    smallest = int(np.unique(target, return_counts=True)[1].min())
    if clusters is not None and (groups := len(np.unique(clusters))) > 1:
        count = min(FOLDS, groups)
        if smallest >= count:
            splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
        else:
            splitter = GroupKFold(count, shuffle=True, random_state=seed)
        return list(splitter.split(target, target, clusters))
    if smallest >= 2:
        splitter = StratifiedKFold(min(FOLDS, smallest), shuffle=True, random_state=seed)
    else:
        splitter = KFold(min(FOLDS, len(target)), shuffle=True, random_state=seed)
    return list(splitter.split(target, target))
