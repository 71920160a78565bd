"""Timbre and pitch: where the energy of the sound lies, how noisy it is, and what its voice does.

27 tracks of timbre from the power spectrum of 25 ms, then 5 of voice:

    centroid, spread        mean and deviation of frequency, weighted by power (kHz)
    rolloff.25, rolloff.85  below which lies a quarter, 85 % of the power (kHz)
    flatness                geometric over arithmetic mean of the power, dB: near 0 noise, -40 a
                            tone
    flux                    distance to the spectrum before, both of unit power, 0..1.4
    crossings               sign changes per sample, 0..1
    alpha, hammarberg       power of 0.05-1 over 1-5 kHz; peak of 0-2 over peak of 2-5 kHz (dB)
    slope.*                 of the spectrum in dB per kHz: 0-0.5, 0.5-1.5, 1.5-5 kHz
    band.*                  power in nine bands, dB of the whole
    contrast.*              the upper less the lower fifth of the bins of six octaves, dB
    pitch                   semitones above 55 Hz, 0 where there is none; voiced 0 or 1
    harmonics               periodic over aperiodic power, dB (harmonics-to-noise ratio, Boersma
                            1993)
    h1-h2, h1-a3            first over second harmonic; over the peak of 2-4 kHz (dB, 0 without
                            pitch): breath against press of the voice

`spectrum/frames` [T, 32] has all, means of 50 ms. `spectrum` [127] has the mean and the mean change
of the timbre over what is heard; the mean and deviation of shape, contrast and voice over what has
a pitch (0 where nothing has); and the prosody, see `prosody.py`. Much is after Eyben et al. 2016,
"The Geneva minimalistic acoustic parameter set"; we take formants from no one: cepstra hold them.
Cost: 9 ms for 4 s of sound, 4 of them for the pitch.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
import scipy

from core.status import Gap
from extract.classic import prosody
from extract.classic.descriptor import Descriptor, Dims, of_sound
from extract.classic.pitch import CONSTANTS, pitch, semitones
from extract.classic.sound import (
    GRID,
    RATE_HZ,
    REQUEST,
    SHORT,
    SPAN,
    changes,
    decibel,
    frequencies_hz,
    heard,
    level_db,
    pieces,
    power_spectrum,
    tokens,
    too_short,
    windows,
)
from media.request import Sound

SLOPES_HZ = ((30, 500), (500, 1500), (1500, 5000))
BANDS_HZ = (50, 250, 500, 1000, 1500, 2000, 3000, 4000, 6000, 7800)
OCTAVES_HZ = (60, 200, 400, 800, 1600, 3200, 7800)
_LONG_FFT = 2048
_SHAPE_NAMES = (
    *("centroid", "spread", "rolloff.25", "rolloff.85", "flatness", "flux", "crossings"),
    *("alpha", "hammarberg", *(f"slope.{low}" for low, _ in SLOPES_HZ)),
)
_BAND_NAMES = tuple(f"band.{low}" for low in BANDS_HZ[:-1])
_CONTRAST_NAMES = tuple(f"contrast.{low}" for low in OCTAVES_HZ[:-1])
_VOICE_NAMES = ("harmonics", "h1-h2", "h1-a3")
_TIMBRE_NAMES = (*_SHAPE_NAMES, *_CONTRAST_NAMES, *_BAND_NAMES)
_VOICED_NAMES = (*_SHAPE_NAMES, *_CONTRAST_NAMES, *_VOICE_NAMES)

NAMES = (*_TIMBRE_NAMES, "pitch", "voiced", *_VOICE_NAMES)
POOLED_NAMES = (
    *(f"{name}:{measure}" for measure in ("mean", "change") for name in _TIMBRE_NAMES),
    *(f"{name}:voiced.{measure}" for measure in ("mean", "std") for name in _VOICED_NAMES),
    *prosody.NAMES,
)


def extractor(decoder: str = "pyav", seconds: float | None = None) -> Descriptor:
    """Return the extractor of `spectrum/frames` float32 [T, 32] and `spectrum` float32 [127]."""
    recipe = {
        "code": "classic.spectrum",
        "version": 1,
        "decoder": decoder,
        "grid": GRID,
        "slopes_hz": [list(pair) for pair in SLOPES_HZ],
        "bands_hz": list(BANDS_HZ),
        "octaves_hz": list(OCTAVES_HZ),
        "pitch": CONSTANTS,
    }
    dims: Dims = {"spectrum/frames": ("frame", len(NAMES)), "spectrum": (len(POOLED_NAMES),)}
    return of_sound(_described, REQUEST, dims, recipe, seconds=seconds)


def _described(sound: Sound) -> dict[str, np.ndarray] | Gap:
    return too_short(sound) or describe_spectrum(sound)


def describe_spectrum(sound: Sound) -> dict[str, np.ndarray]:
    """Return both features of a sound of at least 50 ms."""
    timbre = timbre_tracks(sound)
    hz, periodicity = pitch(sound)
    voiced, level = hz > 0, level_db(sound)
    kept = heard(level)
    voice = _voice(sound, hz, periodicity)
    spoken = np.concatenate([timbre[:, : len(_SHAPE_NAMES) + len(_CONTRAST_NAMES)], voice], axis=1)
    movement = prosody.describe_prosody(
        hz, periodicity, level=level, tilt=timbre[:, NAMES.index("alpha")], kept=kept
    )
    tracks = [timbre, semitones(hz)[:, None], voiced[:, None], voice]
    pooled = (_timbre_statistics(timbre, kept), _voiced_statistics(spoken, voiced), movement)
    return {
        "spectrum/frames": tokens(np.concatenate(tracks, axis=1)),
        "spectrum": np.concatenate(pooled).astype(np.float32),
    }


def _timbre_statistics(tracks: np.ndarray, kept: np.ndarray) -> np.ndarray:
    steps = np.abs(changes(tracks, kept))
    change = steps.mean(axis=0) if len(steps) else np.zeros(tracks.shape[1])
    return np.concatenate([tracks[kept].mean(axis=0), change])


def _voiced_statistics(tracks: np.ndarray, voiced: np.ndarray) -> np.ndarray:
    if voiced.sum() < prosody.LEAST_VOICED:
        return np.zeros(2 * tracks.shape[1])
    return np.concatenate([tracks[voiced].mean(axis=0), tracks[voiced].std(axis=0)])


@lru_cache(maxsize=1)
def timbre_tracks(sound: Sound) -> np.ndarray:
    """Return float64 [T, 27], the tracks of timbre, which are the first of `NAMES`."""
    power, shaped = power_spectrum(sound), windows(sound.samples, SHORT)
    tracks = np.empty((len(power), len(_TIMBRE_NAMES)))
    for piece in pieces(len(power)):
        before = max(piece.start - 1, 0)  # what the flux of the first window is measured against
        columns = _timbre_columns(power[before : piece.stop].astype(np.float64))
        tracks[piece] = columns[piece.start - before :]
        crossings = np.diff(np.signbit(shaped[piece]), axis=1).mean(axis=1)
        tracks[piece, _SHAPE_NAMES.index("crossings")] = crossings
    tracks.flags.writeable = False
    return tracks


def _timbre_columns(power: np.ndarray) -> np.ndarray:
    """Return [T, 27] of power [T, 257]; crossings, which it does not tell, are 0."""
    bins = decibel(power)
    shape = [*_shape(power), np.zeros(len(power)), *_tilt(power, bins)]
    return np.stack([*shape, *_contrast(bins), *_bands(power)], axis=1)


def _shape(power: np.ndarray) -> list[np.ndarray]:
    """Return the tracks centroid .. flux of power [T, 257]; in silence the power counts as flat."""
    khz = frequencies_hz() / 1000
    audible = power + 1e-12
    share = audible / audible.sum(axis=1, keepdims=True)
    centroid = share @ khz
    spread = np.sqrt(np.maximum(share @ khz**2 - centroid**2, 0))
    rising = share.cumsum(axis=1)
    rolloffs = [khz[np.minimum((rising < part).sum(axis=1), len(khz) - 1)] for part in (0.25, 0.85)]
    inner = audible[:, 2:]
    flatness = 10 * (np.log10(inner).mean(axis=1) - np.log10(inner.mean(axis=1)))
    steps = np.diff(np.sqrt(share), axis=0, prepend=np.sqrt(share[:1]))
    return [centroid, spread, *rolloffs, flatness, np.sqrt((steps**2).sum(axis=1))]


def _tilt(power: np.ndarray, bins: np.ndarray) -> list[np.ndarray]:
    """Return alpha, hammarberg and the slopes of power [T, 257] and the same in dB."""
    hz = frequencies_hz()
    alpha = decibel(_band(power, 50, 1000)) - decibel(_band(power, 1000, 5000))
    hammarberg = bins[:, 2:64].max(axis=1) - bins[:, 64:160].max(axis=1)  # 62.5, 2000, 5000 Hz
    slopes = []
    for low, high in SLOPES_HZ:
        inside = (hz >= low) & (hz <= high)
        khz = (hz[inside] - hz[inside].mean()) / 1000
        slopes.append(bins[:, inside] @ khz / (khz @ khz))
    return [alpha, hammarberg, *slopes]


def _contrast(bins: np.ndarray) -> list[np.ndarray]:
    hz, columns = frequencies_hz(), []
    for low, high in pairwise(OCTAVES_HZ):
        inside = np.sort(bins[:, (hz >= low) & (hz < high)], axis=1)
        fifth = max(2, inside.shape[1] // 5)  # a lone bin of noise may hold almost nothing
        columns.append(inside[:, -fifth:].mean(axis=1) - inside[:, :fifth].mean(axis=1))
    return columns


def _bands(power: np.ndarray) -> list[np.ndarray]:
    whole = decibel(power.sum(axis=1))
    pairs = pairwise(BANDS_HZ)
    return [decibel(_band(power, low, high)) - whole for low, high in pairs]


def _band(power: np.ndarray, low_hz: float, high_hz: float) -> np.ndarray:
    hz = frequencies_hz()
    return np.asarray(power[:, (hz >= low_hz) & (hz < high_hz)].sum(axis=1))


def _voice(sound: Sound, hz: np.ndarray, periodicity: np.ndarray) -> np.ndarray:
    """Return float64 [T, 3]: harmonics-to-noise ratio, h1-h2, h1-a3."""
    periodic = np.clip(periodicity.astype(np.float64), 1e-3, 1 - 1e-3)
    voice = np.zeros((len(hz), 3))
    voice[:, 0] = 10 * np.log10(periodic / (1 - periodic))
    shaped = windows(sound.samples, SPAN)
    places = np.flatnonzero(hz > 0)
    for piece in pieces(len(places)):
        rows = places[piece]
        voice[rows, 1:] = _glottal(shaped[rows], hz[rows])
    return voice


def _glottal(shaped: np.ndarray, hz: np.ndarray) -> np.ndarray:
    """Return [V, 2], h1-h2 and h1-a3 of windows [V, 800] of the pitches `hz` [V]."""
    taper = np.hanning(SPAN).astype(np.float32)
    spectrum = scipy.fft.rfft(shaped * taper, _LONG_FFT, axis=1)
    power = decibel((spectrum.real**2 + spectrum.imag**2) / (SPAN * np.sum(taper**2)))
    first, second = (_harmonic(power, n * hz) for n in (1, 2))
    third = power[:, 256:512].max(axis=1)  # 2..4 kHz, where the third formant lies
    return np.stack([first - second, first - third], axis=1)


def _harmonic(power: np.ndarray, hz: np.ndarray) -> np.ndarray:
    """Return the highest level within 16 Hz of a frequency [V], of spectra [V, bins] in dB."""
    centre = np.rint(hz * _LONG_FFT / RATE_HZ).astype(np.int64)
    near = centre[:, None] + np.arange(-2, 3)
    return np.asarray(np.take_along_axis(power, near, axis=1).max(axis=1))
