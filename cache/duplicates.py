"""Near-duplicates: rows whose values of one feature are almost the same, as groups.

A re-upload on both sides of a split is a test question that was in the lesson. Which rows are alike
is asked of one feature; the labels are not looked at, so all rows may be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from cache.spec import Column
from cache.vectors import distances_of, usual_distance, vectors_of
from core.errors import UsageError

THRESHOLD = 0.95
_PAIRS = 20_000  # compared at a time
_AXES = 32  # along which rows are compared first
_LOOKED_AT = 4_000  # rows that say which axes these are
_CELLS = 16_000_000  # of distances at a time
_TOLD_APART = 0.5  # share of rows with a twin from which on features tell rows too little apart


@dataclass(frozen=True)
class Likeness:
    """What makes two rows near-duplicates: a feature, and how alike they are in it.

    threshold  1 is equal, 0 as different as two rows at random
    """

    feature: str
    threshold: float = THRESHOLD

    @classmethod
    def parse(cls, text: str) -> Likeness:
        """Read "FEATURE" or "FEATURE:THRESHOLD"; a feature may have colons in its name.

        Raises:
            UsageError: if the threshold is not in 0..1, 0 excluded.
        """
        feature, _, last = text.rpartition(":")
        try:
            threshold = float(last)
        except ValueError:
            return cls(text)
        if not feature or not 0 < threshold <= 1:
            raise UsageError(
                f"{text!r} is not FEATURE:THRESHOLD with a threshold above 0 and up to 1, such as "
                f"colour:{THRESHOLD}"
            )
        return cls(feature, threshold)

    def __str__(self) -> str:
        return f"{self.feature}:{self.threshold:g}"


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Near-duplicates among N rows.

    groups  int64 [N], the same number for rows that are near-duplicates
    by      what tells them, such as "colour:0.95"
    keep    whether a split must keep each group on one side
    """

    groups: np.ndarray
    by: str
    keep: bool = False

    def take(self, rows: np.ndarray) -> Duplicates:
        """Return the rows `rows` (int64 [M])."""
        return replace(self, groups=self.groups[rows])

    @property
    def sizes(self) -> list[int]:
        """The sizes of the groups of two rows and more, the largest first."""
        sizes = np.unique(self.groups, return_counts=True)[1]
        return sorted((int(size) for size in sizes if size > 1), reverse=True)


def groups_of(column: Column, threshold: float = THRESHOLD) -> np.ndarray:
    """Return int64 [N], the same number for near-duplicates and for chains of them.

    Two rows are near-duplicates if the square of their distance is at most 1 - `threshold` of what
    it is for two rows at random (the median of such pairs). Columns of numbers are brought to one
    spread first, the mean of a sequence stands for it, n-grams are weighed by their rarity and
    every row brought to length 1. Texts are near-duplicates if they differ in case and spaces only.
    A row without a value is alone.
    """
    if column.spec.is_text:
        words = [" ".join(str(text).casefold().split()) for text in column.values]
        return _numbered(np.array(words, dtype=object), column.present)
    rows = np.flatnonzero(column.present)
    groups = np.arange(len(column))
    if len(rows) > 1:
        found = _groups_of_vectors(vectors_of(column.take(rows)), threshold)
        groups[rows] = rows[found]
    return groups


def groups_by_id(ids: np.ndarray, column: Column, threshold: float = THRESHOLD) -> np.ndarray:
    """Return what `groups_of` does, whatever the order of the rows; ids are str [N] and differ.

    Pairs of rows at random are drawn by their places, so the rows are put in the order of their
    ids first.
    """
    order = np.argsort(ids)
    groups = np.empty(len(ids), np.int64)
    groups[order] = order[groups_of(column.take(order), threshold)]
    return groups


def equal_rows(columns: Sequence[Column]) -> np.ndarray | None:
    """Return int64 [N], the same number for rows that are equal in all of these features.

    A row without any of them is alone. None where most rows have a twin: then the features tell
    rows too little apart for twins to mean anything.
    """
    known = [column for column in columns if not column.spec.is_text]
    if not known:
        return None
    hashes = np.stack([_hashes(column) for column in known], axis=1)
    present = np.any([column.present for column in known], axis=0)
    _, rows = np.unique(hashes, axis=0, return_inverse=True)
    groups = _numbered(rows.ravel(), present)
    twins = np.bincount(groups)[groups] > 1
    return None if twins.mean() > _TOLD_APART else groups


