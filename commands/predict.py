"""`predict`: what a fitted run says of new clips."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands import encoders as e
from commands import loading
from commands import options as o
from core.errors import UnknownName, UsageError
from core.log import logger

if TYPE_CHECKING:
    from corpus.sample import Sample
    from heads.bundle import Bundle
    from serve.predictor import Predicted, Predictor

EXAMPLES = o.examples(
    'predict var/first demo/new/new-1.mp4 --title "Wait for it!" --field category=pets',
    "predict var/first --manifest demo/new.csv --out predictions.csv",
)
SOME_FAILED = 3
COLUMNS = ("id", "predicted", "status", "reason")


def run(
    run: o.RunArgument,
    video: Annotated[
        Path | None, typer.Argument(help="one clip; or use --manifest", metavar="VIDEO")
    ] = None,
    title: Annotated[str | None, typer.Option("--title", help="the clip's title")] = None,
    description: Annotated[
        str | None, typer.Option("--description", help="the clip's description")
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option(
            "--field",
            help="another text, number or category; may be repeated",
            metavar="NAME=VALUE",
        ),
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option("--manifest", help="predict the rows of a table", metavar="TABLE")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="with --manifest: CSV to write, - for stdout  [default: -]",
            metavar="FILE",
        ),
    ] = None,
    views: Annotated[
        bool,
        typer.Option("--views", help="curves p1, p2, ... of popularity: tell them as views"),
    ] = False,
    source: o.RunSourceOption = None,
    columns: o.RunColumnsOption = None,
    root: o.RootOption = None,
    skip_bad_rows: o.SkipBadRowsOption = False,
    cache: o.CacheOption = o.DEFAULT_CACHE,
    weights: e.WeightsOption = None,
    device: e.DeviceOption = None,
    workers: o.WorkersOption = None,
    time_limit: o.TimeLimitOption = 120.0,
    memory_limit: o.MemoryLimitOption = 4.0,
    as_json: o.JsonOption = False,
) -> int:
    """Predict one clip with its text, or all rows of a table.

    Features come from the cache where it has them and are kept there where it does not. A clip that
    cannot be read has no prediction but a reason, and the exit code is 3.
    """
    from serve.predictor import Predictor
    from serve.views import in_views

    said = {"title": title, "description": description}
    given = o.assignments(field, "--field") | {name: text for name, text in said.items() if text}
    _check_asked(video, manifest, given, out)
    predictor = Predictor(run, o.assignments(weights, "--weights"))
    settings = loading.settings(workers, 8, "pyav", time_limit, memory_limit, device=device)
    if manifest is None:
        predicted = predictor.predict([_sample(video, given, predictor)], cache, settings)
    else:
        reading = loading.TableOptions(manifest, source or "generic", columns, root, skip_bad_rows)
        if source is None and columns is None:
            reading = loading.as_fitted(run, reading, predictor.reads)
        predicted = predictor.predict(loading.load_manifest(reading).samples, cache, settings)
        loading.say_by_id(predicted.state)
    predicted = in_views(predicted, predictor.bundle) if views else predicted
    if manifest is None:
        name = "text" if video is None else video.name
        _print_one({**predicted.rows(predictor.bundle)[0], "id": name}, predictor, as_json=as_json)
    else:
        _write_table(predicted, predictor.bundle, out, as_json=as_json)
    return SOME_FAILED if predicted.failures else 0


def _check_asked(
    video: Path | None, manifest: Path | None, given: Mapping[str, str], out: Path | None
) -> None:
    """Make sure that either a clip (or its texts alone) or a table is to be predicted."""
    if manifest is not None and given:
        raise UsageError("--title, --description and --field go with one clip, not with --manifest")
    if (manifest is None) == (video is None and not given):
        raise UsageError("name either one clip or a table: predict RUN VIDEO, or --manifest TABLE")
    if manifest is None and out is not None:
        raise UsageError("--out goes with --manifest; one clip's prediction goes to stdout")
    loading.refuse_as_clips([video] if video else [])
    if manifest is not None and out is not None:
        loading.refuse_overwriting(out, manifest)


def _sample(video: Path | None, given: Mapping[str, str], predictor: Predictor) -> Sample:
    """Make a sample of a clip and what was said of it; what the run does not read is refused."""
    from corpus.sample import MEDIA_PARTS, Sample
    from serve.clips import clip_id

    media = sorted(predictor.reads & MEDIA_PARTS.keys())
    if video is None and media:
        raise UsageError(f"the run reads {' and '.join(media)} of a clip: predict RUN VIDEO ...")

    text: dict[str, str] = {}
    meta: dict[str, float | str] = {}
    numbers = predictor.numbers
    for name, value in given.items():
        if f"text:{name}" in predictor.reads:
            text[name] = value
        elif f"meta:{name}" not in predictor.reads:
            known = [part.partition(":")[2] for part in predictor.reads if ":" in part]
            raise UnknownName("--field", name, known, "The run does not read it")
        else:
            meta[name] = _number(name, value) if name in numbers else value
    name = "text" if video is None else clip_id(video)
    return Sample(id=name, video=video, text=text, meta=meta)


def _number(name: str, value: str) -> float:
    from corpus.cells import BadCell, number_of

    try:
        number = number_of(value)
    except BadCell:
        number = None
    if number is None:
        raise UsageError(
            f"--field {name}={value!r} is not a number, and the run needs one; leave the field "
            "away if it is not known"
        )
    return number


def _print_one(result: Mapping[str, Any], predictor: Predictor, *, as_json: bool) -> None:
    """Print number, unit, interval and what was missing of one clip."""
    if as_json:
        o.print_json(result)
        return
    if result["reason"]:
        print(f"{result['id']}: no prediction: {result['reason']}")
        return
    print(f"{result['target']} {_shown(result['value'])}")
    intervals = predictor.bundle.intervals
    if intervals and result["low"] is not None:
        ends = f"from {_shown(result['low'])} to {_shown(result['high'])}"
        print(f"  {intervals.level:.0%} interval {ends}".replace("%", " %"))
    for name, share in result.get("probabilities", {}).items():
        print(f"  {name:20} {share:.3f}")
    if result["missing"]:
        print(f"missing: {', '.join(result['missing'])}")


def _shown(value: float | str | list[float | None] | None) -> str:
    """Return a predicted number, class, or sequence as people read it."""
    if isinstance(value, list):
        return " ".join(_shown(item) for item in value)
    if value is None:
        return "undefined"
    return f"{value:.4g}" if isinstance(value, float) else value


def _write_table(predicted: Predicted, bundle: Bundle, out: Path | None, *, as_json: bool) -> None:
    """Write a line for every row, whatever became of it; `-` is stdout.

    The columns are `id,predicted,status,reason` and what is known beside the prediction.
    """
    from core.files import write_text

    rows, beside = predicted.table(), predicted.beside(bundle)
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow([*COLUMNS, *beside])
    writer.writerows([*row, *more] for row, *more in zip(rows, *beside.values(), strict=True))
    to_stdout = out is None or out == Path("-")
    if to_stdout and not as_json:
        print(lines.getvalue(), end="")
    if out is not None and not to_stdout:
        write_text(out, lines.getvalue())
        logger.info("%d rows, %d without a prediction: %s", len(rows), len(predicted.failures), out)
    if as_json:
        told = zip(predicted.rows(bundle), rows, strict=True)
        o.print_json(
            [{**one, "predicted": cell, "status": status} for one, (_, cell, status, _) in told]
        )
