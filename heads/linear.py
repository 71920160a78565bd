"""The linear head: ridge regression, ridge for whole curves, multinomial logistic regression."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from safetensors.numpy import load_file

from cache.table import FeatureTable
from core.files import write_json
from corpus.folds import SplitRows
from corpus.split_rules import units_of
from heads.columns.design import Design, fit_design, save_arrays
from heads.contract import TASKS, FitReport, Problem, Span
from heads.penalised.logistic import best_penalty, fit_logistic, softmax
from heads.penalised.ridge import fit_ridge
from heads.penalised.rotation import Matrix, cells_of, without_zeros
from heads.penalised.weighing import choose_weights, weighed
from heads.threads import calm

_MOST_PASSES = 10
# Gives weights, intercepts, and what inner folds say of each penalty.
_Solver = Callable[[Matrix, float | None], tuple[np.ndarray, np.ndarray, Mapping[float, float]]]


@dataclass(frozen=True)
class LinearOptions:
    """Options of the linear head.

    penalty  share of the features' total variance, per row; None chooses it inside the train rows
    balance  1: every feature weighs the same whatever its width; 0: every column does
    weigh    how often the features are gone through to choose the weight of each inside the train
             rows (`heads/penalised/weighing.py`): 2 is enough, and takes up to six fits a feature;
             0: none
    """

    penalty: float | None = None
    balance: float = 1.0
    weigh: int = 0

    def __post_init__(self) -> None:
        if self.penalty is not None and not 0 < self.penalty < float("inf"):
            raise ValueError(f"penalty {self.penalty} is not above 0")
        if not 0 <= self.balance <= 1:
            raise ValueError(f"balance {self.balance} is not in 0..1")
        if not 0 <= self.weigh <= _MOST_PASSES:
            raise ValueError(f"weigh {self.weigh} is not in 0..{_MOST_PASSES}")
        if self.weigh and self.penalty is not None:
            raise ValueError("weigh compares what inner folds say of penalties: leave penalty out")


class Linear:
    """A weighted sum of all columns, with an L2 penalty on the weights.

    The penalty is chosen inside the train rows (rows of one author left out together), so
    validation rows stay unseen and their residuals honest.
    """

    name: ClassVar[str] = "linear"
    accepts: ClassVar[tuple[str, ...]] = ("pooled",)
    tasks: ClassVar[tuple[str, ...]] = TASKS
    options: ClassVar[type] = LinearOptions
    space: ClassVar[Mapping[str, Span]] = {"balance": Span(0, 1)}  # the penalty chooses itself

    def __init__(self, problem: Problem, options: Any = None) -> None:
        self.problem = problem
        self._options: LinearOptions = options or LinearOptions()
        self._design = Design(())
        self._weights = np.zeros((0, problem.outputs))
        self._intercepts = np.zeros(problem.outputs)
        self._classes = np.arange(problem.outputs)

    def fit(
        self,
        train: FeatureTable,
        valid: FeatureTable | None,
        *,
        seed: int,
        fixed: Mapping[str, float],
    ) -> FitReport:
        """Learn from `train`; `valid` is not looked at."""
        del valid
        target = train.target
        assert target is not None
        self._design = fit_design(train, balance=self._options.balance)
        matrix = without_zeros(self._design.without_zeros(train))
        penalty = fixed.get("penalty", self._options.penalty)
        solve = self._solver(target, clusters_of(train), seed)
        with calm(cells_of(matrix)):
            weights = self._feature_weights(matrix, solve, fixed)
            scale = self._design.spread(weights)
            fitted = solve(weighed(matrix, scale) if weights else matrix, penalty)
        self._weights, self._intercepts, curve = fitted
        self._weights = self._weights * scale[:, None]
        history = [{"penalty": value, "loss": loss} for value, loss in curve.items()]
        if penalty is None:
            penalty = best_penalty(curve)
        # A feature that is constant here has no weight; in another fold or all rows it may have.
        named = train.columns if weights else ()
        chosen = {_weight_of(name): weights.get(name, 1.0) for name in named}
        return FitReport({"penalty": float(penalty), **chosen}, history)

    def _solver(self, target: np.ndarray, clusters: np.ndarray | None, seed: int) -> _Solver:
        """Return what fits a matrix with a penalty, or with None the best one."""
        if self.problem.task == "classification":
            self._classes = np.unique(target)
            return lambda matrix, penalty: fit_logistic(
                matrix, target, clusters, penalty, seed=seed
            )
        numbers = target.reshape(len(target), -1)
        return lambda matrix, penalty: fit_ridge(matrix, numbers, clusters, penalty)

    def _feature_weights(
        self, matrix: Matrix, solve: _Solver, fixed: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the weight of each feature: none, those that are fixed, or those found now."""
        names = [block.spec.name for block in self._design.blocks]
        if not self._options.weigh:
            return {}
        if "penalty" in fixed:
            given = {name: fixed.get(_weight_of(name), 1.0) for name in names}
            return given if any(given.values()) else dict.fromkeys(names, 1.0)

        def loss(weights: np.ndarray) -> float:
            scale = self._design.spread(dict(zip(names, weights.tolist(), strict=True)))
            return min(solve(weighed(matrix, scale), None)[2].values(), default=0.0)

        found = choose_weights(len(names), loss, passes=self._options.weigh)
        return dict(zip(names, found.tolist(), strict=True))

    def predict(self, table: FeatureTable) -> np.ndarray:
        """Return float64 [N], probabilities [N, classes], or [N, T].

        A class without train rows has probability 0.
        """
        matrix = self._design.without_zeros(table).astype(np.float64)
        scores = matrix @ self._weights + self._intercepts
        if self.problem.task == "regression":
            first: np.ndarray = scores[:, 0]
            return first
        if self.problem.task == "sequence":
            return scores
        probabilities = np.zeros((len(table), self.problem.outputs))
        probabilities[:, self._classes] = softmax(scores)
        return probabilities

    def save(self, folder: Path) -> None:
        """Write `linear.json`, `linear.safetensors` and the design."""
        words = {
            "problem": self.problem.to_json(),
            "options": asdict(self._options),
        }
        write_json(folder / "linear.json", words)
        arrays = {
            "weights": np.ascontiguousarray(self._weights),
            "intercepts": np.ascontiguousarray(self._intercepts),
            "classes": self._classes,
        }
        save_arrays(folder / "linear.safetensors", arrays)
        self._design.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Linear:
        """Read what `save` wrote."""
        words = json.loads((folder / "linear.json").read_text(encoding="utf-8"))
        arrays = load_file(folder / "linear.safetensors")
        head = cls(Problem.from_json(words["problem"]), LinearOptions(**words["options"]))
        head._design = Design.load(folder)
        head._weights, head._intercepts = arrays["weights"], arrays["intercepts"]
        head._classes = arrays["classes"]
        return head

    def importances(self) -> Mapping[str, float]:
        """Return each feature's share of the squared weights of its scaled columns."""
        weights = self._weights - self._weights.mean(axis=1, keepdims=True)
        single = self._weights.shape[1] == 1 or self.problem.task == "sequence"
        return self._design.shares(((self._weights if single else weights) ** 2).sum(axis=1))

    def describe(self) -> dict[str, Any]:
        """Return the options."""
        return asdict(self._options)


def _weight_of(name: str) -> str:
    """Return what the choice of a feature's weight is called."""
    return f"weight({name})"


def clusters_of(table: FeatureTable) -> np.ndarray | None:
    """Return int64 [N], equal for rows to be kept together (authors, near-duplicates), or None.

    A row without an author is a cluster of its own, if it is no near-duplicate.
    """
    if table.author is None:
        return table.groups
    return units_of(SplitRows(table.ids, author=table.author, groups=table.groups), by_author=True)
