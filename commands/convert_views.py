"""`convert-views`: turn a table's counts of views into popularity, day by day."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import typer

from commands import loading
from commands import options as o
from core.errors import UsageError
from core.log import logger

EXAMPLES = o.examples(
    "convert-views demo/views.csv demo/curves.csv --views v --counts cumulative",
    "convert-views demo/views.csv demo/week.csv --views v1..v5 --counts cumulative --json",
)


def run(
    table: o.ManifestArgument,
    out: Annotated[Path, typer.Argument(help="table to write: .csv", metavar="OUT")],
    views: Annotated[
        str,
        typer.Option("--views", help="columns of views: v1..v30, or v for all of them"),
    ],
    counts: Annotated[
        str,
        typer.Option(
            "--counts", help="cumulative: all views since the release; daily: those of the day"
        ),
    ],
    first_day: Annotated[
        str,
        typer.Option("--first-day", help="age in days at the first of them, or a column of ages"),
    ] = "1",
    as_json: o.JsonOption = False,
) -> int:
    """Turn counts of views into popularity, day by day.

    Popularity is log2(views / days + 1), with all views since the release and the age in days. The
    columns p1, p2, ... take the place of the counts, in their order; learn them with --task
    sequence --target p. Where a count is lacking, the cell is empty.
    """
    from core.files import replacing
    from corpus.popularity import ViewColumns, convert_views
    from corpus.table import read_table

    if out.suffix.lower() != ".csv":
        raise UsageError(f"{out} cannot be written; give the name of another table, such as p.csv")
    loading.refuse_overwriting(out, table)
    read = read_table(table)
    found = convert_views(read, ViewColumns.parse(views, counts, first_day, read))
    with replacing(out) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(found.columns)
        writer.writerows(zip(*found.columns.values(), strict=True))
    if found.falling and counts == "cumulative":
        logger.warning("in %d rows counts fall; a cumulative count rises", found.falling)
    if as_json:
        days = sum(name not in read.columns for name in found.columns)
        o.print_json(
            {"rows": len(read), "days": days, "gaps": found.gaps, "falling": found.falling}
        )
        return 0
    print(f"{len(read)} rows, {found.gaps} cells without a count, in {out}")
    return 0
