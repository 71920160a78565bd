"""The marker of a shard: a small JSON file, written last, that makes the shard exist."""

from __future__ import annotations

import functools
import importlib.metadata
import json
import math
import platform
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from cache.shard import FORMATS
from cache.spec import FeatureSpec
from core.errors import CacheError
from core.files import storage_errors, sync
from core.status import Status

VERSION = 1
_SHARD_NAME = re.compile(r"shard-[0-9a-f]{16}")
_RECORDED = ("av", "h5py", "numpy", "torch", "transformers")  # they can change what is stored


@dataclass(frozen=True, slots=True)
class Costs:
    """What work went into how many rows: those that were computed, whatever became of them.

    Rows that the table or a missing file told, or that were imported, cost nothing and are not
    among `rows`; those that a compaction left out are.

    decode_s  this feature's share of reading files, which are read once for all features
    read_s    the whole of that reading, whoever shared it
    start_s   preparing the first row of each worker, with the loading of code and tables; not in
              `prepare_s`
    starts    how many rows that were
    """

    rows: int = 0
    starts: int = 0
    start_s: float = 0.0
    decode_s: float = 0.0
    read_s: float = 0.0
    prepare_s: float = 0.0
    forward_s: float = 0.0
    write_s: float = 0.0

    def __add__(self, other: Costs) -> Costs:
        sums = {part.name: getattr(self, part.name) + getattr(other, part.name) for part in _PARTS}
        return Costs(**sums)

    def per_row(self) -> dict[str, float]:
        """Return the seconds of one row by stage, without starts; empty if none was computed."""
        if not self.rows:
            return {}
        later = self.rows - self.starts
        prepare_s = self.prepare_s / later if later else self.start_s / self.starts
        shared = {name: getattr(self, name) / self.rows for name in _PER_ROW}
        return {**shared, "prepare_s": prepare_s}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Costs:
        """Check and return what `asdict` gave.

        Raises:
            ValueError, TypeError: if it says something that no costs say.
        """
        rows, starts = int(value.get("rows", 0)), int(value.get("starts", 0))
        seconds = {k: float(cost) for k, cost in value.items() if k not in ("rows", "starts")}
        if not all(map(math.isfinite, seconds.values())):
            raise ValueError(f"its costs are {dict(value)}")
        return cls(rows=rows, starts=starts, **seconds)


_PARTS = fields(Costs)
_PER_ROW = ("decode_s", "read_s", "forward_s", "write_s")


@dataclass(frozen=True)
class Marker:
    """What a shard holds, known without opening it.

    format    the suffix of the shard's file, a name in `cache.shard.FORMATS`
    statuses  number of rows by the name of their status
    causes    number of rows by "STATUS cause", such as "ABSENT no-audio"
    digest    of the shard's file, hexadecimal
    created   seconds since 1970
    replaces  names of shards whose rows are in this one: readers pass over them, if they are still
              there, so that a compaction takes place when its marker does
    """

    format: str
    feature: str
    fingerprint: str
    rows: int
    statuses: Mapping[str, int]
    causes: Mapping[str, int]
    digest: str
    size_bytes: int
    created: float
    costs: Costs
    versions: Mapping[str, str]
    replaces: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"version": VERSION, **asdict(self)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Marker:
        """Check and return what `to_json` gave.

        Raises:
            ValueError, TypeError, KeyError: if it says something that no marker says.
        """
        if value["version"] != VERSION:
            raise ValueError(f"its version is {value['version']}, this program reads {VERSION}")
        if value["format"] not in FORMATS:
            raise ValueError(f"its format {value['format']!r} is none of {', '.join(FORMATS)}")
        value = {"replaces": (), **value}
        known = {part.name: value[part.name] for part in fields(cls)}
        if not isinstance(known["rows"], int) or known["rows"] < 0:
            raise ValueError(f"it has {known['rows']!r} rows")
        known["statuses"] = {name: int(count) for name, count in known["statuses"].items()}
        known["causes"] = {name: int(count) for name, count in known["causes"].items()}
        known["replaces"] = tuple(map(_shard_name, value["replaces"]))
        known["created"], known["size_bytes"] = float(value["created"]), int(value["size_bytes"])
        if not math.isfinite(known["created"]):
            raise ValueError("it was created at no time")
        return cls(**{**known, "costs": Costs.from_json(value["costs"])})


@dataclass(frozen=True)
class Shard:
    """One shard: the file, derived from its marker's own name, and the marker."""

    path: Path
    marker: Marker

    @property
    def marker_path(self) -> Path:
        """The marker's own file."""
        return self.path.with_suffix(".json")


def _shard_name(name: str) -> str:
    if not _SHARD_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a shard")
    return name


def is_marker(name: str) -> bool:
    """Say whether a file name is that of a marker."""
    stem, dot, suffix = name.partition(".")
    return bool(dot) and suffix == "json" and _SHARD_NAME.fullmatch(stem) is not None


def is_shard(name: str) -> bool:
    """Say whether a file name is that of a shard of a known format."""
    stem, dot, suffix = name.partition(".")
    return bool(dot) and suffix in FORMATS and _SHARD_NAME.fullmatch(stem) is not None


def read_shard(path: Path, spec: FeatureSpec) -> Shard:
    """Return the shard of the marker at `path`, which must be of this feature.

    Raises:
        CacheError: if it is not a marker, or one of another feature.
    """
    try:
        marker = Marker.from_json(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise CacheError(
            f"{path} is not the marker of a shard: {error!r}. With its shard it is moved away by "
            "python cli.py cache check --fix, and its rows are computed again"
        ) from error
    if (marker.feature, marker.fingerprint) != (spec.name, spec.fingerprint):
        raise CacheError(
            f"{path} belongs to {marker.feature} {marker.fingerprint}, not to {spec.name} "
            f"{spec.fingerprint}. Move it back to its own folder, with its shard, or remove both"
        )
    # The name comes from the folder that was listed, never from what the file says.
    return Shard(path.with_name(f"{path.name.partition('.')[0]}.{marker.format}"), marker)


def remove(shards: Sequence[Shard]) -> None:
    """Remove shards: first their markers, so that nobody looks for a shard that has gone.

    Raises:
        StorageError: if they cannot be removed.
    """
    for path in [*(s.marker_path for s in shards), *(s.path for s in shards)]:
        with storage_errors(path):
            path.unlink(missing_ok=True)
    for folder in {shard.path.parent for shard in shards}:
        with storage_errors(folder):
            sync(folder)


def count_rows(rows: Iterable[tuple[int, str]]) -> tuple[dict[str, int], dict[str, int]]:
    """Return the number of rows of every status, and of gaps by "STATUS cause"."""
    counts = Counter(rows)
    statuses = {status.name: 0 for status in Status}
    causes = {}
    for (status, cause), count in sorted(counts.items()):
        statuses[Status(status).name] += count
        if status != Status.OK:
            causes[f"{Status(status).name} {cause}"] = count
    return statuses, causes


@functools.cache
def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that can change what is stored."""
    found = {"python": platform.python_version()}
    for name in _RECORDED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
