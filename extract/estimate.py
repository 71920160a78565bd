"""What an extraction will take: seconds by stage, bytes and wall time, from what others took.

A sample is expected to take what those took that the ledger knows of the same feature: of today's
recipe, else of another one of its name. Reading is shared: it takes what it took the feature that
waited longest for it. A feature that the ledger does not know can only be tried: see `probe`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from cache.ledger import Entry
from cache.marker import Costs
from cache.shard import FORMATS
from cache.spec import FeatureSpec
from corpus.sample import MEDIA_PARTS
from extract.contract import Extractor
from extract.pipeline import Settings
from extract.plan import Plan, media_parts
from extract.sample_job import not_given

Parts = tuple[str, ...]


@dataclass(frozen=True)
class Experience:
    """What rows of one feature took, and where that is known from.

    row_bytes    what a row adds to a shard
    shard_bytes  what a shard has beside its rows
    shard_s      writing a shard, however many rows: it is mostly waiting for the disk
    basis        in words
    """

    costs: Costs
    row_bytes: float
    shard_bytes: int
    shard_s: float
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
    features: tuple[Forecast, ...]

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
            "features": [_rounded(asdict(each)) for each in self.features],
        }


STAGES = ("decode_s", "start_s", "prepare_s", "forward_s", "write_s")


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        k: round(value, 3) if isinstance(value, float) else value for k, value in values.items()
    }


def estimate(
    plan: Plan, ledger: Sequence[Entry], settings: Settings, probed: Sequence[Entry] = ()
) -> Estimate:
    """Predict what computing a plan takes; what was just `probed` counts before the ledger.

    Rows are expected to be as large as those that are stored, which may be of another shard format.
    """
    format = settings.shard_format
    known = {spec.name: _experience(spec, ledger, probed, format) for spec in plan.specs}
    worked = worked_on(plan)
    reading = _reading(plan, known, ledger, worked)
    features = []
    for extractor in plan.extractors:
        decode_s = reading[tuple(media_parts(extractor))]
        for spec in plan.specs_of(extractor):
            missing, rows = int(plan.missing[spec.name].sum()), int(worked[spec.name].sum())
            one = Forecast(spec.name, missing, rows, rows * decode_s)
            features.append(replace(one, **_taken(rows, known[spec.name])))
    workers = min(settings.workers, max(plan.count(), 1))
    timed = Estimate(plan.count(), workers, tuple(features))
    age_shards = timed.wall_s / settings.shards.age_s
    written = [
        _written(each, known[each.feature], max(age_shards, each.missing / settings.shards.rows))
        for each in features
    ]
    return replace(timed, features=tuple(written))


def _taken(rows: int, found: Experience | None) -> dict[str, Any]:
    """Return what so many rows take beside reading and writing."""
    if found is None:
        return {}
    per_row, costs = found.costs.per_row(), found.costs
    return {
        "start_s": costs.start_s / costs.starts if costs.starts and rows else 0.0,
        "prepare_s": rows * per_row["prepare_s"],
        "forward_s": rows * per_row["forward_s"],
        "basis": found.basis,
    }


def _written(expected: Forecast, found: Experience | None, shards: float) -> Forecast:
    """Return a forecast with what its shards take, of which the last need not be full."""
    if found is None or not expected.missing:
        return expected
    count = math.ceil(shards)
    size_bytes = expected.missing * found.row_bytes + count * found.shard_bytes
    return replace(expected, write_s=count * found.shard_s, size_bytes=size_bytes)


def _experience(
    spec: FeatureSpec, ledger: Sequence[Entry], probed: Sequence[Entry], format: str
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
    empty_bytes = len(FORMATS.load(format).encode(spec, []))
    row_bytes = max(best.size_bytes - best.shards * empty_bytes, 0) / max(best.rows, 1)
    return Experience(
        best.costs,
        row_bytes,
        shard_bytes=empty_bytes,
        shard_s=best.costs.write_s / best.shards,
        basis=f"{best.costs.rows} rows of {whose}",
    )


def worked_on(plan: Plan) -> dict[str, np.ndarray]:
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
