"""Trials of options, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Options = Mapping[str, float | None]  # None is what the head itself chooses
DONE, STOPPED, FAILED = "done", "stopped", "failed"
TRIAL_COLUMNS = ("fold", "trial", "state", "loss", "chosen", "seconds", "reason")  # then options


@dataclass(frozen=True)
class Tuning:
    """That options are to be chosen.

    count  trials in each fold, the defaults among them
    place  the file that keeps them, so that a killed run goes on; None keeps them in memory
    """

    count: int
    place: Path | None = None


@dataclass(frozen=True)
class Trial:
    """One set of options and what came of it.

    state    "done", "stopped" (worse than others after as many epochs) or "failed"
    loss     of the validation rows; NaN unless done
    options  those that were tried
    reason   why it failed
    """

    number: int
    state: str
    loss: float
    seconds: float
    options: Options
    reason: str = ""


@dataclass(frozen=True)
class Tuned:
    """The trials of one fold, the defaults first."""

    fold: str
    trials: tuple[Trial, ...]

    @property
    def best(self) -> Trial | None:
        """The trial with the smallest loss, the first of equals; None where none is done."""
        done = [trial for trial in self.trials if trial.state == DONE]
        return min(done, key=lambda trial: trial.loss, default=None)

    @property
    def options(self) -> Options:
        """The options of the best trial."""
        return self.best.options if self.best else {}


def text_of(options: Options) -> str:
    """Return options as people read them, such as "rate 0.03, leaves auto"."""
    return ", ".join(f"{n} {'auto' if v is None else f'{v:g}'}" for n, v in options.items())
