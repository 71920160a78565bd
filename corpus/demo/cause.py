"""What makes a clip of the demo popular: effects, noise, and the best score there can be.

The score of a clip is the sum over its effects of weight x knob, plus noise. A knob is a standard
score (mean 0, variance 1 in the population), turned so that more is better; its weight is the root
of its share, so the shares say how much of the signal's variance each effect makes. A part that a
clip lacks (no title, no sound) leaves its knobs out: they count as 0, the mean.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

NOISE_SD = (
    0.5  # of the score, whose signal has variance 1: a fifth of the variance cannot be predicted
)
MIDDLE, STEEPNESS = -1.0, 0.6  # engagement = 1 / (1 + exp(-(MIDDLE + STEEPNESS x score)))
POPULAR_FROM = 0.27  # the engagement of an average clip: about half of them are popular

LANGUAGES = {"en": (0.40, 0.9), "es": (0.25, 0.3), "de": (0.20, -0.8), "ja": (0.15, -1.6)}
CATEGORIES = {
    "travel": 0.2,
    "music": 1.4,
    "food": 0.4,
    "talk": -1.4,
    "gaming": -0.8,
    "pets": 1.0,
}


@dataclass(frozen=True, slots=True)
class Effect:
    """One cause of popularity: its name, where it shows, and its share of the signal's variance."""

    name: str
    family: str
    share: float
    meaning: str

    @property
    def weight(self) -> float:
        return math.sqrt(self.share)


EFFECTS = (
    Effect("motion", "picture", 0.16, "how fast things move: 10 to 160 pixels a second"),
    Effect("cuts", "picture", 0.08, "number of cuts, 0 to 5, most of them early"),
    Effect("colour", "picture", 0.07, "colourfulness: saturation x 0.2 to 1.5"),
    Effect("brightness", "picture", 0.05, "exposure: mean level 0.3 to 0.7"),
    Effect("sharpness", "picture", 0.04, "focus: a blur of 2.2 to 0 pixels"),
    Effect("loudness", "sound", 0.08, "level of the sound track: -31 to -15 dB"),
    Effect(
        "tempo",
        "sound",
        0.08,
        "83 to 147 beats a minute: less than an octave, so that it can be told",
    ),
    Effect("timbre", "sound", 0.06, "how much of the sound is in its upper harmonics and cymbals"),
    Effect("hook", "words", 0.10, "the title opens with a hook, not with a plain phrase"),
    Effect("punch", "words", 0.05, "the title ends with an emoji or a question"),
    Effect("language", "words", 0.03, "English before Spanish, German, Japanese"),
    Effect("followers", "numbers", 0.10, "the author's followers, on a logarithmic scale"),
    Effect("category", "numbers", 0.06, "music and pets before food, travel, gaming, talk"),
    Effect("hour", "numbers", 0.02, "posted in the evening (UTC), not in the morning"),
    Effect("duration", "numbers", 0.02, "3 s before 6 s"),
)


def _standard(values: Mapping[str, float], weights: Mapping[str, float]) -> dict[str, float]:
    """Return the values moved and scaled to mean 0 and variance 1 under these weights (sum 1)."""
    mean = sum(weights[name] * value for name, value in values.items())
    variance = sum(weights[name] * (value - mean) ** 2 for name, value in values.items())
    return {name: (value - mean) / math.sqrt(variance) for name, value in values.items()}


def language_knobs() -> dict[str, float]:
    """Return the knob of each language."""
    values = {name: value for name, (_, value) in LANGUAGES.items()}
    return _standard(values, {name: weight for name, (weight, _) in LANGUAGES.items()})


def category_knobs() -> dict[str, float]:
    """Return the knob of each category; all categories are equally frequent."""
    return _standard(CATEGORIES, dict.fromkeys(CATEGORIES, 1 / len(CATEGORIES)))


def hour_knob(hour: float) -> float:
    """Return the knob of an hour of the day (0..24, UTC), best at 19:00 and worst at 7:00."""
    return math.sqrt(2) * math.cos((hour - 19) * math.pi / 12)


def signal(knobs: Mapping[str, float], family: str | None = None) -> float:
    """Return the part of the score that can be known, of all effects or of one family."""
    return sum(
        effect.weight * knobs.get(effect.name, 0.0)
        for effect in EFFECTS
        if family is None or effect.family == family
    )


def engagement(score: float) -> float:
    """Return the rate (0..1, 4 decimals) that a score gives."""
    return round(1 / (1 + math.exp(-(MIDDLE + STEEPNESS * score))), 4)


def popular(rate: float) -> str:
    """Return the class of an engagement rate."""
    return "yes" if rate >= POPULAR_FROM else "no"


def expected_ceiling() -> float:
    """Return the best rank correlation there is in an endless table, knowing all but the noise.

    Signal and noise are taken as normal; then a rank correlation is 6 / pi x asin(r / 2).
    """
    return 6 / math.pi * math.asin(0.5 / math.sqrt(1 + NOISE_SD**2))


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float | None:
    """Return the rank correlation of two arrays [N], None if one is constant.

    Ties get their mean rank.
    """
    ranks = [_mean_ranks(np.asarray(values, np.float64)) for values in (first, second)]
    left, right = (rank - rank.mean() for rank in ranks)
    size = math.sqrt(float(left @ left) * float(right @ right))
    return float(left @ right) / size if size else None


def _mean_ranks(values: np.ndarray) -> np.ndarray:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last: np.ndarray = np.cumsum(counts)
    mean: np.ndarray = last - (counts - 1) / 2
    return mean[places]
