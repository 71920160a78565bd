"""What a fit is asked for and what it gives: plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from corpus.folds import Fold
from corpus.leaks import Leaks
from corpus.splits import SplitPlan
from corpus.targets import TargetPlan
from heads.bundle import Bundle
from heads.conformal import LEVEL
from heads.tuning.trials import Tuned, Tuning
from scoring.bootstrap import Score
from scoring.spread import Spread


@dataclass(frozen=True)
class FitConfig:
    """What is fitted; with the table it decides every number of the result.

    head      its name in the catalog
    target    what it learns
    split     which rows judge
    options   of the head, by name
    features  what it reads, in this order; () is all of the table
    observed  of these, the steps before those of a sequence, in their order
    fold      only this fold (from 1), for a quick look; None is all of them
    level     share of rows that intervals are to cover
    refit     in each fold, once validation rows have chosen, learn again from train and validation
              rows before test rows are predicted: nearer to what the bundle will do, twice the time
    tuning    whether options that are not given are chosen in each fold by its validation rows
    """

    head: str
    target: TargetPlan
    split: SplitPlan
    options: Mapping[str, Any] = field(default_factory=dict)
    features: tuple[str, ...] = ()
    observed: tuple[str, ...] = ()
    fold: int | None = None
    level: float = LEVEL
    refit: bool = False
    seed: int = 0
    tuning: Tuning | None = None


@dataclass(frozen=True, eq=False)
class Scored:
    """The M rows that were scored, each once, in the order of the table.

    ids            str [M]
    fold           str [M], the fold that tested the row
    target         in the table's unit: float64 [M] or [M, T], or str [M], class names
    predicted      likewise
    low, high      intervals, as `predicted`; None where there are none
    probabilities  float64 [M, classes]; None for numbers
    group          str [M], what intervals draw whole, see `heads.gather.drawn_together`; None: rows
    """

    ids: np.ndarray
    fold: np.ndarray
    target: np.ndarray
    predicted: np.ndarray
    low: np.ndarray | None
    high: np.ndarray | None
    probabilities: np.ndarray | None
    group: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class FitResult:
    """A fitted head with what is known of it.

    metrics      scores over the folds' test rows, by name
    baselines    the same for what needs no head of ours, see `heads/baselines.py`
    history      training curves, one mapping per row, with its "fold"
    chosen       the medians of the folds' choices, which the bundle was fitted with
    importances  by feature, shares of the bundle's head
    coverage     by feature, how many of the labelled rows have it
    rows         counts: "labelled", "unlabelled" (dropped), "middle" (dropped between quantiles),
                 "scored"
    ids          str, the rows that have a label, in the order of the table
    folds        over these rows
    leaks        what the split lets through
    spread       over "author" and over texts of the table that name groups: how errors spread
    tuned        the trials of each fold; () where options were not chosen
    interval     None, or "level" asked for, "covered" share of the scored values, "mean_width"
    """

    config: FitConfig
    bundle: Bundle
    metrics: Mapping[str, Score]
    baselines: Mapping[str, Mapping[str, Score]]
    scored: Scored
    history: Sequence[Mapping[str, Any]]
    chosen: Mapping[str, float]
    importances: Mapping[str, float]
    coverage: Mapping[str, int]
    rows: Mapping[str, int]
    ids: np.ndarray
    folds: tuple[Fold, ...]
    split_digest: str
    leaks: Leaks
    spread: Mapping[str, Spread]
    tuned: Sequence[Tuned]
    interval: Mapping[str, float] | None
