"""Rows of a feature as plain .npy files beside a Parquet table of ids, statuses and causes.

    values.npy   of the P rows that are OK: [P, *dims]; of sequences all tokens, of texts all bytes
    offsets.npy  sequences and texts only: int64 [P + 1], where each value begins and ends
    rows.parquet see `cache.parquet`; its `value` is the number of the row's value

No number stands for a gap: a row without a value has none in values.npy.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from cache.exported import exported_errors
from cache.npy import npy_header
from cache.parquet import NUMBER, TableWriter, read_parts, rows_of
from cache.rows import Selection
from cache.spec import FeatureSpec, Row
from cache.values import stored_dtype

_VALUES, _OFFSETS, _ROWS = "values.npy", "offsets.npy", "rows.parquet"


def write_arrays(selection: Selection, folder: Path) -> None:
    """Write rows and their values into the files above."""
    spec, ends = selection.spec, [0]
    dtype, shape = stored_dtype(spec), spec.item_shape
    with (folder / _VALUES).open("wb") as values, TableWriter(folder / _ROWS, NUMBER) as table:
        values.write(npy_header(dtype, (0, *shape)))
        for rows in selection.chunks():
            numbers: list[int | None] = []
            for row in rows:
                numbers.append(None if row.value is None else len(ends) - 1)
                if row.value is not None:
                    ends.append(ends[-1] + _write(values, row.value, spec))
            table.add(rows, pa.array(numbers, NUMBER))
        values.seek(0)
        values.write(npy_header(dtype, (ends[-1], *shape)))
    if spec.is_text or spec.is_ragged:
        np.save(folder / _OFFSETS, np.array(ends, np.int64), allow_pickle=False)


def _write(stream: Any, value: np.ndarray | str, spec: FeatureSpec) -> int:
    """Write one value, and return how many items it has."""
    content = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value.tobytes()
    stream.write(content)
    if isinstance(value, str):
        return len(content)
    return len(value) if spec.is_ragged else 1


def read_arrays(folder: Path, spec: FeatureSpec) -> Iterator[list[Row]]:
    """Yield the rows that `write_arrays` wrote, as many at a time as it did.

    Raises:
        CacheError: if the files are not what they say they are.
    """
    with exported_errors(folder / _VALUES):
        values = _loaded(folder / _VALUES)
        expected = (stored_dtype(spec), spec.item_shape)
        if (values.dtype, values.shape[1:]) != expected:
            raise ValueError(f"its values are {values.dtype} {values.shape}, expected {expected}")
    with exported_errors(folder / _OFFSETS):
        offsets = np.arange(len(values) + 1)
        if spec.is_text or spec.is_ragged:
            offsets = _loaded(folder / _OFFSETS)
        if offsets.ndim != 1 or offsets[0] != 0 or offsets[-1] != len(values):
            raise ValueError("it does not begin and end where the values do")
        if offsets.dtype != np.int64 or (np.diff(offsets) < 0).any():
            raise ValueError("its numbers do not rise")
    taken = 0
    for part in read_parts(folder / _ROWS, [NUMBER]):
        with exported_errors(folder / _ROWS):
            present = part["value"].is_valid().to_numpy()
            numbers = part["value"].drop_null().to_numpy()
            # A value that many rows name would fill the memory.
            if (numbers != taken + np.arange(len(numbers))).any():
                raise ValueError("the numbers of its values do not count up from 0")
            taken += len(numbers)
            rows = rows_of(part, present, _picked(spec, values, offsets, numbers))
        yield rows


def _loaded(path: Path) -> np.ndarray:
    """Return an array that is read from its file where it is used."""
    array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def _picked(
    spec: FeatureSpec, values: np.ndarray, offsets: np.ndarray, numbers: np.ndarray
) -> Iterator[Any]:
    """Yield the values of these numbers."""
    if len(numbers) and (numbers.min() < 0 or numbers.max() >= len(offsets) - 1):
        raise ValueError("a row has the number of a value that is not there")
    for start, end in zip(offsets[numbers].tolist(), offsets[numbers + 1].tolist(), strict=True):
        piece = np.array(values[start:end])
        if spec.is_text:
            yield piece.tobytes().decode("utf-8", "surrogatepass")
        else:
            yield piece if spec.is_ragged else piece[0]
