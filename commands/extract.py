"""`extract`: compute the features that the cache lacks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from commands import encoders as e
from commands import loading
from commands import options as o
from commands.extract_plan import print_plan
from core.errors import UnknownName, UsageError
from core.log import logger

if TYPE_CHECKING:
    from corpus.manifest import Manifest
    from corpus.sample import Sample
    from extract.catalog import Request
    from extract.encoders.encoding import Encoding
    from extract.ensure import State
    from extract.plan import Retry

EXAMPLES = o.examples(
    f"extract {o.DEMO_TABLE} --features motion,mfcc --dry-run",
    f"extract {o.DEMO_TABLE}",
)
SOME_FAILED = 3


def run(
    context: typer.Context,
    manifest: o.ManifestArgument,
    features: o.FeaturesOption = None,
    preset: Annotated[
        str | None,
        typer.Option("--preset", help="named set of features  [default: classic]", metavar="NAME"),
    ] = None,
    cache: o.CacheOption = o.DEFAULT_CACHE,
    source: o.SourceOption = "generic",
    columns: o.ColumnsOption = None,
    root: o.RootOption = None,
    part: Annotated[
        str | None, typer.Option("--part", help="share i of n, by the hash of ids", metavar="i/n")
    ] = None,
    decoder: o.DecoderOption = "pyav",
    weights: e.WeightsOption = None,
    dtype: e.DtypeOption = "auto",
    quantize: e.QuantizeOption = "none",
    device: e.DeviceOption = None,
    workers: o.WorkersOption = None,
    batch_size: Annotated[
        int, typer.Option("--batch-size", help="samples per forward; no effect on values", min=1)
    ] = 8,
    time_limit: o.TimeLimitOption = 120.0,
    memory_limit: o.MemoryLimitOption = 4.0,
    shard_seconds: Annotated[
        float, typer.Option("--shard-seconds", help="a kill loses at most so much work", min=0.1)
    ] = 60.0,
    shard_format: o.ShardFormatOption = "h5",
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="also samples that failed before")
    ] = False,
    retry: Annotated[
        str | None,
        typer.Option("--retry", help="also samples that failed of these causes", metavar="CAUSES"),
    ] = None,
    skip_bad_rows: o.SkipBadRowsOption = False,
    out: o.OutOption = None,
    config: o.ConfigOption = None,
    as_json: o.JsonOption = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="say what is missing and will take how long, and stop")
    ] = False,
    probe: Annotated[
        int,
        typer.Option(
            "--probe", help="with --dry-run: samples to compute first, to know; they stay", min=0
        ),
    ] = 0,
) -> int:
    """Compute the features that the cache lacks.

    Every file is read once for all features that still miss it. A file that is missing or broken is
    a row with its cause: the run goes on and ends with exit code 3.
    """
    from cache.shard import FORMATS
    from core.runs import recording
    from extract.ensure import OpenCache, ensure
    from extract.plan import share
    from extract.probe import forecast

    if probe and not dry_run:
        raise UsageError("--probe is of --dry-run; without it, all samples are computed anyway")
    again = _retry(retry_failed, retry)
    FORMATS.check(shard_format)
    table = loading.load_manifest(
        loading.TableOptions(manifest, source, columns, root, skip_bad_rows)
    )
    encoding = e.encoding(cache, weights, dtype, quantize, device)
    request = _request(features, preset, table, decoder, encoding)
    samples: list[Sample] = list(table.samples)
    if part:
        samples = share(samples, loading.parse_part(part))
    opened = OpenCache.at(cache, samples)
    settings = loading.settings(
        workers, batch_size, decoder, time_limit, memory_limit, shard_seconds, device=device
    )
    settings = replace(settings, shard_format=shard_format)
    if dry_run:
        found = forecast(samples, request, opened, settings, retry=again, probe=probe)
        print_plan(*found, cache, as_json=as_json)
        return 0
    with recording("extract", o.resolved(context), out=out) as record:
        record.note(data={"manifest": table.digest, "rows": len(samples)})
        state = ensure(samples, request, opened, settings=settings, retry=again)
        record.note(metrics=state.to_json())
        state.write_failures(record.folder / "failures.csv")
    _print_state(state, str(record.folder), as_json=as_json)
    return SOME_FAILED if state.failures else 0


def _request(
    features: str | None, preset: str | None, table: Manifest, decoder: str, encoding: Encoding
) -> Request:
    """Turn --features or --preset into extractors for this table."""
    from extract.catalog import resolve
    from extract.families import DEFAULT_PRESET, PRESETS
    from extract.presets import part_of, preset_of

    if features and preset:
        raise UsageError(
            "--features and --preset exclude each other; name the preset in --features"
        )
    if preset and preset_of(preset) not in PRESETS:
        raise UnknownName("preset", preset, PRESETS)
    asked = o.names(features) or [preset or DEFAULT_PRESET]
    parts = loading.parts_of(table)
    request = resolve(asked, parts=parts, decoder=decoder, encoding=encoding)
    for name in filter(PRESETS.__contains__, asked):
        if lacking := [each for each in PRESETS[name] if part_of(each, parts) is None]:
            said = "preset %s without %s: the table names nothing that they read, see --columns"
            logger.info(said, name, ", ".join(lacking))
    return request


def _retry(everything: bool, causes: str | None) -> Retry:
    """Turn --retry-failed and --retry into the rows to compute again."""
    from core.status import FAILED_CAUSES
    from extract.plan import Retry

    if everything and causes:
        raise UsageError(
            "--retry-failed and --retry exclude each other; the first means every cause"
        )
    named = o.names(causes)
    for cause in named:
        if cause not in FAILED_CAUSES:
            raise UnknownName("--retry: cause", cause, FAILED_CAUSES)
    return Retry(everything, named)


def _print_state(state: State, folder: str, *, as_json: bool) -> None:
    """Say what the cache now has, and where failures are listed."""
    loading.say_by_id(state)
    if state.failures:
        logger.warning("%d samples failed; listed in %s/failures.csv", state.failed_samples, folder)
    if as_json:
        o.print_json({"run": folder, **state.to_json()})
        return
    width = max([28, *map(len, state.coverage)])
    print(f"{'feature':{width}} {'OK':>8} {'ABSENT':>8} {'FAILED':>8}")
    for name, coverage in state.coverage.items():
        absent, bad = sum(coverage.absent.values()), sum(coverage.failed.values())
        causes = ", ".join(
            f"{n} {cause}" for cause, n in {**coverage.absent, **coverage.failed}.items()
        )
        print(f"{name:{width}} {coverage.ok:8} {absent:8} {bad:8}  {causes}".rstrip())
