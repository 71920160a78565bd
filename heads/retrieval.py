"""What became of a row's neighbours as columns for another head, computed out of fold.

`knn(FEATURE)` is what the head `knn` says of a row by that feature alone, how unlike each other its
neighbours' targets are, and how far they lie. A train row is told by folds that it is not in: its
own label is not in its columns, which else would be all that the other head looks at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from cache.spec import Column, FeatureSpec
from cache.table import FeatureTable
from core.files import write_json
from heads.catalog import HEADS, make_head
from heads.contract import TASKS, FitReport, Head, Problem, Span
from heads.inner import authors_apart, left_out
from heads.knn import Knn
from heads.neighbours.columns import column_name
from heads.parts import of_part, with_part

ALL = "all"  # stands for all features together
_APART = "authors_apart"  # 1 where rows of one author are left out together


@dataclass(frozen=True)
class RetrievalOptions:
    """Options of a head that reads what became of neighbours beside its features.

    head     what learns from the columns, by its name
    of       features whose neighbours are asked, one after another; none: all features together
    only     those of them that the head does not read themselves
    members  options of the head and of "knn"; on the command line --set knn.k=16
    """

    head: str = "linear"
    of: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    members: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.head in {Retrieval.name, Knn.name}:
            raise ValueError(f"head {self.head!r} looks for neighbours itself; take another")
        for name in self.members:
            if name not in {self.head, Knn.name}:
                raise ValueError(f"{name}.* are options of a head that is not used")
        for name in self.only:
            if name not in self.of:
                raise ValueError(f"only {name!r} is none of the features of `of`")


class Retrieval:
    """A head on its features and on columns of neighbours."""

    name: ClassVar[str] = "retrieval"
    accepts: ClassVar[tuple[str, ...]] = ("pooled",)
    tasks: ClassVar[tuple[str, ...]] = TASKS
    options: ClassVar[type] = RetrievalOptions
    space: ClassVar[Mapping[str, Span]] = {}

    def __init__(self, problem: Problem, options: Any = None) -> None:
        self.problem = problem
        self._options: RetrievalOptions = options or RetrievalOptions()
        given = self._options
        self._head = make_head(given.head, problem, given.members.get(given.head))
        self._asked = {name: self._untaught(name) for name in given.of or (ALL,)}

    def _untaught(self, name: str) -> Knn:
        """Return what is to tell of the neighbours by a feature, or by all: those know the days."""
        observed = tuple(day for day in self.problem.observed if name in (ALL, day))
        problem = replace(self.problem, observed=observed)
        head = make_head(Knn.name, problem, self._options.members.get(Knn.name))
        assert isinstance(head, Knn)
        return head

    def fit(
        self,
        train: FeatureTable,
        valid: FeatureTable | None,
        *,
        seed: int,
        fixed: Mapping[str, float],
    ) -> FitReport:
        """Find neighbours out of fold, and let the head learn from them beside its features."""
        chosen: dict[str, float] = {}
        for name, knn in self._asked.items():
            given = of_part(column_name(name), fixed)
            report = knn.fit(_sources(train, name), valid, seed=seed, fixed=given)
            chosen |= with_part(column_name(name), report.chosen)
        apart = fixed.get(_APART, float(authors_apart(train, valid)))
        folds = left_out(train, apart=bool(apart), seed=seed)
        told = self._beside(train, list(self.unseen(train, folds, chosen, seed=seed)))
        judged = None if valid is None else self._seen(valid)
        given = of_part(self._options.head, fixed)
        report = self._head.fit(told, judged, seed=seed, fixed=given)
        chosen |= with_part(self._options.head, report.chosen)
        return FitReport({**chosen, _APART: apart}, report.history)

    def unseen(
        self, train: FeatureTable, folds: np.ndarray, chosen: Mapping[str, float], *, seed: int
    ) -> Iterator[Column]:
        """Yield the columns of train rows, each told by the folds (int64 [N]) that it is not in.

        `chosen` holds the numbers of neighbours and the like, as `fit` reports them.
        """
        for name in self._asked:
            rows = _sources(train, name)
            values = np.zeros((len(train), self.problem.outputs + 2), np.float32)
            present = np.zeros(len(train), bool)
            for fold in np.unique(folds):
                knn, asked = self._untaught(name), np.flatnonzero(folds == fold)
                given = of_part(column_name(name), chosen)
                knn.fit(rows.take(folds != fold), None, seed=seed, fixed=given)
                values[asked], present[asked] = knn.told(rows.take(asked))
            yield _column(name, values, present)

    def _seen(self, table: FeatureTable) -> FeatureTable:
        """Return rows that are not of the train part with their columns."""
        columns = [
            _column(name, *knn.told(_sources(table, name))) for name, knn in self._asked.items()
        ]
        return self._beside(table, columns)

    def _beside(self, table: FeatureTable, columns: list[Column]) -> FeatureTable:
        """Return what the head reads."""
        own = {n: column for n, column in table.columns.items() if n not in self._options.only}
        return replace(table, columns=own | {column.spec.name: column for column in columns})

    def predict(self, table: FeatureTable) -> np.ndarray:
        """Return float64 [N], probabilities [N, classes], or [N, T]."""
        return self._head.predict(self._seen(table))

    def save(self, folder: Path) -> None:
        """Write `retrieval.json`, and the head and each bank of neighbours into folders."""
        write_json(
            folder / "retrieval.json",
            {"problem": self.problem.to_json(), "options": self.describe()},
        )
        parts: dict[str, Head] = {"head": self._head}
        parts |= {f"knn-{place}": knn for place, knn in enumerate(self._asked.values(), 1)}
        for name, part in parts.items():
            (folder / name).mkdir(exist_ok=True)
            part.save(folder / name)

    @classmethod
    def load(cls, folder: Path) -> Retrieval:
        """Read what `save` wrote."""
        words = json.loads((folder / "retrieval.json").read_text(encoding="utf-8"))
        given = words["options"]
        options = RetrievalOptions(
            given["head"], tuple(given["of"]), tuple(given["only"]), given["members"]
        )
        head = cls(Problem.from_json(words["problem"]), options)
        head._head = HEADS.load(options.head).load(folder / "head")
        head._asked = {
            name: Knn.load(folder / f"knn-{place}") for place, name in enumerate(head._asked, 1)
        }
        return head

    def importances(self) -> Mapping[str, float]:
        """Return the head's shares; what it takes from neighbours is their features'."""
        shares: dict[str, float] = {}
        columns = {column_name(name): knn for name, knn in self._asked.items()}
        for name, share in self._head.importances().items():
            parts = columns[name].importances() if name in columns else {name: 1.0}
            for feature, part in parts.items():
                shares[feature] = shares.get(feature, 0.0) + part * share
        return shares

    def describe(self) -> dict[str, Any]:
        """Return the options."""
        given = self._options
        return {**asdict(given), "of": list(given.of), "only": list(given.only)}


def _sources(table: FeatureTable, name: str) -> FeatureTable:
    return table if name == ALL else table.select([name])


def _column(source: str, values: np.ndarray, present: np.ndarray) -> Column:
    spec = FeatureSpec(column_name(source), values.shape[1:], "float32", (), {})
    return Column(spec, values, None, present)
