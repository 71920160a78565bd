"""The epochs of a torch network: seeded batches, a falling rate, an early stop, the best weights.

Validation rows choose how many epochs are good and how often the rate falls. Where those choices
are given (a fit on all rows), so many epochs are run, and the rate falls evenly to where it ended.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

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


def train(
    network: nn.Module, lesson: Lesson, course: Course, *, fixed: Mapping[str, float]
) -> FitReport:
    """Learn, and leave the network in eval mode with its best weights.

    `fixed` may hold the choices "epochs" and "falls" of the rate; then no validation row is asked.

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
    watch, history = _Watch(course), []
    while not watch.over:
        epoch, rate = watch.epoch + 1, watch.rate
        loss = epochs.run(optimiser, epoch, course.epochs, rate)
        with torch.no_grad():
            judged = lesson.judge()
        tell(epoch, judged)
        history.append({"epoch": epoch, "train_loss": loss, "valid_loss": judged, "rate": rate})
        watch.note(network, judged)
    network.load_state_dict(watch.weights)
    return FitReport({"epochs": float(watch.best), "falls": float(watch.best_falls)}, history)


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


class _Watch:
    """Remembers the best weights, lowers the rate, and says when it is enough."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._loss, self._rested, self._falls = float("inf"), 0, 0
        self.epoch = self.best = self.best_falls = 0
        self.weights: dict[str, torch.Tensor] = {}

    @property
    def rate(self) -> float:
        return self._course.rate * self._course.fall**self._falls

    @property
    def over(self) -> bool:
        tired = self.epoch - self.best >= self._course.patience
        return tired or self.epoch >= self._course.epochs

    def note(self, network: nn.Module, loss: float) -> None:
        self.epoch += 1
        if loss < self._loss or not self.weights:
            self._loss, self.best, self.best_falls, self._rested = loss, self.epoch, self._falls, 0
            self.weights = {name: value.clone() for name, value in network.state_dict().items()}
            return
        self._rested += 1
        if self._rested > self._course.hold:
            self._falls, self._rested = self._falls + 1, 0


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
