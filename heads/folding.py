"""One fold: learn from its train rows, choose on its validation rows, predict its test rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cache.gather import is_meta
from cache.table import FeatureTable
from corpus.folds import Fold
from corpus.sample import Target
from corpus.targets import FittedTarget
from heads.baselines import Asked, baselines, observed_days
from heads.catalog import make_head
from heads.contract import FitReport, Head, Problem
from heads.networks.epoch_files import keeping_fold
from heads.result import FitConfig


@dataclass(frozen=True, eq=False)
class Labelled:
    """The N rows that have a label.

    table   their features, those of the baselines too
    values  their labels as the table has them
    """

    table: FeatureTable
    values: Sequence[Target]
    config: FitConfig

    @property
    def features(self) -> tuple[str, ...]:
        """What the head reads."""
        return self.config.features or tuple(self.table.columns)

    @property
    def metadata(self) -> tuple[str, ...]:
        """The table's own numbers and categories."""
        return tuple(name for name in self.table.columns if is_meta(name))

    def with_options(self, options: Mapping[str, float | None]) -> Labelled:
        """Return the same rows, to be learnt with these options beside those of the config."""
        together = {**self.config.options, **options}
        return replace(self, config=replace(self.config, options=together))

    def fitted(self, train: np.ndarray) -> FittedTarget:
        """Fit the target's codec on some rows, bool [N]."""
        return self.config.target.fit(self.values, train, ids=self.table.ids.tolist())


@dataclass(frozen=True, eq=False)
class FoldTables:
    """What one fold learns from, chooses by, and is asked.

    target   its codec, fitted on its train rows
    problem  what that asks of a head
    encoded  labels of all N rows on the head's scale
    table    the features that the head reads, with these labels
    train, valid, test  int64, the rows with a label of the fold's codec
    """

    target: FittedTarget
    problem: Problem
    encoded: np.ndarray
    table: FeatureTable
    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray

    @property
    def both(self) -> np.ndarray:
        """Train and validation rows, in the order of the table: what a refit learns from."""
        return np.sort(np.concatenate([self.train, self.valid]))


@dataclass(frozen=True, eq=False)
class FoldOutcome:
    """What one fold gave.

    test       int64 [m], the rows that it scored
    encoded    labels of those rows on the head's scale of this fold
    target     its codec
    predicted  by name ("head" and each baseline), on the head's scale
    residuals  of the validation rows, on the head's scale; empty for classes
    """

    fold: Fold
    test: np.ndarray
    encoded: np.ndarray
    target: FittedTarget
    predicted: Mapping[str, np.ndarray]
    residuals: np.ndarray
    report: FitReport


def tables_of(data: Labelled, fold: Fold) -> FoldTables:
    """Fit the target's codec on a fold's train rows, and encode all rows with it.

    Raises:
        FitError: if the train rows leave nothing to learn.
    """
    codec = data.fitted(_mask(fold.train, len(data.table)))
    encoded, known = codec.encode(data.values, ids=data.table.ids.tolist())
    parts = (rows[known[rows]] for rows in (fold.train, fold.valid, fold.test))
    table = data.table.select(data.features).with_target(encoded)
    return FoldTables(codec, problem_of(codec, data.config), encoded, table, *parts)


def run_fold(data: Labelled, fold: Fold) -> FoldOutcome:
    """Fit the head and its baselines on one fold.

    Raises:
        FitError: if the train rows leave nothing to learn.
    """
    given, config = tables_of(data, fold), data.config
    table, encoded, test = given.table, given.encoded, given.test
    head = make_head(config.head, given.problem, config.options)
    with keeping_fold(fold.name):
        report = learn(head, table, given.train, given.valid, seed=config.seed)
    residuals = np.zeros((0, *encoded.shape[1:]))
    if len(given.valid) and not given.target.classes:
        residuals = encoded[given.valid] - head.predict(table.take(given.valid))
    if config.refit:
        learn(head, table, given.both, seed=config.seed, fixed=report.chosen)
    predicted = {"head": head.predict(table.take(test)), **_baselines(data, given)}
    return FoldOutcome(fold, test, encoded[test], given.target, predicted, residuals, report)


def _baselines(data: Labelled, given: FoldTables) -> dict[str, np.ndarray]:
    """Return what the baselines predict for the test rows; they learn from the head's rows."""
    config, target = data.config, given.target
    observed = observed_days(target.plan.column, config.observed, data.features)
    asked = Asked(config.head, given.problem, target, data.features, observed, config.seed)
    columns = data.table.select(tuple(dict.fromkeys((*data.metadata, *observed))))
    simple = columns.with_target(given.encoded)
    learnt = given.both if config.refit else given.train
    return baselines(asked, simple.take(learnt), simple.take(given.test))


def learn(
    head: Head,
    table: FeatureTable,
    train: np.ndarray,
    valid: np.ndarray | None = None,
    *,
    seed: int,
    fixed: Mapping[str, float] | None = None,
) -> FitReport:
    """Fit a head on some rows of a table (int64), with others to choose by where there are any."""
    choosing = table.take(valid) if valid is not None and len(valid) else None
    return head.fit(table.take(train), choosing, seed=seed, fixed=fixed or {})


def problem_of(codec: FittedTarget, config: FitConfig) -> Problem:
    """Return what a fitted target asks of a head.

    Observed steps are on the table's scale: where another is learnt they are numbers like others.
    """
    outputs = len(codec.classes) or codec.steps or 1
    observed = config.observed if codec.plan.transform == "none" else ()
    return Problem(codec.plan.task, outputs, observed)


def _mask(rows: np.ndarray, count: int) -> np.ndarray:
    mask = np.zeros(count, bool)
    mask[rows] = True
    return mask
