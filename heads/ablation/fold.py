"""One arm of an ablation in one fold: what a head that reads some features predicts there.

An arm is fitted as `fit-head` fits a fold: it learns from train rows, validation rows choose, and
it learns once more from both.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from heads.catalog import make_head
from heads.folding import FoldTables, learn
from heads.result import FitConfig

Selection = tuple[str, ...]  # names of features, in the order of the table


@dataclass(frozen=True, eq=False)
class ArmFold:
    """What one arm gave in one fold, on the head's scale.

    valid, test  its predictions for those rows; of validation rows before they were learnt from
    chosen       what was chosen inside the fit
    seconds      of work, without what arms share
    """

    valid: np.ndarray
    test: np.ndarray
    chosen: Mapping[str, float]
    seconds: float


def fit_arm(given: FoldTables, config: FitConfig, selection: Selection) -> ArmFold:
    """Fit the head of `config` on some features; without features it is the head `mean`.

    Raises:
        FitError: if the train rows leave nothing to learn.
    """
    start = time.perf_counter()
    observed = tuple(name for name in given.problem.observed if name in selection)
    problem = replace(given.problem, observed=observed)
    table = given.table.select(selection)
    name, options = (config.head, config.options) if selection else ("mean", {})
    head = make_head(name, problem, options)
    report = learn(head, table, given.train, given.valid, seed=config.seed)
    valid = head.predict(table.take(given.valid))
    if config.refit:
        learn(head, table, given.both, seed=config.seed, fixed=report.chosen)
    test = head.predict(table.take(given.test))
    return ArmFold(valid, test, dict(report.chosen), time.perf_counter() - start)
