"""What the cache holds and what it cost, from the markers; shards are opened only to count keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cache.best import best_rows
from cache.known import Coverage
from cache.marker import Costs, Marker
from cache.spec import FeatureSpec
from cache.store import Store
from core.status import Status


@dataclass(frozen=True)
class Entry:
    """One feature of the cache.

    statuses  number of rows by the name of their status, as written: a row that was computed again
              counts twice, see `distinct`
    causes    number of gaps by "STATUS cause", such as "ABSENT no-audio"
    costs     of all shards
    newest    when the youngest shard was made, seconds since 1970; None without shards
    """

    spec: FeatureSpec
    shards: int
    rows: int
    size_bytes: int
    statuses: Mapping[str, int]
    causes: Mapping[str, int]
    costs: Costs
    newest: float | None


def entries(store: Store) -> list[Entry]:
    """Return what the cache holds, by name. Only markers are read.

    Raises:
        CacheError: if a folder or a marker is not what it says it is.
    """
    return [entry(store, feature.spec) for feature in store.features()]


def entry(store: Store, spec: FeatureSpec) -> Entry:
    """Return what the cache holds of one feature. Only markers are read.

    Raises:
        CacheError: if its folder or a marker is not what it says it is.
    """
    return entry_of(spec, [shard.marker for shard in store.shards(spec)])


def entry_of(spec: FeatureSpec, markers: Sequence[Marker]) -> Entry:
    """Return what some shards of a feature hold."""
    statuses, causes = Counter({status.name: 0 for status in Status}), Counter[str]()
    for marker in markers:
        statuses.update(marker.statuses)
        causes.update(marker.causes)
    return Entry(
        spec=spec,
        shards=len(markers),
        rows=sum(marker.rows for marker in markers),
        size_bytes=sum(marker.size_bytes for marker in markers),
        statuses=dict(statuses),
        causes=dict(sorted(causes.items())),
        costs=sum((marker.costs for marker in markers), Costs()),
        newest=max((marker.created for marker in markers), default=None),
    )


def distinct(store: Store, spec: FeatureSpec) -> Coverage:
    """Count the keys of a feature, each by its best row, as reading would take it.

    Raises:
        CacheError: if a shard is not what it says it is.
    """
    headers = [header for _, header in store.headers(spec)]
    counts = Counter[tuple[int, str]]()
    for header, rows in zip(headers, best_rows(headers), strict=True):
        kinds = len(header.causes)
        numbers = np.bincount(header.status[rows].astype(np.int64) * kinds + header.cause[rows])
        for kind in np.flatnonzero(numbers).tolist():
            counts[kind // kinds, header.causes[kind % kinds]] += int(numbers[kind])
    return Coverage(
        ok=sum(n for (status, _), n in counts.items() if status == Status.OK),
        absent={cause: n for (status, cause), n in counts.items() if status == Status.ABSENT},
        failed={cause: n for (status, cause), n in counts.items() if status == Status.FAILED},
        never=0,
        by_id=0,
    )
