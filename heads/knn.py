"""Nearest neighbours: what became of the train rows that are most alike, the nearer the heavier.

Where times are known, only rows that were posted earlier are neighbours; so a row is predicted from
what could be known of others when it was posted. Rows of the same category and language are nearer
than others as far as that tells, and rows of the same author where authors come again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from safetensors.numpy import load_file

from cache.neighbours import NOBODY, closest
from cache.table import FeatureTable
from core.files import write_json
from heads.columns.design import save_arrays
from heads.contract import TASKS, FitReport, Problem, Span
from heads.inner import authors_apart, left_out
from heads.linear import clusters_of
from heads.neighbours.bank import Bank, Near, Placed
from heads.neighbours.choice import as_columns, bank_of, choose, in_time
from heads.neighbours.metric import Metric, fit_metric
from heads.neighbours.votes import Told
from heads.networks.anchor import Anchor, fit_anchor
from heads.threads import calm


@dataclass(frozen=True)
class KnnOptions:
    """Options of the neighbours; None is chosen on inner folds of the train rows.

    k            how many
    temperature  how much farther than the nearest a neighbour may be until its weight is 1/e; two
                 rows at random are 1 apart
    relevance    0: all features weigh the same; 1: columns weigh as a ridge leans on them
    categories   what another category or another language adds to a distance; 0: nothing more than
                 as features among others
    author       what another author adds to a distance; 0: nothing
    """

    k: int | None = None
    temperature: float | None = None
    relevance: float | None = None
    categories: float | None = None
    author: float | None = None

    def __post_init__(self) -> None:
        if self.k is not None and self.k < 1:
            raise ValueError(f"k {self.k} is not 1 or more")
        if self.temperature is not None and not 0 < self.temperature < float("inf"):
            raise ValueError(f"temperature {self.temperature} is not above 0")
        for name in ("relevance", "categories", "author"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < float("inf"):
                raise ValueError(f"{name} {value} is not 0 or more")


_CHOSEN = ("k", "temperature", "relevance", "categories", "author")


@dataclass(frozen=True, eq=False)
class _Fitted:
    """What is learnt: a space, the rows in it in the order of their times, and what became of them.

    chosen  by the names of the options, and the "penalty" of the metric's ridge
    """

    anchor: Anchor
    metric: Metric
    chosen: Mapping[str, float]
    ids: np.ndarray
    placed: Placed
    told: Told

    @cached_property
    def weights(self) -> np.ndarray:
        return self.metric.weights(self.chosen["relevance"], self.chosen["categories"])

    @cached_property
    def bank(self) -> Bank:
        return bank_of(self.metric, self.placed, self.weights)

    @property
    def k(self) -> int:
        """The number of neighbours, at most all rows."""
        return max(1, min(round(self.chosen["k"]), len(self.ids)))


class Knn:
    """A bank of train rows, and the space in which others are near them."""

    name: ClassVar[str] = "knn"
    accepts: ClassVar[tuple[str, ...]] = ("pooled",)
    tasks: ClassVar[tuple[str, ...]] = TASKS
    options: ClassVar[type] = KnnOptions
    space: ClassVar[Mapping[str, Span]] = {}  # inner folds choose all of them

    def __init__(self, problem: Problem, options: Any = None) -> None:
        self.problem = problem
        self._options: KnnOptions = options or KnnOptions()
        self._state: _Fitted | None = None

    def fit(
        self,
        train: FeatureTable,
        valid: FeatureTable | None,
        *,
        seed: int,
        fixed: Mapping[str, float],
    ) -> FitReport:
        """Keep the train rows; of `valid` it only looks whether the authors are others."""
        options = asdict(self._options)
        given = {name: value for name, value in options.items() if value is not None} | {**fixed}
        train = train.take(in_time(train, np.arange(len(train))))
        anchor = fit_anchor(self.problem.observed, train)
        target = _told(self.problem, train, anchor)
        known, penalty = as_columns(self.problem, target), given.get("penalty")
        metric, penalty = fit_metric(train, known, clusters_of(train), penalty, seed=seed)
        chosen = {**given, "penalty": penalty}
        curve: list[dict[str, float]] = []
        if any(name not in chosen for name in _CHOSEN):
            folds = left_out(train, apart=authors_apart(train, valid), seed=seed)
            with calm(len(train) * sum(metric.widths)):
                found, curve = choose(
                    self.problem, train, target, folds, metric=metric, given=chosen
                )
            chosen |= found
        chosen = {name: float(chosen[name]) for name in (*_CHOSEN, "penalty")}
        weights = metric.weights(chosen["relevance"], chosen["categories"])
        placed, told = metric.place(train).weighed(weights), Told.of(self.problem, target)
        self._state = _Fitted(anchor, metric, chosen, train.ids, placed, told)
        return FitReport(chosen, curve)

    def predict(self, table: FeatureTable) -> np.ndarray:
        """Return float64 [N], probabilities [N, classes], or [N, T].

        A row without neighbours, as none is older or has one of its features, gets the train mean.
        """
        return self._voted(table, self.nearest(table))

    def _voted(self, table: FeatureTable, near: Near) -> np.ndarray:
        fitted = self._fitted()
        found = fitted.told.vote(near, fitted.k, fitted.chosen["temperature"])
        if self.problem.task == "classification":
            return found
        numbers: np.ndarray = found + fitted.anchor.of(table)[:, None]
        return numbers[:, 0] if self.problem.task == "regression" else numbers

    def told(self, table: FeatureTable) -> tuple[np.ndarray, np.ndarray]:
        """Return what neighbours say as columns for another head, and who has any, bool [N].

        The columns are float32 [N, outputs + 2]: what is predicted, how unlike each other the
        neighbours' targets are (a deviation, or an entropy), and their mean distance.
        """
        fitted, near = self._fitted(), self.nearest(table)
        heat = fitted.chosen["temperature"]
        unlike, far = fitted.told.doubts(near, fitted.k, heat)
        predicted = self._voted(table, near).reshape(len(table), self.problem.outputs)
        columns = np.column_stack([predicted, unlike, far]).astype(np.float32)
        present: np.ndarray = near.rows[:, 0] != NOBODY
        columns[~present] = 0
        return columns, present

    def nearest(self, table: FeatureTable) -> Near:
        """Return the neighbours of some rows; their places are those of `neighbour_ids`.

        A train row is not a neighbour of its own.
        """
        fitted = self._fitted()
        asked = fitted.metric.place(table).weighed(fitted.weights)
        with calm(len(asked) * len(fitted.weights)):
            near = fitted.bank.nearest(asked, fitted.k + 1, author=fitted.chosen["author"])
        own = (fitted.ids[near.rows] == table.ids[:, None]) & (near.rows != NOBODY)
        rows = np.where(own, NOBODY, near.rows)
        return Near(*closest([(rows, np.where(own, np.inf, near.distance))], fitted.k))

    @property
    def neighbour_ids(self) -> np.ndarray:
        """The ids of the train rows, str [N], in the order of their times."""
        return self._fitted().ids

    def save(self, folder: Path) -> None:
        """Write `knn.json`, `knn.safetensors` with the train rows, and the metric."""
        fitted = self._fitted()
        placed = fitted.placed
        words = {
            "problem": self.problem.to_json(),
            "options": asdict(self._options),
            "chosen": dict(fitted.chosen),
            "fallback": fitted.anchor.fallback,
            "ids": fitted.ids.tolist(),
            "author": placed.author.tolist(),
        }
        write_json(folder / "knn.json", words)
        arrays = {
            "vectors": placed.vectors,
            "flags": placed.flags.astype(np.uint8),
            "posted_at": placed.posted_at,
            "target": np.ascontiguousarray(fitted.told.target),
        }
        save_arrays(folder / "knn.safetensors", arrays)
        fitted.metric.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Knn:
        """Read what `save` wrote."""
        words = json.loads((folder / "knn.json").read_text(encoding="utf-8"))
        arrays = load_file(folder / "knn.safetensors")
        head = cls(Problem.from_json(words["problem"]), KnnOptions(**words["options"]))
        author = np.array(words["author"], np.str_)
        head._state = _Fitted(
            anchor=Anchor(head.problem.observed, words["fallback"]),
            metric=Metric.load(folder),
            chosen=words["chosen"],
            ids=np.array(words["ids"], np.str_),
            placed=Placed(arrays["vectors"], arrays["flags"] > 0, author, arrays["posted_at"]),
            told=Told.of(head.problem, arrays["target"]),
        )
        return head

    def importances(self) -> Mapping[str, float]:
        """Return how far two rows at random lie apart in each feature, as shares of all."""
        fitted = self._fitted()
        shares = fitted.metric.shares(fitted.weights).tolist()
        return dict(zip(fitted.metric.inputs.names, shares, strict=True))

    def describe(self) -> dict[str, Any]:
        """Return the options."""
        return asdict(self._options)

    def _fitted(self) -> _Fitted:
        assert self._state is not None, "predict before fit"
        return self._state


def _told(problem: Problem, table: FeatureTable, anchor: Anchor) -> np.ndarray:
    """Return what rows tell: classes, or numbers less the last observed day, [N, outputs]."""
    assert table.target is not None
    if problem.task == "classification":
        return table.target
    moved: np.ndarray = table.target.reshape(len(table), -1) - anchor.of(table)[:, None]
    return moved
