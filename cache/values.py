"""What may be stored: values that agree with their spec, rows that agree with themselves."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from cache.spec import FeatureSpec, Row
from core.fingerprint import DIGEST_BYTES
from core.status import Status
from corpus.cells import LONGEST_ID, BadCell, id_of


def stored_dtype(spec: FeatureSpec) -> np.dtype[Any]:
    """Return the dtype of the array that holds the values: bytes (UTF-8) for a text."""
    return np.dtype(np.uint8 if spec.is_text else spec.dtype)


def separated(spec: FeatureSpec, values: np.ndarray, offsets: np.ndarray) -> list[Any]:
    """Cut values that lie behind each other into arrays or texts; offsets int64 [values + 1]."""
    if not (spec.is_text or spec.is_ragged):
        return list(values)
    pieces = [values[start:end] for start, end in itertools.pairwise(offsets.tolist())]
    if not spec.is_text:
        return pieces
    return [piece.tobytes().decode("utf-8", "surrogatepass") for piece in pieces]


def check_value(spec: FeatureSpec, value: object) -> str | None:
    """Return why a value cannot be stored under this spec, or None if it can.

    A text must be a str. An array must have the spec's shape, one token or more where it is ragged,
    and real numbers that are finite and stay so in the stored dtype (float16 ends at 65504).
    """
    if spec.is_text:
        return None if isinstance(value, str) else f"a text was expected, not {_kind(value)}"
    if not isinstance(value, np.ndarray):
        return f"an array was expected, not {_kind(value)}"
    if value.dtype.kind not in "fiub":
        return f"dtype {value.dtype} has no place in {spec.dtype}"
    return _check_shape(spec, value) or _check_numbers(spec, value)


def _kind(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {list(value.shape)}"
    return type(value).__name__


def _check_shape(spec: FeatureSpec, value: np.ndarray) -> str | None:
    shape = value.shape[1:] if spec.is_ragged else value.shape
    if value.ndim != len(spec.dims) or shape != spec.item_shape:
        expected = ", ".join(str(axis) for axis in spec.dims)
        return f"shape {list(value.shape)} is not [{expected}]"
    if spec.is_ragged and len(value) == 0:
        return f"it has no {spec.dims[0]}; a gap was expected instead"
    return None


def _check_numbers(spec: FeatureSpec, value: np.ndarray) -> str | None:
    with np.errstate(over="ignore", invalid="ignore"):
        stored = value.astype(stored_dtype(spec), copy=False)
    if np.isfinite(stored).all():
        return None
    strange = int(value.size - np.isfinite(value).sum())
    if strange:
        return f"{strange} of {value.size} numbers are not finite"
    largest = float(np.abs(value.astype(np.float64)).max())
    limit = float(np.finfo(stored.dtype).max)
    return f"{largest:g} does not fit {spec.dtype}, which ends at {limit:g}"


def check_row(spec: FeatureSpec, row: Row) -> str | None:
    """Return why a row cannot be stored under this spec, or None if it can."""
    try:
        id_of(row.sample_id)
    except BadCell as error:
        return f"an id of 1 to {LONGEST_ID} printable characters was expected: {error}"
    if len(row.inputs_digest) != DIGEST_BYTES:
        return f"a digest of {DIGEST_BYTES} bytes was expected, not {len(row.inputs_digest)}"
    if row.status is Status.OK:
        return check_value(spec, row.value)
    if row.value is not None:
        return f"{row.status.name} has no value, yet one was given: {_kind(row.value)}"
    return None if row.cause else f"{row.status.name} needs a cause"
