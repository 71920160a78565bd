"""Many small shards into few full ones: the same rows, the best of each key.

The new shard's marker names the shards that it replaces, so it takes their place in the moment in
which it appears. Only then do their markers go, and then they themselves: whoever is killed in
between has lost nothing and counts nothing twice. Shards are only joined with neighbours in age,
as of rows that are found by id alone the younger counts.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from cache.best import best_rows
from cache.marker import Costs, Marker, Shard, count_rows, remove
from cache.rows import read_rows
from cache.shard import FORMATS, Header
from cache.spec import FeatureSpec
from cache.store import Store, all_there, new_shard_name
from cache.writer import Limits
from core.errors import CacheError
from core.files import replacing, write_json
from core.fingerprint import digest_bytes, digest_file

_SMALL = 0.5  # of what fills a shard: two that are less are worth joining
_STALE = 0.1  # rows that do not count: a shard with more is worth writing again


@dataclass(frozen=True, eq=False)
class Source:
    """A shard that is to be replaced, with the rows of it that count: bool [rows]."""

    shard: Shard
    header: Header
    keep: np.ndarray

    @property
    def kept(self) -> int:
        return int(self.keep.sum())

    @property
    def kept_bytes(self) -> float:
        return self.shard.marker.size_bytes * self.kept / max(len(self.keep), 1)

    @property
    def stale(self) -> bool:
        return len(self.keep) - self.kept > _STALE * len(self.keep)


@dataclass(frozen=True, eq=False)
class Merge:
    """Shards of one feature, neighbours in age, that one new shard is to replace."""

    spec: FeatureSpec
    sources: tuple[Source, ...]

    @property
    def rows(self) -> int:
        """How many rows the new shard has."""
        return sum(source.kept for source in self.sources)

    @property
    def dropped(self) -> int:
        """How many rows are left out: another row of their key counts."""
        return sum(len(source.keep) for source in self.sources) - self.rows


def plan_merges(store: Store, spec: FeatureSpec, limits: Limits | None = None) -> list[Merge]:
    """Return what is worth doing to the shards of a feature; after doing it, nothing is.

    Raises:
        CacheError: if the folder, a marker or a shard is not what it says it is.
    """
    limits, stored = limits or Limits(), store.headers(spec)
    best = best_rows([header for _, header in stored])
    groups: list[list[Source]] = [[]]
    for (shard, header), keep in zip(stored, best, strict=True):
        source = Source(shard, header, keep)
        if not (source.stale or _is_small(source, limits)):
            groups.append([])
            continue
        if not _fits(groups[-1], source, limits):
            groups.append([])
        groups[-1].append(source)
    worth = [group for group in groups if len(group) > 1 or (group and group[0].stale)]
    return [Merge(spec, tuple(group)) for group in worth]


def _is_small(source: Source, limits: Limits) -> bool:
    rows, size = _SMALL * limits.rows, _SMALL * limits.size_bytes
    return source.kept < rows and source.kept_bytes < size


def _fits(group: Sequence[Source], source: Source, limits: Limits) -> bool:
    """Say whether one shard can take another source; a tar stays a tar."""
    if not group:
        return True
    rows = sum(each.kept for each in group) + source.kept
    size = sum(each.kept_bytes for each in group) + source.kept_bytes
    same = group[0].shard.marker.format == source.shard.marker.format
    return same and rows <= limits.rows and size <= limits.size_bytes


def compact(store: Store, merge: Merge) -> Shard | None:
    """Write the new shard, then remove those that it replaces.

    The answer is None, and nothing is changed, where they were compacted by another process.

    Raises:
        CacheError: if a shard is not what it says it is.
        StorageError: if the cache cannot be written; then nothing is lost.
    """
    old = [source.shard for source in merge.sources]
    try:
        content, marker = _joined(merge)
    except CacheError:
        if all_there(old):
            raise
        return None
    path = store.folder_of(merge.spec) / f"{new_shard_name()}.{marker.format}"
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    new = Shard(path, marker)
    if not all_there(old):
        remove([new])
        return None
    write_json(new.marker_path, marker.to_json())
    remove(old)
    return new


def _joined(merge: Merge) -> tuple[bytes, Marker]:
    """Return the content of the new shard and its marker."""
    rows = []
    for source in merge.sources:
        _check_digest(source.shard)
        rows += read_rows(source.shard, source.header, merge.spec, source.keep)
    markers = [source.shard.marker for source in merge.sources]
    content = FORMATS.load(markers[0].format).encode(merge.spec, rows)
    statuses, causes = count_rows((row.status, row.cause) for row in rows)
    marker = Marker(
        format=markers[0].format,
        feature=merge.spec.name,
        fingerprint=merge.spec.fingerprint,
        rows=len(rows),
        statuses=statuses,
        causes=causes,
        digest=digest_bytes(content).hex(),
        size_bytes=len(content),
        created=max(marker.created for marker in markers),
        costs=sum((marker.costs for marker in markers), Costs()),
        versions=_versions(markers),
        replaces=tuple(source.shard.path.stem for source in merge.sources),
    )
    return content, marker


def _check_digest(shard: Shard) -> None:
    """Refuse a shard that was changed: in a new one nobody could tell any more."""
    with contextlib.suppress(OSError):
        if digest_file(shard.path).hex() == shard.marker.digest:
            return
    raise CacheError(
        f"shard {shard.path} is not what was written (its digest differs); "
        "python cli.py cache check --fix moves it away, and its rows are computed again"
    )


def _versions(markers: Iterable[Marker]) -> dict[str, str]:
    """Return the versions that rows were computed with, by package; several are listed."""
    found: dict[str, set[str]] = defaultdict(set)
    for marker in markers:
        for name, version in marker.versions.items():
            found[name] |= set(version.split(", "))
    return {name: ", ".join(sorted(versions)) for name, versions in sorted(found.items())}


def sweep(store: Store, spec: FeatureSpec) -> list[Shard]:
    """Remove shards that another one replaces, left by a compaction that was stopped.

    Raises:
        CacheError: if the folder, a marker or the shard in their place is not what it says it is.
        StorageError: if they cannot be removed.
    """
    left = store.replaced(spec)
    names = {shard.path.stem for shard in left}
    new = [shard for shard in store.shards(spec) if not names.isdisjoint(shard.marker.replaces)]
    try:
        for shard in new:
            _check_digest(shard)  # what it replaces may be the only whole copy
    except CacheError:
        if all_there(new):
            raise
        return []
    remove(left)
    return left
