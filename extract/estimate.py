"""What an extraction will take: seconds by stage, bytes and wall time, from what others took.

A sample is expected to take what those took that the ledger knows of the same feature: of today's
recipe, else of another one of its name. Reading is shared: it takes what it took the feature that
waited longest for it. A feature that the ledger does not know can only be tried, by a probe.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from cache.keys import Keys
from cache.ledger import Entry, entries, entry_of
from cache.marker import Costs
from cache.spec import FeatureSpec
from cache.store import Store
from corpus.sample import MEDIA_PARTS, Sample
from extract.catalog import Request
from extract.contract import Extractor
from extract.ensure import OpenCache, ensure
from extract.pipeline import Settings
from extract.plan import Plan, Retry, make_plan, media_parts
from extract.sample_job import not_given

Parts = tuple[str, ...]


@dataclass(frozen=True)
class Experience:
    """What rows of one feature took, and where that is known from."""

    costs: Costs
    bytes_per_row: float
    basis: str


@dataclass(frozen=True)
class Forecast:
    """What is expected of one feature.

    missing  samples without a value
    worked   those of them that take work; the table or a missing file tells the others
    basis    what it was estimated from; "" if nothing is known but the reading
    """

    feature: str
    missing: int
    worked: int
    decode_s: float = 0.0
    start_s: float = 0.0
    prepare_s: float = 0.0
    forward_s: float = 0.0
    write_s: float = 0.0
    size_bytes: float = 0.0
    basis: str = ""

    @property
    def known(self) -> bool:
        """Whether there is something to go by, or nothing to do."""
        return bool(self.basis) or not self.worked


@dataclass(frozen=True)
class Estimate:
    """What is expected of a whole extraction; features whose cost is unknown count as nothing."""

    samples: int
    workers: int
    features: tuple[Forecast, ...] = field(default=())

    @property
    def unknown(self) -> tuple[str, ...]:
        """The features of which nothing is known."""
        return tuple(each.feature for each in self.features if not each.known)

    @property
    def work_s(self) -> float:
        """Seconds of work of all processes; what a worker takes to start counts once for each."""
        starts = self._sum("start_s") * (self.workers - 1)
        return starts + sum(self._sum(stage) for stage in STAGES)

    @property
    def wall_s(self) -> float:
        """Seconds until all is done: workers read and prepare, the main process does the rest.

        Loading weights comes on top.
        """
        shared = (self._sum("decode_s") + self._sum("prepare_s")) / max(self.workers, 1)
        own = self._sum("forward_s") + self._sum("write_s")
        return self._sum("start_s") + max(shared, own)

    @property
    def size_bytes(self) -> float:
        return self._sum("size_bytes")

    def _sum(self, name: str) -> float:
        return float(sum(getattr(each, name) for each in self.features))

    def to_json(self) -> dict[str, Any]:
        return {
            "wall_s": round(self.wall_s, 3),
            "work_s": round(self.work_s, 3),
            "bytes": round(self.size_bytes),
            "workers": self.workers,
            "unknown": list(self.unknown),
            "features": [asdict(each) for each in self.features],
        }


STAGES = ("decode_s", "start_s", "prepare_s", "forward_s", "write_s")


def estimate(
    plan: Plan, ledger: Sequence[Entry], workers: int, probed: Sequence[Entry] = ()
) -> Estimate:
    """Predict what computing a plan takes; what was just `probed` counts before the ledger."""
    known = {spec.name: _experience(spec, ledger, probed) for spec in plan.specs}
    worked = _worked(plan)
    reading = _reading(plan, known, ledger, worked)
    features = []
    for extractor in plan.extractors:
        for spec in plan.specs_of(extractor):
            rows, found = int(worked[spec.name].sum()), known[spec.name]
            missing = int(plan.missing[spec.name].sum())
            decode_s = rows * reading.get(tuple(media_parts(extractor)), 0.0)
            empty = Forecast(spec.name, missing, rows, decode_s)
            features.append(replace(empty, **_taken(rows, missing, found)))
    return Estimate(plan.count(), min(workers, max(plan.count(), 1)), tuple(features))


def _taken(rows: int, missing: int, found: Experience | None) -> dict[str, Any]:
    """Return what so many rows take beside their reading."""
    if found is None:
        return {}
    per_row, costs = found.costs.per_row(), found.costs
    seconds = {stage: rows * per_row[stage] for stage in ("prepare_s", "forward_s", "write_s")}
    start_s = costs.start_s / costs.starts if costs.starts and rows else 0.0
    size = missing * found.bytes_per_row
    return {**seconds, "start_s": start_s, "size_bytes": size, "basis": found.basis}


def _experience(
    spec: FeatureSpec, ledger: Sequence[Entry], probed: Sequence[Entry]
) -> Experience | None:
    """Return what rows of a feature took: of a probe, of this recipe, of another of its name."""

    def nearness(entry: Entry) -> tuple[bool, bool, float]:
        same = entry.spec.fingerprint == spec.fingerprint
        return same and entry in probed, same, entry.newest or 0.0

    named = [e for e in (*probed, *ledger) if e.spec.name == spec.name and e.costs.rows]
    if not named:
        return None
    best = max(named, key=nearness)
    of_probe, same, _ = nearness(best)
    whose = "a probe" if of_probe else "this recipe" if same else f"recipe {best.spec.fingerprint}"
    basis = f"{best.costs.rows} rows of {whose}"
    return Experience(best.costs, best.size_bytes / max(best.rows, 1), basis)


def _worked(plan: Plan) -> dict[str, np.ndarray]:
    """Return by feature which samples take work: bool [N]."""
    given: dict[Parts, np.ndarray] = {}
    worked = {}
    for extractor in plan.extractors:
        if extractor.reads not in given:
            given[extractor.reads] = _given(plan, extractor)
        for spec in plan.specs_of(extractor):
            worked[spec.name] = plan.missing[spec.name] & given[extractor.reads]
    return worked


def _given(plan: Plan, extractor: Extractor) -> np.ndarray:
    """Return which samples have what an extractor reads, as far as can be told without reading."""
    digests = plan.keys.digests(extractor.reads)
    found = zip(plan.samples, digests, strict=True)
    return np.array([d is not None and not not_given(extractor, s) for s, d in found], bool)


def _reading(
    plan: Plan,
    known: Mapping[str, Experience | None],
    ledger: Sequence[Entry],
    worked: Mapping[str, np.ndarray],
) -> dict[Parts, float]:
    """Return by media parts the seconds of reading one sample that fall to one feature.

    A feature that the ledger does not know is read as long as others of the same parts.
    """
    shares: dict[Parts, float] = {}
    users: dict[Parts, list[FeatureSpec]] = {}
    for extractor in plan.extractors:
        users.setdefault(tuple(media_parts(extractor)), []).extend(plan.specs_of(extractor))
    for parts, specs in users.items():
        costs = [found.costs for spec in specs if (found := known[spec.name])]
        costs = costs or [entry.costs for entry in ledger if _media(entry.spec) == parts]
        longest = max((each.per_row()["read_s"] for each in costs if each.rows), default=0.0)
        samples = np.logical_or.reduce([worked[spec.name] for spec in specs]).sum()
        total = sum(int(worked[spec.name].sum()) for spec in specs)
        shares[parts] = longest * float(samples) / total if parts and total else 0.0
    return shares


def _media(spec: FeatureSpec) -> Parts:
    return tuple(part for part in spec.reads if part in MEDIA_PARTS)


def forecast(
    samples: Sequence[Sample],
    request: Request,
    opened: OpenCache,
    settings: Settings,
    *,
    retry: Retry,
    probe: int = 0,
) -> tuple[Plan, Estimate]:
    """Plan an extraction and predict what it takes; without a probe nothing is computed.

    A probe computes so many samples first, drawn at random. Their rows are stored like any others,
    so that nothing is computed twice; the plan is of what is left.

    Raises:
        ProjectError: as `ensure`, with a probe.
        CacheError: if the cache is not what it says it is.
    """
    store, probed = opened.store, []
    plan = make_plan(samples, request, store=store, keys=opened.keys, retry=retry)
    opened.digests.save()
    given = np.logical_or.reduce(list(_worked(plan).values()))
    rows = np.random.default_rng(0).permutation(np.flatnonzero(given))[:probe]
    if len(rows):
        before = {shard.path for spec in plan.specs for shard in store.shards(spec)}
        some = [samples[row] for row in sorted(rows.tolist())]
        tried = replace(opened, keys=Keys(some, opened.digests))
        ensure(some, request, tried, settings=settings, retry=retry)
        probed = [_since(before, store, spec) for spec in plan.specs]
        plan = make_plan(samples, request, store=store, keys=opened.keys, retry=retry)
    return plan, estimate(plan, entries(store), settings.workers, probed)


def _since(before: Collection[Path], store: Store, spec: FeatureSpec) -> Entry:
    """Return what the shards of a feature hold that were not there before."""
    return entry_of(spec, [s.marker for s in store.shards(spec) if s.path not in before])
