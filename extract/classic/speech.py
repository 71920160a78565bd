"""How much a sound is like speech: syllables, voice that comes and goes, gaps; or like music.

Speech modulates all bands together, most at some 4 Hz, the rate of syllables (Houtgast and
Steeneken 1985; Drullman et al. 1994), is voiced in turns, and drops below its mean again and again.
Music holds notes. The cues are those of Saunders 1996 ("Real-time discrimination of broadcast
speech/music"), Scheirer and Slaney 1997 ("Construction and evaluation of a robust multifeature
speech/music discriminator") and Lu, Zhang and Jiang 2002 ("Content analysis for audio
classification and segmentation"), measured in windows of 2 s every half second; a shorter sound is
one window.

The modulation spectrum is that of the amplitudes of 6 mel bands, each over its mean in the window.
`rhythm` has that of levels in dB over the whole sound, which tells how much, not how it is shared
out; the tempo of a beat is there too. Statistics of the pitch are in `spectrum`.

`speech/windows` [W, 12]:
    slow, syllabic, fast  parts of the modulation at 0.5-2, 2-8, 8-20 Hz, mean of bands
    peak, peak.height     where the modulation is highest between 1 and 16 Hz (octaves from 4 Hz),
                          and how far over its mean there (log2)
    depth                 of the modulation at 2-8 Hz: 1 is a sine that reaches zero
    together              correlation of the amplitudes of neighbouring bands
    low                   part of the time below half the mean amplitude
    crossings.high        part of the time with more than 1.5 times the mean zero crossings
    flux.uneven           relative deviation of the spectral flux
    voiced                part of what is heard that has a pitch
    held                  part of what is voiced whose pitch stays within half a semitone for 200 ms

`speech` [41]: mean of these but for voiced, and deviation of all, over the windows in which
something is heard; mean depth and syllabic part of each band; over the whole sound the skewness of
the zero crossings, quartiles and p90 of the flux over its median (log2), the longest held note
(log2(1 + s)); and speechlike, the part of the windows that have at least 0.4 of their modulation at
2-8 Hz, are low for a sixth, voiced for a tenth, and held for no more than a quarter of that: a rule
of thumb, not a trained detector. All is 0 in silence. Too short is a sound under half a second.
Cost: 1 ms for 4 s of sound, and what `spectrum` costs unless that was measured before.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import scipy

from core.status import Gap, absent
from extract.classic.descriptor import Descriptor, Dims, of_sound
from extract.classic.pitch import CONSTANTS, pitch, semitones
from extract.classic.sound import (
    GRID,
    HOPS_PER_S,
    RATE_HZ,
    REQUEST,
    audible,
    level_db,
    mel_bank,
    pieces,
    power_spectrum,
    run_lengths,
)
from extract.classic.spectrum import NAMES as TIMBRE
from extract.classic.spectrum import timbre_tracks
from media.request import Sound

SHORTEST_S = 0.5
WINDOW, STEP = 200, 50  # hops
BANDS, LOW_HZ, HIGH_HZ = 6, 100.0, 7000.0
MODULATION_HZ = (0.5, 2.0, 8.0, 20.0)
PEAK_HZ, USUAL_HZ = (1.0, 16.0), 4.0
HELD_HOPS, HELD_SEMITONES = 21, 0.5  # 200 ms from the first to the last
SYLLABIC, LOW, VOICED, HELD = 0.4, 1 / 6, 0.1, 0.25  # of what is speechlike
_FFT = 512
_STEADY = 1e-3  # variance of a modulation of 4 %: below it there is none to speak of
_FAINTEST = 1e-4  # amplitude of -80 dB: what decoders leave of silence is not modulated

NAMES = (
    *("slow", "syllabic", "fast", "peak", "peak.height", "depth", "together"),
    *("low", "crossings.high", "flux.uneven", "voiced", "held"),
)
_MEANS = tuple(name for name in NAMES if name != "voiced")  # whose mean `spectrum` has
POOLED_NAMES = (
    *(f"{name}:mean" for name in _MEANS),
    *(f"{name}:std" for name in NAMES),
    *(f"depth.{band}" for band in range(BANDS)),
    *(f"syllabic.{band}" for band in range(BANDS)),
    *("crossings.skew", "flux.p25", "flux.p75", "flux.p90", "held.longest_s", "speechlike"),
)


class Tracks(NamedTuple):
    """What the windows are cut from: bands [T, 6], the others [T]."""

    bands: np.ndarray
    amplitude: np.ndarray
    crossings: np.ndarray
    flux: np.ndarray
    heard: np.ndarray
    voiced: np.ndarray
    held: np.ndarray


def extractor(decoder: str = "pyav", seconds: float | None = None) -> Descriptor:
    """Return the extractor of `speech/windows` float32 [W, 12] and `speech` float32 [41]."""
    recipe = {
        "code": "classic.speech",
        "version": 1,
        "decoder": decoder,
        "grid": GRID,
        "windows": [WINDOW, STEP],
        "bands": [BANDS, LOW_HZ, HIGH_HZ],
        "modulation_hz": list(MODULATION_HZ),
        "held": [HELD_HOPS, HELD_SEMITONES],
        "speechlike": [SYLLABIC, LOW, VOICED, HELD],
        "pitch": CONSTANTS,
    }
    dims: Dims = {"speech/windows": ("window", len(NAMES)), "speech": (len(POOLED_NAMES),)}
    return of_sound(_described, REQUEST, dims, recipe, seconds=seconds)


def _described(sound: Sound) -> dict[str, np.ndarray] | Gap:
    length_s = len(sound.samples) / RATE_HZ
    if length_s < SHORTEST_S:
        return absent("too-short", f"{length_s:.2f} s of sound; speech needs {SHORTEST_S} s")
    return describe_speech(sound)


def describe_speech(sound: Sound) -> dict[str, np.ndarray]:
    """Return both features of a sound of at least half a second."""
    tracks = tracks_of(sound)
    count = len(tracks.heard)
    length = min(WINDOW, count)
    starts = np.append(np.arange(0, count - length, STEP), count - length)
    parts = [_windows(tracks, starts[piece], length) for piece in pieces(len(starts))]
    numbers, by_band, heard = (np.concatenate(found) for found in zip(*parts, strict=True))
    kept = heard > 0
    if not kept.any():
        return _silence(len(starts))
    numbers = np.where(kept[:, None], numbers, 0)
    pooled = (_pooled(numbers[kept], by_band[kept]), _whole(tracks), [_speechlike(numbers[kept])])
    return {
        "speech/windows": numbers.astype(np.float32),
        "speech": np.concatenate(pooled).astype(np.float32),
    }


def _silence(count: int) -> dict[str, np.ndarray]:
    return {
        "speech/windows": np.zeros((count, len(NAMES)), np.float32),
        "speech": np.zeros(len(POOLED_NAMES), np.float32),
    }


def tracks_of(sound: Sound) -> Tracks:
    """Return what is measured every 10 ms."""
    timbre, level = timbre_tracks(sound), level_db(sound).astype(np.float64)
    hz = pitch(sound)[0]
    return Tracks(
        bands=np.sqrt(power_spectrum(sound) @ mel_bank(BANDS, LOW_HZ, HIGH_HZ)).astype(np.float64),
        amplitude=10 ** (level / 20),
        crossings=timbre[:, TIMBRE.index("crossings")],
        flux=timbre[:, TIMBRE.index("flux")],
        heard=audible(level),
        voiced=hz > 0,
        held=held_notes(hz),
    )


def held_notes(hz: np.ndarray) -> np.ndarray:
    """Return bool [T], where a pitch (Hz [T], 0 for none) stays within half a semitone for long."""
    tones, length = semitones(hz), HELD_HOPS
    highest = scipy.ndimage.maximum_filter1d(tones, length)
    lowest = scipy.ndimage.minimum_filter1d(tones, length)
    always = scipy.ndimage.minimum_filter1d((hz > 0).astype(np.uint8), length, mode="constant")
    middles = (always > 0) & (highest - lowest <= HELD_SEMITONES)
    return np.asarray(scipy.ndimage.maximum_filter1d(middles.astype(np.uint8), length) > 0)


def _windows(
    tracks: Tracks, starts: np.ndarray, length: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the numbers `NAMES` [W, 12], depth and syllabic part by band [W, 12], heard [W]."""
    at = starts[:, None] + np.arange(length)
    cut = Tracks(*(track[at] for track in tracks))
    shares, depth, peak, together = _modulation(cut.bands)
    some = np.maximum(cut.heard.sum(axis=1), 1)
    flux = (cut.flux * cut.heard).sum(axis=1) / some
    deviation = np.sqrt(((cut.flux - flux[:, None]) ** 2 * cut.heard).sum(axis=1) / some)
    voiced = (cut.voiced & cut.heard).sum(axis=1)
    high = cut.crossings > 1.5 * cut.crossings.mean(axis=1, keepdims=True)
    columns = (
        *shares.mean(axis=2).T,
        *peak.T,
        depth.mean(axis=1),
        together,
        (cut.amplitude < 0.5 * cut.amplitude.mean(axis=1, keepdims=True)).mean(axis=1),
        high.mean(axis=1),
        deviation / np.maximum(flux, 1e-3),
        voiced / some,
        cut.held.sum(axis=1) / np.maximum(cut.voiced.sum(axis=1), 1),
    )
    by_band = np.concatenate([depth, shares[:, 1]], axis=1)
    return np.stack(columns, axis=1), by_band, cut.heard.mean(axis=1)


