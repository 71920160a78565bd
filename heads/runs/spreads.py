"""How the errors of a fit spread over authors, categories and languages."""

from __future__ import annotations

import numpy as np

from cache.table import FeatureTable
from heads.result import Scored
from scoring.spread import Spread, spread_of

AUTHOR = "author"
_FEW = 0.5  # names per row, above which a text names rows rather than groups of them


def spreads_of(table: FeatureTable, scored: Scored) -> dict[str, Spread]:
    """Return the spread over authors and over each text of the table that names groups of rows.

    `table` has the scored rows, and perhaps others, in the same order.
    """
    rows = np.flatnonzero(np.isin(table.ids, scored.ids))
    named = {} if table.author is None else {AUTHOR: table.author[rows]}
    for name, column in table.columns.items():
        if column.spec.is_text:
            words = column.values[rows].astype(np.str_)
            if len(np.unique(words)) <= _FEW * len(rows):
                named[name] = words
    error = row_errors(scored)
    known = np.isfinite(error)
    found = {name: spread_of(error[known], words[known]) for name, words in named.items()}
    return {name: spread for name, spread in found.items() if spread is not None}


def row_errors(scored: Scored) -> np.ndarray:
    """Return how wrong each row is, float64 [M].

    It is the absolute error, the mean of it over the known days, or 1 for a wrong class and 0 for
    the right one; NaN where no day is known.
    """
    if scored.probabilities is not None:
        wrong: np.ndarray = scored.target != scored.predicted
        return wrong.astype(np.float64)
    error = np.abs(scored.target - scored.predicted).reshape(len(scored.ids), -1)
    known = np.isfinite(error)
    sums: np.ndarray = np.where(known, error, 0).sum(axis=1)
    return np.where(known.any(axis=1), sums / np.maximum(known.sum(axis=1), 1), np.nan)
