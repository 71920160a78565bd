"""Make sure that the cache has what is wanted, and say what it then has."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cache.keys import Keys
from cache.known import Coverage, Known
from cache.reading import settled
from cache.store import Store
from core.device import room_for_weights
from core.digests import FileDigests
from core.files import write_text
from corpus.sample import Sample
from extract.catalog import Request
from extract.pipeline import Settings, run_plan
from extract.plan import Retry, make_plan
from extract.stages import stages

Failure = tuple[str, str, str, str]  # id, feature, cause, reason


@dataclass(frozen=True)
class OpenCache:
    """A cache folder with the identities of some samples."""

    store: Store
    keys: Keys
    digests: FileDigests

    @classmethod
    def at(cls, folder: Path, samples: Sequence[Sample]) -> OpenCache:
        """Open a cache for some samples; nothing is digested before it is asked for."""
        digests = FileDigests(folder / "digests.sqlite")
        return cls(Store(folder), Keys(samples, digests), digests)


def ensure(
    samples: Sequence[Sample],
    request: Request,
    opened: OpenCache,
    *,
    settings: Settings,
    retry: Retry | None = None,
) -> State:
    """Compute and store what the cache lacks, and return what it then has.

    Raises:
        ProjectError: as `run_plan`.
        StorageError: if something is lacking, and the cache may not be written.
        CacheError: if the cache is not what it says it is.
    """
    store, keys = opened.store, opened.keys
    had: dict[str, Known] = {}
    worked_on: set[int] = set()
    for stage in stages(request, lambda: room_for_weights(settings.device())):
        plan = make_plan(samples, stage, store=store, keys=keys, retry=retry or Retry())
        opened.digests.save()
        lacking = {row for row, _ in plan.rows()}
        if lacking:
            store.check_writable()
        worked_on |= lacking
        run_plan(plan, store, settings)
        had |= {name: found for name, found in plan.known.items() if not plan.missing[name].any()}
    known, failures = {}, []
    for spec in request.specs:
        ask = partial(store.known, spec, keys.index, keys.digests(spec.reads))
        known[spec.name], failed = settled(
            ask, partial(_failures, keys.index.ids), had.get(spec.name)
        )
        failures += failed
    return State(
        len(worked_on),
        {name: found.coverage() for name, found in known.items()},
        tuple(failure for _, failure in sorted(failures, key=lambda pair: pair[0])),
    )


@dataclass(frozen=True)
class State:
    """What a cache has of some samples: counts by feature, and every failure.

    worked_on  how many samples were computed just now
    failures   (id, feature, cause, reason), in the order of samples and features
    """

    worked_on: int
    coverage: dict[str, Coverage]
    failures: tuple[Failure, ...]

    @property
    def failed_samples(self) -> int:
        """How many samples have at least one FAILED feature."""
        return len({sample_id for sample_id, *_ in self.failures})

    @property
    def by_id(self) -> int:
        """The most rows of one feature that were found by id alone, their files not being here."""
        return max((coverage.by_id for coverage in self.coverage.values()), default=0)

    def to_json(self) -> dict[str, Any]:
        """Return the counts, for `run.json` and `--json`."""
        features = {
            name: {"ok": c.ok, "absent": dict(c.absent), "failed": dict(c.failed), "never": c.never}
            for name, c in self.coverage.items()
        }
        return {
            "worked_on": self.worked_on,
            "failed": self.failed_samples,
            "by_id": self.by_id,
            "features": features,
        }

    def write_failures(self, path: Path) -> None:
        """Write `id,feature,cause,reason`, a line for each failure."""
        lines = io.StringIO()
        table = csv.writer(lines)
        table.writerow(["id", "feature", "cause", "reason"])
        table.writerows(self.failures)
        write_text(path, lines.getvalue())


def _failures(ids: Sequence[str], known: Known) -> list[tuple[int, Failure]]:
    """List the FAILED rows of one feature, each with its place among the samples."""
    rows = np.flatnonzero(known.failed()).tolist()
    if not rows:
        return []
    causes, reasons = known.cause_texts(), known.reasons()
    return [(row, (ids[row], known.spec.name, causes[row], reasons[row])) for row in rows]
