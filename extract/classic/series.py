"""How a quantity behaves over time: bursts, persistence, period, trend, peak.

A series is measured at moments that may be uneven; for what needs even ones it is brought to ten a
second by linear interpolation.
"""

from __future__ import annotations

import numpy as np

GRID_HZ = 10.0
_PERIOD_S = (0.3, 2.0)
_LAGS = (1, 2, 4)  # of the grid: 0.1, 0.2, 0.4 s
_SPREAD_FLOOR = 1e-4

NAMES = (
    "burst",
    "lag.1",
    "lag.2",
    "lag.4",
    "period",
    "period.hz",
    "trend",
    "peak",
    "peak.at",
    "above",
)


def describe_rhythm(series: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Return float64 [10], the numbers `NAMES` of a series [S] >= 0 at rising times [S]; S >= 1.

    burst      (deviation - mean) / (deviation + mean): -1 steady, 0 random, 1 a single burst
               (Goh and Barabasi 2008)
    lag.*      autocorrelation after 0.1, 0.2, 0.4 s
    period     the highest peak of the autocorrelation after 0.3..2 s, 0 if there is none, and
    period.hz  its frequency
    trend      slope over the whole series, in units of its mean
    peak       the largest value over the mean, log2; peak.at when, 0..1
    above      the part of the time that it is over its mean
    """
    mean, deviation = float(series.mean()), float(series.std())
    if deviation <= _SPREAD_FLOOR:
        return np.array([-1.0, *[0.0] * (len(NAMES) - 1)])
    even = _even(series, times_s)
    correlation = _autocorrelation(even)
    lags = [float(correlation[lag]) if lag < len(correlation) else 0.0 for lag in _LAGS]
    period, period_hz = _period(correlation)
    moment = np.linspace(-0.5, 0.5, len(even))
    trend = float(moment @ even) / max(float(moment @ moment), 1e-9) / max(mean, 1e-9)
    peak = int(series.argmax())
    at = (times_s[peak] - times_s[0]) / max(float(times_s[-1] - times_s[0]), 1e-9)
    burst = (deviation - mean) / (deviation + mean)
    above = float((series > mean).mean())
    ratio = float(np.log2(series[peak] / mean))
    return np.array([burst, *lags, period, period_hz, np.clip(trend, -12, 12), ratio, at, above])


def _even(series: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    count = max(2, round(float(times_s[-1] - times_s[0]) * GRID_HZ) + 1)
    moments = np.linspace(times_s[0], times_s[-1], count)
    return np.asarray(np.interp(moments, times_s, series))


def _autocorrelation(even: np.ndarray) -> np.ndarray:
    """Return the autocorrelation of lags 0 .. n / 2, each a mean over its pairs."""
    centred = even - even.mean()
    variance = float(centred @ centred) / len(even)
    longest = min(len(even) // 2, round(_PERIOD_S[1] * GRID_HZ) + 1)
    if variance <= 0:
        return np.zeros(longest + 1)
    products = [
        centred[: len(even) - lag] @ centred[lag:] / (len(even) - lag) for lag in range(longest + 1)
    ]
    return np.asarray(products) / variance


def _period(correlation: np.ndarray) -> tuple[float, float]:
    first = round(_PERIOD_S[0] * GRID_HZ)
    inner = correlation[1:-1]
    is_peak = (inner > correlation[:-2]) & (inner >= correlation[2:]) & (inner > 0)
    lags = np.flatnonzero(is_peak) + 1
    lags = lags[lags >= first]
    if len(lags) == 0:
        return 0.0, 0.0
    best = int(lags[correlation[lags].argmax()])
    return float(min(correlation[best], 1.0)), GRID_HZ / best
