"""Plan an extraction and predict what it takes, after trying some samples if that is wanted."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cache.keys import Keys
from cache.ledger import Entry, entries, entry_of
from cache.spec import FeatureSpec
from cache.store import Store
from corpus.sample import Sample
from extract.catalog import Request
from extract.ensure import OpenCache, ensure
from extract.estimate import Estimate, estimate, worked_on
from extract.pipeline import Settings
from extract.plan import Plan, Retry, make_plan


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
    given = np.logical_or.reduce(list(worked_on(plan).values()))
    rows = np.random.default_rng(0).permutation(np.flatnonzero(given))[:probe]
    if len(rows):
        before = {shard.path for spec in plan.specs for shard in store.shards(spec)}
        some = [samples[row] for row in sorted(rows.tolist())]
        tried = replace(opened, keys=Keys(some, opened.digests))
        ensure(some, request, tried, settings=settings, retry=retry)
        probed = [_since(before, store, spec) for spec in plan.specs]
        plan = make_plan(samples, request, store=store, keys=opened.keys, retry=retry)
    return plan, estimate(plan, entries(store), settings, probed)


def _since(before: Collection[Path], store: Store, spec: FeatureSpec) -> Entry:
    """Return what the shards of a feature hold that were not there before."""
    return entry_of(spec, [s.marker for s in store.shards(spec) if s.path not in before])
