"""`cache import`: what was exported, or another cache, into this one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands import cache_options as c
from commands import options as o
from core.errors import UsageError
from core.status import Status

if TYPE_CHECKING:
    from cache.importing import Imported

EXAMPLES = o.examples(
    "cache import exported --cache var/copy",
    "cache import samples --cache var/copy --dry-run",
)


def run(
    folder: Annotated[
        Path, typer.Argument(help="folder of `cache export`, or a cache", metavar="FOLDER")
    ],
    features: Annotated[
        str | None,
        typer.Option(
            "--features",
            help="comma-separated features, families or fingerprints  [default: all]",
            metavar="NAMES",
        ),
    ] = None,
    cache: o.CacheOption = o.DEFAULT_CACHE,
    shard_format: o.ShardFormatOption = "h5",
    dry_run: c.DryRunOption = False,
    as_json: o.JsonOption = False,
) -> int:
    """Take exported features, or those of another cache, into the cache.

    Every file is compared with its digest and every feature with its fingerprint before a row is
    written. Rows that the cache has already are passed over.
    """
    from cache.export import chosen
    from cache.importing import import_source, open_import
    from cache.shard import FORMATS
    from cache.store import Store, StoredFeature
    from core.progress import Meter

    FORMATS.check(shard_format)
    if folder.resolve() == cache.resolve():
        raise UsageError(f"{folder} is the cache itself; name another folder or --cache")
    sources = {source.spec: source for source in open_import(folder)}
    stored = [StoredFeature(spec.name, spec.fingerprint, spec) for spec in sources]
    specs = chosen(stored, o.names(features))
    store = Store(cache)
    done = []
    with Meter("import", len(specs), unit="features", patience_s=1.0) as meter:
        for spec in specs:
            one = import_source(sources[spec], store, format=shard_format, dry_run=dry_run)
            done.append(one)
            meter.advance()
    if as_json:
        o.print_json({"cache": str(cache), "features": [_told(one) for one in done]})
    else:
        _print(done, cache, "would be " * dry_run)
    return 0


def _told(one: Imported) -> dict[str, object]:
    counts = {status.name.lower(): one.new.get(status.name, 0) for status in Status}
    named = {"name": one.spec.name, "fingerprint": one.spec.fingerprint}
    return {**named, **counts, "there": one.there}


def _print(done: list[Imported], cache: Path, would: str) -> None:
    """Say what is new in the cache."""
    heads = ("<feature", "<fingerprint", "OK", "ABSENT", "FAILED", "there already", "<")
    c.print_table(heads, [[*(str(value) for value in _told(one).values()), ""] for one in done])
    new = sum(sum(one.new.values()) for one in done)
    there = sum(one.there for one in done)
    print(f"{new} rows of {len(done)} features {would}written to {cache}, {there} were there")
