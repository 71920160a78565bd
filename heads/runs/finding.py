"""The runs below some folders: finished fits, fits that did not end, and runs of other commands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import RunError
from core.runs import read_run
from heads.runs.reading import FitRun, read_fit
from scoring.board import Unranked

_DEPTH = 3  # folders below the given one that are searched
_WHY = {
    "running": "it still runs, or was killed",
    "interrupted": "it was interrupted; the same command with the same --out fits again",
    "failed": "it failed",
}


@dataclass(frozen=True)
class Found:
    """The runs below some folders.

    other  by command, the number of runs that are no fits
    """

    fits: Sequence[FitRun]
    unranked: Sequence[Unranked]
    other: Mapping[str, int]


def find_runs(folders: Sequence[Path]) -> Found:
    """Read the runs that some folders are or hold, in the order of their names.

    Raises:
        RunError: if a folder is no run and holds none.
    """
    fits: dict[Path, FitRun] = {}
    unranked: dict[Path, Unranked] = {}
    other: Counter[str] = Counter()
    for run in dict.fromkeys(path for folder in folders for path in _runs_in(folder)):
        try:
            record = read_run(run)
            if record.get("command") != "fit-head":
                other[str(record.get("command"))] += 1
            elif record.get("state") == "done":
                fits[run] = read_fit(run)
            else:
                unranked[run] = _unfinished(run, record)
        except RunError as error:
            unranked[run] = Unranked(str(run), "unreadable", "", str(error))
    return Found(tuple(fits.values()), tuple(unranked.values()), dict(other))


def _runs_in(folder: Path) -> list[Path]:
    found = list(_search(folder, _DEPTH))
    if not found:
        raise RunError(f"{folder} is no run folder and holds none; `fit-head` prints what it makes")
    return found


def _search(folder: Path, depth: int) -> Iterator[Path]:
    """Yield a folder that has a `run.json`, or those below it that have one."""
    if (folder / "run.json").is_file():
        yield folder
    elif depth and folder.is_dir():
        for below in sorted(folder.iterdir()):
            yield from _search(below, depth - 1)


def _unfinished(run: Path, record: Mapping[str, object]) -> Unranked:
    state = str(record.get("state"))
    said = str(record.get("error") or "").partition("\n")[0]
    why = f"{_WHY.get(state, 'unknown state')}{': ' + said if said else ''}"
    return Unranked(str(run), state, str(record.get("started") or ""), why)
