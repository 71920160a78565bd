"""What a head learns: raw labels as numbers, class indices or sequences, and the way back.

Everything that is taken from the labels (thresholds, ranks) is taken by `TargetPlan.fit` from train
rows only, and kept in the `FittedTarget`. Only the list of classes is that of all labelled rows:
the folds of one run must agree on it. The published labelling of the popularity study normalises by
minimum and maximum first; that is monotone, so the classes are the same without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from core.errors import UsageError
from corpus.labels import SHOWN, class_names, named_rows, numbers_of, sequences_of, sorted_classes
from corpus.learnable import check_any, check_classes, check_steps, check_varied
from corpus.sample import Target
from corpus.transforms import Transform, check_transform

TASKS = ("regression", "classification", "sequence")
LOW, MIDDLE, HIGH = "low", "middle", "high"
_BETWEEN = 1


@dataclass(frozen=True)
class TargetPlan:
    """What is to be learnt from one column; nothing of it is taken from the data.

    task       "regression", "classification" or "sequence"
    transform  the scale to learn on: "none", "log1p", "rank", "logit"
    quantiles  two shares such as (0.33, 0.67) make classes of a number: "low" below the first
               quantile of the train rows, "high" above the second
    middle     "drop" takes the rows between the two for unlabelled, "keep" makes them a third class
    scale      logit only: the value that counts as 1; 100 for percentages
    """

    column: str
    task: str = "regression"
    transform: str = "none"
    quantiles: tuple[float, float] | None = None
    middle: str = "drop"
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise UsageError(f"task {self.task!r} is unknown; known: {', '.join(TASKS)}")
        if self.middle not in ("drop", "keep"):
            raise UsageError(f"middle is {self.middle!r}; expected 'drop' or 'keep'")
        check_transform(self.transform, task=self.task, scale=self.scale)
        if self.quantiles is None:
            if self.middle == "keep":
                raise UsageError("middle 'keep' is of quantiles: give --quantiles 0.33,0.67 too")
            return
        if self.task != "classification":
            raise UsageError(f"quantiles make classes: use task classification, not {self.task}")
        if len(self.quantiles) != 2 or not 0 < self.quantiles[0] <= self.quantiles[1] < 1:
            raise UsageError(
                f"quantiles are {self.quantiles}; expected two rising shares such as 0.33,0.67"
            )

    @property
    def needs_numbers(self) -> bool:
        """Whether every label must be a number."""
        return self.task != "classification" or self.quantiles is not None

    def fit(
        self, values: Sequence[Target], train: np.ndarray, *, ids: Sequence[str] = ()
    ) -> FittedTarget:
        """Fit on the rows `train` (bool [N]) of the raw labels `values`; `ids` are for error texts.

        Raises:
            UsageError: if a label is no number where one is needed, or none that the transform
                takes.
            FitError: if the train rows have no label or only one, or a class has too few rows.
        """
        if not self.needs_numbers:
            names, labelled = class_names(values, self.column)
            check_any(labelled, self.column)
            fitted = FittedTarget(self, Transform("none"), sorted_classes(names))
            indices, labelled = fitted.encode(values)
            check_classes(fitted.classes, indices, labelled, labelled & train, column=self.column)
            return fitted
        numbers = self.numbers(values, ids)
        check_any(np.isfinite(numbers), self.column)
        self.refuse_outside(numbers, ids)
        if self.task == "sequence":
            check_steps(numbers[train], self.column)
        known = numbers[train]
        known = known[np.isfinite(known)]
        check_varied(known, self.column)
        if self.quantiles is not None:
            return self._fit_quantiles(values, known, train)
        transform = Transform.fit(self.transform, known, scale=self.scale)
        steps = numbers.shape[1] if self.task == "sequence" else None
        return FittedTarget(self, transform, steps=steps)

    def strata(self, values: Sequence[Target]) -> np.ndarray:
        """Return int64 [N], what a stratified split balances: classes, or parts by the quantiles.

        They are taken from all rows, and good for nothing but splitting; -1: there is no label.

        Raises:
            UsageError: if the target is a number or sequence that no quantiles cut into classes.
        """
        if self.task != "classification":
            raise UsageError(
                f"a stratified split needs classes, and target {self.column!r} is a {self.task}; "
                "use --split random:0.7,0.15,0.15 or kfold:5"
            )
        if self.quantiles is None:
            names, _ = class_names(values, self.column)
            index = {name: place for place, name in enumerate(sorted_classes(names))}
            return np.array([index.get(name, -1) for name in names], dtype=np.int64)
        numbers = self.numbers(values, ())
        labelled = np.isfinite(numbers)
        if not labelled.any():
            return np.full(len(numbers), -1, dtype=np.int64)
        low, high = np.quantile(numbers[labelled], self.quantiles)
        strata = np.select([numbers < low, numbers > high], [0, 2], _BETWEEN)
        return np.where(labelled, strata, -1).astype(np.int64)

    @property
    def between(self) -> int | None:
        """Which of the strata lies between the quantiles; None where they are classes."""
        return None if self.quantiles is None else _BETWEEN

    def numbers(self, values: Sequence[Target], ids: Sequence[str]) -> np.ndarray:
        """Return raw labels as float64 [N], or [N, T] for a sequence; NaN where there is none."""
        if self.task == "sequence":
            return sequences_of(values, self.column)
        return numbers_of(values, self.column, ids)

    def refuse_outside(self, numbers: np.ndarray, ids: Sequence[str]) -> None:
        """Raise a UsageError if the transform has no place for one of the numbers."""
        outside = Transform(self.transform, self.scale).outside(numbers)
        rows = np.flatnonzero(outside.reshape(len(numbers), -1).any(axis=1)).tolist()
        if not rows:
            return
        firsts = {row: float(numbers[row][outside[row]].flat[0]) for row in rows[:SHOWN]}
        expected, remedy = "greater than -1", "use --transform none or rank"
        if self.transform == "logit":
            expected = f"in 0..{self.scale:g}"
            remedy = "say which value counts as 1, for percentages: --target-scale 100"
        raise UsageError(
            f"target {self.column!r}: transform {self.transform} takes values {expected}, but "
            f"{len(rows)} rows have others: {named_rows(rows, firsts, ids)}; {remedy}"
        )

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        quantiles = None if self.quantiles is None else list(self.quantiles)
        return {**asdict(self), "quantiles": quantiles}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TargetPlan:
        """Read what `to_json` gave."""
        quantiles = value["quantiles"]
        return cls(**{**value, "quantiles": None if quantiles is None else tuple(quantiles)})

    def _fit_quantiles(
        self, values: Sequence[Target], known: np.ndarray, train: np.ndarray
    ) -> FittedTarget:
        assert self.quantiles is not None
        low, high = (float(np.quantile(known, share)) for share in self.quantiles)
        names = (LOW, MIDDLE, HIGH) if self.middle == "keep" else (LOW, HIGH)
        fitted = FittedTarget(self, Transform("none"), names, (low, high))
        indices, labelled = fitted.encode(values)
        check_classes(names, indices, labelled, labelled & train, column=self.column)
        return fitted


@dataclass(frozen=True, eq=False)
class FittedTarget:
    """A target with what was taken from the train rows.

    classes     names in the order of their index; () for numbers
    thresholds  of quantile classes: below the first is "low", above the second "high"
    steps       length T of a sequence
    """

    plan: TargetPlan
    transform: Transform
    classes: tuple[str, ...] = ()
    thresholds: tuple[float, float] | None = None
    steps: int | None = None

    def encode(
        self, values: Sequence[Target], *, ids: Sequence[str] = ()
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return labels to learn from, and which rows have one (bool [N]).

        The labels are float64 [N] on the transform's scale, float64 [N, T] with NaN for gaps, or
        int64 [N], class indices; where there is no label they are NaN, or 0.

        Raises:
            UsageError: if a label is no number, or a class that the fit did not see.
        """
        if not self.plan.needs_numbers:
            return self._class_indices(values)
        numbers = self.plan.numbers(values, ids)
        if self.thresholds is not None:
            return self._quantile_indices(numbers)
        self.plan.refuse_outside(numbers, ids)
        known = np.isfinite(numbers)
        if self.steps is None:
            return self.transform.encode(numbers), known
        if known.any() and numbers.shape[1] != self.steps:
            raise UsageError(
                f"target {self.plan.column!r} has {numbers.shape[1]} steps, the run {self.steps}"
            )
        if numbers.shape[1] != self.steps:
            numbers = np.full((len(values), self.steps), np.nan)
        return self.transform.encode(numbers), known.any(axis=1)

    def decode(self, predicted: np.ndarray) -> np.ndarray:
        """Return predictions in the table's own unit.

        Numbers, float64 of any shape, come back by the transform; class indices (integer [N]) and
        probabilities (float [N, classes]) as class names, str [N].
        """
        if not self.classes:
            return self.transform.decode(np.asarray(predicted, dtype=np.float64))
        indices = predicted if predicted.ndim == 1 else predicted.argmax(axis=1)
        return np.array(self.classes, dtype=np.str_)[indices.astype(np.int64)]

    def to_json(self) -> dict[str, Any]:
        """Return plan and fit as JSON values."""
        return {
            "plan": self.plan.to_json(),
            "transform": self.transform.to_json(),
            "classes": list(self.classes),
            "thresholds": None if self.thresholds is None else list(self.thresholds),
            "steps": self.steps,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> FittedTarget:
        """Read what `to_json` gave."""
        thresholds = value["thresholds"]
        return cls(
            plan=TargetPlan.from_json(value["plan"]),
            transform=Transform.from_json(value["transform"]),
            classes=tuple(value["classes"]),
            thresholds=None if thresholds is None else (thresholds[0], thresholds[1]),
            steps=value["steps"],
        )

    def _class_indices(self, values: Sequence[Target]) -> tuple[np.ndarray, np.ndarray]:
        names, labelled = class_names(values, self.plan.column)
        index = {name: place for place, name in enumerate(self.classes)}
        unknown = sorted({name for name in names if name and name not in index})
        if unknown:
            raise UsageError(
                f"target {self.plan.column!r} has classes that the run does not know: "
                f"{', '.join(map(repr, unknown[:SHOWN]))}; it knows: "
                f"{', '.join(self.classes[:20])}; leave out their rows"
            )
        return np.array([index.get(name, 0) for name in names], dtype=np.int64), labelled

    def _quantile_indices(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        assert self.thresholds is not None
        low, high = self.thresholds
        below, above = numbers < low, numbers > high
        labelled = np.isfinite(numbers)
        if self.plan.middle == "drop":
            labelled = below | above
        indices = np.select([below, above, labelled], [0, len(self.classes) - 1, 1], 0)
        return indices.astype(np.int64), labelled
