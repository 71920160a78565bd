"""Rows into shards: collected in memory, closed at a size or an age, written whole, marker last."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

import numpy as np

from cache.marker import (
    Costs,
    Marker,
    count_rows,
    versions,
)
from cache.shard import FORMATS
from cache.spec import FeatureSpec, Row
from cache.store import Store, new_shard_name
from cache.values import check_row, stored_dtype
from core.errors import CacheError, StorageError
from core.files import replacing, write_json
from core.fingerprint import digest_bytes

_HEADER_BYTES = 64  # of a row beside its value and its texts, about


@dataclass(frozen=True, slots=True)
class Limits:
    """When a shard closes: at so many rows, bytes, or seconds since its first row."""

    rows: int = 5_000
    size_bytes: int = 256 << 20
    age_s: float = 60.0


@dataclass(eq=False)
class _Batch:
    """The rows of one shard, under the name that they have or will have on disk."""

    name: str
    rows: list[Row] = field(default_factory=list)
    costs: Costs = field(default_factory=Costs)
    size_bytes: int = 0
    started_s: float = 0.0


class ShardWriter:
    """Writes the rows of one feature.

    Use it in a `with` block: leaving it, whether at its end, by an error or by Ctrl-C, writes the
    rows that were added, which are whole and cost time to compute. A row is never written twice: a
    batch keeps its name until its marker is there, so that writing again what an interrupt cut off
    finds out whether it was done.
    """

    def __init__(
        self,
        store: Store,
        spec: FeatureSpec,
        *,
        limits: Limits | None = None,
        format: str = "h5",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.spec, self._store, self._limits = spec, store, limits or Limits()
        self._format, self._clock = FORMATS.load(format), clock
        self._open: _Batch | None = None
        self._closing: list[_Batch] = []  # whole batches that are not known to be on disk

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.flush()
        except StorageError:
            if not isinstance(error, StorageError):
                raise

    def add(self, row: Row, costs: Costs | None = None) -> None:
        """Take one row and what it cost; close the shard if that fills it.

        The value is copied, in the stored dtype: the caller's batch is not kept alive.

        Raises:
            CacheError: if the row does not agree with the spec; the others are not affected.
            StorageError: if a shard cannot be written; its rows are kept for another `flush`.
        """
        problem = check_row(self.spec, row)
        if problem:
            raise CacheError(f"{self.spec.name} of sample {row.sample_id!r}: {problem}")
        stored = _stored(self.spec, row)
        if self._open is None:
            self._open = _Batch(new_shard_name(), started_s=self._clock())
        batch = self._open
        batch.size_bytes += _size_bytes(stored)
        batch.costs += costs or Costs()
        batch.rows.append(stored)
        self.flush_if_due()

    def flush_if_due(self) -> None:
        """Close the open shard if it has reached a limit; call it now and then while waiting.

        Raises:
            StorageError: if it cannot be written.
        """
        batch, limits = self._open, self._limits
        if batch and (
            len(batch.rows) >= limits.rows
            or batch.size_bytes >= limits.size_bytes
            or self._clock() - batch.started_s >= limits.age_s
        ):
            self.flush()

    def flush(self) -> None:
        """Write all rows that are not on disk yet.

        Raises:
            StorageError: if they cannot be written; they are kept for another `flush`.
        """
        if self._open is not None and self._open.rows:
            self._closing.append(self._open)
            self._open = None
        while self._closing:
            self._write(self._closing[0])
            self._closing.pop(0)

    def close(self) -> None:
        """Write all rows, as `flush` does; for those who do not use a `with` block."""
        self.flush()

    def _write(self, batch: _Batch) -> None:
        folder = self._store.create(self.spec)
        marker = folder / f"{batch.name}.json"
        if marker.exists():
            return
        started_s = time.perf_counter()
        content = self._format.encode(self.spec, batch.rows)
        shard = folder / f"{batch.name}.{self._format.suffix}"
        with replacing(shard) as temporary:
            temporary.write_bytes(content)
        write_s = time.perf_counter() - started_s
        described = self._describe(batch, content)
        described = replace(described, costs=batch.costs + Costs(write_s=write_s))
        try:
            write_json(marker, described.to_json())
        except StorageError:
            if not marker.exists():  # nobody would see the shard, and the disk may be full
                with contextlib.suppress(OSError):
                    shard.unlink()
            raise

    def _describe(self, batch: _Batch, content: bytes) -> Marker:
        statuses, causes = count_rows((row.status, row.cause) for row in batch.rows)
        return Marker(
            format=self._format.suffix,
            feature=self.spec.name,
            fingerprint=self.spec.fingerprint,
            rows=len(batch.rows),
            statuses=statuses,
            causes=causes,
            digest=digest_bytes(content).hex(),
            size_bytes=len(content),
            created=time.time(),
            costs=batch.costs,
            versions=versions(),
        )


def _stored(spec: FeatureSpec, row: Row) -> Row:
    if not isinstance(row.value, np.ndarray):
        return row
    return replace(row, value=np.array(row.value, stored_dtype(spec)))


def _size_bytes(row: Row) -> int:
    value = row.value
    texts = len(row.sample_id) + len(row.reason)
    if value is None:
        return _HEADER_BYTES + texts
    size = value.nbytes if isinstance(value, np.ndarray) else len(value.encode("utf-8", "replace"))
    return _HEADER_BYTES + texts + size
