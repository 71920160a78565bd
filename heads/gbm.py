"""The gradient-boosted trees of LightGBM, with settings that are fast on wide embeddings.

Measured against LightGBM's defaults in `bench/gbm.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import lightgbm
import numpy as np

from cache.table import FeatureTable
from core.errors import RunError
from core.files import write_json, write_text
from heads.contract import FitReport, Problem
from heads.design import Design, fit_design
from heads.threads import thread_count

WIDE = 200  # columns, from which a tree looks at a part of them only
PATIENCE = 50  # rounds without improvement on the validation rows, after which training stops
UNSTOPPED = 200  # rounds where there are no validation rows to stop by


@dataclass(frozen=True)
class GbmOptions:
    """Options of the trees; None follows from the number of rows and columns.

    rounds     the most trees per class; validation rows stop earlier
    rate       what each tree adds, as a share
    leaves     of a tree: 31, fewer for few rows
    leaf_rows  the fewest train rows in a leaf: 20, fewer for few rows
    columns    share of the columns that a tree looks at: 0.2 from 200 columns on, else 0.8
    """

    rounds: int = 1000
    rate: float = 0.05
    leaves: int | None = None
    leaf_rows: int | None = None
    columns: float | None = None

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise ValueError(f"rounds {self.rounds} is not 1 or more")
        if not 0 < self.rate <= 1:
            raise ValueError(f"rate {self.rate} is not in 0..1")
        if self.leaves is not None and self.leaves < 2:
            raise ValueError(f"leaves {self.leaves} is not 2 or more")
        if self.leaf_rows is not None and self.leaf_rows < 1:
            raise ValueError(f"leaf_rows {self.leaf_rows} is not 1 or more")
        if self.columns is not None and not 0 < self.columns <= 1:
            raise ValueError(f"columns {self.columns} is not in 0..1")


class Gbm:
    """Trees on raw values; a gap is NaN, which LightGBM sends to the better side of each split."""

    name: ClassVar[str] = "gbm"
    accepts: ClassVar[tuple[str, ...]] = ("pooled",)
    tasks: ClassVar[tuple[str, ...]] = ("regression", "classification")
    options: ClassVar[type] = GbmOptions

    def __init__(self, problem: Problem, options: Any = None) -> None:
        self.problem = problem
        self._options: GbmOptions = options or GbmOptions()
        self._design = Design(())
        self._booster: lightgbm.Booster | None = None

    def fit(
        self,
        train: FeatureTable,
        valid: FeatureTable | None,
        *,
        seed: int,
        fixed: Mapping[str, float],
    ) -> FitReport:
        """Grow trees on `train` until `valid` gets no better, or as many as `fixed` says."""
        self._design = fit_design(train, raw=True)
        matrix = self._design.apply(train)
        settings = self._settings(*matrix.shape, seed=seed)
        data = lightgbm.Dataset(matrix, train.target, params=settings)
        rounds = int(fixed.get("iterations", 0))
        if rounds or valid is None or not len(valid):
            rounds = rounds or min(UNSTOPPED, self._options.rounds)
            self._booster = lightgbm.train(settings, data, rounds)
            return FitReport({"iterations": float(rounds)})
        return self._fit_stopped(settings, data, valid)

    def _fit_stopped(
        self, settings: dict[str, Any], data: lightgbm.Dataset, valid: FeatureTable
    ) -> FitReport:
        curve: dict[str, dict[str, list[float]]] = {}
        self._booster = lightgbm.train(
            settings,
            data,
            self._options.rounds,
            valid_sets=[data.create_valid(self._design.apply(valid), valid.target)],
            valid_names=["valid"],
            callbacks=[
                lightgbm.early_stopping(PATIENCE, verbose=False),
                lightgbm.record_evaluation(curve),
            ],
        )
        losses = next(iter(curve["valid"].values()))
        history = [{"iteration": index + 1.0, "loss": loss} for index, loss in enumerate(losses)]
        best = self._booster.best_iteration or len(losses)
        return FitReport({"iterations": float(best)}, history)

    def _settings(self, rows: int, columns: int, *, seed: int) -> dict[str, Any]:
        """Return LightGBM's parameters.

        63 bins and column-wise histograms make wide dense columns fast; a share of the columns
        per tree divides the time again and, among embeddings, costs nothing as neighbours say
        much the same.
        """
        given = self._options
        settings: dict[str, Any] = {
            "learning_rate": given.rate,
            "num_leaves": given.leaves or int(np.clip(rows // 20, 4, 31)),
            "min_data_in_leaf": given.leaf_rows or int(np.clip(rows // 50, 3, 20)),
            "feature_fraction": given.columns or (0.2 if columns > WIDE else 0.8),
            "max_bin": 63,
            "force_col_wise": True,
            "num_threads": thread_count(rows * columns),
            "deterministic": True,
            "seed": seed,
            "verbosity": -1,
        }
        if self.problem.task == "regression":
            return settings | {"objective": "regression", "metric": "l2"}
        if self.problem.outputs == 2:
            return settings | {"objective": "binary", "metric": "binary_logloss"}
        return settings | {
            "objective": "multiclass",
            "num_class": self.problem.outputs,
            "metric": "multi_logloss",
        }

    def predict(self, table: FeatureTable) -> np.ndarray:
        """Return float64 [N] or probabilities [N, classes]."""
        booster = self._fitted()
        matrix = self._design.apply(table)
        predicted = booster.predict(matrix, num_threads=thread_count(matrix.size))
        values: np.ndarray = np.asarray(predicted, np.float64)
        if self.problem.task == "classification" and self.problem.outputs == 2:
            return np.column_stack([1 - values, values])
        return values

    def save(self, folder: Path) -> None:
        """Write `gbm.json`, LightGBM's text `gbm.txt` and the design."""
        words = {
            "task": self.problem.task,
            "outputs": self.problem.outputs,
            "options": asdict(self._options),
        }
        write_json(folder / "gbm.json", words)
        write_text(folder / "gbm.txt", self._fitted().model_to_string())
        self._design.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Gbm:
        """Read what `save` wrote.

        Raises:
            RunError: if LightGBM cannot read its own text.
        """
        words = json.loads((folder / "gbm.json").read_text(encoding="utf-8"))
        head = cls(Problem(words["task"], words["outputs"]), GbmOptions(**words["options"]))
        head._design = Design.load(folder)
        try:
            text = (folder / "gbm.txt").read_text(encoding="utf-8")
            head._booster = lightgbm.Booster(model_str=text)
        except lightgbm.basic.LightGBMError as error:
            raise RunError(
                f"{folder / 'gbm.txt'} is not a LightGBM model: {error}; fit again"
            ) from error
        return head

    def importances(self) -> Mapping[str, float]:
        """Return each feature's share of the gain of all splits."""
        gains = self._fitted().feature_importance("gain")
        return self._design.shares(np.asarray(gains, np.float64))

    def describe(self) -> dict[str, Any]:
        """Return the options."""
        return asdict(self._options)

    def _fitted(self) -> lightgbm.Booster:
        assert self._booster is not None, "predict before fit"
        return self._booster
