"""A fit read back from its run folder: what it says of itself, its scored rows, its curves."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import RunError
from core.runs import read_run
from heads.result import Scored
from heads.tuning.trials import TRIAL_COLUMNS, Trial, Tuned
from scoring.bootstrap import Score

EPOCHS = "epochs"  # the folder of a run that kept the weights of each

# The keys of metrics.json without which nothing can be said of a fit.
_NEEDED = {"target", "task", "head", "features", "classes", "metrics", "baselines", "rows", "split"}


@dataclass(frozen=True, eq=False)
class FitRun:
    """A finished fit.

    record   the content of `run.json`
    content  the content of `metrics.json`
    steps    of the days that were predicted, those that are looked at; None is all of them
    """

    folder: Path
    record: Mapping[str, Any]
    content: Mapping[str, Any]
    steps: slice | None = None

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.resolve().name

    @property
    def target(self) -> str:
        """The column that is predicted."""
        return str(self.content["target"])

    @property
    def task(self) -> str:
        """One of `heads.contract.TASKS`."""
        return str(self.content["task"])

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names in the order of probabilities; none for numbers."""
        return tuple(self.content["classes"])

    @property
    def features(self) -> tuple[str, ...]:
        """What the head reads."""
        return tuple(self.content["features"])

    @cached_property
    def scores(self) -> dict[str, Score]:
        """The scores by metric."""
        return _scores(self.content["metrics"])

    @cached_property
    def baselines(self) -> dict[str, dict[str, Score]]:
        """The scores of each baseline by metric."""
        return {name: _scores(given) for name, given in self.content["baselines"].items()}

    @cached_property
    def scored(self) -> Scored:
        """The rows that were scored.

        Raises:
            RunError: if `predictions.csv` is not there or not what it says it is.
        """
        scored = read_scored(self.folder / "predictions.csv", as_classes=bool(self.classes))
        return scored if self.steps is None else _of_steps(scored, self.steps)

    @cached_property
    def history(self) -> list[dict[str, float | str]]:
        """The rows of the training curves; empty where there are none."""
        return read_history(self.folder / "history.csv")

    @cached_property
    def tuned(self) -> list[Tuned]:
        """The options that were tried in each fold; empty where none were."""
        return read_trials(self.folder / "trials.csv")

    def labels(self) -> np.ndarray:
        """Return the class of each scored row as an index, int64 [M]."""
        place = {name: index for index, name in enumerate(self.classes)}
        return np.array([place[name] for name in self.scored.target.tolist()], np.int64)


def read_fit(folder: Path) -> FitRun:
    """Read a finished fit; its rows and curves are read when they are asked for.

    Raises:
        RunError: if the folder holds no finished fit that can be read.
    """
    record = read_run(folder)
    if record.get("command") != "fit-head":
        raise RunError(f"{folder} is a run of {record.get('command')!r}, not of fit-head")
    if record.get("state") != "done":
        raise RunError(f"{folder} is not finished: its run.json says {record.get('state')!r}")
    try:
        content = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{folder} has no readable metrics.json: fit it again") from error
    lacking = _NEEDED - content.keys() if isinstance(content, dict) else _NEEDED
    if lacking:
        words = ", ".join(sorted(lacking))
        raise RunError(f"{folder}/metrics.json lacks {words}: it was fitted by older code; again")
    return FitRun(folder, record, content)


def read_scored(path: Path, *, as_classes: bool) -> Scored:
    """Read `predictions.csv` as `heads.runs.files.predictions_csv` writes it.

    Raises:
        RunError: if it is not there or not what it should be.
    """
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            header, *rows = csv.reader(stream)
        columns = dict(zip(header, zip(*rows, strict=True), strict=True))
        return _scored(columns, as_classes=as_classes)
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise RunError(
            f"{path} is not as fit-head writes it ({error}); fit the run again"
        ) from error


def read_history(path: Path) -> list[dict[str, float | str]]:
    """Read `history.csv`: numbers, and the name of the fold; a cell that is empty is left out.

    Raises:
        RunError: if it cannot be read.
    """
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            return [
                {
                    name: cell if name == "fold" else float(cell)
                    for name, cell in row.items()
                    if cell
                }
                for row in csv.DictReader(stream)
            ]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise RunError(f"{path} cannot be read: {error}") from error


def read_trials(path: Path) -> list[Tuned]:
    """Read `trials.csv` as `heads.runs.files.trials_csv` writes it; nothing where it is not there.

    Raises:
        RunError: if it cannot be read.
    """
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        folds = dict.fromkeys(row["fold"] for row in rows)
        return [Tuned(f, tuple(_trial(row) for row in rows if row["fold"] == f)) for f in folds]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise RunError(
            f"{path} is not as fit-head writes it ({error}); fit the run again"
        ) from error


def _trial(row: Mapping[str, str]) -> Trial:
    cells = [(name, cell) for name, cell in row.items() if name not in TRIAL_COLUMNS]
    return Trial(
        number=int(row["trial"]),
        state=row["state"],
        loss=float(row["loss"] or "nan"),
        seconds=float(row["seconds"]),
        options={name: None if cell == "auto" else float(cell) for name, cell in cells},
        reason=row["reason"],
    )


def _of_steps(scored: Scored, steps: slice) -> Scored:
    """Return the same rows with some of their days."""
    cut: dict[str, Any] = {
        name: None if (values := getattr(scored, name)) is None else values[:, steps]
        for name in ("target", "predicted", "low", "high")
    }
    return replace(scored, **cut)


def _scored(columns: Mapping[str, Sequence[str]], *, as_classes: bool) -> Scored:
    shares = _numbers(columns, "probability")
    target, predicted = (
        _texts(columns, kind) if as_classes else _numbers(columns, kind)
        for kind in ("target", "predicted")
    )
    if target is None or predicted is None:
        raise ValueError("it has no column of targets or of predictions")
    return Scored(
        ids=np.array(columns["id"], np.str_),
        fold=np.array(columns["fold"], np.str_),
        target=target,
        predicted=predicted,
        low=_numbers(columns, "low"),
        high=_numbers(columns, "high"),
        probabilities=None if shares is None else shares.reshape(len(shares), -1),
        group=np.array(columns["group"], np.str_) if "group" in columns else None,
    )


def _numbers(columns: Mapping[str, Sequence[str]], kind: str) -> np.ndarray | None:
    """Return the columns called `kind (...)`: [M], or [M, T] of several; None of none."""
    found = [
        np.array([cell or "nan" for cell in cells]).astype(np.float64)
        for name, cells in columns.items()
        if name.startswith(f"{kind} (")
    ]
    if not found:
        return None
    return found[0] if len(found) == 1 else np.stack(found, axis=1)


def _texts(columns: Mapping[str, Sequence[str]], kind: str) -> np.ndarray | None:
    for name, cells in columns.items():
        if name.startswith(f"{kind} ("):
            return np.array(cells, np.str_)
    return None


def _scores(stored: Mapping[str, Any]) -> dict[str, Score]:
    return {name: Score.from_json(score) for name, score in stored.items()}
