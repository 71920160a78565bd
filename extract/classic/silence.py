"""A map of silence: where a sound is quiet, how it falls silent, and where it was damaged.

Quiet is what cannot be heard beside the rest (`sound.audible`: 35 dB below the loud parts, or below
-70 dB of full scale). Unlike the levels of `loudness`, a silent track is quiet here from its
beginning to its end. Lengths are in log2(1 + seconds), numbers per second in log2(1 + number).

`silence` [27]:
    quiet.0 .. quiet.9    the quiet part of each tenth of the track
    first, end            how long it is quiet before the first sound and after the last
    longest, longest.at   the longest silence, the one before or after the sound too, and when its
                          middle is (0..1; 0.5 where there is none)
    pauses                silences of at least 100 ms between sounds, per second
    pauses.short, .middle, .long
                          of these, the parts under 0.3 s, under 1 s, and longer
    pauses.uneven         relative deviation of their lengths
    pauses.depth          how far the level falls in them (dB below the mean level of what is heard)
    pauses.sudden         the part of their edges that are steeper than 20 dB in 40 ms: speech that
                          was cut fades less than speech that pauses
    digital               the part of samples that are zero, or all but: below -96 dB
    dropouts, dropouts.part
                          stretches of 5 to 500 ms of nothing (50 dB below the peak) inside sound:
                          within 5 ms on both sides the level is above -26 dB of the peak; number
                          per second, part of the time
    clipped, clipped.part flat tops, per second; part of the samples in them. A flat top is at least
                          4 samples of one sign within 2 % of the peak, which the sound enters or
                          leaves with a corner: a step at least 5 times those on top. A low tone has
                          long tops, but no corners
    loudest.crest         of the loudest tenth of 25 ms: p99 of the amplitude over the level (dB)

Coding bends flat tops (of a sine that was clipped to a third, AAC leaves 1 in 900), so `clipped`
tells of what was clipped last, `loudest.crest` of all: 3 dB is a sine, speech has 4 to 9, speech
that was clipped to a third and coded 2 to 4. Both are local, where histograms over the whole are
usual (Laguna and Lerch 2016, "An efficient algorithm for clipping detection and declipping audio").
Cost: 2 ms for 4 s of sound.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from core.status import Gap
from extract.classic.descriptor import Descriptor, of_sound
from extract.classic.sound import (
    GRID,
    HOPS_PER_S,
    PIECE,
    RATE_HZ,
    REQUEST,
    SHORT,
    audible,
    decibel,
    level_db,
    too_short,
    windows,
)
from media.request import Sound

TENTHS = 10
PAUSE_HOPS = 10
LONGER_S = (0.3, 1.0)  # the borders between short, middle and long pauses
SUDDEN_DB, SUDDEN_HOPS = 20.0, 4
ZERO = 1.6e-5  # half a step of 16-bit sound
DROPOUT_BELOW, DROPOUT_BESIDE = 3e-3, 0.05  # of the peak: -50 and -26 dB
DROPOUT_S, BESIDE_S = (0.005, 0.5), 0.005
FAINT = 1e-3  # a peak below -60 dB has no dropouts and no flat tops
TOP, TOP_SAMPLES, CORNER = 0.98, 4, 5.0

POOLED_NAMES = (
    *(f"quiet.{tenth}" for tenth in range(TENTHS)),
    *("first", "end", "longest", "longest.at"),
    *("pauses", "pauses.short", "pauses.middle", "pauses.long"),
    *("pauses.uneven", "pauses.depth", "pauses.sudden"),
    *("digital", "dropouts", "dropouts.part", "clipped", "clipped.part"),
    "loudest.crest",
)


class Runs(NamedTuple):
    """Unbroken runs: int64 [R] each, the first place of each and the one behind its last."""

    start: np.ndarray
    stop: np.ndarray

    @property
    def lengths(self) -> np.ndarray:
        return np.asarray(self.stop - self.start)

    def where(self, kept: np.ndarray) -> Runs:
        """Return the runs that are kept, bool [R]."""
        return Runs(self.start[kept], self.stop[kept])


def extractor(decoder: str = "pyav", seconds: float | None = None) -> Descriptor:
    """Return the extractor of `silence` float32 [27]."""
    recipe = {
        "code": "classic.silence",
        "version": 1,
        "decoder": decoder,
        "grid": GRID,
        "pauses": [PAUSE_HOPS, *LONGER_S, SUDDEN_DB, SUDDEN_HOPS],
        "dropouts": [DROPOUT_BELOW, DROPOUT_BESIDE, *DROPOUT_S, BESIDE_S],
        "clipping": [TOP, TOP_SAMPLES, CORNER],
    }
    dims = {"silence": (len(POOLED_NAMES),)}
    return of_sound(_described, REQUEST, dims, recipe, seconds=seconds)


def _described(sound: Sound) -> dict[str, np.ndarray] | Gap:
    return too_short(sound) or {"silence": describe_silence(sound)}


def describe_silence(sound: Sound) -> np.ndarray:
    """Return float32 [27], the numbers `POOLED_NAMES` of a sound of at least 50 ms."""
    level = level_db(sound).astype(np.float64)
    quiet = ~audible(level)
    silences = runs_of(quiet)
    inside = (silences.start > 0) & (silences.stop < len(level))
    pauses = silences.where(inside & (silences.lengths >= PAUSE_HOPS))
    samples = sound.samples.astype(np.float64)
    numbers = (
        shares_of_tenths(quiet),
        _ends(silences, len(level)),
        _pauses(pauses, len(level)),
        _edges(pauses, level, quiet),
        [float(np.mean(np.abs(samples) < ZERO))],
        _rate_and_part(dropouts(samples), len(samples)),
        _rate_and_part(flat_tops(samples), len(samples)),
        [_loudest_crest(samples, level)],
    )
    return np.concatenate(numbers).astype(np.float32)


def runs_of(kept: np.ndarray) -> Runs:
    """Return the unbroken runs of kept places (bool [T])."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], kept, [False]])))
    return Runs(edges[::2], edges[1::2])


