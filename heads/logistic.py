"""Multinomial logistic regression whose penalty is chosen on inner folds of the train rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from heads.rotation import is_sparse, rotate, variance_of

PENALTIES = tuple(float(value) for value in 10 ** np.arange(0, -6.01, -0.5))  # strongest first
FOLDS = 5
_PATIENCE = 2  # penalties without an improvement, after which weaker ones (the slow fits) are left
_STEPS = 300
_SMALLEST = 1e-6  # probability that a class without train rows in an inner fold is scored with


def fit_logistic(
    matrix: np.ndarray,
    target: np.ndarray,
    clusters: np.ndarray | None,
    penalty: float | None,
    *,
    seed: int,
) -> tuple[np.ndarray, np.ndarray, dict[float, float]]:
    """Fit float32 [N, D] to classes int64 [N].

    The penalty is a share of the variance of all columns together, per row, as in
    `heads/ridge.py`. None takes the one of `PENALTIES` with the smallest log loss over inner
    folds, which are stratified, and keep the rows of one of the `clusters` (int64 [N]) on one side.

    Returns:
        Weights float64 [D, classes that occur], intercepts, and the log loss by penalty (empty
        where the penalty was given).
    """
    space = _space(matrix)
    unit = variance_of(matrix)
    curve: dict[float, float] = {}
    if penalty is None:
        curve = _curve(space.rows, target, _inner_folds(target, clusters, seed), unit)
        penalty = min(curve, key=lambda value: curve[value])
    model = _fit(_model(), space.rows.astype(np.float64), target, penalty * unit)
    weights = space.back(model.coef_.T)  # [D, K], or [D, 1] for two classes
    intercepts = model.intercept_ - space.mean @ weights
    if len(model.classes_) == 2:
        weights = np.hstack([np.zeros_like(weights), weights])
        intercepts = np.array([0.0, intercepts[0]])
    return weights, intercepts, curve


def softmax(scores: np.ndarray) -> np.ndarray:
    """Return probabilities float64 [N, K] of scores [N, K]."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: np.ndarray = raised / raised.sum(axis=1, keepdims=True)
    return shares


@dataclass(frozen=True, eq=False)
class _Space:
    """Rows in which the fit is the same and fast, float32 [N, R]; the way back to the columns."""

    rows: Any
    mean: np.ndarray
    back: Callable[[np.ndarray], np.ndarray]


def _space(matrix: np.ndarray) -> _Space:
    """Skip zeros where most are; rotate where there are more columns than rows; else as it is."""
    nothing = np.zeros(matrix.shape[1])
    if is_sparse(matrix):
        return _Space(csr_array(matrix), nothing, lambda weights: weights)
    if matrix.shape[1] <= len(matrix):
        return _Space(matrix, nothing, lambda weights: weights)
    rotation = rotate(matrix)
    return _Space(rotation.rotated.astype(np.float32), rotation.mean, rotation.back)


def _model() -> LogisticRegression:
    return LogisticRegression(solver="lbfgs", max_iter=_STEPS, warm_start=True)


def _fit(
    model: LogisticRegression, rows: Any, target: np.ndarray, per_row: float
) -> LogisticRegression:
    """Fit from where the model is; scikit-learn's C is against the sum over rows, ours per row."""
    model.C = 1 / (per_row * len(target))
    with warnings.catch_warnings():
        # Weak penalties on separable rows converge slowly; what 300 steps give is what inner
        # folds judge.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(rows, target)


def _curve(
    rows: Any,
    target: np.ndarray,
    folds: list[tuple[np.ndarray, np.ndarray]],
    unit: float,
) -> dict[float, float]:
    """Return the mean log loss of the left-out rows by penalty, until it no longer falls."""
    folds = [(train, test) for train, test in folds if len(np.unique(target[train])) > 1]
    models = [_model() for _ in folds]
    curve: dict[float, float] = {}
    for penalty in PENALTIES:
        losses = []
        for model, (train, test) in zip(models, folds, strict=True):
            _fit(model, rows[train], target[train], penalty * unit)
            losses.append(_log_losses(model, rows[test], target[test]))
        curve[penalty] = float(np.concatenate(losses).mean())
        best = min(range(len(curve)), key=list(curve.values()).__getitem__)
        if len(curve) - 1 - best >= _PATIENCE:
            break
    return curve


def _log_losses(model: LogisticRegression, rows: Any, target: np.ndarray) -> np.ndarray:
    probabilities = model.predict_proba(rows)
    place = np.searchsorted(model.classes_, target).clip(max=len(model.classes_) - 1)
    given = probabilities[np.arange(len(target)), place]
    given = np.where(model.classes_[place] == target, given, 0)
    losses: np.ndarray = -np.log(np.maximum(given, _SMALLEST))
    return losses


def _inner_folds(
    target: np.ndarray, clusters: np.ndarray | None, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return up to five inner folds, stratified where each class has enough rows."""
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
