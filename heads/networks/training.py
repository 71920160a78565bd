"""The epochs of a torch network: seeded batches, a falling rate, an early stop, the best weights.

Validation rows choose how many epochs are good and how often the rate falls. Where those choices
are given (a fit on all rows), so many epochs are run, and the rate falls evenly to where it ended.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from core.errors import FitError
from heads.contract import FitReport
from heads.watch import tell

_FALLS = 2  # of the rate, where neither validation rows nor other folds tell how many


@dataclass(frozen=True)
class Course:
    """How a network learns.

    epochs     the most; validation rows stop earlier
    unstopped  epochs where there are no validation rows and nothing was chosen before
    batch      rows of a step; where they do not divide the rows, steps take a few more
    rate       of the first steps
    decay      on the weights: AdamW's own, or with `adam` L2 that is added to the gradient
    fall       what the rate is multiplied by after more than `hold` epochs without a better
               validation loss
    patience   epochs without a better validation loss, after which training stops
    clip       the longest gradient; None lets it be
    """

    epochs: int
    unstopped: int
    batch: int
    rate: float
    decay: float
    patience: int
    adam: bool = False
    fall: float = 0.2
    hold: int = 1
    clip: float | None = None


@dataclass(frozen=True)
class Lesson:
    """What a network learns from.

    rows         how many rows there are
    loss_of      the mean loss of some rows (int64 [B]), and the share of all steps that is done
    judge        the loss of the validation rows; None where there are none
    after_epoch  told the number of each epoch, from 1, when it is done
    """

    rows: int
    loss_of: Callable[[torch.Tensor, float], torch.Tensor]
    judge: Callable[[], float] | None = None
    after_epoch: Callable[[int], None] | None = None


@dataclass(frozen=True, eq=False)
class State:
    """What a training is at after an epoch: all that it takes to go on from there.

    words    numbers and the history, as JSON has them; "epoch" and "best" count from 1
    weights  of the network after this epoch
    best     of the network after the best epoch
    memory   of the optimiser, and torch's random state
    """

    words: Mapping[str, Any]
    weights: Mapping[str, torch.Tensor]
    best: Mapping[str, torch.Tensor]
    memory: Mapping[str, torch.Tensor]


class Keeper(Protocol):
    """Keeps the state of a training after each epoch."""

    def kept(self) -> State | None:
        """Return what was kept last; None where there is nothing to go on from."""
        ...

    def keep(self, state: State) -> None:
        """Keep the state after one more epoch."""
        ...


def train(
    network: nn.Module,
    lesson: Lesson,
    course: Course,
    *,
    fixed: Mapping[str, float],
    keeper: Keeper | None = None,
) -> FitReport:
    """Learn, and leave the network in eval mode with its best weights.

    `fixed` may hold the choices "epochs" and "falls" of the rate; then no validation row is asked.
    A `keeper` is told every epoch that validation rows judged, and where it has kept some of this
    training before, that is gone on from, to the same end.

    Raises:
        FitError: if the loss is not a finite number.
    """
    epochs, optimiser = _Epochs(network, lesson, course), _optimiser(network, course)
    if lesson.judge is None or "epochs" in fixed:
        count = fixed.get("epochs", float(course.unstopped))
        falls = fixed.get("falls", float(_FALLS))
        total = max(1, round(count))
        for epoch, done in enumerate(np.linspace(0, 1, total), 1):
            epochs.run(optimiser, epoch, total, course.rate * course.fall ** (falls * float(done)))
        return FitReport({"epochs": count, "falls": falls})
    watch = _Watch(course)
    before = keeper.kept() if keeper else None
    if before:
        watch.go_on(before, network, optimiser)
    while not watch.over:
        epoch, rate = watch.epoch + 1, watch.rate
        loss = epochs.run(optimiser, epoch, course.epochs, rate)
        with torch.no_grad():
            judged = lesson.judge()
        tell(epoch, judged)
        row = {"epoch": epoch, "train_loss": loss, "valid_loss": judged, "rate": rate}
        watch.note(network, judged, row)
        if keeper:
            keeper.keep(watch.state(network, optimiser))
    network.load_state_dict(watch.weights)
    network.eval()
    chosen = {"epochs": float(watch.seen.best), "falls": float(watch.seen.best_falls)}
    return FitReport(chosen, watch.seen.history)


class _Epochs:
    """The passes over the rows."""

    def __init__(self, network: nn.Module, lesson: Lesson, course: Course) -> None:
        self._network, self._lesson, self._course = network, lesson, course
        self._steps = max(1, lesson.rows // course.batch)

    def run(self, optimiser: torch.optim.Optimizer, epoch: int, total: int, rate: float) -> float:
        """Pass over all rows in a new order; return the mean loss.

        Batches differ by one row at most, so that none is too small for its own statistics.
        """
        for group in optimiser.param_groups:
            group["lr"] = rate
        self._network.train()
        losses = 0.0
        for step, rows in enumerate(torch.randperm(self._lesson.rows).tensor_split(self._steps)):
            done = ((epoch - 1) * self._steps + step) / (total * self._steps)
            optimiser.zero_grad(set_to_none=True)
            loss = self._lesson.loss_of(rows, done)
            torch.autograd.backward(loss)
            if self._course.clip is not None:
                nn.utils.clip_grad_norm_(self._network.parameters(), self._course.clip)
            optimiser.step()
            losses += loss.item() * len(rows)
        if not np.isfinite(losses):
            raise FitError(f"the loss of epoch {epoch} is not finite; lower the rate: --set rate=")
        self._network.eval()
        if self._lesson.after_epoch:
            self._lesson.after_epoch(epoch)
        return losses / self._lesson.rows


@dataclass
class _Seen:
    """What a watch has seen so far; `rested` counts epochs without a better loss, up to a fall."""

    loss: float = float("inf")
    epoch: int = 0
    best: int = 0
    best_falls: int = 0
    rested: int = 0
    falls: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


class _Watch:
    """Remembers the best weights, lowers the rate, and says when it is enough."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self.seen = _Seen()
        self.weights: dict[str, torch.Tensor] = {}

    @property
    def epoch(self) -> int:
        return self.seen.epoch

    @property
    def rate(self) -> float:
        return self._course.rate * self._course.fall**self.seen.falls

    @property
    def over(self) -> bool:
        tired = self.seen.epoch - self.seen.best >= self._course.patience
        return tired or self.seen.epoch >= self._course.epochs

    def note(self, network: nn.Module, loss: float, row: dict[str, float]) -> None:
        seen = self.seen
        seen.epoch += 1
        seen.history.append(row)
        if loss < seen.loss or not self.weights:
            seen.loss, seen.best, seen.best_falls, seen.rested = loss, seen.epoch, seen.falls, 0
            self.weights = _copied(network)
            return
        seen.rested += 1
        if seen.rested > self._course.hold:
            seen.falls, seen.rested = seen.falls + 1, 0

    def state(self, network: nn.Module, optimiser: torch.optim.Optimizer) -> State:
        memory = {
            f"{number}.{name}": value
            for number, values in optimiser.state_dict()["state"].items()
            for name, value in values.items()
        }
        memory["random"] = torch.get_rng_state()
        return State(asdict(self.seen), _copied(network), self.weights, memory)

    def go_on(self, state: State, network: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        """Bring watch, network, optimiser and random numbers to where they were."""
        self.seen, self.weights = _Seen(**state.words), dict(state.best)
        network.load_state_dict(state.weights)
        torch.set_rng_state(state.memory["random"])
        of: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in state.memory.items():
            number, _, key = name.partition(".")
            if key:
                of.setdefault(int(number), {})[key] = value
        optimiser.load_state_dict({**optimiser.state_dict(), "state": of})


def _copied(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def _optimiser(network: nn.Module, course: Course) -> torch.optim.Optimizer:
    kind = torch.optim.Adam if course.adam else torch.optim.AdamW
    return kind(network.parameters(), lr=course.rate, weight_decay=course.decay)


@contextlib.contextmanager
def repeatable(seed: int, threads: int = 1) -> Iterator[None]:
    """Give a place where torch draws from `seed` and sums on so many threads.

    Sums of two threads differ from those of one in their last digits. What torch's generator and
    thread count were before, they are after: neither decides a result. One thread is also the
    fastest for small networks (100 steps of 256 rows on two busy cores: 0.3 s instead of 8 s).
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(before)
