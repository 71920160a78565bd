"""`caption`: a sentence about each clip."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands import encoders as e
from commands import loading
from commands import options as o
from core.errors import UsageError
from core.log import logger

if TYPE_CHECKING:
    from corpus.sample import Sample
    from extract.captions import Caption
    from extract.encoders.encoding import Encoding

EXAMPLES = o.examples(
    "caption demo/new/new-1.mp4 demo/new/new-2.mp4",
    "caption --manifest demo/new.csv --by spacetimegpt@first3s --out captions.csv",
)
SOME_FAILED = 3
COLUMNS = ("id", "caption", "status", "cause", "reason")


def run(
    videos: Annotated[
        list[Path] | None, typer.Argument(help="clips; or use --manifest", metavar="VIDEO...")
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option("--manifest", help="caption the rows of a table", metavar="TABLE")
    ] = None,
    by: Annotated[
        str,
        typer.Option(
            "--by",
            help="who writes, of the whole video or its opening seconds (spacetimegpt@first3s)",
            metavar="NAME",
        ),
    ] = "spacetimegpt",
    beams: Annotated[
        int | None,
        typer.Option("--beams", help="width of the search  [default: NAME's]", min=1, metavar="N"),
    ] = None,
    min_tokens: Annotated[
        int | None,
        typer.Option("--min-tokens", help="no shorter  [default: NAME's]", min=0, metavar="N"),
    ] = None,
    max_tokens: Annotated[
        int | None,
        typer.Option("--max-tokens", help="no longer  [default: NAME's]", min=0, metavar="N"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="CSV to write  [default: stdout]", metavar="FILE")
    ] = None,
    source: o.SourceOption = "generic",
    columns: o.ColumnsOption = None,
    root: o.RootOption = None,
    skip_bad_rows: o.SkipBadRowsOption = False,
    cache: o.CacheOption = o.DEFAULT_CACHE,
    decoder: o.DecoderOption = "pyav",
    weights: e.WeightsOption = None,
    dtype: e.DtypeOption = "auto",
    quantize: e.QuantizeOption = "none",
    device: e.DeviceOption = None,
    workers: o.WorkersOption = None,
    batch_size: Annotated[
        int, typer.Option("--batch-size", help="clips per forward; no effect on captions", min=1)
    ] = 8,
    time_limit: o.TimeLimitOption = 120.0,
    memory_limit: o.MemoryLimitOption = 4.0,
    as_json: o.JsonOption = False,
) -> int:
    """Write a sentence about each clip, or about each row of a table.

    Captions are a feature as others are: they are kept in the cache, and text encoders read them,
    as in `extract --features e5:spacetimegpt/caption`. A clip that cannot be read is a row with its
    cause, and the exit code is 3.
    """
    from extract.captions import captions_of, request_of, to_json
    from extract.ensure import OpenCache

    if bool(videos) == (manifest is not None):
        raise UsageError("name either clips or a table: caption VIDEO..., or --manifest TABLE")
    loading.refuse_as_clips(videos or [])
    if out is not None:
        for read in [manifest] if manifest else videos or []:
            loading.refuse_overwriting(out, read, what="table" if manifest else "clip")
    length = {"beams": beams, "least": min_tokens, "most": max_tokens}
    encoding = e.encoding(cache, weights, dtype, quantize, device)
    encoding = _with_length(encoding, length)
    clips = _samples(videos or [])
    samples, texts = list({sample.id: sample for sample in clips.values()}.values()), []
    if manifest is not None:
        reading = loading.TableOptions(manifest, source, columns, root, skip_bad_rows)
        table = loading.load_manifest(reading)
        samples, texts = list(table.samples), list(table.columns.text)
    request = request_of(by, encoding=encoding, decoder=decoder, texts=texts)
    settings = loading.settings(
        workers, batch_size, decoder, time_limit, memory_limit, device=device
    )
    found = captions_of(samples, request, OpenCache.at(cache, samples), settings)
    if clips:
        by_id = {caption.id: caption for caption in found}
        found = [replace(by_id[clips[video].id], id=str(video)) for video in clips]
    if as_json:
        o.print_json(to_json(request, found))
    _write(found, out, shown=not as_json)
    return SOME_FAILED if any(each.status == "FAILED" for each in found) else 0


def _with_length(encoding: Encoding, length: dict[str, int | None]) -> Encoding:
    """Return how encoders compute, with what was said of the length of captions."""
    given = {name: number for name, number in length.items() if number is not None}
    return replace(encoding, length=given)


def _samples(videos: Sequence[Path]) -> dict[Path, Sample]:
    """Return what each clip is in the cache.

    Raises:
        UsageError: if one is named twice.
    """
    from corpus.sample import Sample
    from serve.clips import clip_id

    if twice := sorted(str(video) for video in set(videos) if videos.count(video) > 1):
        raise UsageError("; ".join(f"{video} is named twice" for video in twice))
    return {video: Sample(id=clip_id(video), video=video) for video in videos}


def _write(captions: Sequence[Caption], out: Path | None, *, shown: bool) -> None:
    """Write `id,caption,status,cause,reason` with a line for every clip, whatever became of it."""
    from core.files import write_text

    lines = io.StringIO()
    writer = csv.DictWriter(lines, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(vars(caption) for caption in captions)
    if out is not None:
        write_text(out, lines.getvalue())
        without = sum(caption.status != "OK" for caption in captions)
        logger.info("%d rows, %d without a caption: %s", len(captions), without, out)
    elif shown:
        print(lines.getvalue(), end="")
