"""What a network is to say: targets on a scale of about one, its loss, and the way back."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn import functional

from cache.table import FeatureTable
from heads.contract import Problem
from heads.networks.anchor import Anchor, fit_anchor
from heads.penalised.logistic import softmax


@dataclass(frozen=True, eq=False)
class Goal:
    """A task as a network learns it.

    scale    centre and spread of each output in the train rows, float64 [2, outputs]; 0 and 1 for
             classes
    weights  float32 [classes]; None: every row weighs the same
    anchor   sequences: the last known day, from which the rest is told
    """

    problem: Problem
    scale: np.ndarray
    weights: torch.Tensor | None = None
    anchor: Anchor = field(default_factory=Anchor)

    @property
    def of_classes(self) -> bool:
        return self.problem.task == "classification"

    def encode(self, table: FeatureTable) -> torch.Tensor:
        """Return classes int64 [N], or float32 [N, outputs], scaled, NaN for gaps."""
        assert table.target is not None
        if self.of_classes:
            return torch.from_numpy(table.target)
        centre, spread = self.scale
        scaled = (_numbers(self.problem, self.anchor, table) - centre) / spread
        return torch.from_numpy(scaled.astype(np.float32))

    def loss(
        self, scores: torch.Tensor, target: torch.Tensor, smoothing: float = 0.0
    ) -> torch.Tensor:
        """Return the mean loss of scores [B, outputs]; gaps are left out."""
        if self.of_classes:
            return functional.cross_entropy(
                scores, target, weight=self.weights, label_smoothing=smoothing
            )
        known = torch.isfinite(target)
        return functional.mse_loss(scores[known], target[known])

    def joined(self, scores: torch.Tensor) -> torch.Tensor:
        """Return the scores [N, outputs] of the mean answer of networks [networks, N, outputs]."""
        if not self.of_classes:
            return scores.mean(dim=0)
        return torch.logsumexp(torch.log_softmax(scores, dim=2), dim=0) - math.log(len(scores))

    def decode(self, scores: np.ndarray, table: FeatureTable) -> np.ndarray:
        """Return what a head predicts for the rows of a table, of scores float64 [N, outputs]."""
        if self.of_classes:
            return softmax(scores)
        centre, spread = self.scale
        numbers: np.ndarray = scores * spread + centre
        if self.problem.task == "regression":
            return numbers[:, 0]
        curves: np.ndarray = numbers + self.anchor.of(table)[:, None]
        return curves


def fit_goal(problem: Problem, train: FeatureTable, *, class_weights: float = 0.0) -> Goal:
    """Learn scales from train rows.

    `class_weights` 1 gives all classes the same weight in all, 0 every row; a class without train
    rows has none.
    """
    target = train.target
    assert target is not None
    if problem.task != "classification":
        anchor = fit_anchor(problem.observed if problem.task == "sequence" else (), train)
        columns = _numbers(problem, anchor, train)
        spread = np.nanstd(columns, axis=0)
        centre = np.nanmean(columns, axis=0)
        scale = np.stack([centre, np.where(spread > 0, spread, 1.0)])
        return Goal(problem, scale, anchor=anchor)
    scale = np.stack([np.zeros(problem.outputs), np.ones(problem.outputs)])
    if not class_weights:
        return Goal(problem, scale)
    rows = np.bincount(target, minlength=problem.outputs)
    weights = np.where(rows > 0, len(target) / np.maximum(rows, 1), 0.0) ** class_weights
    return Goal(problem, scale, torch.from_numpy(weights.astype(np.float32)))


def _numbers(problem: Problem, anchor: Anchor, table: FeatureTable) -> np.ndarray:
    """Return what is to be told of each row, float64 [N, outputs], NaN for gaps."""
    if problem.task == "sequence":
        return anchor.shifted(table)
    assert table.target is not None
    return table.target.reshape(len(table), -1)
