"""From the journal of an ablation to scores: every arm once, all under the same draws of rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.errors import UnknownName
from heads.ablation.journal import Cell, Journal
from heads.ablation.plan import AblationPlan
from heads.ablation.run import Setting, cell_of, cells_of
from heads.folding import FoldTables, tables_of
from heads.gather import drawn_together
from scoring.bootstrap import (
    CLASSIFICATION_METRICS,
    METRICS,
    REGRESSION_METRICS,
    SEQUENCE_METRICS,
    Metric,
    Score,
)
from scoring.classification import TOP
from scoring.many import CHANCE, Drawn, draw
from scoring.report_data import MAIN_METRIC

_OF_TASK: Mapping[str, Mapping[str, Metric]] = {
    "regression": REGRESSION_METRICS,
    "sequence": SEQUENCE_METRICS,
    "classification": CLASSIFICATION_METRICS,
}
_ANY = ""  # for the fold of a cell: the arm in all folds


def metric_of(metric: str | None, task: str) -> str:
    """Return the metric that is asked for, or the main one of the task.

    Raises:
        UnknownName: if the task has no such metric.
    """
    if metric is not None and metric not in _OF_TASK[task]:
        raise UnknownName(f"metric of {task}", metric, _OF_TASK[task])
    return metric or MAIN_METRIC[task]


@dataclass(frozen=True, eq=False)
class ArmScores:
    """Scores of all arms, and of what validation rows would have picked.

    drawn   of the cells of all arms, then of what was picked
    place   of each cell, its fold being ""
    others  every metric of each of `drawn`, on all rows
    picks   by head the arm of each fold that was best on validation rows
    fit_s   by cell the seconds of all folds
    """

    plan: AblationPlan
    metric: str
    drawn: Drawn
    place: Mapping[Cell, int]
    others: Sequence[Mapping[str, float]]
    picks: Mapping[str, Sequence[int]]
    fit_s: Mapping[Cell, float]

    @property
    def sign(self) -> int:
        """What makes a difference of scores a gain."""
        return 1 if METRICS[self.metric].higher_is_better else -1

    def cells(self, head: str, players: int) -> list[Cell]:
        """Return the cells of an arm, one for each seed; the same one where it has no seed."""
        return [
            cell_of(self.plan, _ANY, head=head, seed=seed, players=players)
            for seed in self.plan.seeds
        ]

    def weights(self, head: str, arms: Mapping[int, float]) -> np.ndarray:
        """Return what makes of `drawn` a weighted sum of a head's arms, means over seeds."""
        found = np.zeros(len(self.drawn.value))
        for players, weight in arms.items():
            for cell in self.cells(head, players):
                found[self.place[cell]] += weight / len(self.plan.seeds)
        return found

    def total(self, head: str, arms: Mapping[int, float]) -> Score:
        """Return a weighted sum of a head's arms, with its paired interval."""
        return self.drawn.total(self.weights(head, arms))

    def of_picked(self, head: str) -> np.ndarray:
        """Return what makes of `drawn` the score of what was picked."""
        found = np.zeros(len(self.drawn.value))
        seeds = len(self.plan.seeds)
        first = len(self.place) + list(self.plan.heads).index(head) * seeds
        found[first : first + seeds] = 1 / seeds
        return found


