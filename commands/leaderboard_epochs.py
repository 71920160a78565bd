"""`leaderboard --epochs`, and the days that `--from-day` and `--to-day` leave of runs of curves."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from commands import options as o
from core.errors import RunError, UsageError
from core.log import logger

if TYPE_CHECKING:
    from heads.runs.epoch_board import EpochScore
    from heads.runs.finding import Found
    from heads.runs.reading import FitRun

Window = tuple[int | None, int | None]
_HEADER = ["", "run", "fold", "epoch", "amae", "amse", "asrc", "days", ""]


def windowed(found: Found, window: Window) -> Found:
    """Return the runs of curves as if they had predicted no other days.

    Raises:
        UsageError: if the window ends before it begins.
        RunError: if no run predicts one of its days.
    """
    from heads.runs.window import windowed as cut

    _check(window)
    fits = [each for run in found.fits if (each := cut(run, *window)) is not None]
    if not fits:
        raise RunError("no run predicts a curve with one of these days; leave out --from-day")
    if len(fits) < len(found.fits):
        logger.info("%d runs predict none of these days", len(found.fits) - len(fits))
    return replace(found, fits=tuple(fits))


def show(runs: Sequence[FitRun], window: Window, table: Path | None, *, as_json: bool) -> int:
    """Print every epoch that runs kept, the best first, and write the lines of `table`.

    Raises:
        UsageError: if the window ends before it begins.
        RunError: if no run kept its epochs.
    """
    from core.files import write_text
    from heads.runs.epoch_board import epoch_scores

    _check(window)
    scores = epoch_scores(runs, *window)
    if not scores:
        raise RunError(
            "no run here kept an epoch with such days; `fit-head --head lstm` keeps them, unless "
            "told --no-keep-epochs"
        )
    if table is not None:
        write_text(table, _csv(scores))
    if as_json:
        o.print_json({"epochs": [_json(score) for score in scores]})
    else:
        print("\n".join(_lines(scores)))
    return 0


def _check(window: Window) -> None:
    first, last = window
    if first and last and last < first:
        raise UsageError(f"--to-day {last} is before --from-day {first}")


def _lines(scores: Sequence[EpochScore]) -> list[str]:
    rows = [_HEADER]
    for rank, score in enumerate(scores, 1):
        values = (_number(value) for value in (score.amae, score.amse, score.asrc))
        days, chosen = f"{score.from_day}..{score.to_day}", "chosen" if score.chosen else ""
        rows.append([str(rank), score.run, score.fold, str(score.epoch), *values, days, chosen])
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEADER))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _number(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else "undefined"


def _json(score: EpochScore) -> dict[str, object]:
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in score.to_json().items()
    }


def _csv(scores: Sequence[EpochScore]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(scores[0].to_json()), lineterminator="\n")
    writer.writeheader()
    writer.writerows({n: "" if v is None else v for n, v in _json(s).items()} for s in scores)
    return text.getvalue()
