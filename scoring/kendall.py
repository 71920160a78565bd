"""Kendall's tau-b for rows that carry weights, without n squared work for every resample.

The sum of concordances of weighted rows is the quadratic form w'Kw, K[i, j] = sign(x_i - x_j)
sign(y_i - y_j). Up to `EXACT_ROWS` rows it is computed as it stands. Above, it is linearised about
equal weights (Hájek's projection of a U-statistic): w'Kw = 2 w'c - S (1 + 1/n) + a term of order
1/n, which is left out; c = K 1 counts each row's concordant minus discordant pairs, S sums c, and
S/n is that term's mean under the bootstrap. The terms for ties stay exact. So an interval of 10,000
rows costs one matrix product; a test holds the linearised interval against the exact one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scoring.checks import check_pair

EXACT_ROWS = 2000  # K takes 16 MB and 1,000 resamples 4 GFLOP


def krcc_form(
    target: np.ndarray, predicted: np.ndarray, exact_rows: int = EXACT_ROWS
) -> Callable[[np.ndarray], np.ndarray]:
    """Return the form (see `weighted.py`) of tau-b, linearised above `exact_rows` rows."""
    first, second = (_dense_ranks(values) for values in check_pair(target, predicted))
    concordance = _exact(first, second) if len(first) <= exact_rows else _linear(first, second)
    untied = [_untied(ranks) for ranks in (first, second)]

    def form(weights: np.ndarray) -> np.ndarray:
        below = np.sqrt(untied[0](weights) * untied[1](weights))
        above = concordance(weights)
        tau = np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)
        bounded: np.ndarray = np.clip(tau, -1, 1)
        return bounded

    return form


def _exact(x: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    # float32 is exact here: the sums are whole numbers far below 2 ** 24.
    signs = np.sign(x[:, None] - x) * np.sign(y[:, None] - y)
    pairs = signs.astype(np.float32)

    def form(weights: np.ndarray) -> np.ndarray:
        total: np.ndarray = np.einsum("nb,nb->b", weights, pairs @ weights.astype(np.float32))
        return total

    return form


def _linear(x: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    own = concordant_minus_discordant(x, y).astype(np.float64)
    total, rows = own.sum(), len(own)

    def form(weights: np.ndarray) -> np.ndarray:
        scale = weights.sum(axis=0) / rows  # 1, save when whole groups are resampled
        linear: np.ndarray = 2 * (own @ weights) * scale - total * scale**2 * (1 + 1 / rows)
        return linear

    return form


def _untied(ranks: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return the form of the number of ordered pairs that differ."""
    order = np.argsort(ranks, kind="stable")
    starts = np.flatnonzero(np.diff(ranks[order], prepend=-1))

    def form(weights: np.ndarray) -> np.ndarray:
        groups = np.add.reduceat(weights.take(order, axis=0), starts, axis=0)
        pairs: np.ndarray = weights.sum(axis=0) ** 2 - np.square(groups).sum(axis=0)
        return pairs

    return form


def concordant_minus_discordant(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return for each row its concordant minus its discordant pairs, int64 [N], in N log² N steps.

    Ties in x or y are neither. `x` and `y` are whole numbers of at least 0.
    """
    up_x, up_y = x.max() - x, y.max() - y
    concordant = _dominated(x, y) + _dominated(up_x, up_y)
    discordant = _dominated(x, up_y) + _dominated(up_x, y)
    balance: np.ndarray = concordant - discordant
    return balance


def _dominated(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return for each row the number of rows with both a smaller x and a smaller y, int64 [N].

    A merge sort from below, every level in one go: in each block, rows of the right half count the
    rows of the left half that have a smaller y.
    """
    order = np.lexsort((-y, x))  # equals in x stand with falling y, so none of them counts another
    heights, places = y[order].astype(np.int64), np.arange(len(y))
    counts = np.zeros(len(y), np.int64)
    width = 1
    while width < len(y):
        left = (places // width) % 2 == 0
        block = places // (2 * width)
        # In a block by height; at equal height the right half first, for equals do not count.
        sorted_rows = np.argsort((block * (heights.max() + 1) + heights) * 2 + left)
        passed = np.cumsum(left[sorted_rows])
        before_block = block[sorted_rows] * width
        right = ~left[sorted_rows]
        counts[sorted_rows[right]] += (passed - before_block)[right]
        width *= 2
    result = np.empty_like(counts)
    result[order] = counts
    return result


def _dense_ranks(values: np.ndarray) -> np.ndarray:
    ranks: np.ndarray = np.unique(values, return_inverse=True)[1].astype(np.int64)
    return ranks
