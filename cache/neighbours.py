"""The nearest rows of some others, all compared, and if asked only among those before a place."""

from __future__ import annotations

import faiss
import numpy as np

NOBODY = -1  # a row number where there are fewer neighbours than were asked for
_TOGETHER = 512  # queries that are compared at a time where each has a place of its own


def nearest(
    vectors: np.ndarray, queries: np.ndarray, count: int, *, before: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows nearest to each query and their squared distances, the nearest first.

    Args:
        vectors: float32 [N, D].
        queries: float32 [M, D].
        count: neighbours of each query; where there are fewer, `NOBODY` at an infinite distance.
        before: int64 [M]; only the rows before this one may be neighbours of a query.

    Returns:
        int64 [M, count] and float32 [M, count], whose last digits depend on what is asked together.
    """
    if before is None or (before >= len(vectors)).all():
        return _of_all(vectors, queries, count)
    rows = np.full((len(queries), count), NOBODY)
    distances = np.full((len(queries), count), np.inf, np.float32)
    order = np.argsort(before, kind="stable")
    for start in range(0, len(order), _TOGETHER):
        asked = order[start : start + _TOGETHER]
        low, high = int(before[asked[0]]), int(before[asked[-1]])
        common = _of_all(vectors[:low], queries[asked], count)
        own = _of_some(vectors[low:high], queries[asked], count, before[asked] - low)
        joined = (own[0] + low * (own[0] != NOBODY), own[1])
        rows[asked], distances[asked] = closest([common, joined], count)
    return rows, distances


def closest(
    found: list[tuple[np.ndarray, np.ndarray]], count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest of several findings, each [M, any] rows and distances."""
    rows = np.concatenate([rows for rows, _ in found], axis=1)
    distances = np.concatenate([distances for _, distances in found], axis=1)
    order = np.argsort(distances, axis=1, kind="stable")[:, :count]
    return np.take_along_axis(rows, order, 1), np.take_along_axis(distances, order, 1)


def _of_all(vectors: np.ndarray, queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    wanted = min(count, len(vectors))
    rows = np.full((len(queries), count), NOBODY)
    distances = np.full((len(queries), count), np.inf, np.float32)
    if wanted and len(queries):
        near, found = faiss.knn(queries, vectors, wanted)
        rows[:, :wanted], distances[:, :wanted] = found, np.maximum(near, 0)
    return rows, distances


def _of_some(
    vectors: np.ndarray, queries: np.ndarray, count: int, before: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Compare with a few rows, each query with those before its own place."""
    distances = queries @ vectors.T
    distances *= -2
    distances += np.einsum("ij,ij->i", vectors, vectors)
    distances += np.einsum("ij,ij->i", queries, queries)[:, None]
    np.maximum(distances, 0, out=distances)
    later = np.arange(len(vectors)) >= before[:, None]
    distances[later] = np.inf
    rows = np.where(later, NOBODY, np.arange(len(vectors)))
    return closest([(rows, distances)], count)
