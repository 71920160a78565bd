"""What a split lets through: test rows of which something is known from the rows learnt from.

A leak is no error: some published splits have them, and a random split of one author's videos may
be what somebody wants. But a score is to be read beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from corpus.folds import Fold, SplitRows

KINDS = {
    "same_author": "have an author whom train rows have too",
    "near_duplicate": "have a near-duplicate among the train rows",
    "older": "are older than a train row",
}
EXAMPLES = 5


@dataclass(frozen=True, eq=False)
class FoldLeaks:
    """The leaks of one fold; what is learnt from are its train and its validation rows.

    tested    the number of test rows
    rows      by kind the test rows concerned, int64; a kind that cannot be told is not there
    learnt    by kind, for each of those rows, a row learnt from that it is known by
    """

    name: str
    tested: int
    rows: Mapping[str, np.ndarray]
    learnt: Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Leaks:
    """The leaks of a split.

    by   what near-duplicates are told by, such as "colour:0.95"; None: not looked for
    ids  str [N], of all rows
    """

    folds: tuple[FoldLeaks, ...]
    ids: np.ndarray
    by: str | None = None

    @property
    def tested(self) -> int:
        """The number of test rows in all folds."""
        return sum(fold.tested for fold in self.folds)

    def count(self, kind: str) -> int | None:
        """Return how many test rows are concerned; None where that cannot be told."""
        if not all(kind in fold.rows for fold in self.folds):
            return None
        return sum(len(fold.rows[kind]) for fold in self.folds)

    def bank(self) -> int:
        """Return how many test rows could find their own answer in a bank of all rows learnt from.

        These are the rows of any kind: neighbours are to be looked for among other authors, rows
        that are no near-duplicates, and the past.
        """
        return sum(
            len(np.unique(np.concatenate([*fold.rows.values(), np.zeros(0, np.int64)])))
            for fold in self.folds
        )

    def text(self) -> str:
        """Return the counts in one line."""
        found = {kind: self.count(kind) for kind in KINDS}
        said = [f"{count:,} {KINDS[kind]}" for kind, count in found.items() if count]
        looked = [kind.replace("_", " ") for kind, count in found.items() if count is not None]
        if not looked:
            return "nothing to tell leaks by: no authors, times or near-duplicates are known"
        if not said:
            return f"no leaks found; looked for: {', '.join(looked)}"
        return f"of {self.tested:,} test rows, " + "; ".join(said)

    def summary(self) -> dict[str, Any]:
        """Return the counts as JSON values; null where nothing can be told."""
        return {
            "tested": self.tested,
            "near_duplicates_by": self.by,
            "counts": {kind: self.count(kind) for kind in KINDS} | {"bank": self.bank()},
            "text": self.text(),
        }

    def to_json(self) -> dict[str, Any]:
        """Return the summary, and counts and examples of each fold."""
        return {**self.summary(), "folds": [self._fold(fold) for fold in self.folds]}

    def _fold(self, fold: FoldLeaks) -> dict[str, Any]:
        found: dict[str, Any] = {"name": fold.name, "tested": fold.tested}
        for kind, rows in fold.rows.items():
            pairs = zip(rows[:EXAMPLES], fold.learnt[kind][:EXAMPLES], strict=True)
            examples = [{"test": str(self.ids[a]), "train": str(self.ids[b])} for a, b in pairs]
            found[kind] = {"rows": len(rows), "examples": examples}
        return found


def find_leaks(
    folds: Sequence[Fold],
    rows: SplitRows,
    *,
    duplicates: np.ndarray | None = None,
    by: str | None = None,
) -> Leaks:
    """Look for leaks; `duplicates` (int64 [N], equal for near-duplicates) is told `by` something.

    A row without an author or a time is concerned by neither.
    """
    return Leaks(tuple(_of_fold(fold, rows, duplicates) for fold in folds), rows.ids, by)


def _of_fold(fold: Fold, rows: SplitRows, duplicates: np.ndarray | None) -> FoldLeaks:
    learnt = np.sort(np.concatenate([fold.train, fold.valid]))
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    if rows.author is not None:
        known = rows.author != ""
        found["same_author"] = _shared(rows.author, fold.test[known[fold.test]], learnt)
    if duplicates is not None:
        found["near_duplicate"] = _shared(duplicates, fold.test, learnt)
    if rows.posted_at is not None and np.isfinite(rows.posted_at[learnt]).any():
        newest = learnt[np.nanargmax(rows.posted_at[learnt])]
        older = fold.test[rows.posted_at[fold.test] < rows.posted_at[newest]]
        found["older"] = older, np.full(len(older), newest)
    return FoldLeaks(
        fold.name,
        len(fold.test),
        {kind: concerned for kind, (concerned, _) in found.items()},
        {kind: by for kind, (_, by) in found.items()},
    )


def _shared(
    values: np.ndarray, tested: np.ndarray, learnt: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the tested rows whose value a row learnt from has, and the first such row of each."""
    names, first = np.unique(values[learnt], return_index=True)
    place = np.minimum(np.searchsorted(names, values[tested]), len(names) - 1)
    same = names[place] == values[tested]
    return tested[same], learnt[first[place[same]]]
