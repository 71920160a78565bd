"""`cache`: what is kept, what of it a table has, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from commands import (
    cache_check,
    cache_export,
    cache_gc,
    cache_import,
    cache_index,
    cache_similar,
    cache_why,
)
from commands import cache_options as c
from commands import options as o

if TYPE_CHECKING:
    from cache.known import Coverage
    from cache.ledger import Entry

app = typer.Typer(
    help="Look into the feature cache, keep it sound, pass it on: ls, status, why, check, gc, "
    "export, import, index, similar",
    no_args_is_help=True,
    rich_markup_mode=None,
)
_STAGES = ("decode_s", "start_s", "prepare_s", "forward_s", "write_s")


@app.command("ls", epilog=o.examples("cache ls", "cache ls --cache var/cache --json"))
def ls(cache: o.CacheOption = o.DEFAULT_CACHE, as_json: o.JsonOption = False) -> int:
    """List the features that are kept, with their size and age.

    A feature is stale if today's code would give other values under its name: nobody reads it any
    more, and `cache gc --drop FINGERPRINT` removes it.
    """
    from cache.ledger import entries
    from cache.store import Store
    from extract.today import is_stale

    found = [(entry, is_stale(entry.spec)) for entry in entries(Store(c.existing(cache)))]
    c.warn_if_empty(found, cache)
    if as_json:
        o.print_json([{**_described(entry), "stale": stale} for entry, stale in found])
    elif found:
        _print_list(found)
    return 0


def _print_list(found: Sequence[tuple[Entry, bool | None]]) -> None:
    heads = ("<feature", "<fingerprint", "shards", "rows", "MB", "<newest", "<")
    lines = [
        (
            entry.spec.name,
            entry.spec.fingerprint,
            str(entry.shards),
            str(entry.rows),
            f"{entry.size_bytes / 1e6:.2f}",
            c.moment(entry.newest),
            "stale" * bool(stale),
        )
        for entry, stale in found
    ]
    c.print_table(heads, lines)


@app.command(
    "status",
    epilog=o.examples("cache status", f"cache status --manifest {o.DEMO_TABLE}"),
)
def status(
    cache: o.CacheOption = o.DEFAULT_CACHE,
    manifest: c.ManifestOption = None,
    source: o.SourceOption = "generic",
    columns: o.ColumnsOption = None,
    root: o.RootOption = None,
    as_json: o.JsonOption = False,
) -> int:
    """Count OK, ABSENT and FAILED by cause, with what it cost.

    With a table only its samples are counted. Seconds are of work: several workers do it at once.
    """
    from cache.ledger import distinct, entries
    from cache.store import Store
    from extract.ensure import OpenCache

    store = Store(c.existing(cache))
    opened = None
    if manifest:
        opened = OpenCache.at(cache, c.manifest_of(manifest, source, columns, root).samples)
    rows = []
    for entry in entries(store):
        if opened:
            digests = opened.keys.digests(entry.spec.reads)
            counted = store.known(entry.spec, opened.keys.index, digests).coverage()
        else:
            counted = distinct(store, entry.spec)
        rows.append({**_described(entry), **_counted(counted)})
    if opened:
        opened.digests.save()
    c.warn_if_empty(rows, cache)
    if as_json:
        o.print_json(rows)
    elif rows:
        _print_status(rows)
    return 0


app.command("why", epilog=cache_why.EXAMPLES)(cache_why.run)
app.command("check", epilog=cache_check.EXAMPLES)(cache_check.run)
app.command("gc", epilog=cache_gc.EXAMPLES)(cache_gc.run)
app.command("export", epilog=cache_export.EXAMPLES)(cache_export.run)
app.command("import", epilog=cache_import.EXAMPLES)(cache_import.run)
app.command("index", epilog=cache_index.EXAMPLES)(cache_index.run)
app.command("similar", epilog=cache_similar.EXAMPLES)(cache_similar.run)


def _described(entry: Entry) -> dict[str, Any]:
    """Return what the markers say of a feature."""
    costs = entry.costs
    seconds = {stage: round(getattr(costs, stage), 3) for stage in _STAGES}
    per_row = costs.per_row()
    per_1000 = {stage: round(1000 * per_row[stage], 3) for stage in _STAGES if stage in per_row}
    return {
        "feature": entry.spec.name,
        "fingerprint": entry.spec.fingerprint,
        "shards": entry.shards,
        "rows": entry.rows,
        "bytes": entry.size_bytes,
        "newest": entry.newest,
        "computed": costs.rows,
        **seconds,
        "per_1000": per_1000,
        "bytes_per_1000": round(1000 * entry.size_bytes / max(entry.rows, 1)),
    }


def _counted(coverage: Coverage) -> dict[str, Any]:
    """Return the state of each key; `coverage` is the share of them that have a value."""
    absent, bad = sum(coverage.absent.values()), sum(coverage.failed.values())
    keys = coverage.ok + absent + bad + coverage.never
    return {
        "ok": coverage.ok,
        "absent": dict(coverage.absent),
        "failed": dict(coverage.failed),
        "never": coverage.never,
        "by_id": coverage.by_id,
        "coverage": round(coverage.ok / keys, 4) if keys else None,
    }


def _print_status(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print what there is, then what it cost."""
    names = _names(rows)
    counts = [
        (
            name,
            *map(str, (row["ok"], sum(row["absent"].values()), sum(row["failed"].values()))),
            "-" if row["coverage"] is None else f"{100 * row['coverage']:.1f}",
            c.moment(row["newest"]),
            _gaps(row),
        )
        for name, row in zip(names, rows, strict=True)
    ]
    heads = ("<feature", "OK", "ABSENT", "FAILED", "OK %", "<written", "<gaps")
    c.print_table(heads, counts)
    print("\nseconds of work (start: once in each worker), MB; / 1k: of 1,000 samples")
    costs = [
        (
            name,
            *(f"{row[stage]:.1f}" for stage in _STAGES),
            f"{sum(row['per_1000'].values()):.1f}" if row["computed"] else "-",
            f"{row['bytes'] / 1e6:.2f}",
            f"{row['bytes_per_1000'] / 1e6:.2f}",
        )
        for name, row in zip(names, rows, strict=True)
    ]
    sums = [f"{sum(row[stage] for row in rows):.1f}" for stage in _STAGES]
    costs.append(("all", *sums, "", f"{sum(row['bytes'] for row in rows) / 1e6:.2f}", ""))
    stages = ("<feature", "decode", "start", "prepare", "forward", "write", "/ 1k", "MB", "/ 1k")
    c.print_table(stages, costs)


def _names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the features' names, with the fingerprint where there are two of a name."""
    names = [row["feature"] for row in rows]
    return [
        f"{name} {row['fingerprint'][:6]}" if names.count(name) > 1 else name
        for name, row in zip(names, rows, strict=True)
    ]


def _gaps(row: Mapping[str, Any]) -> str:
    counted = {**row["absent"], **row["failed"]}
    counted |= {"never extracted": row["never"]} if row["never"] else {}
    return ", ".join(f"{count} {cause}" for cause, count in counted.items())
