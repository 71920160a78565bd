"""What `motion`, `shake` and `pace` look at: the steps of a video, measured once for all of them.

Extractors with the same request get the same `Frames`. What was measured on those is kept for as
long as they live, so that the second and third family cost next to nothing. The ledger counts the
whole time for the family that came first.
"""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from core.status import Gap, absent
from extract.classic.steps import NAMES, describe_motion
from media.request import FrameRequest, Frames

REQUEST = FrameRequest("fps", frames=900, seconds=60.0, fps=15.0, side=96)


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """The distinct frames of a video, T >= 2, and what happens between them.

    pixels   uint8 [T, height, width, 3]
    times_s  float64 [T], rising strictly
    steps    float32 [T - 1, 74], one column for each of `steps.NAMES`
    """

    pixels: np.ndarray
    times_s: np.ndarray
    steps: np.ndarray

    def track(self, name: str) -> np.ndarray:
        """Return one number of every step, float64 [T - 1]."""
        return self.steps[:, NAMES.index(name)].astype(np.float64)

    @property
    def cuts(self) -> np.ndarray:
        """Return which steps are cuts, bool [T - 1]."""
        return np.asarray(self.steps[:, -1] > 0)

    @property
    def middles_s(self) -> np.ndarray:
        """Return the moments of the steps, float64 [T - 1]."""
        return np.asarray((self.times_s[1:] + self.times_s[:-1]) / 2)


_WATCHED: WeakKeyDictionary[Frames, Watched | None] = WeakKeyDictionary()


def watch(frames: Frames, family: str) -> Watched | Gap:
    """Return the steps of a video, or why `family` has none to look at."""
    if frames not in _WATCHED:
        _WATCHED[frames] = _measured(frames)
    return _WATCHED[frames] or absent("too-short", f"one frame; {family} needs two")


def _measured(frames: Frames) -> Watched | None:
    pixels, times_s = distinct(frames)
    if len(times_s) < 2:
        return None
    return Watched(pixels, times_s, describe_motion(pixels, times_s))


def distinct(frames: Frames) -> tuple[np.ndarray, np.ndarray]:
    """Drop frames that were asked for twice because the video has no other at that time.

    Return pixels uint8 [T, height, width, 3] and times float64 [T].
    """
    new = np.concatenate([[True], np.diff(frames.times_s) > 0])
    if new.all():
        return frames.pixels, frames.times_s
    return frames.pixels[new], frames.times_s[new]
