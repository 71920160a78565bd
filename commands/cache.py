"""`cache`: what is kept, what of it a table has, and whether it is sound."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands import loading
from commands import options as o
from core.errors import UsageError

if TYPE_CHECKING:
    from cache.ledger import Entry

app = typer.Typer(
    help="Look into the feature cache: ls, status, check",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("ls", epilog=o.examples("cache ls", "cache ls --cache var/cache --json"))
def ls(cache: o.CacheOption = o.DEFAULT_CACHE, as_json: o.JsonOption = False) -> int:
    """List the features that are kept, with their size and age."""
    from cache.ledger import entries
    from cache.store import Store

    found = entries(Store(_existing(cache)))
    if as_json:
        o.print_json([_described(entry) for entry in found])
        return 0
    print(f"{'feature':28} {'fingerprint':16} {'shards':>6} {'rows':>9} {'MB':>9}  newest")
    for entry in found:
        newest = time.localtime(entry.newest) if entry.newest else None
        when = time.strftime("%Y-%m-%d %H:%M", newest) if newest else "-"
        size = f"{entry.size_bytes / 1e6:9.2f}"
        name, fingerprint = entry.spec.name, entry.spec.fingerprint
        print(f"{name:28} {fingerprint} {entry.shards:6} {entry.rows:9} {size}  {when}")
    return 0


@app.command(
    "status",
    epilog=o.examples("cache status", f"cache status --manifest {o.DEMO_TABLE}"),
)
def status(
    cache: o.CacheOption = o.DEFAULT_CACHE,
    manifest: Annotated[
        Path | None,
        typer.Option("--manifest", help="count only the rows of this table", metavar="TABLE"),
    ] = None,
    source: o.SourceOption = "generic",
    columns: o.ColumnsOption = None,
    root: o.RootOption = None,
    as_json: o.JsonOption = False,
) -> int:
    """Count OK, ABSENT and FAILED by cause, with what it cost."""
    from cache.ledger import distinct, entries
    from cache.store import Store
    from extract.ensure import OpenCache

    store = Store(_existing(cache))
    opened = None
    if manifest:
        table = loading.load_manifest(loading.TableOptions(manifest, source, columns, root, False))
        opened = OpenCache.at(cache, table.samples)
    rows = []
    for entry in entries(store):
        counted = distinct(store, entry.spec)
        if opened:
            digests = opened.keys.digests(entry.spec.reads)
            counted = store.known(entry.spec, opened.keys.index, digests).coverage()
        counts = {"ok": counted.ok, "absent": dict(counted.absent), "failed": dict(counted.failed)}
        rows.append({**_described(entry), **counts, "never": counted.never})
    if as_json:
        o.print_json(rows)
        return 0
    _print_status(rows)
    return 0


@app.command("check", epilog=o.examples("cache check", "cache check --cache var/cache --quick"))
def check(
    cache: o.CacheOption = o.DEFAULT_CACHE,
    quick: Annotated[
        bool, typer.Option("--quick", help="do not read and digest every shard")
    ] = False,
    as_json: o.JsonOption = False,
) -> int:
    """Find litter, foreign and damaged files; nothing is changed.

    Ends with exit code 1 if anything is found.
    """
    from cache.doctor import check as find

    findings = find(_existing(cache), digests=not quick)
    if as_json:
        o.print_json(
            [
                {"path": str(f.path), "kind": f.kind, "text": f.text, "remedy": f.remedy}
                for f in findings
            ]
        )
    else:
        for finding in findings:
            print(f"{finding.path}: {finding.kind}: {finding.text}; {finding.remedy}")
        print(f"{len(findings)} findings" if findings else "the cache is sound")
    return 1 if findings else 0


def _existing(cache: Path) -> Path:
    """Return the folder of a cache; a mistyped one is no empty cache."""
    if not cache.is_dir():
        raise UsageError(
            f"--cache {cache} is no folder; `python cli.py extract` makes one, by default var/cache"
        )
    return cache


def _described(entry: Entry) -> dict[str, object]:
    costs = entry.costs
    return {
        "feature": entry.spec.name,
        "fingerprint": entry.spec.fingerprint,
        "shards": entry.shards,
        "rows": entry.rows,
        "bytes": entry.size_bytes,
        "decode_s": round(costs.decode_s, 3),
        "prepare_s": round(costs.prepare_s, 3),
        "forward_s": round(costs.forward_s, 3),
        "write_s": round(costs.write_s, 3),
    }


def _print_status(rows: list[dict[str, object]]) -> None:
    print(f"{'feature':28} {'OK':>8} {'ABSENT':>8} {'FAILED':>8} {'decode s':>9} {'prepare s':>9}")
    for row in rows:
        absent, bad = row["absent"], row["failed"]
        assert isinstance(absent, dict)
        assert isinstance(bad, dict)
        counts = f"{row['ok']:8} {sum(absent.values()):8} {sum(bad.values()):8}"
        never = {"never extracted": row["never"]} if row["never"] else {}
        counted = {**absent, **bad, **never}
        causes = ", ".join(f"{count} {cause}" for cause, count in counted.items())
        seconds = f"{row['decode_s']:9} {row['prepare_s']:9}"
        print(f"{row['feature']:28} {counts} {seconds}  {causes}".rstrip())
