"""Ridge arms of one fold: scaled columns and their products are made once, and each arm solves.

A feature's scaling looks at that feature only (`heads/columns/blocks.py`), so the columns of an arm
are those of its features side by side, and an arm has the scores that the head `linear` has on its
own, but for rounding.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from cache.table import FeatureTable
from core.errors import FitError
from heads.ablation.fold import ArmFold, Selection
from heads.catalog import make_head
from heads.columns.blocks import fit_block
from heads.columns.design import Design
from heads.folding import FoldTables
from heads.linear import Linear, clusters_of
from heads.penalised.gram import Gram
from heads.penalised.ridge import left_out_errors, patterns_of
from heads.penalised.rotation import Matrix, without_zeros
from heads.result import FitConfig
from heads.threads import thread_count

Parts = Mapping[str, Matrix]  # by feature its scaled columns
_KNOWN_OPTIONS = {"penalty", "balance"}


def shares_products(head: str, task: str, options: Collection[str]) -> bool:
    """Say whether arms of a head with these options are ridge fits; they look at no seed either."""
    return head == Linear.name and task != "classification" and set(options) <= _KNOWN_OPTIONS


def fit_ridge_arms(
    given: FoldTables, config: FitConfig, selections: Sequence[Selection]
) -> Iterator[ArmFold]:
    """Fit arms of the head `linear`, several at once, and give them in their order.

    Raises:
        FitError: if an arm has nothing to learn from.
    """
    options = make_head(config.head, given.problem, config.options).describe()
    balance, fixed = options["balance"], options["penalty"]
    shared = {"selections": selections, "balance": balance}
    chosen_on = last = RidgeRows(given.table, given.train, **shared)
    if config.refit:
        last = RidgeRows(given.table, given.both, **shared)
    valid_parts = chosen_on.parts_of(given.table.take(given.valid))
    test_parts = last.parts_of(given.table.take(given.test))

    def fit(selection: Selection) -> ArmFold:
        start = time.perf_counter()
        penalty = fixed or chosen_on.best_penalty(selection)
        valid = chosen_on.predict(selection, penalty, valid_parts)
        test = last.predict(selection, penalty, test_parts)
        return ArmFold(valid, test, {"penalty": penalty}, time.perf_counter() - start)

    pool = ThreadPoolExecutor(thread_count(chosen_on.cells))
    with threadpool_limits(1):  # two threads on one eigenvalue problem can take ten times as long
        try:
            yield from pool.map(fit, selections)
        finally:
            pool.shutdown(cancel_futures=True)


class RidgeRows:
    """Rows to learn from: how their features are scaled, and the products of these."""

    def __init__(
        self,
        table: FeatureTable,
        rows: np.ndarray,
        *,
        selections: Sequence[Selection],
        balance: float,
    ) -> None:
        names = dict.fromkeys(name for selection in selections for name in selection)
        learnt = table.select(tuple(names)).take(rows)
        assert learnt.target is not None
        self._blocks = {
            name: fit_block(column, raw=False, balance=balance)
            for name, column in learnt.columns.items()
        }
        self._of_numbers = learnt.target.ndim == 1
        self._clusters = clusters_of(learnt)
        target = learnt.target.reshape(len(learnt), -1)
        parts = self.parts_of(learnt)
        self.cells = sum(part.shape[0] * part.shape[1] for part in parts.values())
        varying = [self._varying(selection) for selection in selections]
        self._grams = []
        for outputs, known in patterns_of(np.isfinite(target)):
            of_these = parts if known.all() else {name: x[known] for name, x in parts.items()}
            gram = Gram(of_these, target[np.ix_(known, outputs)], varying)
            self._grams.append((outputs, known, gram))
        self._outputs = target.shape[1]

    def parts_of(self, table: FeatureTable) -> dict[str, Matrix]:
        """Return the scaled columns of other rows by feature, where anything in it varies."""
        return {
            name: without_zeros(Design((block,)).without_zeros(table.select((name,))))
            for name, block in self._blocks.items()
            if block.width
        }

    def best_penalty(self, selection: Selection) -> float:
        """Return the penalty with the smallest error of left-out rows, as `fit_ridge` does."""
        curve: dict[float, float] = {}
        for outputs, known, gram in self._grams:
            clusters = None if self._clusters is None else self._clusters[known]
            spectrum = gram.spectrum(self._varying(selection))
            errors = left_out_errors(spectrum, gram.target, clusters)
            for value, error in errors.items():
                curve[value] = curve.get(value, 0) + error * len(outputs) / self._outputs
        return min(curve, key=lambda value: curve[value])

    def predict(self, selection: Selection, penalty: float, parts: Parts) -> np.ndarray:
        """Return float64 [M], or [M, T] of a sequence, for rows of which these are the columns."""
        varying = self._varying(selection)
        scores = np.zeros((parts[varying[0]].shape[0], self._outputs))
        for outputs, _, gram in self._grams:
            weights = gram.weights(varying, penalty)
            scores[:, outputs] = gram.intercept(weights) + sum(
                parts[name].astype(np.float64) @ of for name, of in weights.items()
            )
        numbers: np.ndarray = scores[:, 0] if self._of_numbers else scores
        return numbers

    def _varying(self, selection: Selection) -> Selection:
        """Return the features of which something can be learnt.

        Raises:
            FitError: if there is none.
        """
        found = tuple(name for name in selection if self._blocks[name].width)
        if not found:
            raise FitError(
                f"nothing of {', '.join(selection)} has two different values in the train rows of "
                "a fold; leave it out of --features, or see: python cli.py cache status"
            )
        return found
