"""`--observed-days`: how many days of a curve are known, and runs that know more or fewer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from commands import loading
from core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from scoring.board import Board

ObservedDaysOption = Annotated[
    str | None,
    typer.Option(
        "--observed-days",
        help="of a curve p1..pT, days 1 to K are known and the rest is predicted; 0,1 fits a run "
        "without and one with day 1, below --out, and compares them  [default: as --target says]",
        metavar="K",
    ),
]


def observed(
    reading: loading.TableOptions, target: str, days: str | None
) -> tuple[loading.TableOptions, str, tuple[str, ...]]:
    """Return how to read a table whose first days are known, what is left, and the known columns.

    The target `p` with 1 day known becomes `p2..p30` and p1.

    Raises:
        UsageError: if the target is no curve, or too few of its days are left.
        TableError: if the table's columns are not what they should be.
    """
    if days is None:
        return reading, target, ()
    from corpus.columns import Columns
    from corpus.rows import resolve_columns
    from corpus.sources.catalog import SOURCES
    from corpus.steps import divided

    source = SOURCES.load(reading.source)
    table = source.read(reading.path)
    known, rest = divided(target, int(days), table.columns)
    given = reading.columns
    columns = Columns.parse(given) if isinstance(given, str) else given
    resolved = resolve_columns(table, columns, source)
    numbers = tuple(dict.fromkeys((*resolved.number, *known)))
    return replace(reading, columns=replace(resolved, number=numbers)), rest, tuple(known)


def contexts(
    context: typer.Context, observed_days: str | None, out: Path | None
) -> list[typer.Context]:
    """Return the command's context once for each number of observed days, each with its own --out.

    Raises:
        UsageError: if one is no whole number or is there twice, or several have no --out.
    """
    if observed_days is None:
        return [context]
    asked = [word.strip() for word in observed_days.split(",")]
    if not all(word.isdecimal() for word in asked) or len(set(asked)) < len(asked):
        raise UsageError(
            f"--observed-days {observed_days!r} is not a number of days such as 1, or 0,1"
        )
    if len(asked) == 1:
        return [context]
    if out is None:
        raise UsageError("several --observed-days make several runs: name their folder with --out")
    made = []
    for days in asked:
        each = typer.Context(context.command, parent=context.parent, info_name=context.info_name)
        own = {"observed_days": days, "out": out / f"observed{days}"}
        each.params = {**context.params, **own}
        made.append(each)
    return made


def compared(folders: Sequence[Path]) -> list[Board]:
    """Return a board for each first day: the runs that predict it and all days behind it."""
    from heads.runs.board import boards
    from heads.runs.reading import read_fit
    from heads.runs.window import days_of as predicted_days
    from heads.runs.window import windowed

    runs = [read_fit(folder) for folder in folders]
    made = []
    for first in sorted({predicted_days(run).start for run in runs}):
        able = [run for run in runs if predicted_days(run).start <= first]
        cut = [each for run in able if (each := windowed(run, first, None)) is not None]
        made += boards(cut)
    return made
