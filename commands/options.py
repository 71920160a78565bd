"""Options that several commands share: one name, one meaning, one default."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from core.config import read_config
from core.errors import UsageError

_NOT_FED_BACK = {"config", "as_json", "dry_run", "out"}


def examples(*commands: str) -> str:
    """Return the examples at the end of a command's help, one line each; a test runs them."""
    return "Examples:\n\n\b\n" + "\n".join(f"  python cli.py {command}" for command in commands)


def _take_config(context: typer.Context, path: Path | None) -> Path | None:
    """Let a YAML file give the defaults of the command's options."""
    if path is not None:
        known = {parameter.name for parameter in context.command.params if parameter.name}
        context.default_map = read_config(path, known - {"config", "help"})
    return path


ManifestArgument = Annotated[
    Path, typer.Argument(help="table of videos: .csv, .tsv, .parquet or .jsonl", metavar="MANIFEST")
]
RunArgument = Annotated[Path, typer.Argument(help="folder of a fit-head run", metavar="RUN")]
CacheOption = Annotated[
    Path, typer.Option("--cache", help="where features are kept", metavar="DIR")
]
SourceOption = Annotated[
    str, typer.Option("--source", help="kind of table: generic or snapugc", metavar="NAME")
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
        "--features", help="comma-separated features or families, see `features`", metavar="NAMES"
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
SeedOption = Annotated[int, typer.Option("--seed", help="decides every random choice")]

DEFAULT_CACHE = Path("var/cache")


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


def print_json(value: Any) -> None:
    """Print a result to stdout as one JSON object; NaN, which JSON lacks, must be null already."""
    json.dump(value, sys.stdout, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")
