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

import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from cache.hdf5_file import VERSION, dataset_of, opened, read_at, read_whole
from cache.shard import Header, Segments, shard_errors
from cache.spec import FeatureSpec, Row
from cache.values import stored_dtype
from core.fingerprint import DIGEST_BYTES
from core.status import Status

# Pieces of this size on average take as long by a system call each as picked out of a block that is
# read at once (4.3 ms for 8 MB); of 1 KiB, calls take 2.6 times as long, of 128 KiB a quarter.
_DIRECT_BYTES = 4 << 10


class Hdf5Format:
    """Shards as columnar HDF5 files."""

    suffix = "h5"

    def __init__(self) -> None:
        # The byte where the values of a shard begin, told by HDF5 when its header is read. Shards
        # never change, and opening each a second time would cost 0.3 ms.
        self._places: dict[Path, int] = {}

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
        with opened(path, spec) as file:
            header = Header(
                ids=read_whole(file, "ids"),
                digests=read_whole(file, "digests"),
                status=read_whole(file, "status"),
                cause=read_whole(file, "cause"),
                causes=tuple(_texts(read_whole(file, "causes"))),
            )
            _check_header(header)
            values = dataset_of(file, "values")
            _check_values(file, values, spec, int((header.status == Status.OK).sum()))
            self._places[path] = values.get_offset() or 0
        return header

    def read_reasons(self, path: Path, spec: FeatureSpec) -> np.ndarray:
        """Read the reasons of all rows: object [N]."""
        with opened(path, spec) as file:
            table = np.array(_texts(read_whole(file, "reasons")), dtype=object)
            reason = read_whole(file, "reason")
            if reason.shape != dataset_of(file, "ids").shape or reason.dtype != np.int32:
                raise ValueError("its rows have no reason each")
            if _outside(reason, len(table)):
                raise ValueError("it has a reason that does not exist")
            reasons: np.ndarray = table[reason]
        return reasons

    def read_offsets(self, path: Path, spec: FeatureSpec) -> np.ndarray:
        """Read where each value of a ragged feature or text starts and ends: int64 [values + 1]."""
        with opened(path, spec) as file:
            offsets = read_whole(file, "offsets")
            if offsets.ndim != 1 or not len(offsets) or offsets.dtype != np.int64:
                raise ValueError(f"its offsets are {offsets.dtype} {offsets.shape}")
            if offsets[0] != 0 or (np.diff(offsets) < 0).any():
                raise ValueError("its offsets do not rise from 0")
            if offsets[-1] != dataset_of(file, "values").shape[0]:
                raise ValueError("its offsets do not end where its values do")
        return offsets

    def read_values(self, path: Path, spec: FeatureSpec, wanted: Segments, out: np.ndarray) -> None:
        """Copy pieces of the values into `out`, C-contiguous and of the stored dtype."""
        runs = wanted.merged()
        if not runs.length.sum():
            return
        start = self._places.get(path)
        if start is None:
            self.read_header(path, spec)
            start = self._places[path]
        with shard_errors(path), path.open("rb", buffering=0) as stream:
            _copy_runs(stream.fileno(), start, runs, out)

    def check(self, path: Path, spec: FeatureSpec) -> None:
        """Read all but the values."""
        header = self.read_header(path, spec)
        with shard_errors(path):
            for name in header.ids.tolist():
                name.decode()
        self.read_reasons(path, spec)
        if spec.is_text or spec.is_ragged:
            self.read_offsets(path, spec)


HDF5 = Hdf5Format()


def _write_header(file: h5py.File, rows: Sequence[Row]) -> None:
    ids = [row.sample_id.encode() for row in rows]
    width = max(map(len, ids), default=1)
    file.create_dataset("ids", data=np.array(ids, h5py.string_dtype("utf-8", width)))
    digests = b"".join(row.inputs_digest for row in rows)
    file["digests"] = np.frombuffer(digests, np.uint8).reshape(len(rows), DIGEST_BYTES)
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


def _check_header(header: Header) -> None:
    rows = len(header.ids)
    shapes = (header.ids.shape, header.digests.shape, header.status.shape, header.cause.shape)
    if shapes != ((rows,), (rows, DIGEST_BYTES), (rows,), (rows,)):
        raise ValueError(f"its arrays differ in length: {shapes}")
    kinds = [
        array.dtype.kind if array is header.ids else array.dtype.name
        for array in (header.ids, header.digests, header.status, header.cause)
    ]
    if kinds != ["S", "uint8", "uint8", "int32"]:
        raise ValueError(f"its arrays have other types than expected: {kinds}")
    if rows and header.status.max() > Status.FAILED:
        raise ValueError("it has a status that does not exist")
    if _outside(header.cause, len(header.causes)):
        raise ValueError("it has a cause that does not exist")


def _outside(numbers: np.ndarray, size: int) -> bool:
    """Say whether a number is no place in a table of this size."""
    return bool(len(numbers) and (numbers.min() < 0 or numbers.max() >= size))


def _check_values(
    file: h5py.h5f.FileID, values: h5py.h5d.DatasetID, spec: FeatureSpec, present: int
) -> None:
    ragged = spec.is_text or spec.is_ragged
    _check_item(values, spec)
    count = dataset_of(file, "offsets").shape[0] - 1 if ragged else values.shape[0]
    if count != present:
        raise ValueError(f"it has {count} values for {present} rows that are OK")


def _check_item(values: h5py.h5d.DatasetID, spec: FeatureSpec) -> None:
    expected = (stored_dtype(spec), spec.item_shape)
    if (values.dtype, values.shape[1:]) != expected:
        raise ValueError(f"its values are {values.dtype} {values.shape}, expected {expected}")


def _copy_runs(handle: int, start: int, runs: Segments, out: np.ndarray) -> None:
    """Copy pieces of an array that begins at byte `start` of a file straight into their places.

    HDF5 only told where the array lies: a piece costs 1.5 microseconds beside its copy, much less
    than a selection of h5py, so that gaps between rows do not slow reading down.
    """
    item_bytes = out.dtype.itemsize * math.prod(out.shape[1:])
    if int(runs.length.sum()) * item_bytes >= _DIRECT_BYTES * len(runs.length):
        places = out.data.cast("B")
        for source, target, length in _triples(runs):
            piece = places[target * item_bytes : (target + length) * item_bytes]
            read_at(handle, start + source * item_bytes, piece)
        return
    first = int(runs.source[0])
    block = np.empty((int((runs.source + runs.length).max()) - first, *out.shape[1:]), out.dtype)
    read_at(handle, start + first * item_bytes, block.data.cast("B"))
    if (runs.length == 1).all():
        out[runs.target] = block[runs.source - first]
        return
    for source, target, length in _triples(runs):
        out[target : target + length] = block[source - first : source - first + length]


def _triples(runs: Segments) -> Iterator[tuple[int, int, int]]:
    return zip(runs.source.tolist(), runs.target.tolist(), runs.length.tolist(), strict=True)
