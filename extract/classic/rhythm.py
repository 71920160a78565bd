"""Rhythm: onsets, tempo and how strong the beat is, syllables, pauses.

The onset strength is the mean rise of 40 mel bands (dB per 10 ms, what is 60 dB under the loudest
counted as silent), after its mean over a second is taken off. Tempo is a peak of its
autocorrelation between 40 and 240 beats per minute; which of a beat, its double and its half is
meant is decided as people do, by a preference for 120 (Ellis 2007, "Beat tracking by dynamic
programming": log-Gaussian, one octave wide).

`rhythm` [71]:
    onset.*        strength: mean, deviation, p90; onsets per second; mean (s) and relative
                   deviation of the intervals between them
    tempo.1, .2    the two best tempi (beats per minute, log2 over 120; 0 where there is none), and
                   how strong each is (the autocorrelation, 0..1)
    beat           the part of the onset strength that falls on the best beat, over that off it
                   (log2)
    syllables.*    fluctuation of the level between the first and the last thing heard, in six bands
                   of 0.5 to 20 Hz (log10 power): 3-8 Hz is the rate of syllables
    modulation.*   the same for each of 8 mel bands
    pause.*        silences of at least 100 ms between things heard: per second, mean and longest
                   length (s), part of the time
    run.*          what lies between pauses: mean length (s), relative deviation

Too short is a sound under half a second; tempo and beat are 0 under 2 s. Cost: 1 ms for 4 s of
sound.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import scipy

from core.status import Gap, absent
from extract.classic.descriptor import Descriptor, of_sound
from extract.classic.sound import (
    GRID,
    HOPS_PER_S,
    RATE_HZ,
    REQUEST,
    decibel,
    heard,
    level_db,
    mel_bank,
    power_spectrum,
    run_lengths,
    span,
)
from media.request import Sound

SHORTEST_S = 0.5
TEMPO_S = 2.0
SLOWEST_BPM, FASTEST_BPM, USUAL_BPM = 40, 240, 120
RANGE_DB = 60
PAUSE_HOPS = 10
MODULATION_HZ = (0.5, 1.5, 3, 5, 8, 12, 20)
_BANDS = 8
_LIMITS_HZ = (50.0, 7600.0)
_MODULATION_NAMES = tuple(f"{low:g}hz" for low in MODULATION_HZ[:-1])

POOLED_NAMES = (
    *("onset.mean", "onset.std", "onset.p90", "onset.rate", "onset.interval_s", "onset.uneven"),
    *("tempo.1", "tempo.1.strength", "tempo.2", "tempo.2.strength", "beat"),
    *(f"syllables.{name}" for name in _MODULATION_NAMES),
    *(f"modulation.{band}.{name}" for band in range(_BANDS) for name in _MODULATION_NAMES),
    *("pause.rate", "pause.mean_s", "pause.longest_s", "pause.part", "run.mean_s", "run.uneven"),
)


def extractor(decoder: str = "pyav", seconds: float | None = None) -> Descriptor:
    """Return the extractor of `rhythm` float32 [71]."""
    recipe = {
        "code": "classic.rhythm",
        "version": 1,
        "decoder": decoder,
        "grid": GRID,
        "tempo_bpm": [SLOWEST_BPM, FASTEST_BPM, USUAL_BPM],
        "modulation_hz": list(MODULATION_HZ),
    }
    return of_sound(_described, REQUEST, {"rhythm": (len(POOLED_NAMES),)}, recipe, seconds=seconds)


def _described(sound: Sound) -> dict[str, np.ndarray] | Gap:
    length_s = len(sound.samples) / RATE_HZ
    if length_s < SHORTEST_S:
        return absent("too-short", f"{length_s:.2f} s of sound; rhythm needs {SHORTEST_S} s")
    return {"rhythm": describe_rhythm(sound)}


def describe_rhythm(sound: Sound) -> np.ndarray:
    """Return float32 [71], the numbers `POOLED_NAMES` of a sound of at least half a second."""
    strength = onset_strength(sound)
    level = level_db(sound).astype(np.float64)
    kept = heard(level)
    bands = decibel(power_spectrum(sound) @ mel_bank(_BANDS, *_LIMITS_HZ)).astype(np.float64)
    tracks = np.concatenate([level[:, None], bands], axis=1)[span(kept)]
    numbers = (
        _onsets(strength),
        _tempo(strength) if len(strength) >= TEMPO_S * HOPS_PER_S else [0.0] * 5,
        modulation(tracks).T.ravel(),
        _pauses(kept),
    )
    return np.concatenate(numbers).astype(np.float32)


def onset_strength(sound: Sound) -> np.ndarray:
    """Return float64 [T], the mean rise of the mel bands in dB per 10 ms, at least 0."""
    bands = decibel(power_spectrum(sound) @ mel_bank(40, *_LIMITS_HZ)).astype(np.float64)
    bands = np.maximum(bands, bands.max() - RANGE_DB)
    rise = np.maximum(np.diff(bands, axis=0, prepend=bands[:1]), 0)
    return np.asarray(rise.mean(axis=1))


def modulation(tracks: np.ndarray) -> np.ndarray:
    """Return float64 [6, D], log10 of the power of fluctuation of tracks [T, D] in dB, by band."""
    taper = np.hanning(len(tracks) + 2)[1:-1, None]
    length = scipy.fft.next_fast_len(max(1024, len(tracks)), real=True)
    spectrum = scipy.fft.rfft((tracks - tracks.mean(axis=0)) * taper, length, axis=0)
    power = np.abs(spectrum) ** 2 / np.sum(taper**2)
    hz = np.arange(len(power)) * HOPS_PER_S / length
    pairs = pairwise(MODULATION_HZ)
    bands = [power[(hz >= low) & (hz < high)].mean(axis=0) for low, high in pairs]
    return np.log10(np.stack(bands) + 1e-3)


def _onsets(strength: np.ndarray) -> list[float]:
    """Return the statistics of the strength [T] and of the places where it peaks."""
    lively = max(float(strength.std()), 0.1)
    places = scipy.signal.find_peaks(strength, prominence=lively, distance=5)[0]
    intervals = np.diff(places) / HOPS_PER_S
    mean_s = float(intervals.mean()) if len(intervals) else 0.0
    uneven = float(intervals.std()) / mean_s if mean_s else 0.0
    rate = len(places) * HOPS_PER_S / len(strength)
    spread = (float(strength.mean()), float(strength.std()), float(np.percentile(strength, 90)))
    return [*spread, rate, mean_s, uneven]


def _tempo(strength: np.ndarray) -> list[float]:
    """Return the two best tempi, their strengths, and the beat, of a strength [T], 2 s or more."""
    steady = scipy.ndimage.uniform_filter1d(strength, HOPS_PER_S)
    series = np.maximum(scipy.ndimage.gaussian_filter1d(strength, 1.0) - steady, 0)
    series = series - series.mean()
    if float(series @ series) < 1e-6 * len(series):
        return [0.0] * 5
    correlation = _self_correlation(series)
    shortest = 60 * HOPS_PER_S // FASTEST_BPM
    longest = min(60 * HOPS_PER_S // SLOWEST_BPM, len(correlation) - 2)
    lags = np.arange(shortest, longest + 1)
    here = correlation[lags]
    tops = (here > correlation[lags - 1]) & (here >= correlation[lags + 1]) & (here > 0)
    octaves = np.log2(60 * HOPS_PER_S / lags / USUAL_BPM)
    score = np.where(tops, here * np.exp(-0.5 * octaves**2), 0)
    best = np.argsort(-score, kind="stable")[:2]
    found = [(float(octaves[at]), float(here[at])) if score[at] > 0 else (0.0, 0.0) for at in best]
    beat = _beat(strength, int(lags[best[0]])) if score[best[0]] > 0 else 0.0
    return [*found[0], *found[1], beat]


def _self_correlation(series: np.ndarray) -> np.ndarray:
    """Return float64 [lags], 1 at 0, to half the length; each lag by the number of its pairs."""
    length = scipy.fft.next_fast_len(2 * len(series), real=True)
    raw = scipy.fft.irfft(np.abs(scipy.fft.rfft(series, length)) ** 2, length)[: len(series) // 2]
    return np.asarray(raw / (len(series) - np.arange(len(raw))) * len(series) / raw[0])


def _beat(strength: np.ndarray, lag: int) -> float:
    """Return log2 of the mean strength [T] in the best tenth of a period (hops) over the rest's."""
    phase = np.arange(len(strength)) % lag
    folded = np.bincount(phase, strength, lag) / np.maximum(np.bincount(phase, minlength=lag), 1)
    folded = np.sort(folded)[::-1]
    few = max(1, lag // 10)
    return float(np.log2((folded[:few].mean() + 0.01) / (folded[few:].mean() + 0.01)))


def _pauses(kept: np.ndarray) -> list[float]:
    """Return the statistics of pauses and of the runs between them, of what is heard (bool [T])."""
    inner = kept[span(kept)]
    silent = run_lengths(~inner)
    pauses = silent[silent >= PAUSE_HOPS] / HOPS_PER_S
    bridged = scipy.ndimage.binary_closing(np.pad(inner, PAUSE_HOPS), np.ones(PAUSE_HOPS, bool))
    runs = run_lengths(bridged) / HOPS_PER_S
    length_s = len(inner) / HOPS_PER_S
    of_pauses = [pauses.mean(), pauses.max()] if len(pauses) else [0.0, 0.0]
    shares = [len(pauses) / length_s, *of_pauses, pauses.sum() / length_s]
    return [*map(float, shares), float(runs.mean()), float(runs.std() / runs.mean())]
