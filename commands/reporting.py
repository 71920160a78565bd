"""From a run folder and its table to the page: which rows, their texts, their frames."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands import loading
from core.errors import RunError
from core.log import logger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from corpus.sample import Sample
    from heads.runs.finding import Found
    from heads.runs.reading import FitRun
    from scoring.board import Board
    from scoring.report_data import Strip

OpenSamplesOption = Annotated[
    int,
    typer.Option(
        "--open-samples",
        help="of how many of the best and of the worst rows the report shows frames; 0 opens none",
        min=0,
        metavar="N",
    ),
]
DEFAULT_OPEN = 6


def write_page(
    folder: Path, samples: Sequence[Sample], *, open_samples: int, notes: tuple[str, ...] = ()
) -> Path:
    """Write a finished run's plots and report; `samples` are rows of its table, for the words."""
    from heads.runs.reading import read_fit
    from heads.runs.report import SHOWN, Outside, shown_rows, write_run_report

    run = read_fit(folder)
    if few := too_few(run):
        logger.warning("%s", few)
        notes = (few, *notes)
    shown = shown_rows(run, max(SHOWN, open_samples))
    by_id = {sample.id: sample for sample in samples}
    rows = [*shown.worst.tolist(), *shown.best.tolist()]
    texts = {name: by_id[name].text for name in map(str, run.scored.ids[rows]) if name in by_id}
    opened = [*shown.worst[:open_samples].tolist(), *shown.best[:open_samples].tolist()]
    wanted = [by_id[name] for name in map(str, run.scored.ids[opened]) if name in by_id]
    return write_run_report(run, shown, Outside(texts, _strips(wanted), notes))


def too_few(run: FitRun) -> str:
    """Return in words that a run scored too few rows, and how to score all; "" where it did not."""
    from scoring import bootstrap

    few = bootstrap.too_few(len(run.scored.ids), run.scored.group)
    folds = "kfold" in run.content["split"]["rule"] and run.content.get("fold") is None
    if not few or folds or run.scored.group is not None:  # folds of rows would part the groups
        return few
    return f"{few}; --split kfold:5 scores every row"


def _strips(samples: Sequence[Sample]) -> Mapping[str, Strip]:
    if not any(sample.video or sample.image for sample in samples):
        return {}
    from extract.strips import strips_of

    return strips_of(samples, workers=min(4, loading.cpu_count()))


def places_of(run: FitRun) -> list[tuple[Path, Path | None]]:
    """Return where a run's table, and the root of its files, may be, the likeliest first.

    That is where the run was started, or, as folders are moved and copied, above its own, or here.
    """
    config, started = run.record["config"], run.record["data"].get("started_in")
    homes = [*([Path(started)] if started else []), *run.folder.absolute().parents, Path.cwd()]
    table, root = Path(config["manifest"]), config.get("root")
    places = dict.fromkeys((home / table, home / root if root else None) for home in homes)
    there = [place for place in places if all(path.exists() for path in place if path)]
    return there or [(table, Path(root) if root else None)]


def refuse_tables(out: Path | None, runs: Iterable[FitRun]) -> None:
    """Make sure that a file to be written is not the table of a run.

    Raises:
        UsageError: if it is.
    """
    if out is None:
        return
    for table in (table for run in runs for table, _ in places_of(run)):
        loading.refuse_overwriting(out, table)


def tell_others(found: Found) -> None:
    """Say which runs are no fits, and so have no place on a board."""
    for command, count in found.other.items():
        logger.info("%d runs of %s are not shown", count, command)


def write_comparison(
    found: Found, made: Sequence[Board], place: Path, *, metric: str | None = None
) -> None:
    """Write the page of some boards, made in detail of the runs that were found.

    Raises:
        RunError: if none of them is a finished fit.
    """
    import shlex

    from core.files import write_text
    from scoring.board_page import render

    if not found.fits:
        other = [f"{count} runs of {command}" for command, count in found.other.items()]
        seen = [*other, *(f"{run.folder}: {run.why}" for run in found.unranked)]
        raise RunError(f"there is no finished run of fit-head to compare: {'; '.join(seen)}")
    folders = shlex.join(str(run.folder) for run in found.fits)
    again = f"python cli.py leaderboard {folders} --html {shlex.quote(str(place))}"
    if metric:
        again += f" --metric {shlex.quote(metric)}"
    write_text(place, render(made, found.unranked, [again]))