def _numbered(values: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Return for each row the first row of the same value; rows that are not present are alone."""
    rows = np.arange(len(values))
    known = np.flatnonzero(present)
    _, first, inverse = np.unique(values[known], return_index=True, return_inverse=True)
    rows[known] = known[first[inverse.ravel()]]
    return rows


def _hashes(column: Column) -> np.ndarray:
    """Return int64 [N], equal for equal values; 0 where there is none."""
    if column.offsets is None:
        values = np.ascontiguousarray(column.values.reshape(len(column), -1))
        parts = (row.tobytes() for row in values)
    else:
        edges = zip(column.offsets[:-1].tolist(), column.offsets[1:].tolist(), strict=True)
        parts = (column.values[start:stop].tobytes() for start, stop in edges)
    hashes = np.fromiter((hash(part) for part in parts), np.int64, len(column))
    return np.where(column.present, hashes, 0)


def _groups_of_vectors(vectors: np.ndarray | sparse.csr_matrix, threshold: float) -> np.ndarray:
    """Return for each row the first row of its group, int64 [N]."""
    count = vectors.shape[0]
    limit = (1 - threshold) * usual_distance(vectors)
    groups = np.arange(count)
    for one, other in _near(vectors, limit):
        for start in range(0, len(one), _PAIRS):
            left, right = one[start : start + _PAIRS], other[start : start + _PAIRS]
            new = groups[left] != groups[right]  # thousands of like rows make millions of pairs
            left, right = left[new], right[new]
            alike = distances_of(vectors, left, right) <= limit
            groups = _joined(groups, left[alike], right[alike])
    return _numbered(groups, np.ones(count, bool))


def _joined(groups: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the groups with those of each pair of rows made one."""
    if not len(one):
        return groups
    places = (groups[one], groups[other])
    graph = sparse.coo_array((np.ones(len(one), np.int8), places), (len(groups), len(groups)))
    joined: np.ndarray = connected_components(graph, directed=False)[1][groups]
    return joined


def _near(
    vectors: np.ndarray | sparse.csr_matrix, limit: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield pairs of rows, among them all whose squared distance is at most `limit`."""
    if isinstance(vectors, np.ndarray):
        return _near_vectors(vectors, limit)
    return _near_texts(vectors, limit)


def _near_vectors(vectors: np.ndarray, limit: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield such pairs of dense rows.

    Distances along a few axes are never larger than the whole ones: 20,000 rows of 512 columns take
    a third of the time.
    """
    count, width = vectors.shape
    some = vectors[np.linspace(0, count - 1, min(count, _LOOKED_AT)).astype(np.int64)]
    axes = np.linalg.eigh(some.T @ some)[1][:, -_AXES:] if width > _AXES else np.eye(width)
    short = vectors @ axes.astype(np.float32)
    squares = (short**2).sum(axis=1)
    room = limit + 1e-5 * (squares + 1)  # what rounding may add
    size = max(1, _CELLS // count)
    for start in range(0, count, size):
        block = slice(start, start + size)
        distances = short[block] @ short[start:].T
        distances *= -2
        distances += squares[block, None]
        distances += squares[None, start:]
        one, other = np.nonzero(distances <= room[block, None])
        later = one < other
        yield one[later] + start, other[later] + start


def _near_texts(
    vectors: sparse.csr_matrix, limit: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield such pairs of sparse rows of length 1."""
    count, turned = vectors.shape[0], vectors.T.tocsc()
    size = max(1, min(1000, _CELLS // count))
    for start in range(0, count, size):
        products = (vectors[start : start + size] @ turned).tocoo()
        one, other = products.row.astype(np.int64) + start, products.col.astype(np.int64)
        near = (2 - 2 * products.data <= limit + 1e-5) & (one < other)
        yield one[near], other[near]
