"""The sound of a clip: simple instruments, mixed by category, at the clip's tempo and level."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from corpus.demo.plan import SPREAD, ClipPlan
from corpus.demo.shots import beats_per_second

SOUND_STREAM = 3
RATE_HZ = 44_100
MEDIAN_LEVEL_DB, LEVEL_STEP_DB = (
    -23.0,
    4.6,
)  # the root mean square at knob 0, and what a knob of 1 adds
LARGEST = 0.98
FADE_S = 0.02
CHORDS = (
    (0, 4, 7),
    (-3, 0, 4),
    (-7, -3, 0),
    (-5, -1, 2),
)  # I vi IV V, half tones from the key note
WEAK = 0.4  # the level of what is not on the beat: without accents a tempo is anybody's guess
TABLE = 2048  # samples of one period of a wave
MIXES: dict[str, dict[str, float]] = {
    "travel": {"pad": 1.0, "drums": 0.7, "wind": 0.5},
    "music": {"pad": 0.7, "plucks": 0.6, "drums": 1.5},
    "food": {"plucks": 1.0, "drums": 0.6, "wind": 0.25},
    "talk": {"speech": 1.3, "drums": 0.35, "pad": 0.1},
    "gaming": {"arpeggio": 0.8, "drums": 0.9},
    "pets": {"plucks": 0.7, "pad": 0.3, "drums": 0.8},
}


def play_clip(plan: ClipPlan) -> np.ndarray | None:
    """Return the sound of a clip, float32 [samples] in -1..1 at 44.1 kHz; None if it has none."""
    if plan.silent:
        return None
    rng = np.random.default_rng([SOUND_STREAM, *plan.seed])
    band = _Band(plan, rng)
    parts = (getattr(band, name)() * part for name, part in MIXES[plan.category].items())
    mixed = np.sum(list(parts), axis=0)
    level = 10 ** ((MEDIAN_LEVEL_DB + LEVEL_STEP_DB * plan.knobs["loudness"]) / 20)
    mixed *= level / np.sqrt(np.mean(mixed**2))
    fade = np.minimum(1, np.arange(1, len(mixed) + 1) / (FADE_S * RATE_HZ))
    sound: np.ndarray = np.clip(mixed * fade * fade[::-1], -LARGEST, LARGEST).astype(np.float32)
    return sound


class Note(NamedTuple):
    """A note: start and length in seconds, half tones from the key, decay per second, level."""

    start: float
    length: float
    half: int
    decay: float
    level: float = 1.0


class _Band:
    """The instruments of one clip; each method plays its part, float64 [samples]."""

    def __init__(self, plan: ClipPlan, rng: np.random.Generator) -> None:
        self.rng = rng
        self.samples = round(plan.duration_s * RATE_HZ)
        self.beat_s = 1 / beats_per_second(plan)
        self.bright = (plan.knobs["timbre"] + SPREAD) / (2 * SPREAD)  # 0..1
        self.key = 220 * 2 ** (float(rng.integers(-5, 6)) / 12)
        self.wave = _wave(np.arange(1, 25) ** -(2.6 - 1.8 * self.bright))

    def pad(self) -> np.ndarray:
        """Play chords that are held for two beats each."""
        return self._melody(
            Note(start, 2 * self.beat_s, half, decay=0.5)
            for start, chord in self._chords()
            for half in chord
        )

    def plucks(self) -> np.ndarray:
        """Play one short note of the chord on every half beat, those on the beat louder."""
        return self._melody(
            Note(
                start + place * self.beat_s / 2,
                length=0.3,
                half=chord[int(self.rng.integers(3))] + 12,
                decay=6.0,
                level=WEAK if place % 2 else 1.0,
            )
            for start, chord in self._chords()
            for place in range(4)
        )

    def arpeggio(self) -> np.ndarray:
        """Play the notes of the chord up and down, four to a beat, as old consoles do."""
        odd = np.arange(1, 24)
        self.wave = _wave(np.where(odd % 2, odd ** -(1.9 - 1.1 * self.bright), 0))
        steps = (0, 1, 2, 1, 0, 2, 1, 2)
        return self._melody(
            Note(
                start + place * self.beat_s / 4,
                length=0.14,
                half=chord[step] + 12,
                decay=3.0,
                level=WEAK if place % 4 else 1.0,
            )
            for start, chord in self._chords()
            for place, step in enumerate(steps)
        )

    def drums(self) -> np.ndarray:
        """Play drum and snare on every beat, every second one louder, and a cymbal between."""
        length = round(0.22 * RATE_HZ)
        time = np.arange(length) / RATE_HZ
        kick = np.sin(2 * np.pi * (48 * time + 4.0 * (1 - np.exp(-time * 28)))) * np.exp(-time * 16)
        hiss = self.rng.standard_normal(length)
        snare = 0.5 * hiss * np.exp(-time * 26)
        cymbal = np.diff(hiss, prepend=0) * np.exp(-time * 55) * (0.05 + 0.45 * self.bright)
        part = np.zeros(self.samples + length)
        beats = np.arange(0, self.samples / RATE_HZ, self.beat_s)
        for number, start in enumerate(beats):
            self._add(part, kick, start)
            self._add(part, cymbal, start + self.beat_s / 2)
            self._add(part, snare if number % 2 else snare * 0.7, start)
        return part[: self.samples]

    def wind(self) -> np.ndarray:
        """Play noise that swells, hissing if bright."""
        waves = np.fft.rfft(self.rng.standard_normal(self.samples))
        waves *= np.maximum(np.arange(len(waves)), 40.0) ** -(1.3 - 0.9 * self.bright)
        noise = np.fft.irfft(waves, self.samples)
        time = np.arange(self.samples) / RATE_HZ
        swell: np.ndarray = noise / noise.std() * (0.3 + 0.2 * np.sin(2 * np.pi * 0.4 * time))
        return swell

    def speech(self) -> np.ndarray:
        """Speak two syllables a beat: vowels of a falling voice, each after a short hiss."""
        part = np.zeros(self.samples + RATE_HZ)
        voice = float(self.rng.uniform(95, 210))
        vowels = [_vowel(voice, formants, self.bright) for formants in VOWELS]
        step = self.beat_s / 2
        for number, start in enumerate(np.arange(0, self.samples / RATE_HZ, step)):
            level = WEAK if number % 2 else 1.0
            if number % 2 and self.rng.random() < 0.2:  # a breath
                continue
            length = round(step * float(self.rng.uniform(0.6, 0.9)) * RATE_HZ)
            place = np.linspace(0, 1, length)
            pitch = voice * float(self.rng.uniform(0.9, 1.15)) * (1 - 0.12 * place)
            phase = np.cumsum(pitch) / RATE_HZ
            vowel = vowels[int(self.rng.integers(len(vowels)))]
            self._add(part, _look_up(vowel, phase) * level * np.sin(np.pi * place) ** 0.7, start)
            hiss = np.diff(self.rng.standard_normal(length // 5 + 1)) * (0.1 + 0.4 * self.bright)
            self._add(part, level * hiss, start)
        return part[: self.samples]

    def _chords(self) -> Iterable[tuple[float, tuple[int, int, int]]]:
        """Give the start in seconds and the half tones of each chord; a chord lasts two beats."""
        starts = np.arange(0, self.samples / RATE_HZ, 2 * self.beat_s)
        return [(float(start), CHORDS[number % 4]) for number, start in enumerate(starts)]

    def _melody(self, notes: Iterable[Note]) -> np.ndarray:
        part = np.zeros(self.samples + 3 * RATE_HZ)
        for note in notes:
            time = np.arange(round(note.length * RATE_HZ)) / RATE_HZ
            tone = _look_up(self.wave, time * self.key * 2 ** (note.half / 12))
            attack = np.minimum(1, time * 120) * np.minimum(1, (note.length - time) * 60)
            shape = note.level * attack * np.exp(-note.decay * time)
            self._add(part, 0.3 * tone * shape, note.start)
        return part[: self.samples]

    @staticmethod
    def _add(part: np.ndarray, note: np.ndarray, start_s: float) -> None:
        first = round(start_s * RATE_HZ)
        room = part[first : first + len(note)]
        room += note[: len(room)]


VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (570, 840, 2410), (530, 1840, 2480))


def _vowel(voice: float, formants: Iterable[int], bright: float) -> np.ndarray:
    """Return one period of a vowel: harmonics of the voice, strong near its formants (Hz)."""
    hertz = voice * np.arange(1, 41)
    strength = sum(np.exp(-(((hertz - peak) / 160) ** 2)) for peak in formants)
    return _wave((0.05 + strength) * (hertz / 500) ** -(1.3 - 1.1 * bright))


def _wave(harmonics: np.ndarray) -> np.ndarray:
    """Return one period [2048] of a wave with these strengths of its harmonics, its peak at 1."""
    spectrum = np.zeros(TABLE // 2 + 1, np.complex128)
    spectrum[1 : len(harmonics) + 1] = harmonics * np.exp(1j * np.arange(len(harmonics)) ** 2)
    wave = np.fft.irfft(spectrum, TABLE)
    scaled: np.ndarray = wave / np.abs(wave).max()
    return scaled


def _look_up(wave: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Return the wave at phases in periods; the table is fine enough to take its nearest sample."""
    taken: np.ndarray = wave[(phase * TABLE).astype(np.int64) % TABLE]
    return taken
