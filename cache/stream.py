"""Sequences of a cache as a stream for torch: read from the shards as they are needed.

    stream = SequenceStream(store.known(spec, ids, digests), batch_size=32)
    for epoch in range(10):
        stream.set_epoch(epoch)
        for batch in DataLoader(stream, batch_size=None, num_workers=2):
            model(batch.values, batch.mask), targets[batch.rows]

Nothing is unpacked to the disk, and no more is held in memory than `buffer` samples a worker.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils.data import IterableDataset, get_worker_info

from cache.known import Known
from cache.reading import read_known
from core.errors import UsageError

_CHUNKS = 16  # pieces of shards that a full buffer mixes
_JITTER = 0.1  # of a length, when samples are sorted by it


class Item(NamedTuple):
    """One sample: its row among the keys that were asked for, and its tokens [T, D]."""

    row: int
    value: np.ndarray


class Batch(NamedTuple):
    """B samples: int64 [B] rows, float32 [B, T, D] values, 0 where bool [B, T] mask is False."""

    rows: torch.Tensor
    values: torch.Tensor
    mask: torch.Tensor


class SequenceStream(IterableDataset[Item | Batch]):
    """The samples of a sequence that have a value, each once an epoch; a vector has one token.

    Without `batch_size` it gives an `Item` at a time, to be joined by `pad`; with one, padded
    batches of samples of similar length, for a DataLoader with `batch_size=None`. The workers of a
    DataLoader share the samples among them, and so do processes that train together:
    `share` is (rank, world). Their numbers of samples, and of batches, differ by one at most, if
    all have as many workers.
    """

    def __init__(
        self,
        known: Known,
        *,
        batch_size: int | None = None,
        buffer: int = 1024,
        seed: int = 0,
        shuffle: bool = True,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        super().__init__()
        if known.spec.is_text or known.spec.is_counts:
            raise UsageError(f"{known.spec.name} is no sequence of numbers and cannot be streamed")
        if not 0 <= share[0] < share[1]:
            raise UsageError(f"share {share} is not (rank, world) with 0 <= rank < world")
        self._known, self._batch_size, self._buffer = known, batch_size, max(buffer, 1)
        self._seed, self._shuffle, self._share = seed, shuffle, share
        epoch: Any = torch.zeros((), dtype=torch.int64)
        # In shared memory, so that workers that live on from epoch to epoch see it change.
        self._epoch: torch.Tensor = epoch.share_memory_()

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next epoch: the same seed and epoch give the same order."""
        self._epoch.fill_(epoch)

    def __iter__(self) -> Iterator[Item | Batch]:
        """Give this worker's samples of this process's share.

        Raises:
            CacheError: if a shard is not what it says it is, or was compacted meanwhile.
        """
        key = [self._seed, int(self._epoch)]
        chunks = self._chunks()
        if self._shuffle:
            np.random.default_rng(key).shuffle(chunks)
        worker = get_worker_info()
        number, count = (worker.id, worker.num_workers) if worker else (0, 1)
        rank, world = self._share
        random = np.random.default_rng([*key, number * world + rank])
        for pool in self._pools(_part(_part(chunks, rank, world), number, count), random):
            yield from pool if self._batch_size is None else self._batches(pool, random)

    def _chunks(self) -> list[np.ndarray]:
        """Return the rows with a value, int64, in pieces that lie near each other in one shard."""
        known = self._known
        rows = np.flatnonzero(known.ok)
        rows = rows[np.lexsort((known.place[rows], known.shard[rows]))]
        starts = np.flatnonzero(np.diff(known.shard[rows], prepend=-1))
        # In a small cache smaller, so that each process gets others from epoch to epoch.
        size = max(1, min(self._buffer, len(rows) // self._share[1]) // _CHUNKS)
        return [
            shard[start : start + size]
            for shard in np.split(rows, starts[1:])
            for start in range(0, len(shard), size)
        ]

    def _pools(
        self, chunks: Iterable[np.ndarray], random: np.random.Generator
    ) -> Iterator[list[Item]]:
        """Yield samples as they are drawn from a full buffer, half of it at a time."""
        step = self._batch_size or 1
        out = max(step, self._buffer // 2 // step * step)
        pool: list[Item] = []
        for rows in chunks:
            pool += self._read(rows)
            while len(pool) >= max(self._buffer, out):
                self._mix(pool, random)
                yield pool[:out]
                del pool[:out]
        self._mix(pool, random)
        if pool:
            yield pool

    def _mix(self, pool: list[Item], random: np.random.Generator) -> None:
        if self._shuffle:
            pool[:] = [pool[place] for place in random.permutation(len(pool)).tolist()]

    def _read(self, rows: np.ndarray) -> Iterator[Item]:
        column = read_known(self._known.take(rows))
        for number, row in enumerate(rows.tolist()):
            if column.offsets is None:
                yield Item(row, column.values[number][None])
            else:
                start, end = column.offsets[number : number + 2]
                yield Item(row, column.values[start:end].copy())  # or the chunk would live on

    def _batches(self, pool: list[Item], random: np.random.Generator) -> Iterator[Batch]:
        """Yield padded batches of samples of similar length, in a random order."""
        size = self._batch_size or len(pool)
        if self._shuffle:  # by length, but not so strictly that each epoch has the same batches
            lengths = np.array([len(item.value) for item in pool])
            order = np.argsort(lengths * random.uniform(1 - _JITTER, 1 + _JITTER, len(pool)))
            pool = [pool[place] for place in order.tolist()]
        starts = np.arange(0, len(pool), size)
        for start in (random.permutation(starts) if self._shuffle else starts).tolist():
            yield pad(pool[start : start + size])


def _part(chunks: Sequence[np.ndarray], number: int, count: int) -> list[np.ndarray]:
    """Return one of `count` parts of all rows, which differ by one row at most; it may cut chunks.

    Where all rows are one more, one of the parts has one more.
    """
    ends = np.cumsum([0, *map(len, chunks)])
    start, end = (int(ends[-1]) * part // count for part in (number, number + 1))
    first, last = np.searchsorted(ends, (start, end), side="right")
    pieces = zip(chunks[first - 1 : last], ends[first - 1 : last], strict=False)
    cut = [rows[max(start - at, 0) : max(end - at, 0)] for rows, at in pieces]
    return [rows for rows in cut if len(rows)]


def pad(items: Sequence[Item]) -> Batch:
    """Join samples into a batch as long as the longest of them."""
    lengths = np.array([len(item.value) for item in items])
    width = int(np.prod(items[0].value.shape[1:]))
    mask = np.arange(lengths.max()) < lengths[:, None]
    values = np.zeros((*mask.shape, width), np.float32)
    values[mask] = np.concatenate([item.value.reshape(-1, width) for item in items])
    rows = torch.tensor([item.row for item in items])
    return Batch(rows, torch.from_numpy(values), torch.from_numpy(mask))
