"""What a head is: the contract between a light model on cached features and the fitting loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from cache.table import FeatureTable

TASKS = ("regression", "classification", "sequence")


@dataclass(frozen=True)
class Problem:
    """What is to be predicted: a task of `TASKS` and how many numbers come out per sample.

    outputs   1 for a regression, the number of classes for a classification (a fold may lack one of
              them in its train rows) and the number of steps T for a sequence
    observed  the features that hold the steps before those of a sequence, in their order; on the
              scale of the table
    """

    task: str
    outputs: int = 1
    observed: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"task": self.task, "outputs": self.outputs, "observed": list(self.observed)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Problem:
        return cls(value["task"], value["outputs"], tuple(value.get("observed", ())))


@dataclass(frozen=True)
class FitReport:
    """What a fit tells of itself.

    chosen   hyper-parameters chosen inside the fit (penalty, iterations); the final fit on all rows
             takes the folds' medians of them
    history  rows of the training curve, one mapping each
    """

    chosen: Mapping[str, float] = field(default_factory=dict)
    history: Sequence[Mapping[str, float]] = ()


@dataclass(frozen=True)
class Span:
    """Between which values of an option `--tune` looks for a better one, both included.

    log    evenly by ratio rather than by difference
    whole  whole numbers only
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False


class Head(Protocol):
    """A model that learns from a `FeatureTable` and predicts for another one.

    name     its name in the catalog
    accepts  layouts of features it takes: "pooled" [N, D], "sequence" [N, T, D]
    tasks    the tasks it can learn; targets are as in `FeatureTable.target`
    options  a frozen dataclass of its options, every one with a default
    space    the options that `--tune` chooses; an option that nothing is gained by is not there
    """

    name: ClassVar[str]
    accepts: ClassVar[tuple[str, ...]]
    tasks: ClassVar[tuple[str, ...]]
    options: ClassVar[type]
    space: ClassVar[Mapping[str, Span]]

    def __init__(self, problem: Problem, options: Any = None) -> None: ...

    def fit(
        self,
        train: FeatureTable,
        valid: FeatureTable | None,
        *,
        seed: int,
        fixed: Mapping[str, float],
    ) -> FitReport:
        """Learn from `train`; `valid` chooses what is chosen, and is never learnt from otherwise.

        `fixed` holds choices already made (the folds' medians); what it names is not chosen again.

        Raises:
            FitError: if there is nothing to learn from (no feature with two values in `train`).
        """
        ...

    def predict(self, table: FeatureTable) -> np.ndarray:
        """Return float64 [N] (regression), probabilities [N, classes], or [N, T] (sequence)."""
        ...

    def save(self, folder: Path) -> None:
        """Write the head into a folder: JSON, safetensors, LightGBM's text; no pickle."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Head:
        """Read what `save` wrote."""
        ...

    def importances(self) -> Mapping[str, float]:
        """Return by feature its share of the fitted model, summing to 1; or nothing."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return the head's options as they were resolved, for `config.yaml`."""
        ...
