"""The rows of a feature that are most like one: by its index, or comparing all of them."""

from __future__ import annotations

import numpy as np

from cache.index import GROWN, Index, Rows, load_index, make_index, rows_of, state_of
from cache.neighbours import nearest
from cache.spec import Column, FeatureSpec
from cache.store import Store
from cache.vectors import weighed
from core.errors import CacheError, UsageError

Found = list[tuple[str, float]]  # ids and distances, the nearest first


def row_of(rows: Rows, sample_id: str) -> Column | None:
    """Return the value of one id as a column of one row; None where it has none."""
    places = np.flatnonzero(rows.ids == sample_id)
    return rows.column.take(places) if len(places) else None


def most_like(
    store: Store, spec: FeatureSpec, asked: Column, count: int, *, without: str = ""
) -> Found:
    """Return the rows most like one, with their distances: 0 is equal, 1 two rows at random.

    `without` is the id of that row itself. N-grams are compared by what two rows have in common,
    weighed by its rarity: 1 is nothing.

    Raises:
        CacheError: if no row has a value, or a shard is not what it says it is.
        UsageError: if the feature holds texts.
    """
    if spec.is_text:
        raise UsageError(f"{spec.name} holds texts; name a feature that is computed from them")
    if spec.is_counts:
        return _most_like_counts(rows_of(store, spec), asked, count, without=without)
    state, index = state_of(store, spec), load_index(store, spec)
    if index is None:
        return _of_index(make_index(store, spec), asked, count, without=without)
    if state != GROWN:
        return _of_index(index, asked, count, without=without)
    added = _added(index, rows_of(store, spec))
    known = int(np.isin(added.ids, index.ids).sum())
    found = dict(_of_index(index, asked, count + known, without=without))
    for name in added.ids.tolist():  # a younger row takes the place of the index's
        found.pop(name, None)
    vectors, query = (index.scaling.apply(column) for column in (added.column, asked))
    rows, distances = nearest(vectors, query, count + 1)
    found |= _named(added.ids, rows[0], distances[0] / (index.usual or 1.0))
    return _first(found, count, without)


def _added(index: Index, rows: Rows) -> Rows:
    """Return the rows of shards that an index does not know."""
    some = np.flatnonzero(~np.isin(rows.shard, index.shards))
    return Rows(rows.ids[some], rows.column.take(some), rows.shards, rows.shard[some])


def _of_index(index: Index, asked: Column, count: int, *, without: str) -> Found:
    rows, distances = index.nearest(asked, count + 1)
    return _first(_named(index.ids, rows[0], distances[0]), count, without)


def _most_like_counts(rows: Rows, asked: Column, count: int, *, without: str) -> Found:
    if not len(rows.ids):
        raise CacheError(f"the cache has no value of {asked.spec.name}")
    theirs = rows.column
    assert theirs.offsets is not None
    assert asked.offsets is not None
    both = Column(
        asked.spec,
        np.concatenate([theirs.values, asked.values]),
        np.concatenate([theirs.offsets, theirs.offsets[-1] + asked.offsets[1:]]),
        np.concatenate([theirs.present, asked.present]),
    )
    vectors = weighed(both)
    common = (vectors[:-1] @ vectors[-1].T).toarray().ravel()
    distances = np.maximum(1 - common, 0)
    return _first(_named(rows.ids, np.arange(len(rows.ids)), distances), count, without)


def _named(ids: np.ndarray, rows: np.ndarray, distances: np.ndarray) -> dict[str, float]:
    """Return distances by id; rows below 0 are none."""
    pairs = zip(rows.tolist(), distances.tolist(), strict=True)
    return {str(ids[row]): distance for row, distance in pairs if row >= 0}


def _first(found: dict[str, float], count: int, without: str) -> Found:
    others = [(name, distance) for name, distance in found.items() if name != without]
    return sorted(others, key=lambda pair: (pair[1], pair[0]))[:count]
