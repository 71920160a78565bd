"""One metric of many predictions for the same rows, all under the same draws.

Whatever is a weighted sum of their scores, a difference or a Shapley value, then has a paired
interval: that of the same sum of their draws.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.errors import UnknownName
from scoring.bootstrap import METRICS, Score, interval, resample, too_few
from scoring.influence import srocc_by_day_form
from scoring.weighted import EXACT_CELLS

# What predictions that tell nothing of the order of rows score. A constant's own score is undefined
# here, or, with another constant in each fold, below this by an artefact of the folds.
CHANCE = {"srocc": 0.0, "plcc": 0.0, "krcc": 0.0, "final": 0.0, "asrc": 0.0, "auc": 0.5}
_TOGETHER = 32  # forms that are kept at a time; each holds a few arrays of the rows


@dataclass(frozen=True, eq=False)
class Drawn:
    """Scores of A predictions of `rows` rows.

    value  float64 [A], on all rows
    draws  float64 [A, resamples]; column by column the same rows were drawn
    """

    value: np.ndarray
    draws: np.ndarray
    rows: int

    def total(self, weights: np.ndarray) -> Score:
        """Return a weighted sum of the scores, weights [A], with its interval."""
        used = np.flatnonzero(weights)  # 0 times undefined is nothing
        value = float(self.value[used] @ weights[used])
        return interval(value, weights[used] @ self.draws[used], self.rows)

    def at_chance(self, constant: Sequence[int], metric: str) -> Drawn:
        """Return the same, some predictions being constants of each fold: they order no rows."""
        if metric not in CHANCE:
            return self
        value, draws = self.value.copy(), self.draws.copy()
        value[constant], draws[constant] = CHANCE[metric], CHANCE[metric]
        return replace(self, value=value, draws=draws)


def draw(
    metric: str,
    target: np.ndarray,
    predictions: Iterable[np.ndarray],
    *,
    seed: int,
    groups: np.ndarray | None = None,
) -> Drawn:
    """Score predictions, arrays as the metric takes them; `groups` [N] are drawn whole.

    An undefined score is the chance level, where the metric has one; draws of too few rows stay
    undefined. The rank correlation of many rows is linearised in the weights
    (`scoring/influence.py`).

    Raises:
        UnknownName: if there is no such metric.
        ValueError: if an array does not fit.
    """
    if metric not in METRICS:
        raise UnknownName("metric", metric, METRICS)
    chosen, rows = METRICS[metric], len(target)
    values, draws = [], []
    for some in _batches(predictions):
        values += [chosen.function(target, predicted) for predicted in some]
        if metric == "srocc" and rows * _TOGETHER > EXACT_CELLS:
            draws.append(_linearised(target, some, seed, groups))
        else:
            forms = {str(at): chosen.weighted(target, one) for at, one in enumerate(some)}
            drawn = resample(forms, rows, seed=seed, groups=groups)
            draws.append(np.stack(list(drawn.values())))
    value, drawn_value = np.array(values), np.concatenate(draws)
    if not too_few(rows, groups):
        drawn_value = _or_chance(metric, drawn_value)
    return Drawn(_or_chance(metric, value), drawn_value, rows)


def _batches(predictions: Iterable[np.ndarray]) -> Iterator[list[np.ndarray]]:
    rest = iter(predictions)
    while some := list(itertools.islice(rest, _TOGETHER)):
        yield some


def _linearised(
    target: np.ndarray, predictions: Sequence[np.ndarray], seed: int, groups: np.ndarray | None
) -> np.ndarray:
    """Return rank correlations under each draw, float64 [predictions, resamples]."""
    columns = np.stack(predictions, axis=1)
    same = np.repeat(target[:, None], len(predictions), axis=1)
    form = srocc_by_day_form(same, columns, np.ones(columns.shape, bool))
    drawn = resample(
        {"all": lambda weights: form(weights).T}, len(target), seed=seed, groups=groups
    )
    found: np.ndarray = drawn["all"].T
    return found


def _or_chance(metric: str, values: np.ndarray) -> np.ndarray:
    return np.nan_to_num(values, nan=CHANCE[metric]) if metric in CHANCE else values
