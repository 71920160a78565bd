"""`predict`: what a fitted run says of new clips."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands import encoders as e
from commands import loading
from commands import options as o
from core.errors import UnknownName, UsageError
from core.log import logger

if TYPE_CHECKING:
    from corpus.sample import Sample
    from serve.predictor import Predicted, Predictor

EXAMPLES = o.examples(
    'predict var/first demo/new/new-1.mp4 --title "Wait for it!" --field category=pets',
    "predict var/first --manifest demo/new.csv --out predictions.csv",
)
SOME_FAILED = 3


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
            "--out", help="with --manifest: CSV to write  [default: stdout]", metavar="FILE"
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

    if (video is None) == (manifest is None):
        raise UsageError("name either one clip or a table: predict RUN VIDEO, or --manifest TABLE")
    if video is not None and out is not None:
        raise UsageError("--out goes with --manifest; one clip's prediction goes to stdout")
    if manifest is not None and (field or title or description):
        raise UsageError("--title, --description and --field go with one clip, not with --manifest")
    predictor = Predictor(run, o.assignments(weights, "--weights"))
    settings = loading.settings(workers, 8, "pyav", time_limit, memory_limit, device=device)
    if video is not None:
        given = o.assignments(field, "--field")
        given |= {n: v for n, v in (("title", title), ("description", description)) if v}
        sample = _sample(video, given, predictor)
        predicted = predictor.predict([sample], cache, settings)
        predicted = in_views(predicted, predictor.bundle) if views else predicted
        _print_one(predicted, predictor, as_json=as_json)
        return SOME_FAILED if predicted.failures else 0
    assert manifest is not None
    reading = loading.TableOptions(manifest, source or "generic", columns, root, skip_bad_rows)
    if source is None and columns is None:
        reading = loading.as_fitted(run, reading, predictor.reads)
    predicted = predictor.predict(loading.load_manifest(reading).samples, cache, settings)
    predicted = in_views(predicted, predictor.bundle) if views else predicted
    _write_table(predicted, out, as_json=as_json)
    return SOME_FAILED if predicted.failures else 0


def _sample(video: Path, given: dict[str, str], predictor: Predictor) -> Sample:
    """Make a sample of a clip and what was said of it; what the run does not read is refused."""
    from corpus.sample import Sample

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
    return Sample(id=video.name, video=video, text=text, meta=meta)


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


def _print_one(predicted: Predicted, predictor: Predictor, *, as_json: bool) -> None:
    """Print number, unit, interval and what was missing of one clip."""
    result = predicted.rows(predictor.bundle)[0]
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


def _write_table(predicted: Predicted, out: Path | None, *, as_json: bool) -> None:
    """Write `id,predicted,status,reason` with a line for every row, whatever became of it."""
    from core.files import write_text

    rows = predicted.table()
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(["id", "predicted", "status", "reason"])
    writer.writerows(rows)
    if out is None and not as_json:
        print(lines.getvalue(), end="")
    if out is not None:
        write_text(out, lines.getvalue())
        logger.info("%d rows, %d without a prediction: %s", len(rows), len(predicted.failures), out)
    if as_json:
        keys = ("id", "predicted", "status", "reason")
        o.print_json([dict(zip(keys, row, strict=True)) for row in rows])
