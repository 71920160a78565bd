"""How a voice moves: statistics of its pitch over a whole sound.

Range and movement are in semitones, so that a high voice and a low one are alike in what they do.

    pitch.p*, pitch.mean, pitch.std      semitones above 55 Hz
    pitch.range.90, pitch.range.60       p95 - p5, p80 - p20
    pitch.change                         mean step per 10 ms: vibrato, jitter and glides
    pitch.jitter                         the median of these steps, less moved by glides
    pitch.rise, pitch.fall               mean upward and downward step
    pitch.slope                          semitones per second over the whole sound
    pitch.first, pitch.last              mean of the first and last 100 ms with pitch, less the mean
                                         of all
    pitch.contour.*                      shape over time (cosine terms), gaps bridged
    pitch.turns                          maxima of the smoothed pitch per second
    pitch~level, pitch~tilt, level~tilt  how they move together (-1..1): vocal effort
    level.change                         mean step of the level where there is pitch (dB per 10 ms):
                                         shimmer
    voiced, voiced.periodicity           part of what is heard that has a pitch; how periodic that
                                         is
    run.mean_s, run.std_s, run.rate      lengths of unbroken stretches with pitch, and how many per
                                         second
"""

from __future__ import annotations

import numpy as np
import scipy

from extract.classic.pitch import semitones
from extract.classic.sound import (
    HOPS_PER_S,
    changes,
    contour,
    correlations,
    mean_or_zero,
    run_lengths,
    slope,
    span,
)

LEAST_VOICED = 8  # windows; with fewer there is no pitch to describe and all is 0
_PERCENTILES = (5, 20, 50, 80, 95)
_CONTOUR = 5

NAMES = (
    *(f"pitch.p{percent}" for percent in _PERCENTILES),
    *("pitch.mean", "pitch.std", "pitch.range.90", "pitch.range.60"),
    *("pitch.change", "pitch.jitter", "pitch.rise", "pitch.fall"),
    *("pitch.slope", "pitch.first", "pitch.last"),
    *(f"pitch.contour.{term}" for term in range(1, _CONTOUR + 1)),
    "pitch.turns",
    *("pitch~level", "pitch~tilt", "level~tilt"),
    *("level.change", "voiced", "voiced.periodicity", "run.mean_s", "run.std_s", "run.rate"),
)


def describe_prosody(
    hz: np.ndarray,
    periodicity: np.ndarray,
    *,
    level: np.ndarray,
    tilt: np.ndarray,
    kept: np.ndarray,
) -> np.ndarray:
    """Return float64 [31], the numbers `NAMES` of tracks [T]; all 0 where nothing has a pitch.

    `hz` is 0 where there is no pitch, `tilt` is in dB, `kept` (bool) says where something is heard.
    """
    voiced = hz > 0
    if voiced.sum() < LEAST_VOICED:
        return np.zeros(len(NAMES))
    duration_s = (span(kept).stop - span(kept).start) / HOPS_PER_S
    places = np.flatnonzero(voiced)
    tones = semitones(hz[voiced])
    bridged = np.interp(np.arange(len(hz)), places, tones)
    effort = correlations(np.stack([tones, level[voiced], tilt[voiced]], axis=1))
    runs = run_lengths(voiced) / HOPS_PER_S
    numbers = (
        _distribution(tones),
        _movement(changes(bridged, voiced)),
        [slope(places / HOPS_PER_S, tones)],
        [tones[:10].mean() - tones.mean(), tones[-10:].mean() - tones.mean()],
        contour(bridged[span(kept)], _CONTOUR),
        [_turns(bridged) / duration_s],
        effort,
        [
            mean_or_zero(np.abs(changes(level, voiced))),
            voiced[kept].mean(),
            periodicity[voiced].mean(),
        ],
        [runs.mean(), runs.std(), len(runs) / duration_s],
    )
    return np.concatenate(numbers)


def _distribution(tones: np.ndarray) -> list[float]:
    at = np.percentile(tones, _PERCENTILES)
    return [*at, tones.mean(), tones.std(), at[4] - at[0], at[3] - at[1]]


def _movement(steps: np.ndarray) -> list[float]:
    """Return mean and median size of the steps [S], and the means of upward and downward ones."""
    size = np.abs(steps)
    jitter = float(np.median(size)) if len(size) else 0.0
    return [
        mean_or_zero(size),
        jitter,
        mean_or_zero(steps[steps > 0]),
        mean_or_zero(steps[steps < 0]),
    ]


def _turns(tones: np.ndarray) -> int:
    """Return how many maxima of at least a semitone the pitch has, smoothed over 90 ms."""
    smooth = scipy.ndimage.uniform_filter1d(tones, 9)
    return len(scipy.signal.find_peaks(smooth, prominence=1)[0])
