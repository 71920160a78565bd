"""Why a value is stored or missing: what there is of one sample, and where its key differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cache.marker import Shard
from cache.shard import FORMATS
from cache.spec import UNKNOWN_INPUTS, FeatureSpec
from cache.store import Store, all_there
from core.errors import CacheError
from core.status import Status
from corpus.sample import Sample, content_parts

DigestOf = Callable[[Path], bytes | None]
_NOTHING = object()


@dataclass(frozen=True)
class StoredRow:
    """One row of one feature of one sample; `when` its shard was made, seconds since 1970."""

    spec: FeatureSpec
    digest: bytes
    status: Status
    cause: str
    reason: str
    when: float


@dataclass(frozen=True)
class Verdict:
    """Whether today's key of a feature has a row, and if not, how it differs from what is stored.

    row          what reading would take; None if it would be computed
    differences  in words, from the nearest to the farthest
    """

    spec: FeatureSpec
    row: StoredRow | None
    differences: tuple[str, ...] = ()


def stored_rows(store: Store, spec: FeatureSpec, sample_id: str) -> list[StoredRow]:
    """Return the rows of one sample that count, one for each digest of its inputs, youngest last.

    Raises:
        CacheError: if the cache is not what it says it is.
    """
    while True:
        shards = store.shards(spec)
        try:
            rows = [row for shard in shards for row in _rows_in(shard, spec, sample_id)]
            break
        except CacheError:
            if all_there(shards):
                raise
    best: dict[bytes, StoredRow] = {}
    for row in rows:
        if row.digest not in best or row.status <= best[row.digest].status:
            best[row.digest] = row
    return sorted(best.values(), key=lambda row: row.when)


def _rows_in(shard: Shard, spec: FeatureSpec, sample_id: str) -> Iterator[StoredRow]:
    form = FORMATS.load(shard.marker.format)
    header = form.read_header(shard.path, spec)
    places = np.flatnonzero(header.ids == sample_id.encode()).tolist()
    reasons = form.read_reasons(shard.path, spec) if places else ()
    for place in places:
        yield StoredRow(
            spec,
            header.digests[place].tobytes(),
            Status(int(header.status[place])),
            header.causes[header.cause[place]],
            reasons[place],
            shard.marker.created,
        )


def explain(
    today: FeatureSpec,
    stored: Mapping[FeatureSpec, Sequence[StoredRow]],
    sample: Sample,
    digest_of: DigestOf,
) -> Verdict:
    """Compare today's key of a feature with all rows of that name, by spec."""
    by_spec = {spec.fingerprint: rows for spec, rows in stored.items()}
    own, digest = by_spec.get(today.fingerprint, ()), sample.digest(today.reads, digest_of)
    known = [row for row in own if _matches(row, digest)]
    if known:
        return Verdict(today, min(reversed(known), key=lambda row: row.status))
    same = _unchanged(sample, [row for rows in stored.values() for row in rows], digest_of)
    said = [_changed(row, today, sample, same) for row in reversed(own)]
    names = [spec for spec in stored if spec.name == today.name]
    others = [spec for spec in names if spec.fingerprint != today.fingerprint]
    having = [spec for spec in others if stored[spec]]
    for spec in having or ([] if said else others):
        there = "" if having else " (without this sample)"
        said.append(f"{spec.fingerprint}{there}: {', '.join(differences(spec, today))}")
    return Verdict(today, None, tuple(dict.fromkeys(said)))


def _matches(row: StoredRow, digest: bytes | None) -> bool:
    """Say whether reading takes this row; a file that is not here is known by its id alone."""
    return row.cause != "not-given" if digest is None else row.digest == digest


def _unchanged(sample: Sample, rows: Iterable[StoredRow], digest_of: DigestOf) -> set[str]:
    """Return the parts of which some row, of whatever feature, has seen what there is today."""
    same = set()
    for row in rows:
        parts = content_parts(row.spec.reads)
        if row.digest == sample.digest(row.spec.reads, digest_of):
            same |= set(parts)
    return same


def _changed(row: StoredRow, today: FeatureSpec, sample: Sample, same: set[str]) -> str:
    """Say which part of the inputs is another than that of a stored row."""
    parts = content_parts(today.reads)
    if row.digest == UNKNOWN_INPUTS:
        return f"the file of {' and '.join(parts)} has come"
    if row.digest == Sample(sample.id).digest(parts, lambda _: None):
        return f"{' and '.join(parts)} was not given, is now"
    if not any(sample.has(part) for part in parts):
        return f"{' and '.join(parts)} was given, is not now"
    return f"{' or '.join([part for part in parts if part not in same] or parts)} changed"


def differences(then: FeatureSpec, now: FeatureSpec) -> list[str]:
    """Say in which keys two specs differ: "recipe.frames.frames was 8, is 16"."""
    old, new = dict(_flat("", then.to_json())), dict(_flat("", now.to_json()))
    del old["fingerprint"], new["fingerprint"]
    changed = [key for key in {**old, **new} if old.get(key, _NOTHING) != new.get(key, _NOTHING)]
    return [f"{key} {_was(old, key)}, {_is(new, key)}" for key in changed]


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{path}.{key}" if path else str(key), inner)
    else:
        yield path, value


def _was(values: Mapping[str, Any], key: str) -> str:
    return f"was {values[key]!r}" if key in values else "was not there"


def _is(values: Mapping[str, Any], key: str) -> str:
    return f"is {values[key]!r}" if key in values else "is no more"
