"""`--tune N`: options of a head, chosen in each fold by its validation rows.

A fold's trials learn from its train rows and are judged by its validation rows; its test rows have
no part in it, so that the scores stay those of unseen rows. Folds may choose differently. The
bundle takes the choice nearest to those of all other folds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

import numpy as np

from cache.table import FeatureTable
from cache.table_digest import digest_table
from core.errors import FitError
from core.fingerprint import canonical_json, digest_strings
from core.progress import Meter
from corpus.folds import Fold
from heads.catalog import HEADS, make_head
from heads.contract import Problem, Span
from heads.folding import FoldTables, Labelled, learn, tables_of
from heads.result import FitConfig
from heads.tuning.trials import DONE, FAILED, Options, Trial, Tuned, Tuning, text_of

LOSSES = {  # by task, what validation rows judge by
    "regression": "squared error",
    "classification": "log loss",
    "sequence": "absolute error, mean of steps",
}
_LEAST_SHARE = 1e-7  # probability of a class that the log loss tells from none


def space_of(config: FitConfig) -> dict[str, Span]:
    """Return the options that are to be chosen: those of the head that the user has not given."""
    space = HEADS.load(config.head).space
    return {name: span for name, span in space.items() if name not in config.options}


def tune_folds(
    data: Labelled, folds: Sequence[Fold], say: Callable[[str], None]
) -> tuple[Tuned, ...]:
    """Choose the options of each fold; () where that is not asked for, or there is nothing to.

    Raises:
        FitError: if no set of options can be fitted, or no validation row has a label.
        StorageError: if the trials cannot be written down.
    """
    config = data.config
    if config.tuning is None:
        return ()
    space = space_of(config)
    if not space:
        say(f"head {config.head!r} has nothing to tune beside what is given; its options stay")
        return ()
    count = config.tuning.count
    say(f"tuning {', '.join(space)}: {count} trials in each fold")
    with Meter("tuning", count * len(folds), unit="trials") as meter:

        def tried(trial: Trial) -> None:
            meter.advance(failed=trial.state == FAILED)

        tuned = tuple(_tune(data, fold, config.tuning, tried) for fold in folds)
    for found in tuned:
        say(f"{found.fold}: {_told(found, LOSSES[config.target.task])}")
    return tuned


def _told(found: Tuned, name: str) -> str:
    first, best = found.trials[0], found.best
    assert best is not None
    if best is first:
        return f"no options beat the defaults, {name} {best.loss:.4g}"
    before = f"{first.loss:.4g} by default" if first.state == DONE else "the defaults failed"
    return f"{name} {best.loss:.4g} ({before}) with {text_of(best.options)}"


def for_all_rows(
    data: Labelled, folds: Sequence[Fold], tuned: Sequence[Tuned]
) -> tuple[Labelled, list[Mapping[str, float]]]:
    """Return the data with the options of the bundle, and what the folds choose with these.

    They are asked again, as how many epochs are good depends on the options.
    """
    final = data.with_options(central(tuned, space_of(data.config)))
    return final, [_choices(final, tables_of(final, fold)) for fold in folds]


def _choices(data: Labelled, given: FoldTables) -> Mapping[str, float]:
    config = data.config
    head = make_head(config.head, given.problem, config.options)
    return learn(head, given.table, given.train, given.valid, seed=config.seed).chosen


def _tune(data: Labelled, fold: Fold, tuning: Tuning, tried: Callable[[Trial], None]) -> Tuned:
    """Try sets of options on one fold; `tried` is told each."""
    from heads.tuning.study import Question, explore  # loads Optuna

    config, given = data.config, tables_of(data, fold)
    if not len(given.valid):
        raise FitError(
            f"{fold.name} has no validation row with a label to choose options by; take another "
            "--split, or leave --tune away"
        )
    train, valid = given.table.take(given.train), given.table.take(given.valid)

    def attempt(options: Options) -> float:
        head = make_head(config.head, given.problem, {**config.options, **options})
        head.fit(train, valid, seed=config.seed, fixed={})
        return loss_of(given.problem, head.predict(valid), given.encoded[given.valid])

    space, defaults = space_of(config), HEADS.load(config.head).options()
    question = Question(
        name=f"{fold.name} {_identity(config, given.problem, train, valid)}",
        space=space,
        first={name: getattr(defaults, name) for name in space},
        count=tuning.count,
        seed=config.seed,
    )
    found = Tuned(fold.name, explore(question, attempt, place=tuning.place, tried=tried))
    if found.best is None:
        raise FitError(
            f"{fold.name}: none of {tuning.count} sets of options can be fitted; the defaults: "
            f"{found.trials[0].reason}"
        )
    return found


def loss_of(problem: Problem, predicted: np.ndarray, target: np.ndarray) -> float:
    """Return how far predictions are from the truth, both on the head's scale; see `LOSSES`."""
    if problem.task == "classification":
        shares = predicted[np.arange(len(target)), target]
        return float(-np.log(np.maximum(shares, _LEAST_SHARE)).mean())
    if problem.task == "regression":
        return float(((predicted - target) ** 2).mean())
    error, known = np.abs(predicted - target), np.isfinite(target)
    steps = known.any(axis=0)
    sums = np.where(known, error, 0).sum(axis=0)[steps]
    return float((sums / known.sum(axis=0)[steps]).mean())


def central(tuned: Sequence[Tuned], space: Mapping[str, Span]) -> dict[str, float | None]:
    """Return the choice of the fold that is nearest to those of all folds."""
    chosen = [each.options for each in tuned]
    places = np.array([[_place(span, given[n]) for n, span in space.items()] for given in chosen])
    apart = np.abs(places[:, None] - places[None])
    apart = np.where(np.isnan(places[:, None]) & np.isnan(places[None]), 0, apart)
    distances = np.nan_to_num(apart, nan=1.0).sum(axis=(1, 2))
    return dict(chosen[int(distances.argmin())])


def _place(span: Span, value: float | None) -> float:
    """Return where in its span a value lies, 0..1; NaN where the head chooses it."""
    if value is None:
        return math.nan
    low, high = (math.log(end) if span.log else end for end in (span.low, span.high))
    return ((math.log(value) if span.log else value) - low) / (high - low)


def _identity(config: FitConfig, problem: Problem, train: FeatureTable, valid: FeatureTable) -> str:
    """Return the digest of all that decides a trial's loss: another question is another study."""
    asked = {
        "head": config.head,
        "options": {name: str(value) for name, value in config.options.items()},
        "space": {name: asdict(span) for name, span in space_of(config).items()},
        "problem": problem.to_json(),
        "seed": config.seed,
    }
    words = (canonical_json(asked), digest_table(train), digest_table(valid))
    return digest_strings(words).hex()[:16]
