"""What stands beside every result: predictions that need no head of ours, on the same folds.

mean         the train mean, or the shares of the classes
category     the same within the row's category
persistence  the last observed day, on all days that are predicted
observed     a linear head on the observed days alone
metadata     a linear head on the table's own numbers and categories

A baseline that is the head itself, or that has nothing to learn from, is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cache.gather import META, is_meta
from cache.table import FeatureTable
from core.errors import FitError
from corpus.steps import earlier_steps
from corpus.targets import FittedTarget
from heads.catalog import make_head
from heads.contract import Problem
from heads.networks.anchor import fit_anchor


@dataclass(frozen=True, eq=False)
class Asked:
    """What the head of a fold is asked, and with what.

    features  what it reads
    observed  of these, the days before those to be predicted, in their order
    seed      of every draw
    """

    head: str
    problem: Problem
    target: FittedTarget
    features: Sequence[str]
    observed: Sequence[str]
    seed: int

    def is_linear_on(self, features: Sequence[str]) -> bool:
        """Whether the head is what a linear baseline on these features would be."""
        return self.head == "linear" and set(features) == set(self.features)


def baselines(asked: Asked, train: FeatureTable, rows: FeatureTable) -> dict[str, np.ndarray]:
    """Return what baselines that learn from `train` predict for `rows`, on the head's scale."""
    metadata = [name for name in train.columns if is_meta(name)]
    found = {
        "mean": _mean(asked.problem, train, rows),
        "category": _category(asked.problem, train, rows, metadata),
        "persistence": _persistence(asked, train, rows),
        "observed": _linear(asked, train, rows, asked.observed),
        "metadata": _linear(asked, train, rows, metadata),
    }
    return {name: predicted for name, predicted in found.items() if predicted is not None}


def observed_days(target: str, given: Sequence[str], features: Sequence[str]) -> tuple[str, ...]:
    """Return the features with the days before a target's: those given, else as names tell it."""
    if given:
        return tuple(given)
    names = [name.removeprefix(META) for name in features if is_meta(name)]
    return tuple(META + name for name in earlier_steps(target, names))


def _mean(problem: Problem, train: FeatureTable, rows: FeatureTable) -> np.ndarray:
    mean = make_head("mean", problem)
    mean.fit(train, None, seed=0, fixed={})
    return mean.predict(rows)


def _category(
    problem: Problem, train: FeatureTable, rows: FeatureTable, metadata: Sequence[str]
) -> np.ndarray | None:
    """Return the means of the first category; where it is new or not known, that of all rows.

    A class counts once more in every category, at its share of all rows: none has probability 0.
    """
    name = next((name for name in metadata if train.columns[name].spec.is_text), None)
    if name is None:
        return None
    overall = _mean(problem, train, rows)
    assert train.target is not None
    told, asked = train.columns[name].values, rows.columns[name].values
    predicted = overall.copy()
    for word in {word for word in told.tolist() if word}:
        members, wanted = train.target[told == word], asked == word
        if wanted.any():
            predicted[wanted] = _within(problem, members, overall[wanted][0])
    return None if np.array_equal(predicted, overall) else predicted


def _within(problem: Problem, members: np.ndarray, overall: np.ndarray) -> np.ndarray:
    """Return the mean of one category's targets; a step without a value has that of all rows."""
    if problem.task == "classification":
        counts = np.bincount(members, minlength=problem.outputs)
        shares: np.ndarray = (counts + overall) / (len(members) + 1)
        return shares
    known = np.isfinite(members)
    sums = np.where(known, members, 0).sum(axis=0)
    return np.where(known.any(axis=0), sums / np.maximum(known.sum(axis=0), 1), overall)


def _persistence(asked: Asked, train: FeatureTable, rows: FeatureTable) -> np.ndarray | None:
    """Return the last observed day of each row; where none is known, what it is on the mean."""
    if not asked.observed or asked.problem.task == "classification":
        return None
    last = fit_anchor(asked.observed, train).of(rows)
    transform = asked.target.transform
    if transform.outside(last).any():
        return None
    predicted = transform.encode(last)
    if asked.problem.task == "regression":
        return predicted
    return np.repeat(predicted[:, None], asked.problem.outputs, axis=1)


def _linear(
    asked: Asked, train: FeatureTable, rows: FeatureTable, features: Sequence[str]
) -> np.ndarray | None:
    if not features or asked.is_linear_on(features):
        return None
    linear = make_head("linear", asked.problem)
    try:
        linear.fit(train.select(features), None, seed=asked.seed, fixed={})
    except FitError:  # nothing in them varies
        return None
    return linear.predict(rows.select(features))
