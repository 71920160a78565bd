"""Inner folds: every train row is predicted by what has not learnt from it."""

from __future__ import annotations

import numpy as np

from cache.table import FeatureTable
from corpus.folds import SplitRows
from corpus.split_rules import kfold, units_of

FOLDS = 5


def left_out(train: FeatureTable, *, apart: bool, seed: int) -> np.ndarray:
    """Return the fold in which each train row is left out, int64 [N]; the rows' order is no matter.

    Near-duplicates are left out together, and with `apart` the rows of an author: so it should be
    where rows to be predicted are of other authors, see `authors_apart`.
    """
    order = np.argsort(train.ids, kind="stable")
    rows = SplitRows(train.ids, author=train.author, groups=train.groups).take(order)
    apart = apart and train.author is not None
    units = len(np.unique(units_of(rows, by_author=apart)))
    if units < 2:  # all of one author or one near-duplicate: nothing else can be left out than rows
        rows, apart, units = SplitRows(rows.ids), False, len(train)
    folds = np.zeros(len(train), np.int64)
    folds[order] = kfold(rows, min(FOLDS, units), seed, by_author=apart)
    return folds


def authors_apart(train: FeatureTable, valid: FeatureTable | None) -> bool:
    """Say whether rows to be predicted are of authors that no train row is of, as far as is known.

    Without validation rows it is taken to be so.
    """
    if train.author is None or valid is None or valid.author is None or not len(valid):
        return True
    common = np.intersect1d(train.author, valid.author)
    return not len(common[common != ""])
