"""`cache export`: features as files for others, and for `cache import`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands import cache_options as c
from commands import options as o
from core.errors import UnknownName, UsageError
from core.log import logger

if TYPE_CHECKING:
    from cache.export import Part

EXAMPLES = o.examples(
    "cache export exported --format npy --features motion,mfcc",
    f"cache export samples --join --manifest {o.DEMO_TABLE}",
)


def run(
    out: Annotated[Path, typer.Argument(help="folder to make", metavar="OUT")],
    format: Annotated[
        str, typer.Option("--format", help="tar, npy, parquet or h5", metavar="NAME")
    ] = "tar",
    join: Annotated[
        bool, typer.Option("--join", help="tars of whole samples, with all features of each")
    ] = False,
    features: Annotated[
        str | None,
        typer.Option(
            "--features",
            help="comma-separated features, families or fingerprints  [default: all]",
            metavar="NAMES",
        ),
    ] = None,
    cache: o.CacheOption = o.DEFAULT_CACHE,
    manifest: c.ManifestOption = None,
    source: o.SourceOption = "generic",
    columns: o.ColumnsOption = None,
    root: o.RootOption = None,
    dry_run: c.DryRunOption = False,
    as_json: o.JsonOption = False,
) -> int:
    """Write features as tars, plain arrays, Parquet or HDF5.

    Nothing is overwritten: OUT is new, and appears whole or not at all. With a table only its
    samples are written, else all that the cache has. `cache import OUT` takes any format back.
    """
    from cache.export import FORMATS, check_new, chosen, plan_export, write_export
    from cache.store import Store
    from extract.ensure import OpenCache

    if format not in FORMATS:
        raise UnknownName("--format", format, FORMATS)
    if join and format != "tar":
        raise UsageError(f"--join makes tars of whole samples; it excludes --format {format}")
    store = Store(c.existing(cache))
    _check_place(out, cache)
    check_new(out)
    specs = chosen(store.features(), o.names(features))
    if not specs:
        raise UsageError(f"--cache {cache} has no features; `python cli.py extract` computes some")
    opened = None
    if manifest:
        opened = OpenCache.at(cache, c.manifest_of(manifest, source, columns, root).samples)
    parts = plan_export(store, specs, joined=join, keys=opened.keys if opened else None)
    if opened:
        opened.digests.save()
    files = {} if dry_run else write_export(parts, out, format=format, joined=join)
    if as_json:
        told = [{**part.to_json(), "never": part.never, "older": part.older} for part in parts]
        o.print_json({"out": str(out), "features": told, "files": files})
    else:
        _print(parts, files, out)
    return 0


def _check_place(out: Path, cache: Path) -> None:
    """Refuse a place inside the cache, where it would be a stranger.

    Raises:
        UsageError: if it is one.
    """
    if out.resolve().is_relative_to(cache.resolve()):
        raise UsageError(f"{out} lies in the cache {cache}; name a folder outside of it")


def _print(parts: Sequence[Part], files: Mapping[str, int], out: Path) -> None:
    """Say what was written, or would be, and what was left out."""
    for part in parts:
        name = f"{part.spec.name} {part.spec.fingerprint}"
        if part.older:
            logger.warning("%s: %d rows of older inputs left out", name, part.older)
        if part.never:
            logger.warning(
                "%s: the cache has no row of %d of the table's samples", name, part.never
            )
    heads = ("<feature", "<fingerprint", "rows", "OK", "ABSENT", "FAILED", "<")
    told = [part.to_json() for part in parts]
    c.print_table(heads, [_line(feature) for feature in told])
    rows = f"{sum(feature['rows'] for feature in told)} rows of {len(told)} features"
    if files:
        size = f"{sum(files.values()) / 1e6:.1f} MB in {len(files)} files"
        print(f"{rows} written to {out}: {size}, listed in {out}/export.json")
    else:
        print(f"{rows} would be written to {out}")


def _line(feature: Mapping[str, Any]) -> Sequence[str]:
    names = ("name", "fingerprint", "rows", "ok", "absent", "failed")
    return [*(str(feature[name]) for name in names), ""]
