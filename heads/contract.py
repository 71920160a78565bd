"""What a head is: the contract between a light model on cached features and the fitting loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from cache.table import FeatureTable


@dataclass(frozen=True)
class FitReport:
    """What a fit tells of itself.

    chosen   hyper-parameters chosen inside the fit (penalty, iterations); the final fit on all rows
             takes the folds' medians of them
    history  rows of the training curve, one mapping each
    """

    chosen: Mapping[str, float] = field(default_factory=dict)
    history: Sequence[Mapping[str, float]] = ()


class Head(Protocol):
    """A model that learns from a `FeatureTable` and predicts for another one.

    `task` is "regression", "classification" or "sequence"; targets are as in `FeatureTable.target`.
    """

    name: str
    accepts: tuple[str, ...]  # layouts of features: "pooled", "sequence"
    tasks: tuple[str, ...]

    def fit(
        self,
        train: FeatureTable,
        valid: FeatureTable | None,
        *,
        seed: int,
        fixed: Mapping[str, float],
    ) -> FitReport:
        """Learn from `train`; `valid` chooses what is chosen. `fixed` holds choices already made (the
        folds' medians), in which case there is no `valid` to look at.
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

    def describe(self) -> dict[str, Any]:
        """Return the head's options as they were resolved, for `config.yaml`."""
        ...
