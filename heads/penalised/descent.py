"""Cross-entropy with an L2 penalty, minimised by L-BFGS in columns that are brought to one scale.

Two classes have one column of weights, of the second against the first; more have one each.
Dividing each column by the root of its curvature makes the valley nearly round where columns are
uncorrelated (`heads/penalised/rotation.py`): on 1,900 x 43,000 counts 8 steps instead of 37, each
dense but short. The curvature is that of a logistic loss where both classes are as likely, a bound
of Böhning's (Multinomial logistic regression algorithm, 1992).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

from heads.penalised.rotation import Matrix

_STEEPEST = 0.25  # second derivative of a logistic loss where both classes are as likely
_STEPS = 1000
_ROUGH = {"gtol": 1e-3, "ftol": 1e-7}  # to compare penalties: the loss is exact to some 1e-5
_EXACT = {"gtol": 1e-5, "ftol": 1e-11}


@dataclass(frozen=True, eq=False)
class Weights:
    """What a fit found: float64 [R, k] and [k], k = 1 for two classes, else one for each."""

    slopes: np.ndarray
    intercepts: np.ndarray

    @classmethod
    def nothing(cls, columns: int, classes: int) -> Weights:
        """Return where a fit begins: every class as likely."""
        width = 1 if classes == 2 else classes
        return cls(np.zeros((columns, width)), np.zeros(width))

    def scores(self, rows: Matrix) -> np.ndarray:
        """Return float64 [N, classes], logarithms of shares but for a constant of each row."""
        product = rows @ self.slopes.astype(rows.dtype) + self.intercepts
        if product.shape[1] == 1:
            product = np.hstack([np.zeros_like(product), product])
        scores: np.ndarray = product
        return scores


def descend(
    rows: Matrix, target: np.ndarray, penalty: float, *, start: Weights, rough: bool
) -> Weights:
    """Minimise the mean loss of `rows` [N, R] plus `penalty` / 2 times the squared slopes.

    `target` is int64 [N], 0 to the number of classes - 1, each of which occurs. The search begins
    at `start`; `rough` is exact enough to compare penalties.
    """
    width = start.slopes.shape[1]
    scale = 1 / np.sqrt(_STEEPEST * _squares(rows) + penalty)[:, None]
    transposed = rows.T.tocsr() if hasattr(rows, "tocsr") else rows.T

    def weights_at(place: np.ndarray) -> Weights:
        grid = place.reshape(-1, width)
        return Weights(grid[:-1] * scale, grid[-1] / np.sqrt(_STEEPEST))

    def loss_at(place: np.ndarray) -> tuple[float, np.ndarray]:
        weights = weights_at(place)
        losses, shares = cross_entropy(weights.scores(rows), target)
        shares[np.arange(len(target)), target] -= 1
        pull = shares[:, -width:] / len(target)
        slopes = transposed @ pull.astype(rows.dtype) + penalty * weights.slopes
        ends = pull.sum(axis=0, keepdims=True) / np.sqrt(_STEEPEST)
        value = losses.mean() + penalty / 2 * float((weights.slopes**2).sum())
        return value, np.vstack([slopes * scale, ends]).ravel()

    begin = np.vstack([start.slopes / scale, start.intercepts[None] * np.sqrt(_STEEPEST)])
    options: Any = {"maxiter": _STEPS, "maxcor": 10, **(_ROUGH if rough else _EXACT)}
    found = minimize(loss_at, begin.ravel(), jac=True, method="L-BFGS-B", options=options)
    return weights_at(found.x)


def cross_entropy(scores: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the losses [N] and the shares [N, classes] that scores [N, classes] stand for."""
    lowered = scores - scores.max(axis=1, keepdims=True)
    shares = np.exp(lowered)
    total = shares.sum(axis=1, keepdims=True)
    losses: np.ndarray = np.log(total[:, 0]) - lowered[np.arange(len(target)), target]
    return losses, shares / total


def _squares(rows: Matrix) -> np.ndarray:
    """Return the mean square of each column, float64 [R]."""
    if isinstance(rows, np.ndarray):
        sums = np.einsum("nd,nd->d", rows, rows, dtype=np.float64)
    else:
        sums = np.bincount(rows.indices, rows.data.astype(np.float64) ** 2, rows.shape[1])
    squares: np.ndarray = sums / rows.shape[0]
    return squares
