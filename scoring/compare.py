"""Whether one prediction is better than another for the same rows, and how sure that is.

Both are scored under the same draws, so what makes rows easy or hard for both cancels: two heads
whose own intervals overlap widely may still differ for sure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from core.errors import UnknownName
from scoring.bootstrap import METRICS, RESAMPLES, Score, interval, resample


@dataclass(frozen=True)
class Comparison:
    """The first prediction against the second under one metric.

    first, second  the metric of each on all rows
    difference     first minus second, with its paired interval
    wins           share of resamples where the first is better, ties counting half; 0..1
    p              two-sided: twice the smaller share of resamples on one side of zero (zero counts
                   for both sides), at least 2 / (resamples + 1) and at most 1. A bootstrap's
                   figure, not a test's p-value: with few rows it is too sure
    better         "first", "second", or "neither" where the interval holds zero or is undefined
    """

    metric: str
    first: float
    second: float
    difference: Score
    wins: float
    p: float
    better: str

    def to_json(self) -> dict[str, object]:
        """Return a mapping for JSON, null for what is undefined."""
        numbers = {"first": self.first, "second": self.second, "wins": self.wins, "p": self.p}
        finite = {name: x if math.isfinite(x) else None for name, x in numbers.items()}
        words = {"metric": self.metric, "better": self.better}
        return {**words, **finite, "difference": self.difference.to_json()}


def compare(
    metric: str,
    target: np.ndarray,
    predictions: tuple[np.ndarray, np.ndarray],
    *,
    seed: int,
    resamples: int = RESAMPLES,
    groups: np.ndarray | None = None,
) -> Comparison:
    """Return how the first of two predictions for the rows of `target` stands to the second.

    Arrays are what the metric takes; the caller has brought both runs into one order of ids. The
    second may be a baseline. `groups` [N] are drawn whole.

    Raises:
        UnknownName: if there is no such metric.
        ValueError: if an array does not fit.
    """
    if metric not in METRICS:
        raise UnknownName("metric", metric, METRICS)
    chosen = METRICS[metric]
    first, second = (chosen.function(target, predicted) for predicted in predictions)
    forms = {
        side: chosen.weighted(target, predicted)
        for side, predicted in zip(("first", "second"), predictions, strict=True)
    }
    drawn = resample(forms, len(target), seed=seed, resamples=resamples, groups=groups)
    gaps = drawn["first"] - drawn["second"]
    difference = interval(first - second, gaps, len(target))
    better, wins, p = _verdict(difference, gaps, higher_is_better=chosen.higher_is_better)
    return Comparison(metric, first, second, difference, wins, p, better)


def _verdict(
    difference: Score, gaps: np.ndarray, *, higher_is_better: bool
) -> tuple[str, float, float]:
    if not math.isfinite(difference.low):
        return "neither", math.nan, math.nan
    defined = gaps[np.isfinite(gaps)]
    above, below = float(np.mean(defined > 0)), float(np.mean(defined < 0))
    even = 1 - above - below
    wins = (above if higher_is_better else below) + even / 2
    fewer = min(np.sum(defined >= 0), np.sum(defined <= 0))
    p = min(1.0, 2 * (float(fewer) + 1) / (len(defined) + 1))
    if difference.low <= 0 <= difference.high:
        return "neither", wins, p
    return ("first" if (difference.low > 0) == higher_is_better else "second"), wins, p


def compare_all(
    metrics: Iterable[str],
    target: np.ndarray,
    predictions: tuple[np.ndarray, np.ndarray],
    *,
    seed: int,
    groups: np.ndarray | None = None,
) -> dict[str, Comparison]:
    """Return `compare` under several metrics, by name."""
    return {name: compare(name, target, predictions, seed=seed, groups=groups) for name in metrics}
