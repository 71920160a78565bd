"""Columns out of shards: the output is allocated once, and shards are read straight into it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Protocol, TypeVar

import numpy as np

from cache.known import Coverage, Digests, IdIndex, Known
from cache.marker import Shard
from cache.shard import FORMATS, Segments
from cache.spec import Column, FeatureSpec
from cache.store import Store, all_there
from cache.values import stored_dtype
from core.errors import CacheError


class _Found(Protocol):
    """What was found in shards that a compaction may remove before they are read."""

    @property
    def shards(self) -> tuple[Shard, ...]: ...


F = TypeVar("F", bound=_Found)
T = TypeVar("T")
Pieces = list[tuple[int, Segments]]  # by number of the shard


def read_column(
    store: Store, spec: FeatureSpec, ids: IdIndex | Iterable[str], digests: Digests
) -> Column:
    """Read one feature of N samples; gaps and keys that are not stored are not `present`.

    Raises:
        CacheError: if the folder, a marker or a shard is not what it says it is.
    """
    index = ids if isinstance(ids, IdIndex) else IdIndex(ids)
    return settled(lambda: store.known(spec, index, digests), read_known)[1]


def read_columns(
    store: Store, ids: IdIndex | Iterable[str], digests: Mapping[FeatureSpec, Digests]
) -> tuple[dict[str, Column], dict[str, Coverage]]:
    """Read several features of the same samples, and count the gaps of each, both by name.

    Raises:
        CacheError: if the folder, a marker or a shard is not what it says it is.
        ValueError: if two of the specs have the same name.
    """
    index = ids if isinstance(ids, IdIndex) else IdIndex(ids)
    columns: dict[str, Column] = {}
    coverage: dict[str, Coverage] = {}
    for spec, keys in digests.items():
        if spec.name in columns:
            raise ValueError(f"feature {spec.name!r} is asked for with two recipes")
        known, columns[spec.name] = settled(partial(store.known, spec, index, keys), read_known)
        coverage[spec.name] = known.coverage()
    return columns, coverage


def settled(ask: Callable[[], F], use: Callable[[F], T], known: F | None = None) -> tuple[F, T]:
    """Use what is `known`, or else is asked now; ask again if its shards were compacted meanwhile.

    Raises:
        CacheError: what `use` raises over shards that are still there.
    """
    while True:
        known = ask() if known is None else known
        try:
            return known, use(known)
        except CacheError:
            if all_there(known.shards):
                raise
            known = None


def read_known(known: Known) -> Column:
    """Read the values of what `Store.known` found.

    Raises:
        CacheError: if a shard is not what it says it is.
    """
    spec, present = known.spec, known.ok
    if not (spec.is_text or spec.is_ragged):
        # Not np.zeros: reading 184 MB into one took 130 ms of CPU, into this 49 ms.
        values = np.empty((len(known), *spec.item_shape), stored_dtype(spec))
        values[~present] = 0
        _copy(known, _fixed_pieces(known), values)
        return Column(spec, values, None, present)
    offsets, pieces = _ragged_pieces(known)
    values = np.empty((int(offsets[-1]), *spec.item_shape), stored_dtype(spec))
    _copy(known, pieces, values)
    if spec.is_text:
        return Column(spec, _decode(values, offsets), None, present)
    return Column(spec, values, offsets, present)


def _by_shard(known: Known) -> list[tuple[int, np.ndarray]]:
    """Return each shard that is needed with the rows, int64, that take their value from it."""
    rows = np.flatnonzero(known.ok)
    number = known.shard[rows]
    order = np.argsort(number, kind="stable")
    counts = np.bincount(number, minlength=len(known.shards))
    groups = np.split(rows[order], np.cumsum(counts)[:-1])
    return [(number, group) for number, group in enumerate(groups) if len(group)]


def _fixed_pieces(known: Known) -> Pieces:
    """Return by shard which value goes to which row."""
    return [
        (number, Segments(known.value[rows], rows, np.ones(len(rows), np.int64)))
        for number, rows in _by_shard(known)
    ]


def _ragged_pieces(known: Known) -> tuple[np.ndarray, Pieces]:
    """Return where each row's tokens go, int64 [N + 1], and by shard where they come from."""
    lengths = np.zeros(len(known), np.int64)
    sources = []
    for number, rows in _by_shard(known):
        shard = known.shards[number]
        stored = FORMATS.load(shard.marker.format).read_offsets(shard.path, known.spec)
        place = known.value[rows]
        lengths[rows] = stored[place + 1] - stored[place]
        sources.append((number, rows, stored[place]))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return offsets, [
        (number, Segments(source, offsets[rows], lengths[rows])) for number, rows, source in sources
    ]


def _copy(known: Known, pieces: Pieces, out: np.ndarray) -> None:
    """Copy the pieces of every shard into their places in `out`."""
    for number, wanted in pieces:
        shard = known.shards[number]
        shard_format = FORMATS.load(shard.marker.format)
        shard_format.read_values(shard.path, known.spec, wanted, out)


def _decode(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the texts of UTF-8 bytes, uint8 [bytes], as object [N]; "" where there are none."""
    content, ends = values.tobytes(), offsets.tolist()
    texts = np.full(len(ends) - 1, "", dtype=object)
    for row, (start, end) in enumerate(itertools.pairwise(ends)):
        texts[row] = content[start:end].decode("utf-8", "surrogatepass")
    return texts