def _modulation(bands: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Describe how amplitudes [W, L, 6] are modulated.

    Returns the parts of slow, syllabic and fast [W, 3, 6], the depth [W, 6], peak and its height
    [W, 2], and the correlation of neighbouring bands [W].
    """
    mean = bands.mean(axis=1, keepdims=True)
    relative = np.where(mean > _FAINTEST, bands / np.maximum(mean, _FAINTEST) - 1, 0)
    taper = np.hanning(bands.shape[1] + 2)[1:-1, None]
    spectrum = scipy.fft.rfft(relative * taper, _FFT, axis=1)
    power = 2 * (spectrum.real**2 + spectrum.imag**2) / (_FFT * np.sum(taper**2))
    hz = np.arange(power.shape[1]) * HOPS_PER_S / _FFT
    pairs = pairwise(MODULATION_HZ)
    parts = np.stack([power[:, (hz >= a) & (hz < b)].sum(axis=1) for a, b in pairs], axis=1)
    shares = parts / (parts.sum(axis=1, keepdims=True) + _STEADY)
    inside = (hz >= PEAK_HZ[0]) & (hz <= PEAK_HZ[1])
    peak = _peak(power[:, inside].mean(axis=2), hz[inside])
    scale = np.sqrt((relative**2).mean(axis=1)) + np.sqrt(_STEADY)
    product = (relative[..., 1:] * relative[..., :-1]).mean(axis=1)
    together = (product / (scale[:, 1:] * scale[:, :-1])).mean(axis=1)
    return shares, np.sqrt(2 * parts[:, 1]), peak, together


def _peak(power: np.ndarray, hz: np.ndarray) -> np.ndarray:
    """Return [W, 2], where spectra [W, bins] are highest, in octaves from 4 Hz, and how high."""
    highest, mean = power.max(axis=1), power.mean(axis=1)
    octaves = np.log2(hz[power.argmax(axis=1)] / USUAL_HZ)
    moves = power.sum(axis=1) > _STEADY
    height = np.log2(highest / np.maximum(mean, 1e-12) + 1e-12)
    return np.where(moves[:, None], np.stack([octaves, height], axis=1), 0)


def _pooled(numbers: np.ndarray, by_band: np.ndarray) -> np.ndarray:
    means = numbers[:, [NAMES.index(name) for name in _MEANS]].mean(axis=0)
    return np.concatenate([means, numbers.std(axis=0), by_band.mean(axis=0)])


def _whole(tracks: Tracks) -> list[float]:
    """Return skewness of crossings, spread of flux, longest held note, of what is heard."""
    crossings, flux = tracks.crossings[tracks.heard], tracks.flux[tracks.heard]
    offset = crossings - crossings.mean()
    skewness = float(np.mean(offset**3)) / max(float(np.mean(offset**2)) ** 1.5, 1e-6)
    low, middle, high, highest = np.log2(np.percentile(flux, [25, 50, 75, 90]) + 1e-3)
    longest_s = run_lengths(tracks.held).max(initial=0) / HOPS_PER_S
    return [skewness, low - middle, high - middle, highest - middle, float(np.log2(1 + longest_s))]


def _speechlike(numbers: np.ndarray) -> float:
    syllabic, low, voiced, held = (
        numbers[:, NAMES.index(name)] for name in ("syllabic", "low", "voiced", "held")
    )
    alike = (syllabic >= SYLLABIC) & (low >= LOW) & (voiced >= VOICED) & (held <= HELD)
    return float(alike.mean())
