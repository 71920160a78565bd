"""`cache gc`: few full shards instead of many small ones; features that nobody wants any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands import cache_options as c
from commands import options as o
from core.errors import UnknownName

if TYPE_CHECKING:
    from cache.spec import FeatureSpec
    from cache.store import Store

EXAMPLES = o.examples("cache gc --dry-run", "cache gc --cache var/cache")


def run(
    cache: o.CacheOption = o.DEFAULT_CACHE,
    drop: Annotated[
        str | None,
        typer.Option(
            "--drop", help="also remove these features, by fingerprint", metavar="FINGERPRINTS"
        ),
    ] = None,
    dry_run: c.DryRunOption = False,
    as_json: o.JsonOption = False,
) -> int:
    """Join small shards into full ones, without rows that do not count.

    Of each key the best row is kept; costs are carried over. Extractions and readers may go on
    meanwhile. --drop takes fingerprints as `cache ls` shows them, for instance stale ones.
    """
    from cache.store import Store

    store = Store(c.existing(cache))
    dropped = _chosen(store, o.names(drop))
    c.warn_if_empty(store.features(), cache)
    kept = [feature.spec for feature in store.features() if feature.spec not in dropped]
    for spec in dropped if not dry_run else ():
        store.drop(spec)
    done = [line for spec in kept if (line := _compact(store, spec, dry_run))]
    if as_json:
        gone = [{"feature": spec.name, "fingerprint": spec.fingerprint} for spec in dropped]
        o.print_json({"compacted": done, "dropped": gone})
    else:
        _print(done, dropped, "would be " * dry_run)
    return 0


def _chosen(store: Store, fingerprints: Sequence[str]) -> list[FeatureSpec]:
    """Return the features that --drop names."""
    specs = {feature.fingerprint: feature.spec for feature in store.features()}
    for fingerprint in fingerprints:
        if fingerprint not in specs:
            raise UnknownName(
                "--drop: fingerprint", fingerprint, specs, "List: python cli.py cache ls"
            )
    return [specs[fingerprint] for fingerprint in fingerprints]


def _compact(store: Store, spec: FeatureSpec, dry_run: bool) -> dict[str, Any] | None:
    """Compact one feature, and say how; None if there was nothing to do."""
    from cache.compaction import compact, plan_merges, sweep

    swept = store.replaced(spec) if dry_run else sweep(store, spec)
    merges = plan_merges(store, spec)
    for merge in merges if not dry_run else ():
        compact(store, merge)
    if not (merges or swept):
        return None
    return {
        "feature": spec.name,
        "fingerprint": spec.fingerprint,
        "shards": sum(len(merge.sources) for merge in merges),
        "into": len(merges),
        "rows": sum(merge.rows for merge in merges),
        "left_out": sum(merge.dropped for merge in merges),
        "swept": len(swept),
    }


def _print(done: Sequence[Mapping[str, Any]], dropped: Sequence[FeatureSpec], would: str) -> None:
    for line in done:
        swept = f"; {line['swept']} left by a stopped compaction {would}removed" * bool(
            line["swept"]
        )
        out = f" ({line['left_out']} that do not count {would}left out)" * bool(line["left_out"])
        print(
            f"{line['feature']} {line['fingerprint']}: {line['shards']} shards {would}joined into "
            f"{line['into']}, {line['rows']} rows{out}{swept}"
        )
    for spec in dropped:
        print(f"{spec.name} {spec.fingerprint}: {would}removed")
    if not (done or dropped):
        print("nothing to compact")
    if len(done) > 1:
        before, after = sum(line["shards"] for line in done), sum(line["into"] for line in done)
        print(f"{before} shards of {len(done)} features {would}joined into {after}")
