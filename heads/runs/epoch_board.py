"""The epochs of runs that kept them, by how well each predicted the validation rows of its fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from corpus.steps import first_step
from heads.networks.epoch_files import epoch_file, read_epochs
from heads.runs.reading import EPOCHS, FitRun
from heads.runs.window import steps_within
from scoring.regression import amae, amse, asrc


@dataclass(frozen=True)
class EpochScore:
    """One epoch of one fold.

    file     its weights
    chosen   whether this is the epoch whose weights the fold went on with
    """

    run: str
    fold: str
    epoch: int
    amae: float
    amse: float
    asrc: float
    from_day: int
    to_day: int
    chosen: bool
    file: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def epoch_scores(
    runs: Sequence[FitRun], first: int | None = None, last: int | None = None
) -> list[EpochScore]:
    """Return the epochs of some runs, the smallest AMAE first, over the table's days of a window.

    Rows are those that chose, never those that judge: choosing an epoch by a test score would make
    that score too good.

    Raises:
        RunError: if the files of an epoch cannot be read.
    """
    found = [
        score
        for run in runs
        for fold in _folds(run.folder / EPOCHS)
        for score in _of_fold(run, fold, first, last)
    ]
    return sorted(found, key=lambda score: score.amae)


def _folds(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _of_fold(run: FitRun, fold: Path, first: int | None, last: int | None) -> list[EpochScore]:
    target, epochs = read_epochs(fold)
    start = first_step(run.target)
    steps = steps_within(range(start, start + target.shape[1]), first, last)
    if steps.start == steps.stop:
        return []
    losses = {
        int(row["epoch"]): float(row["valid_loss"])
        for row in run.history
        if row.get("fold") == fold.name and "epoch" in row
    }
    best = min(losses, key=lambda epoch: losses[epoch], default=0)
    pairs = {epoch: (target[:, steps], predicted[:, steps]) for epoch, predicted in epochs.items()}
    return [
        EpochScore(
            run=run.name,
            fold=fold.name,
            epoch=epoch,
            amae=amae(*pair),
            amse=amse(*pair),
            asrc=asrc(*pair),
            from_day=start + steps.start,
            to_day=start + steps.stop - 1,
            chosen=epoch == best,
            file=str(epoch_file(fold, epoch)),
        )
        for epoch, pair in pairs.items()
        if epoch in losses  # others are of a run that was given up in this folder
    ]
