"""Hashed n-grams: from (bucket, weight) pairs of each row to a sparse matrix, then to few columns.

A text has few n-grams and the hash many buckets, so the cache holds pairs (`FeatureSpec.is_counts`)
and a matrix of all buckets never exists: a head looks at those that enough train rows have.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from cache.spec import Column

MOST = 200_000  # columns of one block, the most frequent n-grams; they stay sparse
MOST_DENSE = 30_000  # where columns are dense: 2.4 GB of float32 for 20,000 rows


def counts_of(column: Column) -> sparse.csr_matrix:
    """Return float32 [N, buckets]; a row without the feature is empty."""
    assert column.offsets is not None
    buckets = column.values[:, 0].astype(np.int32)
    weights = column.values[:, 1].astype(np.float32)
    shape = (len(column), int(column.spec.recipe["buckets"]))
    return sparse.csr_matrix((weights, buckets, column.offsets), shape=shape)


def frequent(counts: sparse.csr_matrix, *, support: int, most: int) -> np.ndarray:
    """Return the buckets that `support` rows have, int64 [K], or the most frequent if none has.

    Of too many the `most` frequent are taken. With a support of 1 n-grams of a single row are kept:
    they say nothing of other rows, but they belong to the length that each row is brought to
    (weighted F1 of captions 0.501 without, 0.508 with).
    """
    rows = np.bincount(counts.indices, minlength=counts.shape[1])
    kept = np.flatnonzero(rows >= max(1, min(support, int(rows.max(initial=0)))))
    if len(kept) > most:
        kept = np.sort(kept[np.argsort(-rows[kept], kind="stable")[:most]])
    return kept


def inverse_frequency(counts: sparse.csr_matrix) -> np.ndarray:
    """Return log((1 + N) / (1 + rows with the n-gram)) + 1, float32 [K], of counts [N, K]."""
    frequency = np.bincount(counts.indices, minlength=counts.shape[1])
    weights: np.ndarray = (np.log((1 + counts.shape[0]) / (1 + frequency)) + 1).astype(np.float32)
    return weights


def normalised(counts: sparse.csr_matrix, idf: np.ndarray) -> sparse.csr_matrix:
    """Return counts [N, K] weighed by their rarity, each row brought to length 1, float32."""
    values = counts.data * idf[counts.indices]
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    length = np.sqrt(np.bincount(rows, values.astype(np.float64) ** 2, counts.shape[0]))
    values = (values / length[rows]).astype(np.float32)
    return sparse.csr_matrix((values, counts.indices, counts.indptr), shape=counts.shape)


def moments_of(values: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each column, float64 [K]."""
    data, count = values.data.astype(np.float64), max(values.shape[0], 1)
    mean = np.bincount(values.indices, data, values.shape[1]) / count
    squares = np.bincount(values.indices, data**2, values.shape[1]) / count
    return mean, np.sqrt(np.maximum(squares - mean**2, 0))
