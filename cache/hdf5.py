"""The columnar shard: one HDF5 file, contiguous and uncompressed, so that it reads at memory speed.

    ids             UTF-8 of fixed length [N]
    digests         uint8 [N, 16]
    status          uint8 [N]
    cause, causes   int32 [N] into a table of texts
    reason, reasons int32 [N] into a table of texts
    values          of the P rows that are OK: [P, *dims]; ragged: [tokens, *item];
                    text: uint8 [bytes]
    offsets         ragged and text only: int64 [P + 1]

The file is made in memory and written in one go: a full disk is then an ordinary OSError, and there
is no moment at which a half-made HDF5 file has the name of a whole one.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from cache.shard import Header, Segments
from cache.spec import FeatureSpec, Row
from cache.values import stored_dtype
from core.errors import CacheError
from core.status import Status

VERSION = 1
# A direct read costs 20 to 30 microseconds of Python, as long as it takes to copy about this much.
_DIRECT_BYTES = 128 << 10
_FOREIGN = (OSError, KeyError, ValueError, TypeError, RuntimeError, AttributeError)


class Hdf5Format:
    """Shards as columnar HDF5 files."""

    suffix = "h5"

    def encode(self, spec: FeatureSpec, rows: Sequence[Row]) -> bytes:
        """Return the whole file; rows have been checked and hold arrays of the stored dtype."""
        image = io.BytesIO()
        with h5py.File(image, "w") as file:
            file.attrs.update(
                {"version": VERSION, "feature": spec.name, "fingerprint": spec.fingerprint}
            )
            _write_header(file, rows)
            _write_values(file, spec, [row.value for row in rows if row.status is Status.OK])
        return image.getvalue()

    def read_header(self, path: Path, spec: FeatureSpec) -> Header:
        """Read ids, digests, statuses and causes."""
        with _opened(path, spec) as file:
            header = Header(
                ids=_read(file, "ids"),
                digests=_read(file, "digests"),
                status=_read(file, "status"),
                cause=_read(file, "cause"),
                causes=tuple(_texts(_read(file, "causes"))),
            )
            _check_header(header)
            _check_values(file, spec, int((header.status == Status.OK).sum()))
        return header

    def read_reasons(self, path: Path, spec: FeatureSpec) -> np.ndarray:
        """Read the reasons of all rows: object [N]."""
        with _opened(path, spec) as file:
            table = np.array(_texts(_read(file, "reasons")), dtype=object)
            reasons: np.ndarray = table[_read(file, "reason")]
        return reasons

    def read_offsets(self, path: Path, spec: FeatureSpec) -> np.ndarray:
        """Read where each value of a ragged feature or text starts and ends: int64 [values + 1]."""
        with _opened(path, spec) as file:
            offsets = _read(file, "offsets")
            if offsets[0] != 0 or (np.diff(offsets) < 0).any():
                raise ValueError("its offsets do not rise from 0")
            if offsets[-1] != len(_dataset(file, "values")):
                raise ValueError("its offsets do not end where its values do")
        return offsets

    def read_values(self, path: Path, spec: FeatureSpec, wanted: Segments, out: np.ndarray) -> None:
        """Copy pieces of the values into `out`, C-contiguous and of the stored dtype."""
        runs = wanted.merged()
        if not runs.length.sum():
            return
        with _opened(path, spec) as file:
            values = _dataset(file, "values")
            _check_item(values, spec)
            size_bytes = int(runs.length.sum()) * values.dtype.itemsize * _item_size(spec)
            if size_bytes >= _DIRECT_BYTES * len(runs.length):
                _read_runs(values, runs, out)
            else:
                _scatter(values, runs, out)


HDF5 = Hdf5Format()


def _write_header(file: h5py.File, rows: Sequence[Row]) -> None:
    ids = [row.sample_id.encode() for row in rows]
    width = max(map(len, ids), default=1)
    file.create_dataset("ids", data=np.array(ids, h5py.string_dtype("utf-8", width)))
    digests = b"".join(row.inputs_digest for row in rows)
    file["digests"] = np.frombuffer(digests, np.uint8).reshape(len(rows), -1 if rows else 16)
    file["status"] = np.array([row.status for row in rows], np.uint8)
    _write_texts(file, "cause", [row.cause for row in rows])
    _write_texts(file, "reason", [row.reason for row in rows])


def _write_texts(file: h5py.File, name: str, texts: list[str]) -> None:
    """Write a table of the texts that occur, the empty one first, and each row's place in it."""
    places = {text: place for place, text in enumerate(dict.fromkeys(["", *texts]))}
    file[name] = np.array([places[text] for text in texts], np.int32)
    # Variable length: one reason may be a page long, and a fixed length would be the longest one's.
    # A NUL would end the text and half a surrogate pair is no UTF-8: both are shown escaped.
    shown = [
        text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode() for text in places
    ]
    blob = [text.encode() for text in shown]
    file[f"{name}s"] = np.frombuffer(b"\0".join(blob) + b"\0", np.uint8)


