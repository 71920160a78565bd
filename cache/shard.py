"""What every shard format gives: a header read as arrays, and values copied out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from cache.spec import FeatureSpec, Row
from core.errors import CacheError
from core.registry import Registry


@dataclass(frozen=True, eq=False)
class Header:
    """What a shard knows of its N rows, without their values.

    ids      bytes [N], UTF-8
    digests  uint8 [N, 16]
    status   uint8 [N], see `core.status.Status`; the n-th OK row has the n-th value
    cause    int32 [N], index into `causes`, whose first is ""
    """

    ids: np.ndarray
    digests: np.ndarray
    status: np.ndarray
    cause: np.ndarray
    causes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, eq=False)
class Segments:
    """S pieces of a shard's values, and their places in an array: int64 [S] each.

    A piece of a fixed shape is a row, of a ragged one its tokens, of a text its bytes.
    """

    source: np.ndarray
    target: np.ndarray
    length: np.ndarray

    def merged(self) -> Segments:
        """Return the same pieces, with neighbours joined that follow each other on both sides."""
        order = np.argsort(self.source, kind="stable")
        source, target, length = self.source[order], self.target[order], self.length[order]
        follows = (source[1:] == source[:-1] + length[:-1]) & (
            target[1:] == target[:-1] + length[:-1]
        )
        first = np.flatnonzero(np.concatenate([[True], ~follows])) if len(source) else source
        total = np.add.reduceat(length, first) if len(source) else length
        return Segments(source[first], target[first], total)


class ShardFormat(Protocol):
    """One way to keep rows in one immutable file.

    Reading raises CacheError for a file that is not whole, not of this feature, or points outside
    of itself.
    """

    suffix: str  # of the file's name, without the dot; the name of the format as well

    def encode(self, spec: FeatureSpec, rows: Sequence[Row]) -> bytes:
        """Return the whole file; rows have been checked and hold arrays of the stored dtype."""
        ...

    def read_header(self, path: Path, spec: FeatureSpec) -> Header:
        """Read ids, digests, statuses and causes."""
        ...

    def read_reasons(self, path: Path, spec: FeatureSpec) -> np.ndarray:
        """Read the reasons of all rows: object [N]."""
        ...

    def read_offsets(self, path: Path, spec: FeatureSpec) -> np.ndarray:
        """Read where each value of a ragged feature or text starts and ends: int64 [values + 1]."""
        ...

    def read_values(self, path: Path, spec: FeatureSpec, wanted: Segments, out: np.ndarray) -> None:
        """Copy pieces of the values into `out`, C-contiguous and of the stored dtype."""
        ...

    def check(self, path: Path, spec: FeatureSpec) -> None:
        """Look at all of the file, as far as its rows tell what it must be."""
        ...


@contextlib.contextmanager
def shard_errors(path: Path) -> Iterator[None]:
    """Turn what goes wrong below into a CacheError about this shard."""
    try:
        yield
    except (OSError, LookupError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        raise CacheError(
            f"shard {path} cannot be used: {error}. With its marker it is moved away by python "
            "cli.py cache check --fix, and its rows are computed again"
        ) from error


FORMATS: Registry[ShardFormat] = Registry(
    "shard format", {"h5": "cache.hdf5:HDF5", "tar": "cache.tar:TAR"}
)