def shares_of_tenths(quiet: np.ndarray) -> np.ndarray:
    """Return float64 [10], the quiet part of each tenth; a window on a border counts for both."""
    before = np.concatenate([[0], np.cumsum(quiet)]) / len(quiet)
    places = np.linspace(0, 1, len(before))
    return np.asarray(np.diff(np.interp(np.linspace(0, 1, TENTHS + 1), places, before)) * TENTHS)


def _ends(silences: Runs, count: int) -> list[float]:
    """Return the lengths of silence at the start and the end, and the longest with its place."""
    if not len(silences.start):
        return [0.0, 0.0, 0.0, 0.5]
    first = silences.stop[0] if silences.start[0] == 0 else 0
    end = count - silences.start[-1] if silences.stop[-1] == count else 0
    longest = int(silences.lengths.argmax())
    at = (silences.start[longest] + silences.stop[longest]) / 2 / count
    lengths = (first, end, silences.lengths[longest])
    return [*(float(np.log2(1 + hops / HOPS_PER_S)) for hops in lengths), float(at)]


def _pauses(pauses: Runs, count: int) -> list[float]:
    lengths_s = pauses.lengths / HOPS_PER_S
    rate = float(np.log2(1 + len(lengths_s) * HOPS_PER_S / count))
    if not len(lengths_s):
        return [rate, 0.0, 0.0, 0.0, 0.0]
    kind = np.searchsorted(LONGER_S, lengths_s, side="right")
    parts = np.bincount(kind, minlength=3) / len(lengths_s)
    return [rate, *parts.tolist(), float(lengths_s.std() / lengths_s.mean())]


def _edges(pauses: Runs, level: np.ndarray, quiet: np.ndarray) -> list[float]:
    """Return how deep the pauses are, and the part of their edges that are sudden."""
    if not len(pauses.start):
        return [0.0, 0.0]
    within = np.concatenate([level[a:b] for a, b in zip(*pauses, strict=True)])
    depth = float(level[~quiet].mean() - within.mean())
    falls = _steepest(level, pauses.start, -1)
    rises = _steepest(level, pauses.stop, 1)
    return [depth, float(np.mean(np.concatenate([falls, rises]) > SUDDEN_DB))]


def _steepest(level: np.ndarray, places: np.ndarray, way: int) -> np.ndarray:
    """Return [R], the most that the level gains (way 1) or loses (-1) in 40 ms about places [R]."""
    near = places[:, None] + np.arange(-SUDDEN_HOPS, SUDDEN_HOPS + 1)
    at = np.clip(near, 0, len(level) - 1)
    steps = way * (level[at[:, SUDDEN_HOPS:]] - level[at[:, : SUDDEN_HOPS + 1]])
    return np.asarray(steps.max(axis=1))


def _rate_and_part(runs: Runs, count: int) -> list[float]:
    rate = len(runs.start) * RATE_HZ / count
    return [float(np.log2(1 + rate)), float(runs.lengths.sum()) / count]


def dropouts(samples: np.ndarray) -> Runs:
    """Return the stretches of samples [n] where a sound is missing and at once there again."""
    size = np.abs(samples)
    peak = float(size.max())
    if peak < FAINT:
        return Runs(np.zeros(0, np.int64), np.zeros(0, np.int64))
    holes = runs_of(size < DROPOUT_BELOW * peak)
    shortest, longest = (round(limit * RATE_HZ) for limit in DROPOUT_S)
    beside = round(BESIDE_S * RATE_HZ)
    holes = holes.where(
        (holes.lengths >= shortest)
        & (holes.lengths <= longest)
        & (holes.start >= beside)
        & (holes.stop <= len(samples) - beside)
    )
    total = np.concatenate([[0.0], np.cumsum(size**2)])
    before = total[holes.start] - total[holes.start - beside]
    after = total[holes.stop + beside] - total[holes.stop]
    return holes.where(np.minimum(before, after) > beside * (DROPOUT_BESIDE * peak) ** 2)


def flat_tops(samples: np.ndarray) -> Runs:
    """Return the stretches of samples [n] that are cut off flat at the peak."""
    peak = float(np.abs(samples).max())
    if peak < FAINT:
        return Runs(np.zeros(0, np.int64), np.zeros(0, np.int64))
    positive, negative = runs_of(samples > TOP * peak), runs_of(samples < -TOP * peak)
    tops = Runs(*(np.concatenate(ends) for ends in zip(positive, negative, strict=True)))
    tops = tops.where(tops.lengths >= TOP_SAMPLES)
    step = np.abs(np.diff(samples, prepend=samples[0], append=samples[-1]))  # into sample i
    total = np.concatenate([[0.0], np.cumsum(step)])
    inner = (total[tops.stop] - total[tops.start + 1]) / (tops.lengths - 1)
    corner = np.maximum(step[tops.start], step[tops.stop])
    return tops.where(corner > CORNER * np.maximum(inner, 1e-4 * peak))


def _loudest_crest(samples: np.ndarray, level: np.ndarray) -> float:
    """Return how far p99 of the amplitude is over the level [T], mean of the loudest tenth, dB."""
    count = min(max(1, len(level) // 10), PIECE)
    loudest = np.argsort(-level, kind="stable")[:count]
    shaped = np.abs(windows(samples, SHORT)[loudest])
    high = np.percentile(shaped, 99, axis=1)
    return float(np.mean(decibel(high**2) - level[loudest]))
