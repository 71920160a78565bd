"""From the folds to the judgement: rows put together in the table's unit, scores, coverage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from corpus.folds import SplitRows
from corpus.split_rules import units_of
from heads.bundle import in_unit
from heads.conformal import Conformal
from heads.folding import FoldOutcome, Labelled
from heads.result import Scored
from scoring.bootstrap import Score, score_classification, score_regression, score_sequence
from scoring.calibration import interval_coverage


def gather(data: Labelled, outcomes: Sequence[FoldOutcome], intervals: Conformal | None) -> Scored:
    """Put the folds' test rows together, in the order of the table."""
    rows = np.concatenate([outcome.test for outcome in outcomes])
    order = np.argsort(rows, kind="stable")

    def joined(parts: list[np.ndarray]) -> np.ndarray:
        whole: np.ndarray = np.concatenate(parts)[order]
        return whole

    predicted = [outcome.predicted["head"] for outcome in outcomes]
    pairs = list(zip(outcomes, predicted, strict=True))
    ends = [in_unit(outcome.target, given, intervals) for outcome, given in pairs]
    classes = bool(outcomes[0].target.classes)
    return Scored(
        ids=data.table.ids[rows[order]],
        fold=joined([np.full(len(outcome.test), outcome.fold.name) for outcome in outcomes]),
        target=joined(_truths(data, outcomes, as_names=True)),
        predicted=joined([outcome.target.decode(given) for outcome, given in pairs]),
        low=None if ends[0][0] is None else joined([low for low, _ in ends if low is not None]),
        high=None if ends[0][1] is None else joined([high for _, high in ends if high is not None]),
        probabilities=joined(predicted) if classes else None,
        group=drawn_together(data, rows[order]),
    )


def drawn_together(data: Labelled, rows: np.ndarray) -> np.ndarray | None:
    """Return what the split keeps whole, and intervals therefore too, of some rows: str [M].

    Authors, by name; near-duplicates, and chains of them and authors, by the id of the first row of
    the table. None where every row stands for itself.
    """
    table = data.table
    authors = table.author if data.config.split.keeps_authors else None
    if table.groups is None:
        return None if authors is None else authors[rows]
    units = units_of(
        SplitRows(table.ids, author=authors, groups=table.groups), by_author=authors is not None
    )
    _, first, unit = np.unique(units, return_index=True, return_inverse=True)
    names: np.ndarray = table.ids[first[unit[rows]]]
    return names


def _truths(data: Labelled, outcomes: Sequence[FoldOutcome], *, as_names: bool) -> list[np.ndarray]:
    """Return the labels of each fold's test rows: numbers of the table, or classes."""
    if not outcomes[0].target.classes:
        numbers = data.config.target.numbers(data.values, data.table.ids.tolist())
        return [numbers[outcome.test] for outcome in outcomes]
    if as_names:
        return [outcome.target.decode(outcome.encoded) for outcome in outcomes]
    return [outcome.encoded for outcome in outcomes]


def scores_of(data: Labelled, outcomes: Sequence[FoldOutcome], name: str) -> dict[str, Score]:
    """Score what "head" or a baseline predicted; what a split keeps whole is drawn whole."""
    truth = np.concatenate(_truths(data, outcomes, as_names=False))
    rows = np.concatenate([outcome.test for outcome in outcomes])
    groups, seed = drawn_together(data, rows), data.config.seed
    classes = outcomes[0].target.classes
    if classes:
        shares = np.concatenate([outcome.predicted[name] for outcome in outcomes])
        return score_classification(truth, shares, classes, seed=seed, groups=groups)
    decoded = [outcome.target.decode(outcome.predicted[name]) for outcome in outcomes]
    score = score_sequence if data.config.target.task == "sequence" else score_regression
    return score(truth, np.concatenate(decoded), seed=seed, groups=groups)


def coverage_of(scored: Scored, level: float) -> dict[str, float] | None:
    """Return how many of the scored values their intervals cover, and how wide those are."""
    if scored.low is None or scored.high is None:
        return None
    known = np.isfinite(scored.target)
    found = interval_coverage(scored.target[known], scored.low[known], scored.high[known])
    return {"level": level, "covered": found.covered, "mean_width": found.mean_width}
