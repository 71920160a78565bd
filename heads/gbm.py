"""The gradient-boosted trees of LightGBM, with settings that are fast on wide embeddings.

Measured against LightGBM's defaults in `bench/gbm.py`. A sequence has trees of its own for each
step, all on the same bins of the same columns.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import lightgbm
import numpy as np

from cache.table import FeatureTable
from core.errors import RunError
from core.files import write_json, write_text
from heads.columns.design import Design, fit_design
from heads.contract import TASKS, FitReport, Problem, Span
from heads.networks.anchor import Anchor, fit_anchor
from heads.threads import thread_count

WIDE = 200  # columns, from which a tree looks at a part of them only
NARROW = 10  # columns of a feature: of fewer, one tree in ten or more would see none at all
PATIENCE = 50  # rounds without improvement on the validation rows, after which training stops
UNSTOPPED = 200  # rounds where there are no validation rows to stop by


@dataclass(frozen=True)
class GbmOptions:
    """Options of the trees; None follows from the number of rows and columns.

    rounds     the most trees per class or step; validation rows stop earlier
    rate       what each tree adds, as a share
    leaves     of a tree: 31, fewer for few rows
    leaf_rows  the fewest train rows in a leaf: 20, fewer for few rows
    columns    share of the columns that a tree looks at: 0.2 of more than 200, 0.8 of fewer and
               where a feature has fewer than ten
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
    tasks: ClassVar[tuple[str, ...]] = TASKS
    options: ClassVar[type] = GbmOptions
    space: ClassVar[Mapping[str, Span]] = {
        "rate": Span(0.02, 0.2, log=True),
        "leaves": Span(3, 64, log=True, whole=True),
        "leaf_rows": Span(3, 100, log=True, whole=True),
        "columns": Span(0.1, 1),
    }

    def __init__(self, problem: Problem, options: Any = None) -> None:
        self.problem = problem
        self._options: GbmOptions = options or GbmOptions()
        self._design = Design(())
        self._anchor = Anchor()
        self._boosters: list[lightgbm.Booster] = []  # one, or one for each step of a sequence

    def fit(
        self,
        train: FeatureTable,
        valid: FeatureTable | None,
        *,
        seed: int,
        fixed: Mapping[str, float],
    ) -> FitReport:
        """Grow trees on `train` until `valid` gets no better, or as many as `fixed` says."""
        # No tree can split on an n-gram that fewer rows have than a leaf must hold.
        self._design = fit_design(train, raw=True, support=self._leaf_rows(len(train)))
        self._anchor = fit_anchor(self.problem.observed, train)
        matrix = self._design.apply(train)
        settings = self._settings(len(train), seed=seed)
        data = lightgbm.Dataset(matrix, params=settings, free_raw_data=False)
        learnt, rounds = self._labels(train), int(fixed.get("iterations", 0))
        grown, curves = {}, []
        if not rounds and valid is not None and len(valid):
            judged = data.create_valid(self._design.apply(valid), params=settings)
            for step, labels in enumerate(self._labels(valid)):
                if not np.isfinite(labels).any():
                    continue  # nothing says when to stop: as many trees as the other steps
                _label(data, learnt[step])
                _label(judged, labels)
                grown[step], curve = self._grow(settings, data, judged)
                curves.append(curve)
        best = [booster.best_iteration or booster.current_iteration() for booster in grown.values()]
        chosen = rounds or (np.median(best) if best else min(UNSTOPPED, self._options.rounds))
        for step in set(range(len(learnt))) - grown.keys():
            _label(data, learnt[step])
            grown[step] = lightgbm.train(settings, data, int(chosen))
        self._boosters = [grown[step] for step in range(len(learnt))]
        return FitReport({"iterations": float(chosen)}, _mean_curve(curves))

    def _labels(self, table: FeatureTable) -> list[np.ndarray]:
        """Return what each booster learns of these rows, [N] each, NaN for gaps."""
        assert table.target is not None
        if self.problem.task != "sequence":
            return [table.target]
        return list(self._anchor.shifted(table).T)

    def _grow(
        self, settings: dict[str, Any], data: lightgbm.Dataset, judged: lightgbm.Dataset
    ) -> tuple[lightgbm.Booster, list[float]]:
        """Grow trees until the judged rows get no better; return them and the loss after each."""
        curve: dict[str, dict[str, list[float]]] = {}
        booster = lightgbm.train(
            settings,
            data,
            self._options.rounds,
            valid_sets=[judged],
            valid_names=["valid"],
            callbacks=[
                lightgbm.early_stopping(PATIENCE, verbose=False),
                lightgbm.record_evaluation(curve),
            ],
        )
        return booster, next(iter(curve["valid"].values()))

    def _leaf_rows(self, rows: int) -> int:
        """Return the fewest of so many train rows that a leaf must hold."""
        return self._options.leaf_rows or int(np.clip(rows // 50, 3, 20))

    def _share(self) -> float:
        """Return the share of the columns that a tree looks at.

        A part of embeddings divides the time and costs little, as neighbours say much the same. But
        a number beside them says what no other column does: if four trees of five go without the
        first day of a curve, it takes four times as many trees, and errors are a fifth larger.
        """
        widths = [block.width for block in self._design.blocks]
        few = sum(widths) <= WIDE or min(widths) < NARROW
        return self._options.columns or (0.8 if few else 0.2)

    def _settings(self, rows: int, *, seed: int) -> dict[str, Any]:
        """Return LightGBM's parameters.

        63 bins and column-wise histograms make wide dense columns fast.
        """
        given = self._options
        settings: dict[str, Any] = {
            "learning_rate": given.rate,
            "num_leaves": given.leaves or int(np.clip(rows // 20, 4, 31)),
            "min_data_in_leaf": self._leaf_rows(rows),
            "feature_fraction": self._share(),
            "max_bin": 63,
            "force_col_wise": True,
            "num_threads": thread_count(rows * self._design.width),
            "deterministic": True,
            "seed": seed,
            "verbosity": -1,
        }
        if self.problem.task != "classification":
            return settings | {"objective": "regression", "metric": "l2"}
        if self.problem.outputs == 2:
            return settings | {"objective": "binary", "metric": "binary_logloss"}
        return settings | {
            "objective": "multiclass",
            "num_class": self.problem.outputs,
            "metric": "multi_logloss",
        }

    def predict(self, table: FeatureTable) -> np.ndarray:
        """Return float64 [N], probabilities [N, classes], or [N, T]."""
        assert self._boosters, "predict before fit"
        matrix = self._design.apply(table)
        threads = thread_count(matrix.size)
        found = [
            np.asarray(booster.predict(matrix, num_threads=threads), np.float64)
            for booster in self._boosters
        ]
        if self.problem.task == "sequence":
            steps: np.ndarray = np.stack(found, axis=1) + self._anchor.of(table)[:, None]
            return steps
        if self.problem.task == "regression":
            return found[0]
        if self.problem.outputs == 2:
            return np.column_stack([1 - found[0], found[0]])
        return found[0].reshape(len(table), self.problem.outputs)  # flat where there are no rows

    def save(self, folder: Path) -> None:
        """Write `gbm.json`, LightGBM's texts `gbm-1.txt`, ... and the design."""
        words = {
            "problem": self.problem.to_json(),
            "options": asdict(self._options),
            "boosters": len(self._boosters),
            "fallback": self._anchor.fallback,
        }
        write_json(folder / "gbm.json", words)
        for path, booster in zip(_files(folder, len(self._boosters)), self._boosters, strict=True):
            write_text(path, booster.model_to_string(num_iteration=booster.best_iteration))
        self._design.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Gbm:
        """Read what `save` wrote.

        Raises:
            RunError: if LightGBM cannot read its own text.
        """
        words = json.loads((folder / "gbm.json").read_text(encoding="utf-8"))
        head = cls(Problem.from_json(words["problem"]), GbmOptions(**words["options"]))
        head._design = Design.load(folder)
        head._anchor = Anchor(head.problem.observed, words["fallback"])
        head._boosters = [_read(path) for path in _files(folder, words["boosters"])]
        return head

    def importances(self) -> Mapping[str, float]:
        """Return each feature's share of the gain of all splits."""
        gains = np.sum([booster.feature_importance("gain") for booster in self._boosters], axis=0)
        return self._design.shares(np.asarray(gains, np.float64))

    def describe(self) -> dict[str, Any]:
        """Return the options."""
        return asdict(self._options)


def _label(data: lightgbm.Dataset, labels: np.ndarray) -> None:
    """Give rows their labels, in place of another step's; a row with a gap weighs nothing."""
    known = np.isfinite(labels)
    data.set_label(np.where(known, labels, 0))
    # `set_weight(None)` would leave the weights of the step before in their place.
    data.construct().set_field("weight", None if known.all() else known.astype(np.float32))


def _mean_curve(curves: Sequence[Sequence[float]]) -> list[dict[str, float]]:
    """Return rows of the mean of curves; one that has ended stays where it ended."""
    length = max(map(len, curves), default=0)
    held = [[*curve, *[curve[-1]] * (length - len(curve))] for curve in curves]
    means = np.mean(held, axis=0) if held else []
    return [{"iteration": index + 1.0, "loss": float(loss)} for index, loss in enumerate(means)]


def _files(folder: Path, count: int) -> list[Path]:
    return [folder / f"gbm-{index + 1}.txt" for index in range(count)]


def _read(path: Path) -> lightgbm.Booster:
    try:
        return lightgbm.Booster(model_str=path.read_text(encoding="utf-8"))
    except lightgbm.basic.LightGBMError as error:
        raise RunError(f"{path} is not a LightGBM model: {error}; fit again") from error
