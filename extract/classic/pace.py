"""Pace: how fast the video is edited, where in it that happens, and what changes gradually.

`pace` float32 [44]. Cuts are those of `motion` (`shots.py`); what that says of them already (cuts
per second; mean, longest and first shot) is not said again. The video is divided into ten equal
parts of time; a number of a part is the mean over it, steps that lie in two parts count for both in
proportion, so that a video of any length has all ten.

    cuts.0 .. cuts.9        cuts per second in each tenth
    change.0 .. change.9    `steps.py`'s change.mean in each tenth (log)
    speed.0 .. speed.9      `steps.py`'s object.mean in each tenth (log)
    shot.count              log2 of the number of shots
    shot.*                  median, shortest, last (log2(1 + seconds)); uneven, the deviation of
                            lengths over their mean; longest, its part of the video; trend, the
                            slope of log2 length over the shots: below 0 the editing quickens
    first.at                when the first cut comes, 0..1 of the video; 1 where there is none
    busiest                 the most cuts within any 3 seconds, log2(1 + n)
    gradual.*               changes that take a while (dissolves, fades, a lamp): how many per
                            second; their part of the time; fades, those per second that begin or
                            end in a plain dark or bright picture; the largest change (grey levels,
                            log); when it is, 0..1

A gradual change is found by its path. Each frame is 6 x 6 means of colour, a point; over half a
second a dissolve or fade moves it along a straight line, as it is a weighted mean of two pictures,
while what moves in the picture or with the camera takes it along a crooked one. So half a second
counts in which the point goes over 12 levels, at least 0.9 of its path straight on, and no single
step is a cut or makes half of the way. Boreczky and Rowe (1996) compare the classic ways to find
them; the linear model of a dissolve is Hampapur et al. (1994). Slow changes of exposure count too.

A video of one frame has no pace: ABSENT(too-short). Cost: 2 ms where `motion` is computed too.
"""

from __future__ import annotations

import numpy as np

from core.status import Gap
from extract.classic.descriptor import Descriptor, of_frames
from extract.classic.pictures import cell_means
from extract.classic.watched import REQUEST, Watched, watch
from media.request import Frames

TENTHS = 10
BUSY_S = 3.0
GRADUAL_S = 0.5
GRADUAL_CELLS = 6
GRADUAL_LEVELS = 12.0  # half of a dissolve of a second between two unlike pictures is above 20
STRAIGHT = 0.9
SINGLE = 0.5  # of the way: a step that makes more is a jump
PLAIN = 8.0  # grey levels between cells: a picture with less is plain

NAMES = (
    *(f"{what}.{tenth}" for what in ("cuts", "change", "speed") for tenth in range(TENTHS)),
    *(f"shot.{name}" for name in ("count", "median", "shortest", "last", "uneven", "longest")),
    *("shot.trend", "first.at", "busiest"),
    *(f"gradual.{name}" for name in ("per_s", "part", "fades_per_s", "largest", "at")),
)


def extractor(decoder: str = "pyav", seconds: float | None = None) -> Descriptor:
    """Return the extractor of `pace` float32 [44]."""
    recipe = {"code": "classic.pace", "version": 1, "decoder": decoder}
    return of_frames(_described, REQUEST, {"pace": (len(NAMES),)}, recipe, seconds=seconds)


def _described(frames: Frames) -> dict[str, np.ndarray] | Gap:
    watched = watch(frames, "pace")
    return watched if isinstance(watched, Gap) else {"pace": describe_pace(watched)}


def describe_pace(watched: Watched) -> np.ndarray:
    """Return float32 [44], one number for each of `NAMES`."""
    times_s, cuts = watched.times_s, watched.cuts
    step_s = np.diff(times_s)
    tracks = (cuts / step_s, watched.track("change.mean"), watched.track("object.mean"))
    parts = (
        *(means_of_parts(track, times_s, TENTHS) for track in tracks),
        _shot_numbers(times_s, cuts),
        _gradual_numbers(watched),
    )
    return np.concatenate(parts).astype(np.float32)


