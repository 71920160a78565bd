"""Features of a cache as files for others: shards, plain arrays, Parquet, or tars of whole samples.

    OUT/<feature>/<fingerprint>/   spec.json beside the feature's files, named as in a cache
    OUT/samples-00000.tar          instead of them, where samples are joined
    OUT/export.json                what there is, with the digest of every file

The folder appears whole or not at all, and `cache.importing` takes any of them back.
"""

from __future__ import annotations

import contextlib
import math
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cache.arrays import write_arrays
from cache.exported import write_exported
from cache.keys import Keys
from cache.parquet import write_parquet
from cache.rows import Selection, rows_within, select_best, select_keys
from cache.samples import encode_samples
from cache.spec import FeatureSpec
from cache.store import Store, StoredFeature
from cache.writer import Limits, ShardWriter
from core.errors import UnknownName, UsageError
from core.files import TEMPORARY_PREFIX, storage_errors, sync
from core.progress import Meter
from core.status import Status

FORMATS = ("tar", "npy", "parquet", "h5")
_SHARD = Limits(age_s=math.inf)
_PATIENCE_S = 1.0  # work that takes no longer is not talked of
_TAR_BYTES, _MEMBER_BYTES = 256 << 20, 1024
_ENDS_FAMILY = "@:/"


@dataclass(frozen=True, eq=False)
class Part:
    """The rows of one feature that are to be exported.

    older  rows that were left out because their id has a younger one, of other inputs
    never  samples of the table that the cache has no row of
    """

    selection: Selection
    older: int = 0
    never: int = 0

    @property
    def spec(self) -> FeatureSpec:
        return self.selection.spec

    def count(self, status: Status) -> int:
        return int((self.selection.known.status == status).sum())

    def to_json(self) -> dict[str, Any]:
        """Return what is told of the part, in `export.json` too."""
        counts = {status.name.lower(): self.count(status) for status in Status}
        named = {"name": self.spec.name, "fingerprint": self.spec.fingerprint}
        return {**named, "rows": len(self.selection), **counts}


def chosen(stored: Sequence[StoredFeature], names: Sequence[str]) -> list[FeatureSpec]:
    """Return the features of these names, families or fingerprints; all of them for no names.

    Raises:
        UnknownName: if a name is none of these.
    """
    found: dict[FeatureSpec, None] = {}
    for name in names:
        of_name = [feature.spec for feature in stored if name in _names(feature)]
        if not of_name:
            raise UnknownName("feature", name, {feature.name for feature in stored})
        found |= dict.fromkeys(of_name)
    return list(found) if names else [feature.spec for feature in stored]


def _names(feature: StoredFeature) -> set[str]:
    """Return what a feature may be called: its name, its fingerprint, or a family it is of."""
    name = feature.name
    ends = [place for place, letter in enumerate(name) if letter in _ENDS_FAMILY]
    return {name, feature.fingerprint, *(name[:end] for end in ends)}


def plan_export(
    store: Store, specs: Sequence[FeatureSpec], *, joined: bool, keys: Keys | None = None
) -> list[Part]:
    """Find the rows to export: the best of every key, or those of a table's samples.

    Raises:
        UsageError: if samples cannot be joined, as two of the features have one name.
        CacheError: if the cache is not what it says it is.
    """
    if joined:
        _check_names(specs)
    parts = []
    for spec in specs:
        if keys is None:
            part = Part(select_best(store, spec))
            parts.append(_one_of_each_id(part.selection) if joined else part)
        else:
            found = select_keys(store, spec, keys.index, keys.digests(spec.reads))
            parts.append(Part(found, never=len(keys.index) - len(found)))
    return parts


def _check_names(specs: Sequence[FeatureSpec]) -> None:
    by_name: dict[str, list[str]] = {}
    for spec in specs:
        by_name.setdefault(spec.name, []).append(spec.fingerprint)
    for name, fingerprints in by_name.items():
        if len(fingerprints) > 1:
            raise UsageError(
                f"the cache has {name!r} by {len(fingerprints)} recipes, and a sample has room for "
                f"one; name the fingerprint in --features: {', '.join(fingerprints)}"
            )


