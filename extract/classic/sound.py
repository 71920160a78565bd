"""What the audio descriptors share: one request, one grid of windows, spectra, statistics.

Every track is measured on the same grid: a hop of 10 ms, window t centred at 25 ms + t * 10 ms, so
that tracks of different families can be laid side by side. T = 1 + (samples - 800) // 160 windows
and no padding: an edge that is not in the sound is not measured. Sequences are stored as means of 5
hops, 20 tokens a second: heads that read sequences gain nothing from 100.

A worker measures one sound with several families after each other, so what they share (spectrum,
pitch) is remembered for the sound that came last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

import numpy as np
import scipy

from core.status import Gap, absent
from media.request import AudioRequest, Sound

RATE_HZ = 16_000
REQUEST = AudioRequest(rate_hz=RATE_HZ)  # the same for all families: the sound is decoded once
HOP = 160
HOPS_PER_S = RATE_HZ // HOP
SPAN = 800  # the longest window (pitch); shorter ones lie in its middle
SHORT = 400  # 25 ms
FFT = 512
TOKEN_HOPS = 5
PIECE = 1000  # windows at a time: 10 s stay in the processor's cache, an hour within memory
FLOOR = 1e-10  # of mean squares: -100 dB, below the noise of 16-bit sound (-98 dB)
GRID = {"span": SPAN, "window": SHORT, "hop": HOP, "fft": FFT, "token_hops": TOKEN_HOPS}


def too_short(sound: Sound) -> Gap | None:
    """Return the gap of a sound of less than one window (50 ms), or None."""
    if len(sound.samples) >= SPAN:
        return None
    length_ms = 1000 * len(sound.samples) / sound.rate_hz
    return absent("too-short", f"{length_ms:.0f} ms of sound; the least to be measured is 50 ms")


def windows(samples: np.ndarray, length: int) -> np.ndarray:
    """Return [T, length], a read-only view of the grid's windows; `length` is even, <= 800."""
    first = (SPAN - length) // 2
    inner = samples[first : len(samples) - first]
    return np.lib.stride_tricks.sliding_window_view(inner, length)[::HOP]


def pieces(count: int) -> Iterator[slice]:
    """Yield slices that cover `count` windows, so that no temporary array grows with the sound."""
    return (slice(start, min(start + PIECE, count)) for start in range(0, count, PIECE))


