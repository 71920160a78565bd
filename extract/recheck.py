"""Compute stored values again with today's code, which may give other numbers than it gave."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cache.keys import Keys
from cache.reading import read_column
from cache.spec import Column, FeatureSpec
from cache.store import Store
from core.errors import CheckpointError
from corpus.sample import Sample
from extract.catalog import Request
from extract.encoders.checkpoint import Places
from extract.ensure import OpenCache, ensure
from extract.pipeline import Settings
from extract.today import encoders_of, folders_lacking, is_stale, request_for

# What may differ, as a share of the largest number of a value. Sums are taken in another order on
# another machine; two units in the last place of what is stored or computed with come on top.
_TOLERANCE = {"float32": 1e-5, "float16": 2e-3, "bfloat16": 2e-2}


@dataclass(frozen=True)
class Drift:
    """What came of computing one feature again for some samples.

    compared     rows that were computed again
    equal        those that are equal bit for bit
    worst        the largest difference within the tolerance, as a share of a value's largest
                 number
    differing    the others: id, and how they differ
    passed_over  why no row was compared; "" if some were
    """

    spec: FeatureSpec
    compared: int
    equal: int
    worst: float
    differing: tuple[tuple[str, str], ...]
    passed_over: str = ""


def recompute(
    samples: Sequence[Sample],
    opened: OpenCache,
    settings: Settings,
    *,
    count: int,
    seed: int,
    places: Places | None = None,
) -> Iterator[Drift]:
    """Draw up to `count` OK rows of each feature, compute them again and compare.

    Passed over are rows whose file is not here, features that today's code does not give, and those
    whose checkpoint is not to be had. Where it was read from a folder, `places` says where that is.

    Raises:
        CacheError: if the cache is not what it says it is.
    """
    order = np.random.default_rng(seed).permutation(len(samples))
    groups: dict[tuple[str, str], dict[FeatureSpec, np.ndarray]] = defaultdict(dict)
    for feature in opened.store.features():
        rows = _draw(feature.spec, opened, order, count)
        if reason := _passed_over(feature.spec, rows, places):
            yield Drift(feature.spec, 0, 0, 0.0, (), reason)
        else:
            decoder = feature.spec.recipe.get("decoder", settings.decoder)
            groups[decoder, _encoders(feature.spec)][feature.spec] = rows
    for (decoder, _), drawn in groups.items():
        at_hand = replace(settings, decoder=decoder)
        try:
            request = request_for(list(drawn), places)
            yield from _compare_all(samples, opened, at_hand, request=request, drawn=drawn)
        except CheckpointError as error:
            yield from (Drift(spec, 0, 0, 0.0, (), str(error)) for spec in drawn)


def _encoders(spec: FeatureSpec) -> str:
    """Return what tells encoders of one family apart, which cannot compute together."""
    keys = ("checkpoint", "compute", "quantize")
    recipes = encoders_of([spec]).items()
    return repr(sorted((name, [str(recipe.get(key)) for key in keys]) for name, recipe in recipes))


def _passed_over(spec: FeatureSpec, rows: np.ndarray, places: Places | None) -> str:
    """Say why rows of a feature cannot be computed again; "" if they can."""
    if lacking := folders_lacking(spec, places):
        given = " ".join(f"--weights {family}=FOLDER" for family in lacking)
        return f"its checkpoint was read from a folder; say where that is: {given}"
    if is_stale(spec, places):
        given = " with these --weights" if encoders_of([spec]) and places and places.given else ""
        return f"today's code{given} gives another recipe under its name"
    return "" if len(rows) else "of the table's samples none has a value and its file here"


def _draw(spec: FeatureSpec, opened: OpenCache, order: np.ndarray, count: int) -> np.ndarray:
    """Return up to `count` samples with a value and their file, the first in a given order.

    The order is the same for all features: they then share most of the files that are read.
    """
    digests = opened.keys.digests(spec.reads)
    known = opened.store.known(spec, opened.keys.index, digests)
    here = np.array([digest is not None for digest in digests], bool)
    drawn: np.ndarray = order[(known.ok & here)[order]][:count]
    return drawn


def _compare_all(
    samples: Sequence[Sample],
    opened: OpenCache,
    settings: Settings,
    *,
    request: Request,
    drawn: dict[FeatureSpec, np.ndarray],
) -> list[Drift]:
    """Compute the features of one request in a cache of their own, and compare each."""
    drifts = []
    some = [samples[row] for row in sorted({row for rows in drawn.values() for row in rows})]
    with tempfile.TemporaryDirectory() as folder:
        again = OpenCache(Store(Path(folder)), Keys(some, opened.digests), opened.digests)
        ensure(some, request, again, settings=settings)
        for spec, rows in drawn.items():
            ids = [samples[row].id for row in rows]
            digests = [opened.keys.digests(spec.reads)[row] for row in rows]
            then = read_column(opened.store, spec, ids, digests)
            drifts.append(_compare(ids, then, read_column(again.store, spec, ids, digests)))
    return drifts


def _compare(ids: Sequence[str], then: Column, now: Column) -> Drift:
    limit = tolerance(then.spec)
    differing, equal, worst = [], 0, 0.0
    for row, sample_id in enumerate(ids):
        difference = _difference(then, now, row)
        if isinstance(difference, str):
            differing.append((sample_id, difference))
        elif difference > limit:
            differing.append((sample_id, f"by {difference:.2g} of its largest number"))
        else:
            equal, worst = equal + (difference == 0), max(worst, difference)
    return Drift(then.spec, len(ids), equal, worst, tuple(differing))


def tolerance(spec: FeatureSpec) -> float:
    """Return how much of its largest number a value may differ by."""
    widths = (spec.dtype, str(spec.recipe.get("compute", "float32")))
    return max(_TOLERANCE.get(width, _TOLERANCE["float32"]) for width in widths)


def _difference(then: Column, now: Column, row: int) -> float | str:
    """Return how much two values differ, 0 if bit for bit not at all, or in words how."""
    if not now.present[row]:
        return "it has no value any more"
    old, new = _value(then, row), _value(now, row)
    if isinstance(old, str):
        return 0.0 if old == new else "it is another text"
    if old.shape != new.shape:
        return f"its shape is {list(new.shape)}, was {list(old.shape)}"
    if old.tobytes() == new.tobytes():
        return 0.0
    largest = float(np.abs(old.astype(np.float64)).max())
    apart = float(np.abs(old.astype(np.float64) - new.astype(np.float64)).max())
    return apart / largest if largest else float("inf")


def _value(column: Column, row: int) -> Any:
    if column.offsets is None:
        return column.values[row]
    return column.values[column.offsets[row] : column.offsets[row + 1]]
