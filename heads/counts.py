"""Hashed n-grams: from (bucket, weight) pairs of each row to a sparse matrix, then to few columns.

A text has few n-grams and the hash many buckets, so the cache holds pairs (`FeatureSpec.is_counts`)
and a matrix of all buckets never exists: a head looks at those that enough train rows have.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from cache.spec import Column

SUPPORT = 2  # an n-gram of one train row says nothing of other rows
MOST = 30_000  # columns of one block, the most frequent n-grams: 2.4 GB of float32 for 20,000 rows


def counts_of(column: Column) -> sparse.csr_matrix:
    """Return float32 [N, buckets]; a row without the feature is empty."""
    assert column.offsets is not None
    buckets = column.values[:, 0].astype(np.int32)
    weights = column.values[:, 1].astype(np.float32)
    shape = (len(column), int(column.spec.recipe["buckets"]))
    return sparse.csr_matrix((weights, buckets, column.offsets), shape=shape)


def frequent(counts: sparse.csr_matrix) -> np.ndarray:
    """Return the buckets that at least two rows have, int64 [K], the most frequent if too many."""
    rows = np.bincount(counts.indices, minlength=counts.shape[1])
    kept = np.flatnonzero(rows >= SUPPORT)
    if len(kept) > MOST:
        kept = np.sort(kept[np.argsort(-rows[kept], kind="stable")[:MOST]])
    return kept


def inverse_frequency(counts: np.ndarray) -> np.ndarray:
    """Return log((1 + N) / (1 + rows with the n-gram)) + 1, float32 [K], of counts [N, K]."""
    frequency = (counts != 0).sum(axis=0)
    weights: np.ndarray = (np.log((1 + len(counts)) / (1 + frequency)) + 1).astype(np.float32)
    return weights


def normalise(values: np.ndarray, idf: np.ndarray) -> None:
    """Weigh counts [N, K] by their rarity, then bring each row to length 1; in place."""
    values *= idf
    length = np.sqrt(np.einsum("nd,nd->n", values, values))
    values /= np.where(length > 0, length, 1)[:, None]