def _texts(blob: np.ndarray) -> list[str]:
    return [text.decode() for text in blob.tobytes().split(b"\0")[:-1]]


def _write_values(file: h5py.File, spec: FeatureSpec, values: Sequence[Any]) -> None:
    dtype = stored_dtype(spec)
    if spec.is_text:
        values = [np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype) for text in values]
    if not (spec.is_text or spec.is_ragged):
        shape = (len(values), *spec.item_shape)
        file["values"] = np.stack(values).astype(dtype) if values else np.empty(shape, dtype)
        return
    lengths = np.array([0, *map(len, values)], np.int64)
    file["offsets"] = np.cumsum(lengths)
    empty = np.empty((0, *spec.item_shape), dtype)
    file["values"] = np.concatenate([empty, *values]).astype(dtype, copy=False)


@contextlib.contextmanager
def _opened(path: Path, spec: FeatureSpec) -> Iterator[h5py.File]:
    """Open a shard of this feature for reading; what goes wrong below is a CacheError about it.

    Without file locks: shards never change, and shared file systems often refuse locks.
    """
    try:
        with h5py.File(path, "r", locking=False) as file:
            found = tuple(file.attrs[name] for name in ("version", "feature", "fingerprint"))
            if found != (VERSION, spec.name, spec.fingerprint):
                raise ValueError(f"it says it is {found}, not {spec.name} {spec.fingerprint}")
            yield file
    except _FOREIGN as error:
        raise CacheError(
            f"shard {path} cannot be used: {error}. Remove it with its .json marker, and its rows "
            "are computed again; list all such files: python cli.py cache check"
        ) from error


def _dataset(file: h5py.File, name: str) -> h5py.Dataset:
    """Return a dataset that lies whole and plain in this file.

    A file of somebody else's could link to other files, or claim a size that it does not have.
    """
    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        raise ValueError(f"{name!r} is a link to another place")
    dataset = file[name]
    if dataset.chunks or dataset.external or dataset.is_virtual:
        raise ValueError(f"{name!r} is not stored in one piece")
    if dataset.id.get_storage_size() != dataset.dtype.itemsize * dataset.size:
        raise ValueError(f"{name!r} is not whole")
    return dataset


def _read(file: h5py.File, name: str) -> np.ndarray:
    values: np.ndarray = _dataset(file, name)[()]
    return values


def _check_header(header: Header) -> None:
    rows = len(header.ids)
    shapes = (header.ids.shape, header.digests.shape, header.status.shape, header.cause.shape)
    if shapes != ((rows,), (rows, 16), (rows,), (rows,)):
        raise ValueError(f"its arrays differ in length: {shapes}")
    kinds = [
        array.dtype.kind if array is header.ids else array.dtype.name
        for array in (header.ids, header.digests, header.status, header.cause)
    ]
    if kinds != ["S", "uint8", "uint8", "int32"]:
        raise ValueError(f"its arrays have other types than expected: {kinds}")
    if rows and (header.status.max() > Status.FAILED or header.cause.min() < 0):
        raise ValueError("it has a status or a cause that does not exist")
    if rows and header.cause.max() >= len(header.causes):
        raise ValueError("it has a cause that does not exist")


def _check_values(file: h5py.File, spec: FeatureSpec, present: int) -> None:
    ragged = spec.is_text or spec.is_ragged
    values = _dataset(file, "values")
    _check_item(values, spec)
    count = len(_dataset(file, "offsets")) - 1 if ragged else len(values)
    if count != present:
        raise ValueError(f"it has {count} values for {present} rows that are OK")


def _check_item(values: h5py.Dataset, spec: FeatureSpec) -> None:
    expected = (stored_dtype(spec), spec.item_shape)
    if (values.dtype, values.shape[1:]) != expected:
        raise ValueError(f"its values are {values.dtype} {values.shape}, expected {expected}")


def _item_size(spec: FeatureSpec) -> int:
    return int(np.prod(spec.item_shape))


def _read_runs(values: h5py.Dataset, runs: Segments, out: np.ndarray) -> None:
    for source, target, length in _triples(runs):
        values.read_direct(out, np.s_[source : source + length], np.s_[target : target + length])


def _scatter(values: h5py.Dataset, runs: Segments, out: np.ndarray) -> None:
    """Read all from the first to the last piece at once, then put each piece in its place."""
    start = int(runs.source[0])
    stop = int((runs.source + runs.length).max())
    block = values[start:stop]
    if (runs.length == 1).all():
        out[runs.target] = block[runs.source - start]
        return
    for source, target, length in _triples(runs):
        out[target : target + length] = block[source - start : source - start + length]


def _triples(runs: Segments) -> Iterator[tuple[int, int, int]]:
    return zip(runs.source.tolist(), runs.target.tolist(), runs.length.tolist(), strict=True)
