"""What neighbours say together: means of their targets, the nearer the heavier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from heads.contract import Problem
from heads.neighbours.bank import Near

_CELLS = 4_000_000  # numbers of neighbours that are looked at together
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
        found: np.ndarray = self.votes(near, [k], [temperature])[0]
        return found

    def votes(
        self, near: Near, numbers: Sequence[int], temperatures: Sequence[float]
    ) -> np.ndarray:
        """Return `vote` for each number of neighbours and, within it, each temperature.

        float64 [numbers * temperatures, M, outputs].
        """
        most = min(max(numbers), near.rows.shape[1])
        ways, rows, outputs = len(numbers) * len(temperatures), len(near.rows), len(self.usual)
        found = np.empty((ways, rows, outputs))
        for some in _chunks(rows, most * max(ways, outputs)):
            weights = np.stack([_weights(near.distance[some, :most], t) for t in temperatures])
            among = np.arange(most) < np.array(numbers)[:, None]
            spread = np.moveaxis(weights * among[:, None, None], 2, 0)  # [m, numbers, t, most]
            means = self._means(spread.reshape(-1, ways, most), near.rows[some, :most])
            found[:, some] = np.moveaxis(means, 0, 1)
        return found

    def _means(self, weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the means by weights [m, ways, k] of rows [m, k]: [m, ways, outputs]."""
        own = self.target[rows]  # [m, k] or [m, k, outputs]
        if self.problem.task == "classification":
            told = (own[:, :, None] == np.arange(len(self.usual))).astype(np.float64)
            counts = weights @ told + self.usual
            shares: np.ndarray = counts / counts.sum(axis=2, keepdims=True)
            return shares
        known = np.isfinite(own)
        sums = weights @ np.where(known, own, 0)
        total = weights.sum(axis=2, keepdims=True) if known.all() else weights @ known.astype(float)
        return np.where(total > 0, sums / np.where(total > 0, total, 1), self.usual)

    def doubts(self, near: Near, k: int, temperature: float) -> tuple[np.ndarray, np.ndarray]:
        """Return how unlike each other neighbours' targets are, and how far they lie, float64 [M].

        The first is the deviation of numbers (the mean over outputs), or the entropy of classes.
        """
        means = self.vote(near, k, temperature)
        weights = _weights(near.distance[:, :k], temperature)
        total = np.maximum(weights.sum(axis=1), 1e-30)
        known = np.where(weights > 0, near.distance[:, :k], 0)
        far: np.ndarray = (weights * known).sum(axis=1) / total
        if self.problem.task == "classification":
            shares = np.maximum(means, _SMALLEST)
            entropy: np.ndarray = -(shares * np.log(shares)).sum(axis=1)
            return entropy, far
        squares = Told(self.problem, self.target**2, self.usual**2).vote(near, k, temperature)
        variance = np.maximum(squares - means**2, 0)
        return np.sqrt(variance).mean(axis=1), far

    def loss(self, predicted: np.ndarray, target: np.ndarray) -> float:
        """Return the mean squared error, or log loss, of predictions."""
        if self.problem.task == "classification":
            given = predicted[np.arange(len(target)), target]
            return float(-np.log(np.maximum(given, _SMALLEST)).mean())
        return float(np.nanmean((predicted - target) ** 2))


def _weights(distance: np.ndarray, temperature: float) -> np.ndarray:
    """Return the weights of neighbours, float64 [M, k]; 0 where there are fewer."""
    first = np.where(np.isfinite(distance[:, :1]), distance[:, :1], 0)
    weights: np.ndarray = np.exp(-(distance - first) / temperature)
    return weights


def _chunks(rows: int, cells: int) -> Iterator[slice]:
    size = max(1, _CELLS // max(1, cells))
    return (slice(start, start + size) for start in range(0, rows, size))
