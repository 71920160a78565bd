"""The constant baseline: what a head must beat to have learnt anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from cache.table import FeatureTable
from core.files import write_json
from heads.contract import TASKS, FitReport, Problem, Span


@dataclass(frozen=True)
class MeanOptions:
    """The constant has no options."""


class Mean:
    """Predicts the train mean, the train shares of the classes, or the train mean of each step."""

    name: ClassVar[str] = "mean"
    accepts: ClassVar[tuple[str, ...]] = ("pooled", "sequence")
    tasks: ClassVar[tuple[str, ...]] = TASKS
    options: ClassVar[type] = MeanOptions
    space: ClassVar[Mapping[str, Span]] = {}

    def __init__(self, problem: Problem, options: Any = None) -> None:
        self.problem = problem
        self._options = options or MeanOptions()
        self._value = np.zeros(problem.outputs)

    def fit(
        self,
        train: FeatureTable,
        valid: FeatureTable | None,
        *,
        seed: int,
        fixed: Mapping[str, float],
    ) -> FitReport:
        """Learn the constant; a step without a value in train gets the mean of all steps."""
        del valid, seed, fixed
        target = train.target
        assert target is not None
        if self.problem.task == "classification":
            self._value = np.bincount(target, minlength=self.problem.outputs) / len(target)
        elif self.problem.task == "regression":
            self._value = np.array([target.mean()])
        else:
            known = np.isfinite(target)
            sums = np.where(known, target, 0).sum(axis=0)
            overall = sums.sum() / known.sum()
            self._value = np.where(
                known.any(axis=0), sums / np.maximum(known.sum(axis=0), 1), overall
            )
        return FitReport()

    def predict(self, table: FeatureTable) -> np.ndarray:
        """Return the constant for every row."""
        if self.problem.task == "regression":
            return np.full(len(table), self._value[0])
        return np.tile(self._value, (len(table), 1))

    def save(self, folder: Path) -> None:
        """Write `mean.json`."""
        value = {
            "problem": self.problem.to_json(),
            "value": self._value.tolist(),
        }
        write_json(folder / "mean.json", value)

    @classmethod
    def load(cls, folder: Path) -> Mean:
        """Read what `save` wrote."""
        value = json.loads((folder / "mean.json").read_text(encoding="utf-8"))
        head = cls(Problem.from_json(value["problem"]))
        head._value = np.array(value["value"])
        return head

    def importances(self) -> Mapping[str, float]:
        """Return nothing: a constant looks at no feature."""
        return {}

    def describe(self) -> dict[str, Any]:
        """Return the options: there are none."""
        return {}
