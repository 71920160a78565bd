"""Values out of an indexed tar, copied into their places by way of windows of a few MiB.

A window holds many members; each header in it is compared before a value is taken.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cache.indexed_tar import Index, read_at
from cache.npy import npy_header
from cache.shard import Segments
from cache.spec import FeatureSpec
from cache.ustar import BLOCK, described, headers
from cache.values import stored_dtype

_WINDOW_BYTES = 4 << 20  # smaller ones were slower: of 1 MiB by 7 %, of 128 KiB by 80 %
_GAP_BYTES = 64 << 10  # so much is read along rather than by another call


@dataclass(frozen=True, eq=False)
class Places:
    """Where the P values of one feature lie in a tar.

    member   int64 [P], which members hold them
    prefix   bytes before the first number of each
    offsets  int64 [P + 1], in items: rows, tokens or bytes of a text
    """

    member: np.ndarray
    prefix: int
    offsets: np.ndarray


@dataclass(frozen=True, eq=False)
class _Pieces:
    """K pieces of values, in the order of the file: int64 [K] each, all but `member` in bytes."""

    member: np.ndarray
    begin: np.ndarray
    target: np.ndarray
    size: np.ndarray


def prefix_bytes(spec: FeatureSpec) -> int:
    """Return how many bytes of a member stand before its first number."""
    return (
        0
        if spec.is_text
        else len(npy_header(stored_dtype(spec), (*spec.is_ragged * (1,), *spec.item_shape)))
    )


def item_bytes(spec: FeatureSpec) -> int:
    """Return the size of a row of fixed shape, of a token, or of a byte of text."""
    return stored_dtype(spec).itemsize * math.prod(spec.item_shape)


def places_of(index: Index, member: np.ndarray, spec: FeatureSpec) -> Places:
    """Return where the values of a feature lie, whose members are int64 [P].

    Raises:
        ValueError: if one has a size that no value of the feature has.
    """
    prefix, size = prefix_bytes(spec), item_bytes(spec)
    content = index.sizes[member] - prefix
    items = (
        content // max(size, 1)
        if spec.is_text or spec.is_ragged
        else np.ones(len(member), np.int64)
    )
    if (content < 0).any() or (items * size != content).any():
        raise ValueError(f"it has a member whose size no value of {spec.name} has")
    return Places(member, prefix, np.concatenate([[0], np.cumsum(items)]).astype(np.int64))


def copy_values(
    handle: int, index: Index, places: Places, wanted: Segments, out: np.ndarray
) -> None:
    """Copy pieces of the values into `out`.

    Raises:
        ValueError: if a member is not what the index says.
    """
    flat = out.reshape(-1).view(np.uint8)
    pieces = _cut(index, places, wanted, out.dtype.itemsize * math.prod(out.shape[1:]))
    head = index.starts[pieces.member] - BLOCK
    end = pieces.begin + pieces.size
    for first, last in _windows(head, end):
        part = slice(first, last)
        start = int(head[first])
        window = np.frombuffer(read_at(handle, start, int(end[part].max()) - start), np.uint8)
        _check_headers(window, start, index, pieces.member[part])
        _copy(window, pieces.begin[part] - start, flat, pieces.target[part], pieces.size[part])


def _cut(index: Index, places: Places, wanted: Segments, item: int) -> _Pieces:
    """Cut pieces where one value ends and another begins."""
    some = wanted.length > 0
    source, target, length = wanted.source[some], wanted.target[some], wanted.length[some]
    offsets = places.offsets
    first = np.searchsorted(offsets, source, "right") - 1
    count = np.searchsorted(offsets, source + length, "left") - first
    piece = np.repeat(np.arange(len(source)), count)
    value = first[piece] + np.arange(len(piece)) - np.repeat(np.cumsum(count) - count, count)
    start = np.maximum(offsets[value], source[piece])
    stop = np.minimum(offsets[value + 1], source[piece] + length[piece])
    member = places.member[value]
    begin = index.starts[member] + places.prefix + (start - offsets[value]) * item
    order = np.argsort(begin, kind="stable")
    into = (target[piece] + start - source[piece]) * item
    return _Pieces(member[order], begin[order], into[order], (stop - start)[order] * item)


def _windows(head: np.ndarray, end: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield pieces, from and to, that one read brings: near each other, and not too many."""
    breaks = [*(np.flatnonzero(head[1:] - end[:-1] > _GAP_BYTES) + 1).tolist(), len(head)]
    first = 0
    for stop in breaks:
        while first < stop:
            full = int(np.searchsorted(head[:stop], head[first] + _WINDOW_BYTES))
            yield first, full
            first = full


def _check_headers(window: np.ndarray, start: int, index: Index, member: np.ndarray) -> None:
    """Compare what stands before the members of a window, which begins at byte `start`."""
    member = member[np.concatenate([[True], member[1:] != member[:-1]])]
    at = index.starts[member] - BLOCK - start
    found = _records(window, BLOCK)[at].view(np.uint8).reshape(-1, BLOCK)
    differs = found != headers(index.names[member], index.sizes[member])
    if differs.any():
        wrong = int(np.flatnonzero(differs.any(axis=1))[0])
        name, size = index.names[member[wrong]].decode(), index.sizes[member[wrong]]
        seen = described(found[wrong].tobytes())
        raise ValueError(
            f"at byte {start + at[wrong]} is {seen}, where a file {name!r} of {size} bytes was "
            "expected"
        )


def _records(content: np.ndarray, size: int) -> np.ndarray:
    """Look at bytes as records of this size, one beginning at every byte."""
    return np.ndarray((len(content) - size + 1,), f"V{size}", content.data, strides=(1,))


def _copy(
    window: np.ndarray, begin: np.ndarray, flat: np.ndarray, target: np.ndarray, size: np.ndarray
) -> None:
    if (size == size[0]).all():
        width = int(size[0])
        _records(flat, width)[target] = _records(window, width)[begin]
        return
    for at, to, length in zip(begin.tolist(), target.tolist(), size.tolist(), strict=True):
        flat[to : to + length] = window[at : at + length]
