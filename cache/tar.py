"""The tar shard: one member a row, which the package webdataset reads as samples.

    clip%2Emp4.npy    a value, of an id that is percent-encoded, dots too
    clip%2Emp4.txt    a text; .bin where it is no Unicode
    clip%2Emp4.json   a gap: id, status, cause, reason

Before them stands the index of `cache.indexed_tar`, which webdataset passes over.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cache.indexed_tar import (
    NO_MEMBER,
    Index,
    Member,
    check_rows,
    difference,
    encode_tar,
    read_index,
    row_type,
)
from cache.npy import npy_header
from cache.shard import Header, Segments, shard_errors
from cache.spec import FeatureSpec, Row
from cache.tar_values import Places, copy_values, places_of
from cache.ustar import keys_of
from cache.values import separated, stored_dtype
from core.status import Status

_KIND = "shard"


class Table(NamedTuple):
    """The rows of one feature in an index, and the tables that their numbers point into."""

    rows: np.ndarray
    causes: list[str]
    reasons: list[str]


class TarFormat:
    """Shards as tars of samples."""

    suffix = "tar"

    def encode(self, spec: FeatureSpec, rows: Sequence[Row]) -> bytes:
        """Return the whole file; rows have been checked and hold arrays of the stored dtype."""
        members: list[Member] = []
        for key, row in zip(keys_of(row.sample_id for row in rows), rows, strict=True):
            suffix, pieces = (
                ("json", (_gap(row),)) if row.value is None else content(spec, row.value)
            )
            members.append((f"{key}.{suffix}", pieces))
        table = table_of(rows, np.arange(len(rows)))
        named = {"kind": _KIND, "feature": spec.name, "fingerprint": spec.fingerprint}
        tables = {"spec": spec.to_json(), "causes": table.causes, "reasons": table.reasons}
        return encode_tar({**named, **tables}, table.rows, members)

    def read_header(self, path: Path, spec: FeatureSpec) -> Header:
        """Read ids, digests, statuses and causes."""
        with _opened(path, spec) as (_, index):
            _places(index, spec)
            return header_of(index.rows, index.about["causes"])

    def read_reasons(self, path: Path, spec: FeatureSpec) -> np.ndarray:
        """Read the reasons of all rows: object [N]."""
        with _opened(path, spec) as (_, index):
            reasons: np.ndarray = np.array(index.about["reasons"], dtype=object)[
                index.rows["reason"]
            ]
        return reasons

    def read_offsets(self, path: Path, spec: FeatureSpec) -> np.ndarray:
        """Read where each value of a ragged feature or text starts and ends: int64 [values + 1]."""
        with _opened(path, spec) as (_, index):
            return _places(index, spec).offsets

    def read_values(self, path: Path, spec: FeatureSpec, wanted: Segments, out: np.ndarray) -> None:
        """Copy pieces of the values into `out`, C-contiguous and of the stored dtype."""
        with _opened(path, spec) as (handle, index):
            copy_values(handle, index, _places(index, spec), wanted, out)

    def check(self, path: Path, spec: FeatureSpec) -> None:
        """Compare every byte with what the rows make of it."""
        with _opened(path, spec) as (handle, index):
            places, table = _places(index, spec), _table(index)
            rows = rows_of(table, values_of(handle, index, places, spec))
            if problem := difference(handle, self.encode(spec, rows)):
                raise ValueError(problem)


TAR = TarFormat()


@contextlib.contextmanager
def _opened(path: Path, spec: FeatureSpec) -> Iterator[tuple[int, Index]]:
    """Open a shard of this feature for reading; what goes wrong below is a CacheError about it."""
    with shard_errors(path), path.open("rb", buffering=0) as stream:
        index = read_index(stream.fileno())
        about = index.about
        if about["kind"] != _KIND:
            raise ValueError(f"it is a tar of {about['kind']!r}, not a shard")
        if about["fingerprint"] != spec.fingerprint:
            raise ValueError(
                f"it is of {about['feature']} {about['fingerprint']}, not of {spec.name}"
            )
        table = _table(index)
        check_rows(table.rows, len(table.causes), len(table.reasons), len(index.names))
        yield stream.fileno(), index


def _table(index: Index) -> Table:
    return Table(index.rows, texts(index.about["causes"]), texts(index.about["reasons"]))


def _places(index: Index, spec: FeatureSpec) -> Places:
    rows = index.rows
    return places_of(index, rows["member"][rows["status"] == Status.OK].astype(np.int64), spec)


def texts(table: Any) -> list[str]:
    """Return a table of texts of an index.

    Raises:
        ValueError: if it is something else.
    """
    if not isinstance(table, list) or not all(isinstance(text, str) for text in table):
        raise ValueError("a table of texts is none")
    return table


def table_of(rows: Sequence[Row], member: np.ndarray) -> Table:
    """Return rows as an index keeps them; `member`, int64 [N], is used where there is a value."""
    ids = [row.sample_id.encode() for row in rows]
    table = np.zeros(len(rows), row_type(max(map(len, ids), default=1)))
    causes, table["cause"] = _numbered([row.cause for row in rows])
    reasons, table["reason"] = _numbered([row.reason for row in rows])
    if rows:
        digests = b"".join(row.inputs_digest for row in rows)
        table["id"], table["status"] = ids, [row.status for row in rows]
        table["digest"] = np.frombuffer(digests, np.uint8).reshape(len(rows), -1)
    table["member"] = np.where(table["status"] == Status.OK, member, NO_MEMBER)
    return Table(table, causes, reasons)


def _numbered(given: Sequence[str]) -> tuple[list[str], list[int]]:
    """Return the texts that occur, the empty one first, and each row's place among them."""
    places = {text: place for place, text in enumerate(dict.fromkeys(["", *given]))}
    return list(places), [places[text] for text in given]


def header_of(rows: np.ndarray, causes: Sequence[str]) -> Header:
    """Return the header of rows of an index."""
    ids, digests, status, cause = (
        np.ascontiguousarray(rows[name]) for name in ("id", "digest", "status", "cause")
    )
    return Header(ids, digests, status, cause, tuple(causes))


def content(spec: FeatureSpec, value: np.ndarray | str) -> tuple[str, tuple[bytes, ...]]:
    """Return a value as the content of a file, in pieces, and the ending of its name."""
    if isinstance(value, str):
        try:
            return "txt", (value.encode(),)
        except UnicodeEncodeError:  # half a surrogate pair: webdataset leaves a .bin as it is
            return "bin", (value.encode("utf-8", "surrogatepass"),)
    return "npy", (npy_header(stored_dtype(spec), value.shape), value.tobytes())


def _gap(row: Row) -> bytes:
    told = {"id": row.sample_id, "status": row.status.name}
    return json.dumps({**told, "cause": row.cause, "reason": row.reason}).encode()


def values_of(
    handle: int, index: Index, places: Places, spec: FeatureSpec
) -> list[np.ndarray | str]:
    """Read all values of a feature of an open tar."""
    items = places.offsets[-1:]
    out = np.empty((int(items[0]), *spec.item_shape), stored_dtype(spec))
    copy_values(handle, index, places, Segments(items * 0, items * 0, items), out)
    return separated(spec, out, places.offsets)


def rows_of(table: Table, values: Sequence[np.ndarray | str]) -> list[Row]:
    """Return the rows of an index, with the values of those that have one."""
    left = iter(values)
    return [
        Row(
            row["id"].decode(),
            row["digest"].tobytes(),
            Status(row["status"]),
            next(left) if row["status"] == Status.OK else None,
            table.causes[row["cause"]],
            table.reasons[row["reason"]],
        )
        for row in table.rows
    ]
