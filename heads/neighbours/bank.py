"""The rows that neighbours are taken from: who is near whom, exactly, and never from the future.

Two rows are compared over the features that both have: their squared distance there, by how far two
rows at random lie apart there. So 0 is equal and 1 as different as two rows at random, whatever a
row lacks. What another author adds to that is an option.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cache.neighbours import NOBODY, closest, nearest

_SPARE = 16  # neighbours looked at beyond those wanted, as the last digits of float32 may mislead
_OWN = 64  # rows of the same author that are looked at wherever they lie: the youngest
_CELLS = 4_000_000  # numbers that are compared at a time in float64


@dataclass(frozen=True, eq=False)
class Placed:
    """N rows where they lie in the space of a metric.

    vectors    float32 [N, D], 0 where a row lacks the feature
    flags      bool [N, features], who has what
    author     str [N], "" where unknown
    posted_at  float64 [N], seconds since 1970; infinite where unknown
    """

    vectors: np.ndarray
    flags: np.ndarray
    author: np.ndarray
    posted_at: np.ndarray

    def __len__(self) -> int:
        return len(self.flags)

    def take(self, rows: np.ndarray) -> Placed:
        """Return the rows `rows`, int64 [M]."""
        return Placed(self.vectors[rows], self.flags[rows], self.author[rows], self.posted_at[rows])

    def weighed(self, weights: np.ndarray) -> Placed:
        """Return the rows with each column times its weight, float64 [D]."""
        return replace(self, vectors=self.vectors * weights.astype(np.float32))


@dataclass(frozen=True, eq=False)
class Near:
    """The neighbours of M rows, the nearest first.

    rows      int64 [M, k], places in the bank; -1 where there are fewer
    distance  float64 [M, k]; infinite there
    """

    rows: np.ndarray
    distance: np.ndarray


class Bank:
    """Rows to be neighbours of others; they must be in the order of their times.

    widths  columns of each feature
    shares  float64 [features], how far two rows at random lie apart in each; they sum to 1
    """

    def __init__(self, placed: Placed, widths: Sequence[int], shares: np.ndarray) -> None:
        self.placed, self._widths, self._shares = placed, widths, shares
        self._groups = [
            (pattern, rows, placed.vectors if len(rows) == len(placed) else placed.vectors[rows])
            for pattern, rows in _patterns(placed.flags)
        ]
        self._by_author = _members(placed.author)

    def nearest(self, asked: Placed, count: int, *, author: float = 0.0) -> Near:
        """Return the neighbours of some rows; where a row's time is known, only earlier ones.

        `author` is what another author, or an unknown one, adds to a distance.
        """
        before = self._before(asked.posted_at)
        rows = np.full((len(asked), count + _SPARE), NOBODY)
        for pattern, members in _patterns(asked.flags):
            vectors = np.ascontiguousarray(asked.vectors[members])
            rows[members] = self._candidates(vectors, pattern, before[members], rows.shape[1])
        if author:
            rows = np.hstack([rows, self._of_author(asked.author, before)])
        rows = _each_once(rows)
        return Near(*closest([(rows, self._distances(asked, rows, author))], count))

    def _before(self, posted_at: np.ndarray) -> np.ndarray:
        """Return how many rows, from the first, may be neighbours of each, int64 [M].

        Rows without a time lie behind all others: they are neighbours of their like only. Where
        none has a time, the past is not known of any, and all may be neighbours.
        """
        earlier = np.searchsorted(self.placed.posted_at, posted_at, side="left")
        told = np.isfinite(posted_at) & np.isfinite(self.placed.posted_at).any()
        return np.where(told, earlier, len(self.placed))

    def _candidates(
        self, vectors: np.ndarray, pattern: np.ndarray, before: np.ndarray, count: int
    ) -> np.ndarray:
        """Return the rows that are nearest to rows with the features `pattern`, as float32 sees it.

        Those of the bank that have the same features are searched together.
        """
        best = (
            np.full((len(vectors), count), NOBODY),
            np.full((len(vectors), count), np.inf, np.float32),
        )
        for other, rows, theirs in self._groups:
            shared = pattern & other
            share = self._shares[shared].sum()
            if share > 0:
                columns = slice(None) if shared.all() else np.repeat(shared, self._widths)
                found, distance = nearest(
                    np.ascontiguousarray(theirs[:, columns]),
                    np.ascontiguousarray(vectors[:, columns]),
                    count,
                    before=np.searchsorted(rows, before),
                )
                known = np.where(found == NOBODY, NOBODY, rows[found])
                best = closest([best, (known, distance / share)], count)
        return best[0]

    def _of_author(self, author: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Return the youngest earlier rows of the same author, int64 [M, _OWN]."""
        rows = np.full((len(author), _OWN), NOBODY)
        for place, (name, end) in enumerate(zip(author.tolist(), before.tolist(), strict=True)):
            if name in self._by_author:
                own = self._by_author[name]
                own = own[: np.searchsorted(own, end)][-_OWN:]
                rows[place, : len(own)] = own
        return rows

    def _distances(self, asked: Placed, rows: np.ndarray, author: float) -> np.ndarray:
        """Return how far each row is from its candidates, float64 as `rows`."""
        distances = np.full(rows.shape, np.inf)
        size = max(1, _CELLS // max(1, rows.shape[1] * asked.vectors.shape[1]))
        for start in range(0, len(asked), size):
            some = slice(start, start + size)
            distances[some] = self._compared(asked, some, rows[some])
        if author:
            same = asked.author[:, None] == self.placed.author[rows]
            distances += author * ~(same & (asked.author != "")[:, None])
        distances[rows == NOBODY] = np.inf
        return distances

    def _compared(self, asked: Placed, some: slice, rows: np.ndarray) -> np.ndarray:
        """Return the distances of a few rows to their candidates, float64 [m, candidates]."""
        theirs = self.placed
        apart = theirs.vectors[rows].astype(np.float64) - asked.vectors[some, None]
        np.square(apart, out=apart)
        shared = asked.flags[some, None] & theirs.flags[rows]
        if not shared.all():
            apart *= np.repeat(shared, self._widths, axis=2)
        share = shared @ self._shares
        sums: np.ndarray = apart.sum(axis=2)
        return np.where(share > 0, sums / np.where(share > 0, share, 1), np.inf)


def _each_once(rows: np.ndarray) -> np.ndarray:
    """Return the rows of each line in their order, `NOBODY` in the place of a second one."""
    ordered = np.sort(rows, axis=1)
    twice = ordered[:, 1:] == ordered[:, :-1]
    ordered[:, 1:][twice] = NOBODY
    return ordered


def _patterns(flags: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield each set of features that rows have, bool [features], and those rows, rising."""
    patterns, which = np.unique(flags, axis=0, return_inverse=True)
    for place, pattern in enumerate(patterns):
        yield pattern, np.flatnonzero(which.ravel() == place)


def _members(author: np.ndarray) -> dict[str, np.ndarray]:
    """Return the rows of each known author, rising."""
    names, which = np.unique(author, return_inverse=True)
    order = np.argsort(which, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(which, minlength=len(names)))[:-1])
    return {str(name): rows for name, rows in zip(names, parts, strict=True) if name}
