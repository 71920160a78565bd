"""`leaderboard`: finished runs beside one another, each board on the same rows."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands import leaderboard_epochs, reporting
from commands import options as o
from core.errors import UsageError
from core.log import logger

if TYPE_CHECKING:
    from heads.runs.finding import Found
    from scoring.board import Board, Entry
    from scoring.bootstrap import Score

EXAMPLES = o.examples(
    "leaderboard",
    "leaderboard var/first var/runs --metric mae --html var/leaderboard.html",
)


def run(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(
            help="run folders, or folders that hold some  [default: var/runs]", metavar="RUNS"
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            help="what sorts, where the task has it  [default: srocc, accuracy or amae]",
            metavar="NAME",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", help="write a page that compares the runs", metavar="FILE"),
    ] = None,
    table: Annotated[
        Path | None, typer.Option("--csv", help="write a line for each run", metavar="FILE")
    ] = None,
    from_day: Annotated[
        int | None,
        typer.Option("--from-day", help="curves: score days from this one of the table on", min=1),
    ] = None,
    to_day: Annotated[
        int | None, typer.Option("--to-day", help="curves: score days up to this one", min=1)
    ] = None,
    epochs: Annotated[
        bool,
        typer.Option("--epochs", help="rank the epochs that lstm runs kept, by validation rows"),
    ] = False,
    as_json: o.JsonOption = False,
) -> int:
    """Rank finished runs, each beside those scored on the same rows.

    A difference to the best run is paired and has a 95 % interval. Runs that did not end are listed
    with their state. With --from-day or --to-day, runs of curves are scored on those days alone.
    """
    from core.files import write_text
    from core.runs import RUNS
    from heads.runs.board import boards
    from heads.runs.finding import find_runs

    found = find_runs(runs or [RUNS])
    for place in (html, table):
        reporting.refuse_tables(place, found.fits)
    if epochs and (html or metric):
        raise UsageError("--epochs has no page and its own order: leave out --html and --metric")
    if epochs:
        return leaderboard_epochs.show(found.fits, (from_day, to_day), table, as_json=as_json)
    if from_day or to_day:
        found = leaderboard_epochs.windowed(found, (from_day, to_day))
    made = boards(found.fits, metric, detailed=html is not None)
    if html is not None:
        reporting.write_comparison(found, made, html, metric=metric)
    if table is not None:
        write_text(table, _csv(made))
    _warn(made, found, metric)
    if as_json:
        o.print_json(
            {
                "boards": [board.to_json() for board in made],
                "unranked": [run.to_json() for run in found.unranked],
                "other_runs": dict(found.other),
            }
        )
        return 0
    _print(made, found)
    return 0


def _warn(made: Sequence[Board], found: Found, metric: str | None) -> None:
    """Say which boards lack the metric that was asked for, and which are of too few rows."""
    fits = {str(fit.folder): fit for fit in found.fits}
    for board in made:
        if metric and board.metric != metric:
            logger.warning("%s has no %s: by %s", board.target, metric, board.metric)
        if few := reporting.too_few(fits[board.entries[0].folder]):
            logger.warning("%s (%s): %s", board.target, board.digest, few)


def _print(made: Sequence[Board], found: Found) -> None:
    for board in made:
        print("\n".join(lines_of(board)), end="\n\n")
    for lost in found.unranked:
        print(f"{lost.state:11} {lost.folder} {lost.started[:16]}: {lost.why}")
    reporting.tell_others(found)


def lines_of(board: Board) -> list[str]:
    """Return a board as aligned columns."""
    from scoring.board_page import seconds_text, short_list

    arrow = "more" if _higher(board.metric) else "less"
    lines = [
        f"{board.target}, {board.task}: {board.rows} rows ({board.digest}), "
        f"by {board.metric} ({arrow} is better)"
    ]
    lines += [
        f"  other rows than the board {digest} ({shared} shared): do not compare"
        for digest, shared in board.others.items()
    ]
    heading = ["", "run", "head", board.metric, "", "behind the best", "", "baselines"]
    heading += ["took", "day", "features"]
    rows = [
        [
            str(rank),
            entry.name,
            entry.head,
            *_value(entry.scores[board.metric]),
            *_gap(entry),
            " ".join(f"{n} {_value(s[board.metric])[0]}" for n, s in entry.baselines.items()),
            seconds_text(entry.seconds),
            entry.started[:10],
            short_list(entry.features, 4),
        ]
        for rank, entry in enumerate(board.entries, 1)
    ]
    widths = [max(len(row[at]) for row in [heading, *rows]) for at in range(len(heading))]
    for row in [heading, *rows]:
        cells = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        lines.append(("  " + "  ".join(cells)).rstrip())
    return lines


def _higher(metric: str) -> bool:
    from scoring.bootstrap import METRICS

    return METRICS[metric].higher_is_better


def _value(score: Score) -> tuple[str, str]:
    value, low, high = (_number(one) for one in (score.value, score.low, score.high))
    return value, f"[{low}, {high}]"


def _gap(entry: Entry) -> tuple[str, str]:
    if entry.gap is None:
        return "", "best"
    value, around = _value(entry.gap.difference)
    return value, f"{around} {entry.standing}"


def _number(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else "undefined"


def _csv(made: Sequence[Board]) -> str:
    """Return a line for each run, with what its board is."""
    baselines = dict.fromkeys(
        name for board in made for entry in board.entries for name in entry.baselines
    )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["target", "task", "rows", "rows_digest", "metric", "rank", "run", "head", "value", "low"]
        + ["high", "behind_best", "behind_low", "behind_high", "standing"]
        + [f"baseline_{name}" for name in baselines]
        + ["features", "seconds", "started"]
    )
    for board in made:
        where = [board.target, board.task, board.rows, board.digest, board.metric]
        for rank, entry in enumerate(board.entries, 1):
            behind = entry.gap.difference if entry.gap else None
            writer.writerow(
                [*where, rank, entry.folder, entry.head, *_cells(entry.scores[board.metric])]
                + [*_cells(behind), entry.standing]
                + [_cells(entry.baselines.get(n, {}).get(board.metric))[0] for n in baselines]
                + [" ".join(entry.features), entry.seconds, entry.started]
            )
    return text.getvalue()


def _cells(score: Score | None) -> list[float | str]:
    """Return value, low and high, "" for what is undefined."""
    if score is None:
        return ["", "", ""]
    return [x if math.isfinite(x) else "" for x in (score.value, score.low, score.high)]
