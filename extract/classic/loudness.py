"""Loudness: how loud, how even, how sudden, and how much of it is silence.

Loudness follows ITU-R BS.1770-4: two biquads (a shelf for the head, a high pass) weight the sound,
blocks of 400 ms overlap by 75 %, and a gate at -70 LUFS and then at 10 below the rest leaves the
silence out. The biquads are recomputed for 16 kHz from their analogue prototypes; what lies above 8
kHz is not measured, and one channel is, so that a full-scale sine of 1 kHz is -3.0 LUFS. Short-term
levels are of 25 ms each.

`loudness/frames` [T, 4], means of 50 ms: level (dB of full scale), loudness (the same, weighted),
crest (peak over level, dB) and rise (what the level gains per 10 ms, dB; 0 where it falls).

`loudness` [42]:
    lufs, lufs.range, lufs.most   integrated; p95 - p10 of the gated blocks; the loudest block
    rms, peak, crest              of the whole sound, dB
    level.p*, level.span.*        percentiles of the short-term level and their distances
    heard.*                       the level where something is heard (see `sound.heard`): mean,
                                  deviation, skewness, mean change, mean rise and mean fall per 10
                                  ms
    silent, unheard               parts of the time below -60 dB; not heard
    attack, attack.at, decay      the steepest gain and loss in 50 ms (dB), and when the first is
                                  (0..1)
    first.heard, last.heard       from the start to the first thing heard, from the last to the end
                                  (s)
    heard.span_s                  between the two
    opening, closing              level of the first and last second less that of the whole (dB)
    centre                        when the middle of the energy is (0..1)
    slope, contour.*              of the level between the first and the last thing heard: dB per
                                  second, and its shape (cosine terms)
    peaks                         local maxima of the smoothed level, per second

Silence has the floor of -100 dB and -70 LUFS. Cost: 2 ms for 4 s of sound.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import scipy

from core.status import Gap
from extract.classic.descriptor import Descriptor, Dims, of_sound
from extract.classic.sound import (
    GRID,
    HOPS_PER_S,
    RATE_HZ,
    REQUEST,
    SHORT,
    changes,
    contour,
    decibel,
    heard,
    level_db,
    mean_or_zero,
    slope,
    span,
    tokens,
    too_short,
    windows,
)
from media.request import Sound

BLOCK = 6400  # 400 ms
STEP = 1600  # 75 % overlap
GATE_LUFS, GATE_BELOW = -70.0, 10.0
SILENT_DB = -60.0
_ATTACK = 5  # hops
_PERCENTILES = (5, 10, 25, 50, 75, 90, 95, 99)
_SPANS = ((95, 5), (95, 10), (95, 50), (75, 25))
_CONTOUR = 5

NAMES = ("level", "loudness", "crest", "rise")
POOLED_NAMES = (
    *("lufs", "lufs.range", "lufs.most", "rms", "peak", "crest"),
    *(f"level.p{percent}" for percent in _PERCENTILES),
    *(f"level.span.{high}.{low}" for high, low in _SPANS),
    *("heard.mean", "heard.std", "heard.skew", "heard.change", "heard.rise", "heard.fall"),
    *("silent", "unheard"),
    *("attack", "attack.at", "decay"),
    *("first.heard", "last.heard", "heard.span_s"),
    *("opening", "closing", "centre", "slope"),
    *(f"contour.{term}" for term in range(1, _CONTOUR + 1)),
    "peaks",
)


def extractor(decoder: str = "pyav", seconds: float | None = None) -> Descriptor:
    """Return the extractor of `loudness/frames` float32 [T, 4] and `loudness` float32 [42]."""
    recipe = {
        "code": "classic.loudness",
        "version": 1,
        "decoder": decoder,
        "grid": GRID,
        "gates": [GATE_LUFS, GATE_BELOW],
        "silent_db": SILENT_DB,
    }
    dims: Dims = {"loudness/frames": ("frame", len(NAMES)), "loudness": (len(POOLED_NAMES),)}
    return of_sound(_described, REQUEST, dims, recipe, seconds=seconds)


def _described(sound: Sound) -> dict[str, np.ndarray] | Gap:
    return too_short(sound) or describe_loudness(sound)


def describe_loudness(sound: Sound) -> dict[str, np.ndarray]:
    """Return both features of a sound of at least 50 ms."""
    samples, level = sound.samples, level_db(sound).astype(np.float64)
    weighted = k_weighted(samples)
    shaped = windows(weighted, SHORT)
    loudness = decibel(np.einsum("tn,tn->t", shaped, shaped) / SHORT) - 0.691
    peaks = decibel(np.abs(windows(samples, SHORT)).max(axis=1).astype(np.float64) ** 2)
    rise = np.maximum(np.diff(level, prepend=level[0]), 0)
    pooled = (_overall(samples, weighted), _levels(level), _shape(level), _course(level))
    return {
        "loudness/frames": tokens(np.stack([level, loudness, peaks - level, rise], axis=1)),
        "loudness": np.concatenate(pooled).astype(np.float32),
    }


def k_weighted(samples: np.ndarray) -> np.ndarray:
    """Return float64 [n], the sound as BS.1770 weights it before it is squared."""
    return np.asarray(scipy.signal.sosfilt(_k_weighting(), samples.astype(np.float64)))


def gated_loudness(weighted: np.ndarray) -> tuple[float, float, float]:
    """Return the integrated loudness, its range p95 - p10, and its most; -70, 0, -70 in silence."""
    power = weighted**2
    total = np.concatenate([[0.0], np.cumsum(power)])
    length = min(BLOCK, len(power))
    starts = np.arange(0, len(power) - length + 1, STEP)
    blocks = np.maximum((total[starts + length] - total[starts]) / length, 1e-12)
    loudness = 10 * np.log10(blocks) - 0.691
    kept = loudness > GATE_LUFS
    if not kept.any():
        return GATE_LUFS, 0.0, GATE_LUFS
    relative = 10 * np.log10(blocks[kept].mean()) - 0.691 - GATE_BELOW
    kept &= loudness > relative
    low, high = np.percentile(loudness[kept], [10, 95])
    integrated = 10 * np.log10(blocks[kept].mean()) - 0.691
    return float(integrated), float(high - low), float(loudness.max())


def _overall(samples: np.ndarray, weighted: np.ndarray) -> list[float]:
    squares = samples.astype(np.float64) ** 2
    rms, peak = float(decibel(squares.mean())), float(decibel(squares.max()))
    return [*gated_loudness(weighted), rms, peak, peak - rms]


def _levels(level: np.ndarray) -> list[float]:
    """Return percentiles of the level [T], and distances between them."""
    at = dict(zip(_PERCENTILES, np.percentile(level, _PERCENTILES), strict=True))
    return [*at.values(), *(at[high] - at[low] for high, low in _SPANS)]


def _shape(level: np.ndarray) -> list[float]:
    """Return how the level [T] lies and moves where something is heard, and the silences."""
    kept = heard(level)
    values, steps = level[kept], changes(level, kept)
    offset = values - values.mean()
    skew = float(np.mean(offset**3)) / max(float(np.mean(offset**2)) ** 1.5, 1e-6)
    movement = [
        mean_or_zero(np.abs(steps)),
        *map(mean_or_zero, (steps[steps > 0], steps[steps < 0])),
    ]
    silences = [float(np.mean(level < SILENT_DB)), float(np.mean(~kept))]
    return [float(values.mean()), float(values.std()), skew, *movement, *silences]


def _course(level: np.ndarray) -> list[float]:
    """Return how the level [T] goes from the start to the end of the sound."""
    where = span(heard(level))
    inner, moments = level[where], np.arange(len(level)) / HOPS_PER_S
    gain = level[_ATTACK:] - level[:-_ATTACK] if len(level) > _ATTACK else np.zeros(1)
    power = 10 ** (level / 10)
    whole, second = float(decibel(power.mean())), HOPS_PER_S
    opening, closing = (float(decibel(part.mean())) for part in (power[:second], power[-second:]))
    smooth = scipy.ndimage.uniform_filter1d(inner, 5)
    maxima = len(scipy.signal.find_peaks(smooth, prominence=3)[0])
    return [
        *(
            max(float(gain.max()), 0.0),
            float(gain.argmax()) / len(gain),
            max(-float(gain.min()), 0.0),
        ),
        *(
            where.start / HOPS_PER_S,
            (len(level) - where.stop) / HOPS_PER_S,
            len(inner) / HOPS_PER_S,
        ),
        *(opening - whole, closing - whole),
        float(power @ np.linspace(0, 1, len(level))) / float(power.sum()),
        slope(moments[where], inner),
        *contour(inner, _CONTOUR),
        maxima * HOPS_PER_S / len(inner),
    ]


@cache
def _k_weighting() -> np.ndarray:
    """Return the two biquads of BS.1770 at 16 kHz, float64 [2, 6], by the bilinear transform.

    The prototypes are those that give the standard's own coefficients at 48 kHz (De Man 2014,
    "Evaluation of implementations of the EBU R128 loudness measurement").
    """
    gain, q, warped = 10 ** (3.999843853973347 / 20), 0.7071752369554196, _warped(1681.974450955533)
    boost = gain**0.4996667741545416
    scale = 1 + warped / q + warped**2
    shelf = [
        (gain + boost * warped / q + warped**2) / scale,
        2 * (warped**2 - gain) / scale,
        (gain - boost * warped / q + warped**2) / scale,
        *(1, 2 * (warped**2 - 1) / scale, (1 - warped / q + warped**2) / scale),
    ]
    q, warped = 0.5003270373238773, _warped(38.13547087602444)
    scale = 1 + warped / q + warped**2
    feedback = (2 * (warped**2 - 1) / scale, (1 - warped / q + warped**2) / scale)
    return np.array([shelf, [1, -2, 1, 1, *feedback]])


def _warped(hz: float) -> float:
    return float(np.tan(np.pi * hz / RATE_HZ))
