"""Sounds with known answers, at 16 kHz."""

import numpy as np

from extract.contract import Inputs
from media.request import Sound

RATE = 16_000


def moments(seconds):
    return np.arange(round(seconds * RATE)) / RATE


def sound(samples):
    return Sound(np.asarray(samples, np.float32), RATE)


def sine(hz, seconds=2.0, height=0.5):
    return height * np.sin(2 * np.pi * hz * moments(seconds))


def noise(seconds=2.0, height=0.1, seed=0):
    return height * np.random.default_rng(seed).standard_normal(round(seconds * RATE))


def buzz(hz, seconds=2.0, height=0.3):
    """A voice-like tone: 20 harmonics that fall by 6 dB per octave; `hz` may change over time."""
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hz, len(moments(seconds)))) / RATE
    return height * sum(np.sin(k * phase) / k for k in range(1, 21)) / 2


def clicks(per_minute, seconds=8.0):
    """Bursts of noise of 20 ms in silence."""
    place = moments(seconds) % (60 / per_minute)
    return noise(seconds, 0.5) * (place < 0.02)


def syllables(per_second, seconds=4.0):
    return buzz(150.0, seconds) * (0.55 + 0.45 * np.sin(2 * np.pi * per_second * moments(seconds)))


def golden():
    """Return 3 s of speech-like sound: a gliding voice in syllables, a pause, noise, a click."""
    time = moments(3.0)
    voice = buzz(140 + 60 * np.sin(2 * np.pi * 0.7 * time), 3.0)
    voice *= 0.5 + 0.5 * np.sin(2 * np.pi * 4 * time)
    voice[(time > 1.2) & (time < 1.6)] = 0
    hiss = noise(3.0, 0.002, seed=7)
    hiss[40_000:40_200] += noise(200 / RATE, 0.4, seed=8)
    return sound(voice + hiss)


def measured(extractor, samples):
    """Return what `prepare` gives for some samples."""
    given = samples if isinstance(samples, Sound) else sound(samples)
    return extractor.prepare(Inputs(sound=given))
