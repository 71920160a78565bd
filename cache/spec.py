"""What a feature is (spec), what is known of it for one sample (row) and for all (column)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from core.fingerprint import DIGEST_BYTES, fingerprint
from core.status import Gap, Status

TEXT = "text"  # the stored dtype of a feature whose value is a text
UNKNOWN_INPUTS = bytes(DIGEST_BYTES)  # the identity of inputs whose file is not on this machine


@dataclass(frozen=True)
class FeatureSpec:
    """The name, shape and origin of one feature.

    name    family[@variant][:field][/output]
    dims    (256,) a vector; ("token", 768) a sequence, whose first axis is ragged; () a text
    dtype   as stored: "float16", "float32", or "text"
    reads   the parts of a sample that the value depends on, e.g. ("video",) or ("text:title",)
    recipe  everything that decides the value (code version, sampling, weights, dtype, ...) as JSON
            values; device, batch size, workers and paths never enter. `"layout": "counts"` marks a
            sparse vector, see `is_counts`.
    """

    name: str
    dims: tuple[int | str, ...]
    dtype: str
    reads: tuple[str, ...]
    recipe: Mapping[str, Any] = field(hash=False)

    @cached_property
    def fingerprint(self) -> str:
        """The digest of all that decides the value: the folder of this feature in the cache."""
        return fingerprint(
            {
                "name": self.name,
                "dims": list(self.dims),
                "dtype": self.dtype,
                "reads": list(self.reads),
                "recipe": dict(self.recipe),
            }
        )

    @property
    def is_text(self) -> bool:
        return self.dtype == TEXT

    @property
    def is_ragged(self) -> bool:
        return bool(self.dims) and isinstance(self.dims[0], str)

    @property
    def is_counts(self) -> bool:
        """Whether a value is a sparse vector: ("gram", 2), pairs of a bucket and its weight.

        The recipe then has `"layout": "counts"` and the number of `"buckets"`.
        """
        return self.recipe.get("layout") == "counts"

    @property
    def item_shape(self) -> tuple[int, ...]:
        """The axes of known length: (256,) for a vector, (768,) for a sequence, () for a text."""
        return tuple(axis for axis in self.dims if isinstance(axis, int))

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "dims": list(self.dims),
            "dtype": self.dtype,
            "reads": list(self.reads),
            "recipe": dict(self.recipe),
            "fingerprint": self.fingerprint,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FeatureSpec:
        return cls(
            name=value["name"],
            dims=tuple(value["dims"]),
            dtype=value["dtype"],
            reads=tuple(value["reads"]),
            recipe=value["recipe"],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One feature of one sample: a value, or a gap with its cause.

    inputs_digest  16 bytes, the identity of the parts the value was computed from;
                   `UNKNOWN_INPUTS` where the file is missing, for a gap
    value          array of the spec's shape, or str, where status is OK; else None
    """

    sample_id: str
    inputs_digest: bytes
    status: Status
    value: np.ndarray | str | None
    cause: str = ""
    reason: str = ""

    @classmethod
    def of(cls, sample_id: str, inputs_digest: bytes, value: np.ndarray | str | Gap) -> Row:
        """Make a row of a value or of a gap."""
        if isinstance(value, Gap):
            return cls(sample_id, inputs_digest, value.status, None, value.cause, value.reason)
        return cls(sample_id, inputs_digest, Status.OK, value)


@dataclass(frozen=True, eq=False)
class Column:
    """One feature of N samples.

    values   fixed shape: [N, *dims], rows without a value hold 0 and must be masked by `present`;
             ragged: all tokens behind each other [sum of lengths, D]; text: object [N], "" where
             absent
    offsets  ragged only: int64 [N + 1]; sample i has the tokens offsets[i]:offsets[i + 1]
    present  bool [N]
    """

    spec: FeatureSpec
    values: np.ndarray
    offsets: np.ndarray | None
    present: np.ndarray

    def __len__(self) -> int:
        return len(self.present)

    def pooled(self) -> np.ndarray:
        """Return float32 [N, D]: a vector flattened, the mean of a sequence; 0 where absent."""
        if self.offsets is None:
            flat = self.values.reshape(len(self), math.prod(self.values.shape[1:]))
            return flat.astype(np.float32, copy=False)
        lengths = np.diff(self.offsets)
        filled = lengths > 0
        pooled = np.zeros((len(self), int(np.prod(self.values.shape[1:]))), np.float32)
        if filled.any():
            tokens = self.values.reshape(len(self.values), -1).astype(np.float32, copy=False)
            sums = np.add.reduceat(tokens, self.offsets[:-1][filled], axis=0)
            pooled[filled] = sums / lengths[filled, None]
        return pooled

    def padded(self, longest: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return float32 [N, T, D], padded with 0, and its mask bool [N, T]; a vector has T = 1.

        `longest` cuts sequences to their first so many tokens; None takes the longest there is.
        """
        if self.offsets is None:
            return self.pooled()[:, None, :], self.present[:, None].copy()
        lengths = np.diff(self.offsets)
        steps = int(lengths.max(initial=0)) if longest is None else longest
        width = int(np.prod(self.values.shape[1:]))
        mask = np.arange(steps) < lengths[:, None]
        padded = np.zeros((len(self), steps, width), np.float32)
        source = (self.offsets[:-1, None] + np.arange(steps))[mask]
        padded[mask] = self.values.reshape(-1, width)[source]
        return padded, mask

    def take(self, rows: np.ndarray) -> Column:
        """Return the column of the samples `rows` (int64 [M] or bool [N]), in that order."""
        if rows.dtype == bool:
            rows = np.flatnonzero(rows)
        if self.offsets is None:
            return Column(self.spec, self.values[rows], None, self.present[rows])
        lengths = np.diff(self.offsets)[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
        source = np.repeat(self.offsets[:-1][rows], lengths) + within
        return Column(self.spec, self.values[source], offsets, self.present[rows])
