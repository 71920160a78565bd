"""Tars of whole samples: all features of an id side by side, as one who trains on them wants it.

    clip-7.json             {"id": "clip 7", "features": {"motion": "OK", ...}}, first of its sample
    clip-7.motion.npy       a value; the ending is the feature's name, percent-encoded
    clip-7.caption.txt      a text

Behind the index of `cache.indexed_tar`, whose rows are those of one feature after another. The
members decide nothing that the rows do not: a tar that differs from what its rows make is refused.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cache.exported import exported_errors
from cache.indexed_tar import (
    Index,
    Member,
    check_rows,
    difference,
    encode_tar,
    read_index,
    row_type,
)
from cache.spec import FeatureSpec, Row
from cache.tar import Table, content, rows_of, table_of, texts, values_of
from cache.tar_values import places_of
from cache.ustar import ending_of, keys_of
from core.status import Status

_KIND = "samples"
Columns = Sequence[tuple[FeatureSpec, Sequence[Row]]]


def encode_samples(columns: Columns) -> bytes:
    """Return the whole tar of some features, in which no id comes twice within one.

    Samples come in the order of their ids in the first feature, then in the second and so on.
    """
    members, place = _members(columns)
    width = max((len(row.sample_id.encode()) for _, rows in columns for row in rows), default=1)
    tables, told = [np.zeros(0, row_type(width))], []
    for spec, rows in columns:
        number = [place.get((spec.name, row.sample_id), 0) for row in rows]
        table = table_of(rows, np.array(number, np.int64))
        tables.append(table.rows.astype(row_type(width)))
        counted = {"rows": len(rows), "causes": table.causes, "reasons": table.reasons}
        told.append({"fingerprint": spec.fingerprint, "spec": spec.to_json(), **counted})
    return encode_tar({"kind": _KIND, "features": told}, np.concatenate(tables), members)


def _members(columns: Columns) -> tuple[list[Member], dict[tuple[str, str], int]]:
    """Return the members of all samples, and which of them holds the value of a feature and id."""
    samples: dict[str, list[tuple[FeatureSpec, Row]]] = {}
    for spec, rows in columns:
        for row in rows:
            samples.setdefault(row.sample_id, []).append((spec, row))
    members: list[Member] = []
    place: dict[tuple[str, str], int] = {}
    for key, (sample_id, given) in zip(keys_of(samples), samples.items(), strict=True):
        told = {"id": sample_id, "features": {spec.name: _told(row) for spec, row in given}}
        members.append((f"{key}.json", (json.dumps(told).encode(),)))
        for spec, row in given:
            if row.value is not None:
                suffix, pieces = content(spec, row.value)
                place[spec.name, sample_id] = len(members)
                members.append((f"{key}.{ending_of(spec.name, suffix)}", pieces))
    return members, place


def _told(row: Row) -> Any:
    """Return what the JSON of a sample says of one feature."""
    if row.status is Status.OK:
        return row.status.name
    return {"status": row.status.name, "cause": row.cause, "reason": row.reason}


def features_of(path: Path) -> list[FeatureSpec]:
    """Return the features of a tar of samples.

    Raises:
        CacheError: if it is none, or a feature is not of the fingerprint that it says.
    """
    with _opened(path) as (_, index):
        return [spec for spec, _ in _tables(index)]


def read_feature(path: Path, wanted: FeatureSpec) -> list[Row]:
    """Return the rows of one feature of a tar of samples; none if it is not there.

    Raises:
        CacheError: if the tar is not what it says it is.
    """
    with _opened(path) as (handle, index):
        for spec, table in _tables(index):
            if spec.fingerprint == wanted.fingerprint:
                return _rows(handle, index, spec, table)
    return []


def check_samples(path: Path) -> None:
    """Compare every byte of a tar of samples with what its rows make of it.

    Raises:
        CacheError: if one differs.
    """
    with _opened(path) as (handle, index):
        columns = [(spec, _rows(handle, index, spec, table)) for spec, table in _tables(index)]
        if problem := difference(handle, encode_samples(columns)):
            raise ValueError(problem)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[int, Index]]:
    with exported_errors(path), path.open("rb", buffering=0) as stream:
        index = read_index(stream.fileno())
        if index.about["kind"] != _KIND:
            raise ValueError(f"it is a tar of {index.about['kind']!r}, not of samples")
        yield stream.fileno(), index


def _tables(index: Index) -> list[tuple[FeatureSpec, Table]]:
    """Return the features of an index with their rows, which lie behind each other."""
    found, start = [], 0
    for told in index.about["features"]:
        if not isinstance(told["rows"], int) or told["rows"] < 0:
            raise ValueError(f"a feature has {told['rows']!r} rows")
        rows = index.rows[start : start + told["rows"]]
        table = Table(rows, texts(told["causes"]), texts(told["reasons"]))
        check_rows(rows, len(table.causes), len(table.reasons), len(index.names))
        found.append((_spec_of(told), table))
        start += told["rows"]
    return found


def _rows(handle: int, index: Index, spec: FeatureSpec, table: Table) -> list[Row]:
    member = table.rows["member"][table.rows["status"] == Status.OK].astype(np.int64)
    return rows_of(table, values_of(handle, index, places_of(index, member, spec), spec))


def _spec_of(told: Mapping[str, Any]) -> FeatureSpec:
    """Return the feature that a tar says it has.

    Raises:
        ValueError: if it is not of the fingerprint that it says.
    """
    spec = FeatureSpec.from_json(told["spec"])
    if spec.fingerprint != told["fingerprint"]:
        raise ValueError(f"it is of {spec.name} {told['fingerprint']}, which is {spec.fingerprint}")
    return spec