def means_of_parts(track: np.ndarray, times_s: np.ndarray, parts: int) -> np.ndarray:
    """Return float64 [parts], means over equal parts of time of a track [T - 1] of steps."""
    edges = np.linspace(times_s[0], times_s[-1], parts + 1)
    sums = np.concatenate([[0.0], np.cumsum(track * np.diff(times_s))])
    return np.asarray(np.diff(np.interp(edges, times_s, sums)) / np.diff(edges))


def _shot_numbers(times_s: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    at = times_s[1:][cuts]
    lengths = np.diff([times_s[0], *at, times_s[-1]])
    # A cut at the last step leaves a shot of one frame, whose length is not known.
    lengths = lengths[lengths > 0]
    logs = np.log2(1 + lengths)
    total = float(times_s[-1] - times_s[0])
    moment = np.linspace(-0.5, 0.5, len(lengths))
    trend = moment @ np.log2(lengths) / max(float(moment @ moment), 1e-9)
    busiest = np.searchsorted(at, at + BUSY_S) - np.arange(len(at))
    first = (at[0] - times_s[0]) / total if len(at) else 1.0
    return np.array(
        [
            *(np.log2(len(lengths)), np.median(logs), logs.min(), logs[-1]),
            *(lengths.std() / lengths.mean(), lengths.max() / total),
            *(trend if len(lengths) > 1 else 0.0, first, np.log2(1 + busiest.max(initial=0))),
        ]
    )


def _gradual_numbers(watched: Watched) -> np.ndarray:
    times_s = watched.times_s
    total = float(times_s[-1] - times_s[0])
    places = _places(watched.pixels)
    starts, ends, moved = gradual_windows(places, times_s, watched.cuts)
    if not len(starts):
        return np.zeros(5)
    runs = _joined(starts, ends)
    covered = sum(times_s[end] - times_s[start] for start, end in runs)
    fades = sum(_is_plain(places[start]) or _is_plain(places[end]) for start, end in runs)
    best = int(moved.argmax())
    middle = (times_s[starts[best]] + times_s[ends[best]]) / 2 - times_s[0]
    largest = np.log10(1 + moved[best])
    return np.array([len(runs) / total, covered / total, fades / total, largest, middle / total])


def _places(pixels: np.ndarray) -> np.ndarray:
    """Return each frame as a point float32 [T, cells, 3]: means of colour."""
    thin = pixels[:, ::2, ::2]
    means = [cell_means(thin[..., channel], GRADUAL_CELLS) for channel in range(3)]
    return np.stack(means, axis=-1).reshape(len(pixels), -1, 3)


def gradual_windows(
    places: np.ndarray, times_s: np.ndarray, cuts: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the windows of half a second in which a picture gradually becomes another.

    They are the indices of their first and last frame int64 [W], and how far the picture goes in
    grey levels float64 [W].
    """
    flat = places.reshape(len(places), -1).astype(np.float64)
    step = np.abs(np.diff(flat, axis=0)).mean(axis=1)
    path = np.concatenate([[0.0], np.cumsum(step)])
    jumps = np.concatenate([[0], np.cumsum(cuts)])
    ends = np.searchsorted(times_s, times_s + GRADUAL_S - 1e-6)
    starts = np.flatnonzero(ends < len(times_s))
    ends = ends[starts]
    moved = np.abs(flat[ends] - flat[starts]).mean(axis=1)
    most = np.array([step[a:b].max() for a, b in zip(starts, ends, strict=True)])
    gradual = (moved > GRADUAL_LEVELS) & (moved >= STRAIGHT * (path[ends] - path[starts]))
    gradual &= (most <= SINGLE * moved) & (jumps[ends] == jumps[starts])
    return starts[gradual], ends[gradual], moved[gradual]


def _joined(starts: np.ndarray, ends: np.ndarray) -> list[tuple[int, int]]:
    """Return windows that overlap or touch as one."""
    runs: list[tuple[int, int]] = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if runs and start <= runs[-1][1]:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs


def _is_plain(place: np.ndarray) -> bool:
    """Say whether cells [cells, 3] show one colour: a picture has faded to it, or comes from it."""
    return bool(place.std(axis=0).max() < PLAIN)