def score_arms(setting: Setting, journal: Journal, metric: str) -> ArmScores:
    """Score every arm of a plan whose fits are all in the journal."""
    data, plan = setting.data, setting.plan
    folds = [(fold.name, tables_of(data, fold)) for fold in setting.folds]
    numbers = None
    if not folds[0][1].target.classes:
        numbers = plan.config.target.numbers(data.values, data.table.ids.tolist())
    read = _Read(plan, journal, folds, metric, numbers)
    picks = {head: read.picks(head) for head in plan.heads}
    arms = cells_of(plan, _ANY)
    asked = [(cell.head, cell.seed, [cell.players] * len(folds)) for cell in arms]
    asked += [(head, seed, picks[head]) for head in plan.heads for seed in plan.seeds]
    rows = np.concatenate([given.test for _, given in folds])
    truth, others = read.truth(), list[Mapping[str, float]]()

    def predictions() -> Iterator[np.ndarray]:
        for head, seed, players in asked:
            predicted = read.predicted(head, seed, players)
            others.append(_every_metric(plan.config.target.task, truth, predicted))
            yield predicted

    groups = drawn_together(data, rows)
    drawn = draw(metric, truth, predictions(), seed=plan.config.seed, groups=groups)
    place = {cell: index for index, cell in enumerate(arms)}
    constant = [index for cell, index in place.items() if not plan.selection(cell.players)]
    drawn = drawn.at_chance(constant, metric)
    fit_s = {cell: read.seconds(cell) for cell in arms}
    return ArmScores(plan, metric, drawn, place, others, picks, fit_s)


@dataclass(frozen=True, eq=False)
class _Read:
    """The folds, and what arms predict in them."""

    plan: AblationPlan
    journal: Journal
    folds: Sequence[tuple[str, FoldTables]]
    metric: str
    numbers: np.ndarray | None  # labels in the table's unit, float64 [N] or [N, T]; None: classes

    def truth(self) -> np.ndarray:
        """Return the labels of all test rows, fold after fold: numbers of the table, or classes."""
        return np.concatenate([self._labels(given, given.test) for _, given in self.folds])

    def _labels(self, given: FoldTables, rows: np.ndarray) -> np.ndarray:
        labels: np.ndarray = (given.encoded if self.numbers is None else self.numbers)[rows]
        return labels

    def _in_unit(self, given: FoldTables, found: np.ndarray) -> np.ndarray:
        """Return predictions as metrics take them: in the table's unit, or probabilities."""
        return found if self.numbers is None else given.target.decode(found)

    def predicted(self, head: str, seed: int, players: Sequence[int]) -> np.ndarray:
        """Return predictions of all test rows by an arm of each fold, as metrics take them."""
        parts = []
        for (fold, given), each in zip(self.folds, players, strict=True):
            cell = cell_of(self.plan, fold, head=head, seed=seed, players=each)
            parts.append(self._in_unit(given, self.journal.read(cell).test))
        return np.concatenate(parts)

    def seconds(self, cell: Cell) -> float:
        """Return how long an arm was fitted, in all folds."""
        cells = (replace(cell, fold=fold) for fold, _ in self.folds)
        return sum(map(self.journal.seconds, cells))

    def picks(self, head: str) -> list[int]:
        """Return for each fold the arm that is best on validation rows; of equals the smallest."""
        order = sorted(self.plan.arms.sets, key=int.bit_count)
        sign = 1 if METRICS[self.metric].higher_is_better else -1
        best = []
        for fold, given in self.folds:
            values = np.array([self._on_valid(fold, given, head, each) for each in order])
            usable = np.where(np.isfinite(values), sign * values, -np.inf)
            best.append(order[int(usable.argmax())])
        return best

    def _on_valid(self, fold: str, given: FoldTables, head: str, players: int) -> float:
        truth, function = self._labels(given, given.valid), METRICS[self.metric].function
        cells = {
            cell_of(self.plan, fold, head=head, seed=seed, players=players)
            for seed in self.plan.seeds
        }
        found = [self._in_unit(given, self.journal.read(cell).valid) for cell in sorted(cells)]
        values = [function(truth, each) for each in found]
        return float(np.nan_to_num(np.mean(values), nan=CHANCE.get(self.metric, np.nan)))


def _every_metric(task: str, truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    few = task == "classification" and predicted.shape[1] <= TOP
    return {
        name: metric.function(truth, predicted)
        for name, metric in _OF_TASK[task].items()
        if not (few and name == "top5_accuracy")
    }
