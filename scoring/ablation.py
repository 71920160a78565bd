"""The result of an ablation: plain data. Gains are positive where the score is better."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scoring.bootstrap import Score


@dataclass(frozen=True)
class PlayerLine:
    """What one player (a feature, or several that come and go together) adds, with one head.

    shapley    gain, averaged over all orders of joining; None where the arms do not tell it
    error      standard error of sampled orders; None where the value is exact
    alone      gain over nobody
    last       gain of everybody over everybody else
    cost_s     seconds that its extraction took for 1,000 samples; None: not known
    coverage   share of the labelled rows that have one of its features
    """

    head: str
    name: str
    features: Sequence[str]
    shapley: Score | None
    error: float | None
    alone: Score | None
    last: Score | None
    cost_s: float | None
    coverage: float


@dataclass(frozen=True)
class ArmLine:
    """One arm.

    players  names of who is in it
    score    the mean over seeds, under the ablation's metric
    behind   the arm minus everybody, paired, in the metric's own direction; None for everybody
    spread   standard deviation over the seeds; None with one
    others   every metric of the task, without intervals
    fit_s    seconds of fitting, all folds and seeds
    cost_s   seconds that extraction took for 1,000 samples; None: not known
    """

    head: str
    players: Sequence[str]
    features: Sequence[str]
    score: Score
    behind: Score | None
    spread: float | None
    others: Mapping[str, float]
    fit_s: float
    cost_s: float | None


@dataclass(frozen=True)
class Picked:
    """In each fold the arm that was best on validation rows, scored on the test rows.

    by_fold  fold -> the players of its arm
    behind   minus everybody, paired
    """

    head: str
    score: Score
    behind: Score
    by_fold: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Ablation:
    """All that an ablation found.

    players, arms  by head; arms from the best to the worst
    everybody      by head the score of all features
    nobody         by head the score without any player
    heads          by head its everybody minus that of the best head, paired; without that head
    orders         how many orders were sampled; None where Shapley values are exact
    always         features of every arm
    """

    target: str
    task: str
    metric: str
    higher_is_better: bool
    rows: int
    folds: int
    split: str
    seeds: int
    players: Sequence[PlayerLine]
    arms: Sequence[ArmLine]
    everybody: Mapping[str, Score]
    nobody: Mapping[str, Score]
    picked: Sequence[Picked]
    heads: Mapping[str, Score]
    arms_asked: str
    orders: int | None = None
    always: Sequence[str] = ()
    notes: Sequence[str] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Return a mapping for JSON, null for what is undefined or unknown."""
        plain = ("target", "task", "metric", "higher_is_better", "rows", "folds", "split", "seeds")
        return {
            **{name: getattr(self, name) for name in plain},
            "arms_asked": self.arms_asked,
            "orders": self.orders,
            "always": list(self.always),
            "everybody": {head: score.to_json() for head, score in self.everybody.items()},
            "nobody": {head: score.to_json() for head, score in self.nobody.items()},
            "heads": {head: score.to_json() for head, score in self.heads.items()},
            "players": [_plain(line) for line in self.players],
            "arms": [_plain(line) for line in self.arms],
            "picked": [_plain(line) for line in self.picked],
            "notes": list(self.notes),
        }


def _plain(line: PlayerLine | ArmLine | Picked) -> dict[str, Any]:
    return {name: _value(value) for name, value in vars(line).items()}


def _value(value: Any) -> Any:
    if isinstance(value, Score):
        return value.to_json()
    if isinstance(value, Mapping):
        return {name: _value(each) for name, each in value.items()}
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return list(value) if isinstance(value, tuple | list) else value
