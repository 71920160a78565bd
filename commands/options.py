"""Options that several commands share: one name, one meaning, one default."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.config import read_config
from core.errors import UsageError
from corpus.sources.catalog import SUMMARIES

if TYPE_CHECKING:
    from scoring.bootstrap import Score

_NOT_FED_BACK = {"config", "as_json", "dry_run", "out"}


def examples(*commands: str) -> str:
    """Return the examples at the end of a command's help, one line each; a test runs them."""
    return "Examples:\n\n\b\n" + "\n".join(f"  python cli.py {command}" for command in commands)


def _take_config(context: typer.Context, path: Path | None) -> Path | None:
    """Let a YAML file give the defaults of the command's options.

    It names them as the command line does (`set`) or as run records do (`options`).
    """
    if path is not None:
        named = {each.name: each for each in context.command.params if each.name != "help"}
        spelled = {option.strip("-"): each for each in named.values() for option in each.opts}
        known = {name.replace("-", "_"): each for name, each in {**spelled, **named}.items()}
        values = read_config(path, known.keys() - {"config"})
        context.default_map = {
            known[name].name: _as_typed(value, repeated=known[name].multiple)
            for name, value in values.items()
        }
    return path


def _as_typed(value: Any, *, repeated: bool) -> Any:
    """Return a value of a YAML file as the command line has it, where YAML says it in its own way.

    A list is what commas part; a mapping is NAME=VALUE, again and again, or what --columns takes.
    """
    if isinstance(value, dict) and repeated:
        return [f"{name}={each}" for name, each in value.items()]
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, list) and not repeated:
        return ",".join(map(str, value))
    return value


ManifestArgument = Annotated[
    Path,
    typer.Argument(
        help="table of videos: .csv, .tsv, .parquet or .jsonl; or a folder, see --source",
        metavar="MANIFEST",
    ),
]
RunArgument = Annotated[Path, typer.Argument(help="folder of a fit-head run", metavar="RUN")]
CacheOption = Annotated[
    Path, typer.Option("--cache", help="where features are kept", metavar="DIR")
]
SourceOption = Annotated[
    str,
    typer.Option(
        "--source",
        help="kind of table  [default: generic]\n\n\b\n"
        + "\n".join(f"{name:8} {summary}" for name, summary in SUMMARIES.items()),
        metavar="NAME",
        show_default=False,
    ),
]
RunSourceOption = Annotated[
    str | None, typer.Option("--source", help="kind of table  [default: the run's]", metavar="NAME")
]
ColumnsOption = Annotated[
    str | None,
    typer.Option(
        "--columns",
        help="which column is what: id=Id,video=path,text=title+description,number=duration, "
        "or a YAML file of the same  [default: columns named id, video, image, title, description, "
        "author, time, split]",
        metavar="SPEC",
    ),
]
RunColumnsOption = Annotated[
    str | None,
    typer.Option(
        "--columns",
        help="which column is what, as for `extract`  [default: as in the table that was learnt]",
        metavar="SPEC",
    ),
]
RootOption = Annotated[
    Path | None,
    typer.Option(
        "--root", help="folder that paths are relative to  [default: the table's]", metavar="DIR"
    ),
]
SkipBadRowsOption = Annotated[
    bool, typer.Option("--skip-bad-rows", help="go on without rows that the table has wrong")
]
FeaturesOption = Annotated[
    str | None,
    typer.Option(
        "--features",
        help="comma-separated features, families or presets, of the whole video or its opening "
        "seconds (motion@first3s), see `features`",
        metavar="NAMES",
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers", help="decoding processes  [default: one per CPU]", min=1, metavar="N"
    ),
]
DecoderOption = Annotated[
    str, typer.Option("--decoder", help="pyav or decord; part of a feature's identity")
]
TimeLimitOption = Annotated[
    float, typer.Option("--time-limit", help="seconds that reading one sample may take", min=0.1)
]
MemoryLimitOption = Annotated[
    float, typer.Option("--memory-limit", help="GiB that one worker may take", min=0.25)
]
ShardFormatOption = Annotated[
    str,
    typer.Option(
        "--shard-format", help="h5, or tar for the package webdataset; no effect on values"
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out", help="run folder to make  [default: a new one in var/runs]", metavar="DIR"
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="YAML file of option values; options given here win",
        metavar="FILE",
        is_eager=True,
        callback=_take_config,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="print one JSON object to stdout")]
SeedOption = Annotated[  # scikit-learn takes 32 bits, LightGBM 31
    int,
    typer.Option("--seed", help="decides every random choice", min=0, max=2**31 - 1, metavar="N"),
]

DEFAULT_CACHE = Path("var/cache")
DEMO_TABLE = "demo/videos.csv --columns demo/columns.yaml"  # in examples, after `demo demo`


def resolved(context: typer.Context) -> dict[str, Any]:
    """Return the command's options as they were resolved, in the form that --config reads back."""
    return {name: value for name, value in context.params.items() if name not in _NOT_FED_BACK}


def names(text: str | None) -> list[str]:
    """Split a comma-separated option into its names.

    Raises:
        UsageError: if a name is empty.
    """
    if text is None:
        return []
    found = [name.strip() for name in text.split(",")]
    if not all(found):
        raise UsageError(f"{text!r} has an empty name; expected names separated by single commas")
    return found


def numbers(text: str, option: str) -> tuple[float, ...]:
    """Split a comma-separated option into numbers.

    Raises:
        UsageError: if one is not a number.
    """
    try:
        return tuple(float(item) for item in names(text))
    except ValueError as error:
        raise UsageError(f"{option} {text!r} is not a list of numbers such as 0.33,0.67") from error


def assignments(given: Sequence[str] | None, option: str) -> dict[str, str]:
    """Turn repeated NAME=VALUE options into a mapping.

    Raises:
        UsageError: if one has no name or no "=", or a name is given twice.
    """
    found: dict[str, str] = {}
    for item in given or ():
        name, equals, value = item.partition("=")
        if not name or not equals:
            raise UsageError(f"{option} {item!r} is not NAME=VALUE")
        if name in found:
            raise UsageError(f"{option} gives {name!r} twice")
        found[name] = value
    return found


def scores(given: Mapping[str, Score]) -> dict[str, Any]:
    """Return scores by metric as JSON has them; an undefined one is null."""
    return {name: score.to_json() for name, score in given.items()}


def score_line(name: str, score: Score) -> str:
    """Return `name value [low, high] n`."""
    value, low, high = (_shown(number) for number in (score.value, score.low, score.high))
    return f"{name:24} {value} [{low}, {high}] {score.n}"


def _shown(number: float) -> str:
    return f"{number:.4f}" if math.isfinite(number) else "undefined"


def print_json(value: Any) -> None:
    """Print a result to stdout as one JSON object; NaN, which JSON lacks, must be null already.

    It is ASCII, so that no locale and no file name that is not UTF-8 spoils it.
    """
    print(json.dumps(value, allow_nan=False))
