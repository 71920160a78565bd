"""Means, spreads and skewness of wide columns, without a float64 copy of all of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

SKEWED = 1.0  # likes lie at 10, ages and durations between; the logarithm is an addition
_STRIP = 2048  # columns at a time
_SAME = 1e-5  # a spread below this share of the mean is float32's noise, not a difference


def _strips(width: int) -> Iterator[slice]:
    return (slice(start, start + _STRIP) for start in range(0, width, _STRIP))


def moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and standard deviation of each column, float64 [D]."""
    mean, spread = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    if len(values):
        for strip in _strips(values.shape[1]):
            part = values[:, strip].astype(np.float64)
            mean[strip], spread[strip] = part.mean(axis=0), part.std(axis=0)
    return mean, spread


def varying(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the columns that vary, int64 [K], with their means and standard deviations."""
    mean, spread = moments(values)
    kept = np.flatnonzero(spread > _SAME * np.abs(mean) + 1e-30)
    return kept, mean[kept], spread[kept]


def helped_by_log(values: np.ndarray) -> bool:
    """Say whether a number is skewed and its signed logarithm is less so."""
    before = _skewness(values)
    return before > SKEWED and _skewness(signed_log(values)) < before


def _skewness(values: np.ndarray) -> float:
    """Return the third standardised moment, without its sign; 0 for constant numbers."""
    centred = values.astype(np.float64) - (values.mean(dtype=np.float64) if len(values) else 0)
    spread = np.sqrt((centred**2).mean()) if len(values) else 0.0
    return float(abs((centred**3).mean()) / spread**3) if spread > 0 else 0.0


def signed_log(values: np.ndarray) -> np.ndarray:
    """Return sign(x)·log(1 + |x|)."""
    signed: np.ndarray = np.sign(values) * np.log1p(np.abs(values))
    return signed


def with_log(values: np.ndarray) -> np.ndarray:
    return np.hstack([values, signed_log(values)])
