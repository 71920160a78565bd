"""The values of one feature as vectors whose distances mean something.

Columns of numbers are brought to one spread, the mean of a sequence stands for it, and n-grams are
weighed by their rarity, every row at length 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from cache.spec import Column

Vectors = np.ndarray | sparse.csr_matrix  # float32 [N, D]
_PAIRS = 20_000  # drawn to learn how far apart rows are


@dataclass(frozen=True, eq=False)
class Scaling:
    """How columns of numbers are brought to one spread; those that do not vary go.

    kept     int64 [K]
    centre   float64 [K], their means
    spread   float64 [K], their deviations
    """

    kept: np.ndarray
    centre: np.ndarray
    spread: np.ndarray

    def apply(self, column: Column) -> np.ndarray:
        """Return float32 [N, K]; rows without a value lie at the mean."""
        centred = column.pooled()[:, self.kept] - self.centre
        vectors: np.ndarray = (centred / self.spread).astype(np.float32)
        vectors[~column.present] = 0
        return vectors


def scaling_of(column: Column) -> Scaling:
    """Learn the scaling from all rows of a column, which have a value."""
    values = column.pooled()
    spread = values.std(axis=0, dtype=np.float64)
    kept = np.flatnonzero(spread > 1e-6 * np.abs(values).mean(axis=0, dtype=np.float64))
    return Scaling(kept, values[:, kept].mean(axis=0, dtype=np.float64), spread[kept])


def vectors_of(column: Column) -> Vectors:
    """Return the vectors of a column whose rows all have a value."""
    if column.spec.is_counts:
        return weighed(column)
    return scaling_of(column).apply(column)


def weighed(column: Column) -> sparse.csr_matrix:
    """Return the n-grams of each row by their rarity, float32 [N, buckets], of length 1."""
    assert column.offsets is not None
    buckets = column.values[:, 0].astype(np.int32)
    shape = (len(column), int(column.spec.recipe["buckets"]))
    rarity = np.log(1 + len(column) / (1 + np.bincount(buckets, minlength=shape[1])))
    weights = column.values[:, 1].astype(np.float64) * rarity[buckets]
    counts = sparse.csr_matrix((weights, buckets, column.offsets), shape=shape)
    length = np.sqrt(_sums_of_squares(counts))
    scaled = sparse.diags_array(1 / np.maximum(length, 1e-12)) @ counts
    return sparse.csr_matrix(scaled, dtype=np.float32)


def usual_distance(vectors: Vectors) -> float:
    """Return the squared distance of two rows at random: the median of pairs; 0 for one row."""
    first, second = np.random.default_rng(0).integers(0, vectors.shape[0], (2, _PAIRS))
    apart = first != second
    if not apart.any():
        return 0.0
    return float(np.median(distances_of(vectors, first[apart], second[apart])))


def distances_of(vectors: Vectors, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the squared distances of pairs of rows, float64."""
    return _sums_of_squares(vectors[first] - vectors[second])


def _sums_of_squares(vectors: Vectors) -> np.ndarray:
    """Return the squared length of each row, float64."""
    if isinstance(vectors, np.ndarray):
        squares: np.ndarray = np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)
        return squares
    rows = np.repeat(np.arange(vectors.shape[0]), np.diff(vectors.indptr))
    return np.bincount(rows, vectors.data.astype(np.float64) ** 2, vectors.shape[0])
