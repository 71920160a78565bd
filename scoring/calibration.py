"""Whether stated probabilities and intervals keep their word."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoring.checks import check_classes, check_pair

BINS = 15  # equal widths; Guo et al. 2017, "On Calibration of Modern Neural Networks"


@dataclass(frozen=True)
class Reliability:
    """How often the most probable class is right, by how sure the head was. Arrays [bins].

    confidence and accuracy are nan for a bin without rows.
    """

    edges: np.ndarray  # float64 [bins + 1], 0..1
    count: np.ndarray  # int64
    confidence: np.ndarray  # mean probability of the predicted class
    accuracy: np.ndarray  # share of rows where the predicted class is right
    error: float  # expected calibration error, 0..1


def bin_of(confidence: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Return the bin (int64 [N]) of each confidence; bins are open below and closed above."""
    bounded: np.ndarray = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    return bounded


def reliability(labels: np.ndarray, probabilities: np.ndarray, bins: int = BINS) -> Reliability:
    """Return the reliability of the predicted class's probability."""
    truth, given = check_classes(labels, probabilities)
    confidence, right = given.max(axis=1), given.argmax(axis=1) == truth
    place = bin_of(confidence, bins)
    count = np.bincount(place, minlength=bins)
    sums = np.bincount(place, confidence, bins), np.bincount(place, right.astype(float), bins)
    with np.errstate(invalid="ignore"):
        mean_confidence, accuracy = sums[0] / count, sums[1] / count
    error = float(np.abs(sums[0] - sums[1]).sum() / len(truth))
    return Reliability(np.linspace(0, 1, bins + 1), count, mean_confidence, accuracy, error)


def ece(labels: np.ndarray, probabilities: np.ndarray, bins: int = BINS) -> float:
    """Return the expected calibration error: mean distance of confidence and accuracy, 0..1."""
    return reliability(labels, probabilities, bins).error


@dataclass(frozen=True)
class Coverage:
    """How many targets fell into their intervals (0..1, ends included) and how wide those are."""

    covered: float
    mean_width: float
    n: int


def interval_coverage(target: np.ndarray, low: np.ndarray, high: np.ndarray) -> Coverage:
    """Return the coverage of intervals [low, high], float arrays [N] in the target's unit.

    Raises:
        ValueError: if lengths differ, a number is not finite, or a low end is above its high end.
    """
    truth, lower = check_pair(target, low)
    _, upper = check_pair(target, high)
    if (lower > upper).any():
        row = int(np.argmax(lower > upper))
        raise ValueError(f"interval of row {row} has low {lower[row]:g} above high {upper[row]:g}")
    inside = (lower <= truth) & (truth <= upper)
    return Coverage(float(inside.mean()), float((upper - lower).mean()), len(truth))
