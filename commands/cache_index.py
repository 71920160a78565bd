"""`cache index`: make what `cache similar` looks into, beside the features."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands import cache_options as c
from commands import options as o
from core.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from cache.spec import FeatureSpec
    from cache.store import Store

EXAMPLES = o.examples("cache index --features motion", "cache index --json")


def run(
    features: Annotated[
        str | None,
        typer.Option(
            "--features",
            help="comma-separated features of the cache  [default: all that are vectors]",
            metavar="NAMES",
        ),
    ] = None,
    cache: o.CacheOption = o.DEFAULT_CACHE,
    dry_run: c.DryRunOption = False,
    as_json: o.JsonOption = False,
) -> int:
    """Index features, so that the rows most like another are found at once.

    Up to 100,000 rows all are compared; beyond, an inverted file looks at a sixteenth of them. What
    is fresh stays. An index belongs to one recipe of its feature, and is stale once a shard that it
    was made of is gone; rows that were added since are compared beside it.
    """
    from cache.store import Store

    store = Store(c.existing(cache))
    lines = [_indexed(store, spec, dry_run) for spec in _chosen(store, features)]
    if as_json:
        o.print_json(lines)
        return 0
    heads = ("<feature", "<fingerprint", "rows", "<kind", "MB", "s", "<")
    c.print_table(heads, [_line(line) for line in lines])
    return 0


def _chosen(store: Store, features: str | None) -> list[FeatureSpec]:
    """Return the features to index.

    Raises:
        UnknownName, UsageError: if the cache has none of a name, or it is not of vectors.
    """
    from cache.index import indexed

    kept = [feature.spec for feature in store.features()]
    names = o.names(features)
    for name in names:
        specs = [spec for spec in kept if spec.name == name]
        if not specs:
            known = {spec.name for spec in kept}
            raise UnknownName("stored feature", name, known, "Name features, not families.")
        if not indexed(specs[0]):
            raise UsageError(f"{name} is not of vectors; texts and n-grams need no index")
    if names:
        return [spec for spec in kept if spec.name in names]
    return [spec for spec in kept if indexed(spec) and not spec.is_ragged]


def _indexed(store: Store, spec: FeatureSpec, dry_run: bool) -> dict[str, Any]:
    """Index a feature if it has to be; return what was done."""
    from cache.index import FRESH, load_index, make_index, save_index, state_of
    from core.errors import CacheError

    started, was = time.perf_counter(), state_of(store, spec)
    told: dict[str, Any] = {"feature": spec.name, "fingerprint": spec.fingerprint, "was": was}
    index = load_index(store, spec) if was == FRESH else None
    told["made"] = index is None and not dry_run
    if dry_run and index is None:
        return told
    try:
        index = index or make_index(store, spec)
    except CacheError as error:
        return {**told, "made": False, "reason": str(error)}
    if told["made"]:
        save_index(store, index)
    size = index.searched.ntotal * index.searched.d * 4
    seconds = round(time.perf_counter() - started, 3)
    return {**told, "rows": len(index.ids), "kind": index.kind, "bytes": size, "seconds": seconds}


def _line(told: dict[str, Any]) -> tuple[str, ...]:
    done = "made" if told["made"] else "as it was"
    if not told["made"] and told["was"] != "fresh":
        done = told.get("reason", "would be made")
    return (
        told["feature"],
        told["fingerprint"],
        str(told.get("rows", "-")),
        told.get("kind", "-"),
        f"{told['bytes'] / 1e6:.2f}" if "bytes" in told else "-",
        f"{told['seconds']:.1f}" if "seconds" in told else "-",
        f"{done} (it was {told['was']})" if told["made"] else done,
    )
