"""The trials of one question: which options to try next, and how those went that were tried.

Optuna's tree-structured Parzen estimator (Bergstra et al. 2011, NeurIPS 24) proposes options one by
one; the first trial is the defaults. Trials are kept in an SQLite file, so that a study that was
killed goes on where it was; what is proposed follows from the seed and the trials so far alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import StorageInternalError
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from core.errors import FitError, StorageError
from core.files import storage_errors
from core.fingerprint import digest_strings
from heads.contract import Span
from heads.tuning.trials import DONE, FAILED, STOPPED, Options, Trial
from heads.watch import Stopped, Watcher, watched

_AT_RANDOM = 8  # trials, the defaults among them, before the estimator proposes
_ASKED_AT = (8, 16, 32, 64, 128)  # epochs after which a trial is compared with others
_KEPT = 66.0  # per cent of trials that go on after each of these
_DIGITS = 4  # of an option that is tried: enough, and short enough to be given by hand


@dataclass(frozen=True)
class Question:
    """What is looked for.

    name   of the study within its file
    space  the options to choose
    first  their defaults
    count  of trials, the defaults among them
    """

    name: str
    space: Mapping[str, Span]
    first: Options
    count: int
    seed: int


def explore(
    question: Question,
    attempt: Callable[[Options], float],
    *,
    place: Path | None = None,
    tried: Callable[[Trial], None] = lambda _: None,
) -> tuple[Trial, ...]:
    """Try options, and return all trials in their order; trials that `place` holds are not redone.

    Args:
        question: what is looked for.
        attempt: returns the loss of some options; a FitError of it is a failed trial.
        place: the file of the studies; None keeps them in memory.
        tried: told each trial, those of an earlier process too.

    Raises:
        StorageError: if the file cannot be written.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with _kept(question.name, place) as kept:
        ended = [] if kept is None else kept.get_trials(deepcopy=False)[: question.count]
        for number in range(question.count):
            if number == len(ended):
                ended.append(_tried(ended, question, attempt))
                if kept is not None:
                    kept.add_trial(ended[-1])
            tried(_trial(number, ended[number]))
    return tuple(_trial(number, each) for number, each in enumerate(ended))


@contextmanager
def _kept(name: str, place: Path | None) -> Iterator[optuna.Study | None]:
    """Open the study of this name in a file of studies; it holds trials that ended, no others."""
    if place is None:
        yield None
        return
    with storage_errors(place):
        place.parent.mkdir(parents=True, exist_ok=True)
    with closing(_File()) as file:
        try:
            yield file.study(place, name)
        except (SQLAlchemyError, StorageInternalError) as error:
            why = getattr(error, "orig", None) or error.__cause__ or error
            raise StorageError(
                f"the trials in {place} cannot be read or written: {why}; make room, or delete the "
                "file to begin again"
            ) from error


class _File:
    """An SQLite file of studies; closing it closes its connections."""

    def __init__(self) -> None:
        self._storage: optuna.storages.RDBStorage | None = None

    def study(self, place: Path, name: str) -> optuna.Study:
        where = URL.create("sqlite", database=str(place.absolute()))
        self._storage = optuna.storages.RDBStorage(where.render_as_string())
        return optuna.create_study(storage=self._storage, study_name=name, load_if_exists=True)

    def close(self) -> None:
        if self._storage:
            self._storage.remove_session()
            self._storage.engine.dispose()


def _tried(
    ended: list[FrozenTrial], question: Question, attempt: Callable[[Options], float]
) -> FrozenTrial:
    """Try the defaults first, then what the sampler proposes; return how it went."""
    distributions = {name: _distribution(span) for name, span in question.space.items()}
    trial = None if not ended else _proposed(ended, question, distributions)
    options = question.first if trial is None else _short(trial.params)
    params = {name: value for name, value in options.items() if value is not None}
    heard: dict[int, float] = {}  # by epoch the best loss so far
    lowest = math.inf

    def hear(epoch: int, loss: float) -> None:
        nonlocal lowest
        lowest = min(lowest, loss)
        if epoch not in _ASKED_AT:
            return
        heard[epoch] = lowest
        if trial is not None:
            trial.report(lowest, epoch)
            if trial.should_prune():
                raise Stopped

    started = time.monotonic()
    state, loss, reason = _went(attempt, options, hear)
    told = {"options": dict(options), "seconds": time.monotonic() - started, "reason": reason}
    return create_trial(
        state=state,
        value=loss,
        params=params,
        distributions={name: distributions[name] for name in params},
        user_attrs=told,
        intermediate_values=heard,
    )


def _proposed(
    ended: list[FrozenTrial], question: Question, distributions: dict[str, BaseDistribution]
) -> optuna.Trial:
    """Return a trial with the options to try after those that ended."""
    draw = digest_strings([question.name.partition(" ")[0], str(question.seed), str(len(ended))])
    sampler = optuna.samplers.TPESampler(
        n_startup_trials=_AT_RANDOM, multivariate=False, seed=int.from_bytes(draw[:4], "big")
    )
    pruner = optuna.pruners.PercentilePruner(_KEPT, n_startup_trials=4)
    study = optuna.create_study(sampler=sampler, pruner=pruner)
    study.add_trials(ended)
    return study.ask(distributions)


def _went(
    attempt: Callable[[Options], float], options: Options, hear: Watcher
) -> tuple[TrialState, float | None, str]:
    try:
        with watched(hear):
            loss = attempt(options)
    except Stopped:
        return TrialState.PRUNED, None, ""
    except FitError as error:
        return TrialState.FAIL, None, str(error)
    if not math.isfinite(loss):
        return TrialState.FAIL, None, "the loss is not a finite number"
    return TrialState.COMPLETE, loss, ""


def _distribution(span: Span) -> BaseDistribution:
    if span.whole:
        return IntDistribution(int(span.low), int(span.high), log=span.log)
    return FloatDistribution(span.low, span.high, log=span.log)


def _short(params: Mapping[str, Any]) -> dict[str, float | None]:
    """Return options with as many digits as one likes to give by hand."""
    return {n: v if isinstance(v, int) else float(f"{v:.{_DIGITS}g}") for n, v in params.items()}


def _trial(number: int, ended: FrozenTrial) -> Trial:
    told = ended.user_attrs
    loss = math.nan if ended.value is None else ended.value
    state = _STATES[ended.state]
    return Trial(number, state, loss, told["seconds"], told["options"], told["reason"])


_STATES = {TrialState.COMPLETE: DONE, TrialState.PRUNED: STOPPED, TrialState.FAIL: FAILED}
