"""Rank correlations of many days at once, linearised: one matrix product instead of a pass a day.

Spearman's correlation is h(x, y) / sqrt(h(x, x) h(y, y)), where h is the weighted mean of products
of centred mean ranks. Each h is replaced by its first-order expansion in the weights (the empirical
influence function, Hampel 1974); the ratio stays exact. What is left out is of order 1/N.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import stats


def srocc_by_day_form(
    target: np.ndarray, predicted: np.ndarray, seen: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function of weights [N, B] that gives each day's rank correlation, [T, B].

    Arrays are [N, T]; `seen` bool says which targets were observed. Days are nan where one side is
    constant.
    """
    days = [
        _expanded(target[rows, day], predicted[rows, day], rows) for day, rows in enumerate(seen.T)
    ]
    slopes, offsets = (np.stack(parts, axis=1) for parts in zip(*days, strict=True))
    present = seen.T.astype(np.float64)

    def form(weights: np.ndarray) -> np.ndarray:
        total = present @ weights
        xy, xx, yy = (
            _ratio(slope @ weights, total) + offset[:, None]
            for slope, offset in zip(slopes, offsets, strict=True)
        )
        bounded: np.ndarray = np.clip(_ratio(xy, np.sqrt(np.maximum(xx * yy, 0))), -1, 1)
        return bounded

    return form


def _expanded(x: np.ndarray, y: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return slopes [3, N] and offsets [3] of h(x, y), h(x, x), h(y, y) in the share of weights."""
    slopes, offsets = np.zeros((3, len(rows))), np.zeros(3)
    if not len(x):
        return slopes, offsets
    first, second = _centred_ranks(x), _centred_ranks(y)
    for place, (u, v) in enumerate(((first, second), (first, first), (second, second))):
        slope = u * v + _mean_above(u, v) + _mean_above(v, u)
        slopes[place, rows] = slope
        offsets[place] = np.mean(u * v) - slope.mean()
    return slopes, offsets


def _centred_ranks(values: np.ndarray) -> np.ndarray:
    ranks: np.ndarray = (stats.rankdata(values) - 0.5) / len(values) - 0.5
    return ranks


def _mean_above(ranks: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return for each row the sum of `values` of higher ranks, and half of equals, over N."""
    group = np.unique(ranks, return_inverse=True)[1]
    sums = np.bincount(group, values)
    above: np.ndarray = (sums.sum() - np.cumsum(sums) + sums / 2)[group] / len(values)
    return above


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    # A rank variance below 1e-12 is the rounding of a constant: two ranks give 1 / (4 N) and more.
    ratio: np.ndarray = np.divide(
        above, below, out=np.full_like(above, np.nan), where=below > 1e-12
    )
    return ratio