@lru_cache(maxsize=1)
def power_spectrum(sound: Sound) -> np.ndarray:
    """Return float32 [T, 257], power in bins of 31.25 Hz; a row sums to its mean square."""
    taper = _hann(SHORT)
    shaped = windows(sound.samples, SHORT)
    power = np.empty((len(shaped), FFT // 2 + 1), np.float32)
    for piece in pieces(len(shaped)):
        spectrum = scipy.fft.rfft(shaped[piece] * taper, FFT, axis=1)
        power[piece] = spectrum.real**2 + spectrum.imag**2
    power[:, 1:-1] *= 2
    power /= FFT * np.sum(taper**2)
    return _frozen(power)


@lru_cache(maxsize=1)
def level_db(sound: Sound) -> np.ndarray:
    """Return float32 [T], the level of each 25 ms in dB; 0 is a full-scale square wave."""
    shaped = windows(sound.samples, SHORT)
    return _frozen(decibel(np.einsum("tn,tn->t", shaped, shaped) / SHORT))


def frequencies_hz() -> np.ndarray:
    """Return float64 [257], the frequency of each bin of `power_spectrum`."""
    return np.arange(FFT // 2 + 1) * (RATE_HZ / FFT)


@cache
def mel_bank(bands: int, low_hz: float, high_hz: float) -> np.ndarray:
    """Return float32 [257, bands]: triangles of height 1, even in mel (O'Shaughnessy 1987)."""
    edges_mel = np.linspace(_mel(low_hz), _mel(high_hz), bands + 2)
    edges = 700 * (10 ** (edges_mel / 2595) - 1)
    hz = frequencies_hz()[:, None]
    rising = (hz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hz) / (edges[2:] - edges[1:-1])
    return _frozen(np.maximum(0, np.minimum(rising, falling)))


def decibel(power: np.ndarray) -> np.ndarray:
    """Return 10 log10 of a power, at least -100 dB."""
    return np.asarray(10 * np.log10(np.maximum(power, FLOOR)))


def audible(level: np.ndarray) -> np.ndarray:
    """Return bool [T], what can be heard: not 35 dB below the loud parts, nor below -70 dB."""
    loudest = float(np.percentile(level, 95))
    return np.asarray(level > max(loudest - 35, -70))


def heard(level: np.ndarray) -> np.ndarray:
    """Return bool [T], what is audible; where nothing is, as in silence, every window counts.

    So statistics over what is heard are always defined.
    """
    loud = audible(level)
    return loud if loud.any() else np.ones_like(loud)


def span(kept: np.ndarray) -> slice:
    """Return the windows from the first to the last that is kept (bool [T], at least one)."""
    places = np.flatnonzero(kept)
    return slice(int(places[0]), int(places[-1]) + 1)


def run_lengths(kept: np.ndarray) -> np.ndarray:
    """Return int64 [R], how many windows each unbroken run of kept ones (bool [T]) has."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], kept, [False]])))
    return np.asarray(edges[1::2] - edges[::2])


def contour(track: np.ndarray, count: int) -> np.ndarray:
    """Return float64 [count], the shape of a track [T] whatever its length: cosine terms 1..count.

    Term k is the mean over time of the track times sqrt(2) cos(pi k t), t from 0 to 1.
    """
    even = np.interp(np.linspace(0, 1, 50), np.linspace(0, 1, len(track)), track)
    return np.asarray(scipy.fft.dct(even, norm="ortho")[1 : count + 1] / np.sqrt(50))


def correlations(tracks: np.ndarray) -> np.ndarray:
    """Return float64 [D * (D - 1) / 2], how tracks [T, D] move together, -1..1; still is 0."""
    offset = tracks - tracks.mean(axis=0)
    product = offset.T @ offset / len(tracks)
    deviation = np.sqrt(np.diag(product)) + 1e-6
    upper = np.triu_indices(tracks.shape[1], 1)
    return np.asarray((product / np.outer(deviation, deviation))[upper])


def pair_names(tracks: Sequence[str]) -> tuple[str, ...]:
    """Return the names of what `correlations` gives for these tracks."""
    return tuple(f"{a}~{b}" for place, a in enumerate(tracks) for b in tracks[place + 1 :])


def changes(tracks: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return [S, ...], the steps of tracks [T, ...] between neighbouring windows that are kept."""
    return np.asarray(np.diff(tracks, axis=0)[kept[1:] & kept[:-1]])


def slope(moments: np.ndarray, values: np.ndarray) -> float:
    """Return the slope of the regression line of values [n] at moments [n]; 0 for a single one."""
    offset = moments - moments.mean()
    return float(offset @ values) / max(float(offset @ offset), 1e-9)


def mean_or_zero(values: np.ndarray) -> float:
    """Return the mean of values [n], 0 where there are none."""
    return float(values.mean()) if len(values) else 0.0


def tokens(tracks: np.ndarray) -> np.ndarray:
    """Return float32 [ceil(T / 5), D], the means of 5 hops; the last one of what is left."""
    starts = np.arange(0, len(tracks), TOKEN_HOPS)
    sums = np.add.reduceat(tracks.astype(np.float64), starts, axis=0)
    counts = np.diff(np.append(starts, len(tracks)))
    return np.asarray(sums / counts[:, None], np.float32)


@cache
def _hann(length: int) -> np.ndarray:
    return _frozen(0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(length) + 0.5) / length))


def _mel(hz: float) -> float:
    return float(2595 * np.log10(1 + hz / 700))


def _frozen(values: np.ndarray) -> np.ndarray:
    """Return float32 that nobody may change: it is handed to several callers."""
    kept = np.asarray(values, np.float32)
    kept.flags.writeable = False
    return kept
