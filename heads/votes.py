"""What neighbours say together: means of their targets, the nearer the heavier."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from heads.bank import Near
from heads.contract import Problem

_CELLS = 4_000_000  # targets of neighbours that are looked at a time
_SMALLEST = 1e-6  # probability that the loss of a class is at least taken for


@dataclass(frozen=True, eq=False)
class Told:
    """What the rows of a bank have been told.

    target  float64 [N, outputs], NaN for gaps; int64 [N], classes
    usual   float64 [outputs], the mean over the bank, or the shares of the classes
    """

    problem: Problem
    target: np.ndarray
    usual: np.ndarray

    @classmethod
    def of(cls, problem: Problem, target: np.ndarray) -> Told:
        """Learn what is usual from the targets."""
        if problem.task == "classification":
            counts = np.bincount(target, minlength=problem.outputs)
            return cls(problem, target, counts / len(target))
        known = np.isfinite(target)
        overall = float(target[known].mean())
        sums, rows = np.where(known, target, 0).sum(axis=0), known.sum(axis=0)
        return cls(problem, target, np.where(rows > 0, sums / np.maximum(rows, 1), overall))

    def vote(self, near: Near, k: int, temperature: float) -> np.ndarray:
        """Return the mean of the `k` nearest, float64 [M, outputs]; without any, what is usual.

        A neighbour weighs exp(-d / temperature), d being how much farther it is than the nearest.
        Of classes one more neighbour, as near as the nearest, says what is usual: no class is
        impossible because none of a few neighbours is of it.
        """
        weights = weights_of(near, k, temperature)
        means = np.empty((len(weights), len(self.usual)))
        for some in _chunks(len(weights), weights.shape[1] * len(self.usual)):
            means[some] = self._mean(weights[some], near.rows[some, :k])
        return means

    def _mean(self, weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
        own = self.target[rows]  # [m, k] or [m, k, outputs]
        if self.problem.task == "classification":
            told = (own[:, :, None] == np.arange(len(self.usual))).astype(np.float64)
            counts = np.einsum("mk,mko->mo", weights, told) + self.usual
            shares: np.ndarray = counts / counts.sum(axis=1, keepdims=True)
            return shares
        known = np.isfinite(own)
        sums = np.einsum("mk,mko->mo", weights, np.where(known, own, 0))
        total = np.einsum("mk,mko->mo", weights, known.astype(np.float64))
        return np.where(total > 0, sums / np.where(total > 0, total, 1), self.usual)

    def loss(self, predicted: np.ndarray, target: np.ndarray) -> float:
        """Return the mean squared error, or log loss, of predictions."""
        if self.problem.task == "classification":
            given = predicted[np.arange(len(target)), target]
            return float(-np.log(np.maximum(given, _SMALLEST)).mean())
        return float(np.nanmean((predicted - target) ** 2))


def weights_of(near: Near, k: int, temperature: float) -> np.ndarray:
    """Return the weights of the `k` nearest, float64 [M, k]; 0 where there are fewer."""
    distance = near.distance[:, :k]
    first = np.where(np.isfinite(distance[:, :1]), distance[:, :1], 0)
    weights: np.ndarray = np.exp(-(distance - first) / temperature)
    return weights


def _chunks(rows: int, cells: int) -> Iterator[slice]:
    size = max(1, _CELLS // max(1, cells))
    return (slice(start, start + size) for start in range(0, rows, size))
