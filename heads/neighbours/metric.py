"""Which columns tell rows apart: the space in which the head `knn` looks for neighbours.

Every feature weighs the same to begin with, whatever its width (`heads/networks/inputs.py`). A
column then weighs as a ridge regression of the target leans on it, to a power: of seven numbers
that describe a channel two may say all there is to say, and among equals the other five drown
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from cache.table import FeatureTable
from heads.columns.design import save_arrays
from heads.neighbours.bank import Placed
from heads.networks.inputs import TOPICS, Inputs, fit_inputs
from heads.penalised.ridge import fit_ridge
from heads.threads import calm

_FILE = "metric.safetensors"


@dataclass(frozen=True, eq=False)
class Metric:
    """The way from a table to rows in a space.

    lean    float64 [D], how much a ridge leans on each column: squared weights, the largest 1
    spread  float64 [D], variance of each column over the train rows that have it
    """

    inputs: Inputs
    lean: np.ndarray
    spread: np.ndarray

    @property
    def widths(self) -> list[int]:
        """The columns of each feature."""
        return self.inputs.widths

    def weights(self, relevance: float, categories: float) -> np.ndarray:
        """Return what the columns are multiplied by, float64 [D].

        Two rows at random are then 1 apart. `relevance` is the power: with 0 all features weigh the
        same. `categories` is what another category, or another language, adds to that.
        """
        weights = self.lean**relevance
        weights = weights / max(2 * float((weights * self.spread).sum()), 1e-30)
        if categories:
            weights = weights + categories * self._indicators() / 2
            weights = weights / (2 * float((weights * self.spread).sum()))
        scales: np.ndarray = np.sqrt(weights)
        return scales

    def _indicators(self) -> np.ndarray:
        """Return for each column of categories 1 over its squared scale, for others 0."""
        parts = []
        for block, width in zip(self.inputs.design.blocks, self.widths, strict=True):
            own = np.zeros(width)
            if block.kind == "categories":
                own = 1 / block.scale.astype(np.float64) ** 2
            parts.append(own)
        return np.concatenate(parts)

    def shares(self, weights: np.ndarray) -> np.ndarray:
        """Return how far two rows at random lie apart in each feature, of all; float64."""
        starts = np.cumsum([0, *self.widths[:-1]])
        parts = np.add.reduceat(weights**2 * self.spread, starts)
        shares: np.ndarray = parts / parts.sum()
        return shares

    def place(self, table: FeatureTable) -> Placed:
        """Return the rows of a table in the space, its columns not weighed yet."""
        values, flags = self.inputs.arrays(table)
        nobody = np.zeros(len(table), np.str_)
        author = nobody if table.author is None else table.author
        posted_at = np.full(len(table), np.inf)
        if table.posted_at is not None:
            posted_at = np.where(np.isfinite(table.posted_at), table.posted_at, np.inf)
        return Placed(values, flags > 0, author, posted_at)

    def save(self, folder: Path) -> None:
        """Write `metric.safetensors` and the inputs' files."""
        save_arrays(folder / _FILE, {"lean": self.lean, "spread": self.spread})
        self.inputs.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Metric:
        """Read what `save` wrote."""
        arrays = load_file(folder / _FILE)
        return cls(Inputs.load(folder), arrays["lean"], arrays["spread"])


def fit_metric(
    train: FeatureTable,
    target: np.ndarray,
    clusters: np.ndarray | None,
    penalty: float | None,
    *,
    seed: int,
    inputs: Inputs | None = None,
) -> tuple[Metric, float]:
    """Learn a space from train rows and their target, float64 [N, K] with NaN for gaps.

    Returns it with the ridge's penalty, which leaving rows out chooses where it is None; rows of
    one of the `clusters` are left out together. `inputs`, which know no labels, may be given.

    Raises:
        FitError: as `fit_design` and `fit_ridge`.
    """
    inputs = inputs or fit_inputs(train, balance=1.0, topics=TOPICS, seed=seed)
    values, flags = inputs.arrays(train)
    with calm(values.size):
        slopes, _, curve = fit_ridge(values, target, clusters, penalty)
    lean = (slopes**2).sum(axis=1)
    spread = _spread(values, flags > 0, inputs.widths)
    if penalty is None:
        penalty = min(curve, key=lambda value: curve[value])
    most = float(lean.max())  # 0: the ridge leans on no column, and so on all alike
    return Metric(inputs, lean / most if most > 0 else np.ones_like(lean), spread), penalty


def _spread(values: np.ndarray, flags: np.ndarray, widths: Sequence[int]) -> np.ndarray:
    """Return the variance of each column over the rows that have it, float64 [D]."""
    known = np.maximum(flags.sum(axis=0), 1).repeat(widths)
    mean = values.sum(axis=0, dtype=np.float64) / known
    squares = np.einsum("ij,ij->j", values, values, dtype=np.float64) / known
    spread: np.ndarray = np.maximum(squares - mean**2, 1e-12)
    return spread
