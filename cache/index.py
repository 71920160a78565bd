"""An index of one feature: which rows are most like another, in a moment also of millions.

    CACHE/<feature>/<fingerprint>/
        index.faiss   up to 100,000 rows all are compared; beyond, an inverted file
        index.json    comes last: the rows, the shards they were read from, the digest of the other

The vectors are those of `cache/vectors.py`. An index knows the shards it was made of: rows that
were added since are compared beside it, and if one of its shards is gone it is stale.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from cache.index_files import INDEX_FILE, INDEX_MARKER, remove_index
from cache.reading import read_known, settled
from cache.rows import Selection, select_best
from cache.spec import Column, FeatureSpec
from cache.store import Store
from cache.vectors import Scaling, scaling_of, usual_distance
from core.errors import CacheError, UsageError
from core.files import replacing, write_json
from core.fingerprint import digest_file

FORMAT = 1
FLAT_ROWS = 100_000  # up to which all rows are compared
_LISTS_PER_ROOT = 4  # lists of an inverted file, times the square root of its rows
_PROBED = 1 / 16  # of the lists, at least 16, that a query looks into
_TAUGHT, _ROUNDS = 40, 10  # rows for each list that its middle is learnt from, and how often
FRESH, GROWN, STALE, NONE = "fresh", "grown", "stale", "none"


@dataclass(frozen=True, eq=False)
class Rows:
    """N rows of a feature that have a value, each id once: its youngest row.

    shards  names of the shards that the feature had
    shard   str [N], the shard that each row lies in
    """

    ids: np.ndarray
    column: Column
    shards: tuple[str, ...]
    shard: np.ndarray


@dataclass(frozen=True, eq=False)
class Index:
    """Rows that can be searched.

    ids     str [N]
    usual   squared distance of two rows at random, the unit of distances
    shards  names of the shards it was made of
    """

    spec: FeatureSpec
    ids: np.ndarray
    scaling: Scaling
    usual: float
    shards: tuple[str, ...]
    searched: faiss.Index

    @property
    def kind(self) -> str:
        """How it is searched: flat or ivf."""
        return "ivf" if isinstance(self.searched, faiss.IndexIVF) else "flat"

    def nearest(self, column: Column, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows most like those of a column: int64 and float32 [M, count], -1 for none.

        A distance is 0 for equal rows and 1 for two at random.
        """
        queries = self.scaling.apply(column)
        distances, rows = self.searched.search(queries, min(count, len(self.ids)))
        return rows, np.maximum(distances, 0) / (self.usual or 1.0)


def rows_of(store: Store, spec: FeatureSpec) -> Rows:
    """Read all rows of a feature that have a value.

    Raises:
        CacheError: if the folder, a marker or a shard is not what it says it is.
    """
    best, column = settled(partial(_youngest, store, spec), lambda rows: read_known(rows.known))
    names = np.array([shard.path.stem for shard in best.shards], np.str_)
    ids = np.array([name.decode() for name in best.ids.tolist()], np.str_)
    return Rows(ids, column, tuple(sorted(names.tolist())), _shard(best, names))


def _youngest(store: Store, spec: FeatureSpec) -> Selection:
    """Return the youngest row with a value of each id."""
    best = select_best(store, spec)
    best = best.take(np.flatnonzero(best.known.ok))
    youngest = {name: row for row, name in enumerate(best.ids.tolist())}
    return best.take(np.array(sorted(youngest.values()), np.int64))


def _shard(best: Selection, names: np.ndarray) -> np.ndarray:
    return names[best.known.shard] if len(names) else np.zeros(0, np.str_)