def _one_of_each_id(selection: Selection) -> Part:
    """Return the row of each id that reading by id alone would take."""
    place: dict[bytes, int] = {}
    status = selection.known.status.tolist()
    for row, name in enumerate(selection.ids.tolist()):
        if name not in place or status[row] <= status[place[name]]:
            place[name] = row
    kept = np.sort(np.array(list(place.values()), np.int64))
    return Part(selection.take(kept), older=len(selection) - len(kept))


def write_export(
    parts: Sequence[Part], out: Path, *, format: str, joined: bool
) -> Mapping[str, int]:
    """Write parts to a new folder, and return the size of each of its files by its path.

    Raises:
        UsageError: if there is such a folder already, and something is in it.
        CacheError: if the cache is not what it says it is.
        StorageError: if it cannot be written; nothing is left of it then.
    """
    check_new(out)
    with _whole_folder(out) as folder:
        if joined:
            _write_samples(parts, folder)
        else:
            with Meter("export", len(parts), unit="features", patience_s=_PATIENCE_S) as meter:
                for part in parts:
                    _WRITERS[format](part.selection, folder)
                    meter.advance()
        told = write_exported(
            folder, "samples" if joined else format, [part.to_json() for part in parts]
        )
    return {name: (out / name).stat().st_size for name in told.files}


def check_new(out: Path) -> None:
    """Refuse a place where there is something.

    Raises:
        UsageError: if there is.
    """
    if out.is_symlink() or (out.exists() and not (out.is_dir() and not any(out.iterdir()))):
        raise UsageError(f"{out} is there already and nothing is overwritten; name a new folder")


@contextlib.contextmanager
def _whole_folder(out: Path) -> Iterator[Path]:
    """Give a folder beside `out` that takes its place at the end, synced; on any error it goes."""
    folder = out.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(6)}")
    with storage_errors(out):
        folder.mkdir(parents=True)
        try:
            yield folder
            for place in folder.rglob("*"):
                sync(place)
            sync(folder)
            folder.replace(out)
            sync(out.parent)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _write_shards(format: str) -> Callable[[Selection, Path], None]:
    """Return what writes rows into shards of a format; the folder is then a cache itself."""

    def write(selection: Selection, folder: Path) -> None:
        store = Store(folder)
        store.create(selection.spec)
        with ShardWriter(store, selection.spec, limits=_SHARD, format=format) as writer:
            for rows in selection.chunks():
                for row in rows:
                    writer.add(row)

    return write


def _write_samples(parts: Sequence[Part], folder: Path) -> None:
    """Write the samples of all parts, in the order in which their ids come first."""
    ids = list(dict.fromkeys(name for part in parts for name in part.selection.ids.tolist()))
    place = {name: row for row, name in enumerate(ids)}
    samples = [np.array([place[n] for n in p.selection.ids.tolist()], np.int64) for p in parts]
    size = sum(part.selection.row_bytes() + _MEMBER_BYTES for part in parts)
    step = rows_within(_TAR_BYTES, size)
    starts = range(0, len(ids), step)
    with Meter("export", len(starts), unit="tars", patience_s=_PATIENCE_S) as meter:
        for number, start in enumerate(starts):
            columns = []
            for part, sample in zip(parts, samples, strict=True):
                rows = np.flatnonzero((sample >= start) & (sample < start + step))
                rows = rows[np.argsort(sample[rows])]
                columns.append((part.spec, part.selection.take(rows).read()))
            (folder / f"samples-{number:05}.tar").write_bytes(encode_samples(columns))
            meter.advance()


_WRITERS: Mapping[str, Callable[[Selection, Path], None]] = {
    "h5": _write_shards("h5"),
    "tar": _write_shards("tar"),
    "npy": lambda selection, folder: write_arrays(selection, Store(folder).create(selection.spec)),
    "parquet": lambda selection, folder: write_parquet(
        selection, Store(folder).create(selection.spec)
    ),
}
