"""Rows of a feature as objects, as their writer was given them, whichever shards they lie in."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from cache.best import best_rows, keys_of
from cache.known import Digests, IdIndex, Known, known_rows, match
from cache.marker import Shard
from cache.reading import read_known, settled
from cache.shard import Header
from cache.spec import Column, FeatureSpec, Row
from cache.store import Store
from core.errors import CacheError
from core.fingerprint import DIGEST_BYTES
from core.status import Status

_CHUNK_ROWS, _CHUNK_BYTES = 5_000, 64 << 20
_Stored = Sequence[tuple[Shard, Header]]


@dataclass(frozen=True, eq=False)
class Selection:
    """N rows of one feature, in an order of their own.

    ids      bytes [N], UTF-8
    digests  uint8 [N, 16]
    known    where they lie; all of them are found
    store    where they are found again if it is compacted before they are read
    """

    ids: np.ndarray
    digests: np.ndarray
    known: Known
    store: Store

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def spec(self) -> FeatureSpec:
        return self.known.spec

    def take(self, rows: np.ndarray) -> Selection:
        """Return the rows `rows` (int64 [M] or bool [N]), in that order."""
        return replace(
            self, ids=self.ids[rows], digests=self.digests[rows], known=self.known.take(rows)
        )

    @property
    def shards(self) -> tuple[Shard, ...]:
        return self.known.shards

    def read(self) -> list[Row]:
        """Read all rows, with their values.

        Raises:
            CacheError: if a shard is not what it says it is, or a row was removed meanwhile.
        """
        return settled(self._find_again, partial(self._read, np.arange(len(self))), self.known)[1]

    def chunks(self) -> Iterator[list[Row]]:
        """Read all rows in their order, as many at a time as fit into memory well.

        Raises:
            CacheError: if a shard is not what it says it is, or a row was removed meanwhile.
        """
        known, every = self.known, np.arange(len(self))
        step = rows_within(_CHUNK_BYTES, self.row_bytes())
        for start in range(0, len(self), step):
            read = partial(self._read, every[start : start + step])
            known, rows = settled(self._find_again, read, known)
            yield rows

    def _read(self, rows: np.ndarray, known: Known) -> list[Row]:
        return _rows(self.ids[rows], self.digests[rows], known.take(rows))

    def _find_again(self) -> Known:
        """Return where the rows of the same keys lie by now."""
        best = select_best(self.store, self.spec)
        place = {key: row for row, key in enumerate(keys_of(best.ids, best.digests))}
        found = [place.get(key, -1) for key in keys_of(self.ids, self.digests)]
        if -1 in found:
            raise CacheError(
                f"rows of {self.spec.name} were removed while they were read; run it again"
            )
        return best.known.take(np.array(found, np.int64))

    def row_bytes(self) -> float:
        """Return the size of a row as it is stored, on average."""
        markers = [shard.marker for shard in self.known.shards]
        rows = sum(marker.rows for marker in markers)
        return sum(marker.size_bytes for marker in markers) / max(rows, 1)


def rows_within(size_bytes: int, row_bytes: float) -> int:
    """Return how many rows make so many bytes: at least 1, at most 5,000."""
    return max(1, min(_CHUNK_ROWS, math.floor(size_bytes / max(row_bytes, 1))))


def read_rows(shard: Shard, header: Header, spec: FeatureSpec, keep: np.ndarray) -> list[Row]:
    """Read the rows that `keep`, bool [rows of the shard], names, in their order.

    Raises:
        CacheError: if the shard is not what it says it is.
    """
    known = known_rows(spec, [(shard, header)], np.flatnonzero(keep))
    return _rows(header.ids[keep], header.digests[keep], known)


def select_best(store: Store, spec: FeatureSpec) -> Selection:
    """Return the best row of every key that the store has of a feature, oldest first.

    Raises:
        CacheError: if the folder, a marker or a shard is not what it says it is.
    """
    stored = store.headers(spec)
    best = best_rows([header for _, header in stored])
    chosen = np.flatnonzero(np.concatenate([*best, np.zeros(0, bool)]))
    return _select(store, spec, stored, chosen)


def select_keys(store: Store, spec: FeatureSpec, index: IdIndex, digests: Digests) -> Selection:
    """Return the rows of those keys that the store has, in the order of the keys.

    Raises:
        CacheError: if the folder, a marker or a shard is not what it says it is.
    """
    stored = store.headers(spec)
    known = match(spec, stored, index, digests)
    starts = np.cumsum([0, *(len(header) for _, header in stored)])
    return _select(store, spec, stored, (starts[known.shard] + known.place)[known.found])


def _select(store: Store, spec: FeatureSpec, stored: _Stored, chosen: np.ndarray) -> Selection:
    """Return the rows `chosen`, int64 [N] counted over all shards."""
    ids = np.concatenate([*(header.ids for _, header in stored), np.zeros(0, "S1")])
    digests = np.concatenate(
        [*(header.digests for _, header in stored), np.zeros((0, DIGEST_BYTES), np.uint8)]
    )
    return Selection(ids[chosen], digests[chosen], known_rows(spec, stored, chosen), store)


def _rows(ids: np.ndarray, digests: np.ndarray, known: Known) -> list[Row]:
    """Read N rows whole; ids are bytes [N], digests uint8 [N, 16], and all of them are found."""
    reasons, causes = known.reasons(), known.cause_texts()
    values = _values(read_known(known))
    columns = (ids.tolist(), digests, known.status.tolist(), values, causes, reasons)
    return [
        Row(name.decode(), digest.tobytes(), Status(status), value, cause, reason)
        for name, digest, status, value, cause, reason in zip(*columns, strict=True)
    ]


def _values(column: Column) -> Iterator[np.ndarray | str | None]:
    """Yield the value of each sample, None where there is none."""
    for row, present in enumerate(column.present.tolist()):
        if not present:
            yield None
        elif column.offsets is None:
            yield column.values[row]
        else:
            yield column.values[column.offsets[row] : column.offsets[row + 1]]