def make_index(store: Store, spec: FeatureSpec) -> Index:
    """Read a feature's rows and make an index of them, in memory.

    Raises:
        CacheError: if no row has a value, or a shard is not what it says it is.
        UsageError: if the feature has no vectors.
    """
    if not indexed(spec):
        what = "texts" if spec.is_text else "n-grams, which are compared without an index"
        raise UsageError(f"{spec.name} holds {what}; an index is of vectors")
    rows = rows_of(store, spec)
    if not len(rows.ids):
        raise CacheError(
            f"the cache has no value of {spec.name}; `python cli.py extract` makes some"
        )
    scaling = scaling_of(rows.column)
    if not len(scaling.kept):
        raise CacheError(f"the {len(rows.ids)} values of {spec.name} are all the same")
    vectors = scaling.apply(rows.column)
    return Index(spec, rows.ids, scaling, usual_distance(vectors), rows.shards, searchable(vectors))


def indexed(spec: FeatureSpec) -> bool:
    """Say whether an index of a feature makes sense: its values are vectors."""
    return not (spec.is_text or spec.is_counts)


def searchable(vectors: np.ndarray) -> faiss.Index:
    """Return float32 [N, D] ready to be searched: all of them, or of so many an inverted file."""
    count, width = vectors.shape
    flat = faiss.IndexFlatL2(width)
    if count <= FLAT_ROWS:
        flat.add(vectors)
        return flat
    lists = int(_LISTS_PER_ROOT * math.sqrt(count))
    index = faiss.IndexIVFFlat(flat, width, lists)
    index.nprobe = max(16, round(_PROBED * lists))
    index.cp.max_points_per_centroid, index.cp.niter = _TAUGHT, _ROUNDS
    index.train(vectors)
    index.add(vectors)
    return index


def save_index(store: Store, index: Index) -> Path:
    """Write an index beside its feature's shards; its marker comes last.

    Raises:
        StorageError: if the disk is full, read-only or failing.
    """
    folder = store.folder_of(index.spec)
    place = folder / INDEX_FILE
    remove_index(folder)
    with replacing(place) as temporary:
        faiss.write_index(index.searched, str(temporary))
    marker = {
        "format": FORMAT,
        "kind": index.kind,
        "shards": list(index.shards),
        "digest": digest_file(place).hex(),
        "usual": index.usual,
        "kept": index.scaling.kept.tolist(),
        "centre": index.scaling.centre.tolist(),
        "spread": index.scaling.spread.tolist(),
        "ids": index.ids.tolist(),
    }
    write_json(folder / INDEX_MARKER, marker)
    return place


def state_of(store: Store, spec: FeatureSpec) -> str:
    """Say whether there is an index, and whether it has all rows.

    "grown" is one that lacks rows that were added since, "stale" one of whose shards is gone: its
    rows were compacted, removed or computed again.
    """
    return _state(_marker(store, spec), store, spec)


def load_index(store: Store, spec: FeatureSpec) -> Index | None:
    """Read a fresh or grown index; None where there is none, or it is stale or broken."""
    marker = _marker(store, spec)
    if _state(marker, store, spec) not in (FRESH, GROWN):
        return None
    place = store.folder_of(spec) / INDEX_FILE
    try:
        if digest_file(place).hex() != marker["digest"]:
            return None
        scaling = Scaling(*(np.array(marker[name]) for name in ("kept", "centre", "spread")))
        ids, shards = np.array(marker["ids"], np.str_), tuple(marker["shards"])
        searched = faiss.read_index(str(place))
    except (OSError, KeyError, TypeError, ValueError, RuntimeError):
        return None
    if searched.ntotal != len(ids) or searched.d != len(scaling.kept):
        return None
    return Index(spec, ids, scaling, float(marker["usual"]), shards, searched)


def _marker(store: Store, spec: FeatureSpec) -> dict[str, Any]:
    """Return what an index says of itself; nothing where there is none that can be read."""
    try:
        marker = json.loads((store.folder_of(spec) / INDEX_MARKER).read_bytes())
    except (OSError, ValueError):
        return {}
    return marker if isinstance(marker, dict) and marker.get("format") == FORMAT else {}


def _state(marker: dict[str, Any], store: Store, spec: FeatureSpec) -> str:
    if not marker:
        return NONE
    today = {shard.path.stem for shard in store.shards(spec)}
    then = set(marker.get("shards", ()))
    if then == today:
        return FRESH
    return GROWN if then < today else STALE
