"""Rows of an exported folder, or of another cache, into a cache: value for value, or not at all.

Before a row is written every file has been compared with its digest, and every feature with its
fingerprint. A row that the cache has already, as good or better, is passed over: importing twice
changes nothing, and who was interrupted imports again.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cache.arrays import read_arrays
from cache.exported import FILE, Exported, exported_errors, read_exported
from cache.marker import Shard
from cache.parquet import read_parquet
from cache.reading import settled
from cache.rows import select_best
from cache.samples import check_samples, features_of, read_feature
from cache.shard import FORMATS
from cache.spec import FeatureSpec, Row
from cache.store import Store, read_header
from cache.values import check_row
from cache.writer import ShardWriter
from core.errors import CacheError, UsageError
from core.fingerprint import digest_file
from core.status import Status

Chunks = Callable[[], Iterator[list[Row]]]


@dataclass(frozen=True)
class Source:
    """One feature that can be imported, and what yields its rows, a part at a time."""

    spec: FeatureSpec
    chunks: Chunks


@dataclass(frozen=True)
class Imported:
    """What became of the rows of one feature.

    new    number of rows that the cache lacked, by the name of their status
    there  number of rows that it had already
    """

    spec: FeatureSpec
    new: Mapping[str, int]
    there: int


def open_import(folder: Path) -> list[Source]:
    """Return the features of an exported folder or a cache, by name, after a look at every byte.

    Raises:
        UsageError: if it is neither.
        CacheError: if a file is not what was written, or a feature not of its fingerprint.
    """
    if (folder / FILE).exists():
        exported = read_exported(folder)
        sources = _exported_sources(folder, exported)
        _compare(folder, exported, sources)
    else:
        sources = _cache_sources(Store(folder))
    if not sources:
        raise UsageError(
            f"{folder} is neither an exported folder (it has no {FILE}) nor a cache with features"
        )
    return sorted(sources, key=lambda source: (source.spec.name, source.spec.fingerprint))


def _exported_sources(folder: Path, exported: Exported) -> list[Source]:
    if exported.format == "samples":
        return _sample_sources(sorted(folder.glob("samples-*.tar")))
    if exported.format in FORMATS:
        return _cache_sources(Store(folder))
    if exported.format not in _READERS:
        raise CacheError(f"{folder / FILE} tells of a format {exported.format!r}, which is unknown")
    read = _READERS[exported.format]
    store = Store(folder)
    return [
        Source(feature.spec, partial(read, store.folder_of(feature.spec), feature.spec))
        for feature in store.features()
    ]


_READERS: Mapping[str, Callable[[Path, FeatureSpec], Iterator[list[Row]]]] = {
    "npy": read_arrays,
    "parquet": read_parquet,
}


def _compare(folder: Path, exported: Exported, sources: Sequence[Source]) -> None:
    """Refuse a folder whose features are not those that its `export.json` tells."""
    with exported_errors(folder / FILE):
        told = {(feature["name"], feature["fingerprint"]) for feature in exported.features}
    found = {(source.spec.name, source.spec.fingerprint) for source in sources}
    for name, fingerprint in sorted(told ^ found):
        missing = "tells of" if (name, fingerprint) in told else "does not tell of"
        raise CacheError(f"{folder / FILE} {missing} {name} {fingerprint}; export it again")


def _cache_sources(store: Store) -> list[Source]:
    sources = []
    for feature in store.features():
        settled(partial(_listed, store, feature.spec), partial(_check_shards, store, feature.spec))
        sources.append(Source(feature.spec, partial(_cache_chunks, store, feature.spec)))
    return sources


@dataclass(frozen=True)
class _Listed:
    """The shards that a feature had at one moment."""

    shards: tuple[Shard, ...]


def _listed(store: Store, spec: FeatureSpec) -> _Listed:
    return _Listed(tuple(store.shards(spec)))


def _check_shards(store: Store, spec: FeatureSpec, listed: _Listed) -> None:
    """Look at every byte of shards."""
    for shard in listed.shards:
        with exported_errors(shard.path):
            digest = digest_file(shard.path).hex()
        if digest != shard.marker.digest:
            raise CacheError(
                f"shard {shard.path} is not what was written (its digest differs from its "
                f"marker's); find all such: python cli.py cache check --cache {store.folder}"
            )
        FORMATS.load(shard.marker.format).check(shard.path, spec)
        read_header(shard, spec)


def _cache_chunks(store: Store, spec: FeatureSpec) -> Iterator[list[Row]]:
    yield from select_best(store, spec).chunks()


def _sample_sources(paths: Sequence[Path]) -> list[Source]:
    """Return the features of tars of samples, after comparing each with what its rows make."""
    for path in paths:
        check_samples(path)
    specs = {spec.fingerprint: spec for path in paths for spec in features_of(path)}
    return [Source(spec, partial(_sample_chunks, paths, spec)) for spec in specs.values()]


def _sample_chunks(paths: Sequence[Path], spec: FeatureSpec) -> Iterator[list[Row]]:
    for path in paths:
        yield read_feature(path, spec)


def import_source(source: Source, store: Store, *, format: str, dry_run: bool = False) -> Imported:
    """Write the rows of a feature that the cache lacks; with `dry_run`, only read and count them.

    Raises:
        CacheError: if a row is none of this feature, or the cache is not what it says it is.
        StorageError: if the cache cannot be written.
    """
    spec, new, there = source.spec, Counter[str](), 0
    best = _statuses(store, spec)
    with ShardWriter(store, spec, format=format) as writer:
        for row in itertools.chain.from_iterable(source.chunks()):
            if problem := check_row(spec, row):
                raise CacheError(f"{spec.name} of sample {row.sample_id!r}: {problem}")
            key = row.sample_id.encode() + row.inputs_digest
            if best.get(key, len(Status)) <= row.status:
                there += 1
                continue
            best[key] = row.status
            new[row.status.name] += 1
            if not dry_run:
                writer.add(row)
    return Imported(spec, dict(new), there)


def _statuses(store: Store, spec: FeatureSpec) -> dict[bytes, int]:
    """Return the best status of each key of a feature, an id with the digest of its inputs."""
    best: dict[bytes, int] = {}
    for _, header in store.headers(spec):
        rows = zip(header.ids.tolist(), header.digests, header.status.tolist(), strict=True)
        for name, digest, status in rows:
            key = name + digest.tobytes()
            best[key] = min(status, best.get(key, status))
    return best
