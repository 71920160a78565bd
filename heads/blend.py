"""Several heads together: a weighted mean of what they predict, or a linear head on top of that.

What decides is how they predict train rows that they have not learnt from (`heads/inner.py`): a
member that knows its rows by heart gains nothing by it. Validation rows stay unseen but for what
members choose on them, and test rows are seen by nobody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from cache.spec import Column, FeatureSpec
from cache.table import FeatureTable
from core.files import write_json
from heads.blending import best_weights, mixed
from heads.catalog import HEADS, make_head
from heads.contract import TASKS, FitReport, Head, Problem, Span
from heads.inner import authors_apart, left_out
from heads.linear import Linear
from heads.parts import of_part, with_part

WAYS = ("mean", "stack")
_APART = "authors_apart"  # 1 where rows of one author are left out together
_MOST = 8  # members
_SMALLEST = 1e-6  # probability of a class whose logarithm is taken


@dataclass(frozen=True)
class BlendOptions:
    """Options of the blend.

    of       the members, heads by name
    how      "mean": a mean with weights of 0 or more that sum to 1; "stack": a linear head on what
             the members predict
    members  options of members, by their name; on the command line --set gbm.rounds=300
    """

    of: tuple[str, ...] = ("linear", "gbm", "knn")
    how: str = "mean"
    members: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.of or len(set(self.of)) < len(self.of) or len(self.of) > _MOST:
            raise ValueError(f"of {','.join(self.of)!r} is not 1 to {_MOST} different heads")
        if self.how not in WAYS:
            raise ValueError(f"how {self.how!r} is none of {', '.join(WAYS)}")
        for name in self.members:
            if name not in self.of:
                raise ValueError(f"{name}.* are options of a head that is not a member")
        for name in self.of:
            if name == Blend.name:
                raise ValueError("a blend is no member of a blend; name its members instead")


class Blend:
    """Members that all learn from the same rows, and what joins them."""

    name: ClassVar[str] = "blend"
    accepts: ClassVar[tuple[str, ...]] = ("pooled",)
    tasks: ClassVar[tuple[str, ...]] = TASKS
    options: ClassVar[type] = BlendOptions
    space: ClassVar[Mapping[str, Span]] = {}

    def __init__(self, problem: Problem, options: Any = None) -> None:
        self.problem = problem
        self._options: BlendOptions = options or BlendOptions()
        self._members = {name: self._untaught(name) for name in self._options.of}
        self._weights: dict[str, float] = {}
        self._stack = Linear(_plain(problem))

    def _untaught(self, name: str) -> Head:
        return make_head(name, self.problem, self._options.members.get(name))

    def fit(
        self,
        train: FeatureTable,
        valid: FeatureTable | None,
        *,
        seed: int,
        fixed: Mapping[str, float],
    ) -> FitReport:
        """Let all members learn from `train` and choose on `valid`, then find what joins them."""
        chosen: dict[str, float] = {}
        for name, member in self._members.items():
            report = member.fit(train, valid, seed=seed, fixed=of_part(name, fixed))
            chosen |= with_part(name, report.chosen)
        apart = fixed.get(_APART, float(authors_apart(train, valid)))
        weights = of_part("weight", fixed)
        if self._options.how == "mean" and weights.keys() >= self._members.keys():
            self._weights = weights
            return FitReport({**chosen, **with_part("weight", weights), _APART: apart})
        folds = left_out(train, apart=bool(apart), seed=seed)
        unseen = self._unseen(train, folds, chosen, seed=seed)
        joined = self._join(train, unseen, seed=seed, fixed=of_part("stack", fixed))
        return FitReport({**chosen, **joined, _APART: apart})

    def _join(
        self,
        train: FeatureTable,
        unseen: Mapping[str, np.ndarray],
        *,
        seed: int,
        fixed: Mapping[str, float],
    ) -> dict[str, float]:
        """Learn what joins the members from their unseen predictions; return what was chosen."""
        assert train.target is not None
        if self._options.how == "stack":
            told = self._table(train, unseen).with_target(train.target)
            return with_part("stack", self._stack.fit(told, None, seed=seed, fixed=fixed).chosen)
        self._weights = {self._options.of[0]: 1.0}
        if len(unseen) > 1:
            self._weights = best_weights(self.problem, unseen, train.target)
        return with_part("weight", self._weights)

    def _unseen(
        self,
        train: FeatureTable,
        folds: np.ndarray,
        chosen: Mapping[str, float],
        *,
        seed: int,
    ) -> dict[str, np.ndarray]:
        """Return by member what it predicts for each train row, not having learnt from its fold.

        One member alone is asked nothing, unless there is a head on top of it.
        """
        found: dict[str, np.ndarray] = {}
        if len(self._members) == 1 and self._options.how == "mean":
            return found
        for name in self._members:
            for fold in np.unique(folds):
                member = self._untaught(name)
                given = of_part(name, chosen)
                member.fit(train.take(folds != fold), None, seed=seed, fixed=given)
                predicted = member.predict(train.take(folds == fold))
                found.setdefault(name, np.empty((len(train), *predicted.shape[1:])))
                found[name][folds == fold] = predicted
        return found

    def predict(self, table: FeatureTable) -> np.ndarray:
        """Return float64 [N], probabilities [N, classes], or [N, T]."""
        told = {name: member.predict(table) for name, member in self._members.items()}
        if self._options.how == "stack":
            return self._stack.predict(self._table(table, told))
        return mixed(told, self._weights)

    def _table(self, table: FeatureTable, told: Mapping[str, np.ndarray]) -> FeatureTable:
        """Return what members say of some rows as a table, each of them a feature."""
        columns = {}
        for name, predicted in told.items():
            if self.problem.task == "classification":
                predicted = np.log(np.maximum(predicted, _SMALLEST))
            values = predicted.reshape(len(table), -1).astype(np.float32)
            spec = FeatureSpec(name, values.shape[1:], "float32", (), {})
            columns[name] = Column(spec, values, None, np.ones(len(table), bool))
        return FeatureTable(table.ids, columns, author=table.author, groups=table.groups)

    def save(self, folder: Path) -> None:
        """Write `blend.json`, and each member into a folder of its name."""
        words = {
            "problem": self.problem.to_json(),
            "options": self.describe(),
            "weights": self._weights,
        }
        write_json(folder / "blend.json", words)
        parts: dict[str, Head] = dict(self._members)
        if self._options.how == "stack":
            parts["stack"] = self._stack
        for name, part in parts.items():
            (folder / name).mkdir(exist_ok=True)
            part.save(folder / name)

    @classmethod
    def load(cls, folder: Path) -> Blend:
        """Read what `save` wrote."""
        words = json.loads((folder / "blend.json").read_text(encoding="utf-8"))
        options = words["options"]
        given = BlendOptions(tuple(options["of"]), options["how"], options["members"])
        head = cls(Problem.from_json(words["problem"]), given)
        head._members = {name: HEADS.load(name).load(folder / name) for name in given.of}
        head._weights = words["weights"]
        if given.how == "stack":
            head._stack = Linear.load(folder / "stack")
        return head

    def importances(self) -> Mapping[str, float]:
        """Return the members' shares of each feature, by how much each member says."""
        parts = self._stack.importances() if self._options.how == "stack" else self._weights
        shares: dict[str, float] = {}
        for name, part in parts.items():
            for feature, share in self._members[name].importances().items():
                shares[feature] = shares.get(feature, 0.0) + part * share
        total = sum(shares.values())
        return {name: share / total for name, share in shares.items()} if total > 0 else {}

    def describe(self) -> dict[str, Any]:
        """Return the options."""
        return {**asdict(self._options), "of": list(self._options.of)}


def _plain(problem: Problem) -> Problem:
    return Problem(problem.task, problem.outputs)
