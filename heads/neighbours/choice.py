"""How many neighbours, how sharply the nearer weigh, and what is near: chosen on inner folds.

Rows of the train part are asked of the others, so that the validation rows stay unseen. Choices are
made one after another, each with the best of those before: first the metric, then what another
category adds to a distance, then another author; for each of them the best number of neighbours
and temperature.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from cache.table import FeatureTable
from heads.contract import Problem
from heads.neighbours.bank import Bank, Near, Placed
from heads.neighbours.metric import Metric, fit_metric
from heads.neighbours.votes import Told
from heads.networks.inputs import Inputs

K = (1, 2, 4, 8, 16, 32, 64, 128)
TEMPERATURE = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 1000.0)
GRID = {
    "relevance": (0.0, 0.5, 1.0),
    "categories": (0.0, 0.1, 0.3, 1.0),
    "author": (0.0, 0.3, 1.0, 3.0),
}
_MOST = 4000  # rows that are asked in all, evenly over time


@dataclass(frozen=True, eq=False)
class Inner:
    """One inner fold: the rows learnt from in the order of their times, and those asked."""

    metric: Metric
    learnt: Placed
    asked: Placed
    told: Told
    truth: np.ndarray


def choose(
    problem: Problem,
    train: FeatureTable,
    target: np.ndarray,
    folds: np.ndarray,
    *,
    metric: Metric,
    given: Mapping[str, float],
) -> tuple[dict[str, float], list[dict[str, float]]]:
    """Choose what is not given of k, temperature, and the names of `GRID`; return the curve of k.

    `given` holds at least the "penalty" of `metric`, whose inputs, which know no labels, serve all
    folds; those are int64 [N], see `heads/inner.py`.
    """
    parts = _inners(problem, train, target, folds, inputs=metric.inputs, penalty=given["penalty"])
    inners = list(parts)
    has_categories = any(column.spec.is_text for column in train.columns.values())
    tried = {
        "relevance": GRID["relevance"],
        "categories": GRID["categories"] if has_categories else (0.0,),
        "author": GRID["author"] if _authors_meet(inners) else (0.0,),
    }
    choice = {name: float(given.get(name, values[0])) for name, values in tried.items()}
    best = _judge(inners, choice, given)
    for name, values in tried.items():
        for value in values if name not in given else ():
            if value != choice[name]:
                judged = _judge(inners, {**choice, name: value}, given)
                best = min(best, judged, key=lambda each: each[0])
        choice = {name: best[1][name] for name in choice}
    _, chosen, curve = best
    return chosen, curve


def _inners(
    problem: Problem,
    train: FeatureTable,
    target: np.ndarray,
    folds: np.ndarray,
    *,
    inputs: Inputs,
    penalty: float,
) -> Iterator[Inner]:
    drawn = np.zeros(len(train), bool)
    drawn[np.linspace(0, len(train) - 1, min(_MOST, len(train))).astype(np.int64)] = True
    for fold in np.unique(folds):
        learnt = in_time(train, np.flatnonzero(folds != fold))
        asked = np.flatnonzero((folds == fold) & drawn)
        known = as_columns(problem, target[learnt])
        table = train.take(learnt)
        metric, _ = fit_metric(table, known, None, penalty, seed=0, inputs=inputs)
        told = Told.of(problem, target[learnt])
        placed = metric.place(table), metric.place(train.take(asked))
        yield Inner(metric, *placed, told, target[asked])


def in_time(table: FeatureTable, rows: np.ndarray) -> np.ndarray:
    """Return rows of a table in the order of their times, those without one last."""
    ids = table.ids[rows]
    if table.posted_at is None:
        return rows[np.argsort(ids, kind="stable")]
    return rows[np.lexsort((ids, table.posted_at[rows]))]


def as_columns(problem: Problem, target: np.ndarray) -> np.ndarray:
    """Return targets as a ridge takes them, float64 [N, outputs]; classes as 0 and 1."""
    if problem.task != "classification":
        return target.reshape(len(target), -1)
    shares: np.ndarray = target[:, None] == np.arange(problem.outputs)
    return shares.astype(np.float64)


def _authors_meet(inners: list[Inner]) -> bool:
    """Say whether some row that is asked has an author that is learnt from."""
    common = [np.intersect1d(inner.asked.author, inner.learnt.author) for inner in inners]
    return any((names != "").any() for names in common)


def _judge(
    inners: list[Inner], choice: Mapping[str, float], given: Mapping[str, float]
) -> tuple[float, dict[str, float], list[dict[str, float]]]:
    """Return the smallest loss, the choices that give it, and the loss by number of neighbours."""
    numbers = [int(given["k"])] if "k" in given else list(K)
    heats = [given["temperature"]] if "temperature" in given else list(TEMPERATURE)
    losses = np.zeros(len(numbers) * len(heats))
    rows = sum(len(inner.truth) for inner in inners)
    for inner in inners:
        near = _neighbours(inner, choice, max(numbers))
        votes = inner.told.votes(near, numbers, heats)
        part = len(inner.truth) / rows
        losses += [inner.told.loss(predicted, inner.truth) * part for predicted in votes]
    k, heat = divmod(int(losses.argmin()), len(heats))
    chosen = {"k": float(numbers[k]), "temperature": float(heats[heat]), **choice}
    curve = [
        {"k": float(number), "loss": float(loss)}
        for number, loss in zip(numbers, losses[heat :: len(heats)], strict=True)
    ]
    return float(losses.min()), chosen, curve


def _neighbours(inner: Inner, choice: Mapping[str, float], count: int) -> Near:
    weights = inner.metric.weights(choice["relevance"], choice["categories"])
    bank = bank_of(inner.metric, inner.learnt.weighed(weights), weights)
    return bank.nearest(inner.asked.weighed(weights), count, author=choice["author"])


def bank_of(metric: Metric, placed: Placed, weights: np.ndarray) -> Bank:
    """Return rows to be neighbours, which are in the order of their times."""
    return Bank(placed, metric.widths, metric.shares(weights))
