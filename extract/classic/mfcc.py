"""Mel cepstrum: the shape of the spectrum as the ear resolves it, and how it changes.

40 mel bands of 50..7600 Hz, in dB, orthonormal DCT-II, coefficients 0..19 (0 is the level, 1 the
tilt). Deltas are the slope of the regression over 5 windows, per hop (Young et al., The HTK Book,
eq. 5.16).

`mfcc/frames` [T, 40]: the 20 coefficients and their deltas, means of 50 ms.
`mfcc` [148]: over what is heard, and again over what has a pitch (where less than 80 ms has: over
what is heard), the mean and deviation of each coefficient and the deviation of its delta; and how
the first 8 move together over what is heard.

Voices differ less between speakers in what has a pitch, and least in how coefficients move
together: on acted emotions of unseen speakers both add to the plain statistics. Cost: 1 ms for 4 s
of sound, and 4 ms for the pitch unless `spectrum` has measured it already.
"""

from __future__ import annotations

import numpy as np
import scipy

from core.status import Gap
from extract.classic.descriptor import Descriptor, Dims, of_sound
from extract.classic.pitch import CONSTANTS, pitch
from extract.classic.sound import (
    GRID,
    REQUEST,
    correlations,
    decibel,
    heard,
    level_db,
    mel_bank,
    pair_names,
    power_spectrum,
    tokens,
    too_short,
)
from media.request import Sound

BANDS, LOW_HZ, HIGH_HZ = 40, 50.0, 7600.0
COEFFICIENTS = 20
TOGETHER = 8
LEAST_VOICED = 8  # windows; fewer say nothing of a voice

_COEFFICIENT_NAMES = tuple(f"c{n}" for n in range(COEFFICIENTS))
NAMES = (*_COEFFICIENT_NAMES, *(f"{name}.delta" for name in _COEFFICIENT_NAMES))
_OF_HEARD = ("mean", "std", "delta.std")
_OF_VOICED = ("voiced.mean", "voiced.std", "voiced.delta.std")
POOLED_NAMES = (
    *(f"{name}:{measure}" for measure in (*_OF_HEARD, *_OF_VOICED) for name in _COEFFICIENT_NAMES),
    *pair_names(_COEFFICIENT_NAMES[:TOGETHER]),
)


def extractor(decoder: str = "pyav", seconds: float | None = None) -> Descriptor:
    """Return the extractor of `mfcc/frames` float32 [T, 40] and `mfcc` float32 [148]."""
    recipe = {
        "code": "classic.mfcc",
        "version": 1,
        "decoder": decoder,
        "grid": GRID,
        "bands": [BANDS, LOW_HZ, HIGH_HZ],
        "pitch": CONSTANTS,
    }
    dims: Dims = {"mfcc/frames": ("frame", len(NAMES)), "mfcc": (len(POOLED_NAMES),)}
    return of_sound(_described, REQUEST, dims, recipe, seconds=seconds)


def _described(sound: Sound) -> dict[str, np.ndarray] | Gap:
    return too_short(sound) or describe_mfcc(sound)


def describe_mfcc(sound: Sound) -> dict[str, np.ndarray]:
    """Return both features of a sound of at least 50 ms."""
    cepstra = cepstrum(sound)
    delta = slopes(cepstra)
    kept = heard(level_db(sound))
    voiced = pitch(sound)[0] > 0
    voiced = voiced if voiced.sum() >= LEAST_VOICED else kept
    pooled = (
        *(cepstra[kept].mean(axis=0), cepstra[kept].std(axis=0)),
        delta[kept].std(axis=0),
        *(cepstra[voiced].mean(axis=0), cepstra[voiced].std(axis=0), delta[voiced].std(axis=0)),
        correlations(cepstra[kept, :TOGETHER]),
    )
    return {
        "mfcc/frames": tokens(np.concatenate([cepstra, delta], axis=1)),
        "mfcc": np.concatenate(pooled).astype(np.float32),
    }


def cepstrum(sound: Sound) -> np.ndarray:
    """Return float64 [T, 20], the coefficients in dB."""
    bands = decibel(power_spectrum(sound) @ mel_bank(BANDS, LOW_HZ, HIGH_HZ)).astype(np.float64)
    return np.asarray(scipy.fft.dct(bands, norm="ortho", axis=1)[:, :COEFFICIENTS])


def slopes(tracks: np.ndarray) -> np.ndarray:
    """Return [T, D], the slope of tracks [T, D] over 5 windows, per hop; the ends are held."""
    padded = np.pad(tracks, ((2, 2), (0, 0)), mode="edge")
    near = padded[3:-1] - padded[1:-3]
    far = padded[4:] - padded[:-4]
    return np.asarray((near + 2 * far) / 10)
