"""Rows of a feature as a Parquet table: ids, statuses and causes, with the values beside them.

id, status, cause, reason   text; status is OK, ABSENT or FAILED
digest                      of the inputs, hexadecimal
value                       a list of numbers, for a sequence a list of such, or a text; null
                            for a gap. A table beside a file of values has their numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cache.exported import exported_errors
from cache.rows import Selection
from cache.spec import FeatureSpec, Row
from cache.values import separated, stored_dtype
from core.status import Status

NUMBER = pa.int64()  # the type of `value` where it is the number of a value in another file
_FILE = "values.parquet"
_ROWS_AT_ONCE = 1000  # a file of 1 MB may say that its group of a million rows holds 1 GB
_WORDS = ("id", "digest", "status", "cause", "reason")


class TableWriter:
    """A Parquet file that rows are added to; use it in a `with` block."""

    def __init__(self, path: Path, kind: pa.DataType) -> None:
        self._schema = _schema(kind)
        self._writer = pq.ParquetWriter(path, self._schema)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def add(self, rows: Sequence[Row], values: pa.Array) -> None:
        """Write some rows as one group."""
        words = [
            [row.sample_id for row in rows],
            [row.inputs_digest.hex() for row in rows],
            [row.status.name for row in rows],
            [row.cause for row in rows],
            [row.reason.encode("utf-8", "backslashreplace").decode() for row in rows],
        ]
        arrays = [pa.array(column, pa.string()) for column in words]
        self._writer.write_table(pa.table([*arrays, values], schema=self._schema))


def write_parquet(selection: Selection, folder: Path) -> None:
    """Write rows with their values into `folder`/values.parquet."""
    spec = selection.spec
    kind = _value_type(spec, unicode=not spec.is_text or _is_unicode(selection))
    with TableWriter(folder / _FILE, kind) as table:
        for rows in selection.chunks():
            table.add(rows, _value_array(spec, [row.value for row in rows], kind))


def read_parquet(folder: Path, spec: FeatureSpec) -> Iterator[list[Row]]:
    """Yield the rows that `write_parquet` wrote, some at a time.

    Raises:
        CacheError: if the file is not what it says it is.
    """
    path, kinds = folder / _FILE, [_value_type(spec), _value_type(spec, unicode=False)]
    for part in read_parts(path, kinds):
        with exported_errors(path):
            present = part["value"].is_valid().to_numpy()
            rows = rows_of(part, present, _values(spec, part["value"].combine_chunks()))
        yield rows


def read_parts(path: Path, kinds: Sequence[pa.DataType]) -> Iterator[pa.Table]:
    """Yield a table some rows at a time; its values have one of these types.

    Raises:
        CacheError: if it is another table.
    """
    with exported_errors(path), pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        if not any(schema.equals(_schema(kind)) for kind in kinds):
            raise ValueError(f"its columns are {schema.remove_metadata()}, not {_schema(kinds[0])}")
        for batch in file.iter_batches(_ROWS_AT_ONCE):
            yield pa.Table.from_batches([batch])


def rows_of(part: pa.Table, present: np.ndarray, values: Iterator[Any]) -> list[Row]:
    """Return the rows of a table; those that are `present`, bool [N], take the next of the values.

    Raises:
        ValueError, KeyError: if a digest or a status is none, or a word is missing.
    """
    for word in _WORDS:
        if part[word].null_count:
            raise ValueError(f"a row has no {word}")
    columns = (part[word].to_pylist() for word in _WORDS)
    return [
        Row(
            name, bytes.fromhex(digest), Status[status], next(values) if ok else None, cause, reason
        )
        for name, digest, status, cause, reason, ok in zip(*columns, present.tolist(), strict=True)
    ]


def _schema(kind: pa.DataType) -> pa.Schema:
    return pa.schema([*((word, pa.string()) for word in _WORDS), ("value", kind)])


def _value_type(spec: FeatureSpec, *, unicode: bool = True) -> pa.DataType:
    """Return the type of the values; one text that is no Unicode makes all of them bytes."""
    if spec.is_text:
        return pa.large_string() if unicode else pa.large_binary()
    number = pa.from_numpy_dtype(stored_dtype(spec))
    # vectors have no fixed size: before version 26 pyarrow cannot read gaps among such
    item = pa.list_(number, math.prod(spec.item_shape)) if spec.is_ragged else number
    return pa.large_list(item)


def _is_unicode(selection: Selection) -> bool:
    try:
        for rows in selection.chunks():
            "".join(str(row.value) for row in rows).encode()
    except UnicodeEncodeError:
        return False
    return True


def _value_array(spec: FeatureSpec, values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Return values as Arrow has them, null where there is none."""
    if spec.is_text:
        if pa.types.is_large_binary(kind):
            values = [v if v is None else v.encode("utf-8", "surrogatepass") for v in values]
        return pa.array(values, kind)
    gaps = np.array([value is None for value in values], bool)
    width = math.prod(spec.item_shape)
    empty = np.zeros((0, width), stored_dtype(spec))
    arrays = [empty if value is None else value.reshape(-1, width) for value in values]
    ends = np.cumsum([0, *map(len, arrays)])
    items = pa.array(np.concatenate([*arrays, empty]).reshape(-1))
    if spec.is_ragged:
        items = pa.FixedSizeListArray.from_arrays(items, width)
    else:
        ends *= width
    return pa.LargeListArray.from_arrays(pa.array(ends), items, mask=pa.array(gaps))


def _values(spec: FeatureSpec, column: pa.Array) -> Iterator[Any]:
    """Yield the values of a column that are not null."""
    if spec.is_text:
        for text in column.drop_null().to_pylist():
            yield text.decode("utf-8", "surrogatepass") if isinstance(text, bytes) else text
        return
    present = column.drop_null()
    lengths, items = pc.list_value_length(present).to_numpy(), present.flatten()
    numbers = items.flatten() if spec.is_ragged else items
    if numbers.null_count or items.null_count:
        raise ValueError("a value has a gap in itself")
    width = math.prod(spec.item_shape)
    if not spec.is_ragged and (lengths != width).any():
        raise ValueError(f"a value has not {width} numbers")
    array = numbers.to_numpy(zero_copy_only=False).reshape(-1, *spec.item_shape)
    yield from separated(spec, array, np.cumsum([0, *lengths]))
