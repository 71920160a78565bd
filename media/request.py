"""What an extractor asks of a file, and what it gets: frames at chosen times, sound at a rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from core.errors import UsageError

Rule = Literal[
    "uniform", "segment_starts", "segment_centres", "first_seconds", "dense", "random", "fps"
]
DECODERS = ("pyav", "decord")  # what reads frames
_NEEDS = {"first_seconds": "seconds", "fps": "fps"}  # rule -> the field that it cannot do without


@dataclass(frozen=True, slots=True)
class FrameRequest:
    """Which frames of a video; `media.sampling.plan` turns it into indices, by time.

    rule      how the moments are chosen, see `media/sampling.py`
    frames    how many; for the rule "fps" the most there may be, for "dense" the length of the clip
    seconds   only the first so many seconds of the video; None is all of it
    fps       frames per second for the rules "fps" and "dense"
    seed      for the rule "random"
    side      reduce the shorter side to so many pixels (area averaging, never enlarging) while the
              frame is converted, which spares descriptors that look at small pictures the cost of
              large ones; None keeps the source's size

    Raises:
        UsageError: if a number is not positive, or the rule lacks its `seconds` or `fps`.
    """

    rule: Rule
    frames: int
    seconds: float | None = None
    fps: float | None = None
    seed: int = 0
    side: int | None = None

    def __post_init__(self) -> None:
        for name in ("frames", "seconds", "fps", "side"):
            _check_positive("frame request", name, getattr(self, name))
        needed = _NEEDS.get(self.rule)
        if needed and getattr(self, needed) is None:
            raise UsageError(
                f"frame rule {self.rule!r} needs {needed!r}, a positive number; it has none"
            )

    def recipe(self) -> dict[str, Any]:
        """Return what decides the frames, for a feature's recipe."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class AudioRequest:
    """The sound track, mixed to one channel at `rate_hz`.

    `seconds` keeps what is heard in the first so many seconds of the picture (of the sound, where
    it begins earlier or there is no picture): a track that begins late has less of them.

    Raises:
        UsageError: if a number is not positive.
    """

    rate_hz: int
    seconds: float | None = None

    def __post_init__(self) -> None:
        for name in ("rate_hz", "seconds"):
            _check_positive("audio request", name, getattr(self, name))

    def recipe(self) -> dict[str, Any]:
        """Return what decides the sound, for a feature's recipe."""
        return {name: getattr(self, name) for name in self.__slots__}


def _check_positive(kind: str, name: str, value: float | None) -> None:
    if value is not None and not 0 < value < float("inf"):
        raise UsageError(f"{kind}: {name} is {value!r}, but must be a positive number")


class Pictures(Protocol):
    """Pictures of one size, uint8 [height, width, 3]; each may be made when it is looked at."""

    def __len__(self) -> int: ...
    def __getitem__(self, place: int, /) -> np.ndarray: ...


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Frames:
    """Frames of one video, upright (rotation honoured); pixels that are not square stay so.

    What is computed from them may be kept beside them for as long as they live.

    pictures    uint8 [T, height, width, 3], RGB, or as many that are made when they are looked at:
                large ones would fill the memory
    times_s     float64 [T], when each is shown, counted from the first frame of the video
    duration_s  length of the whole video, not only of what was asked for
    """

    pictures: np.ndarray | Pictures
    times_s: np.ndarray
    duration_s: float

    def __reduce__(self) -> tuple[type[Frames], tuple[np.ndarray, np.ndarray, float]]:
        return Frames, (self.pixels, self.times_s, self.duration_s)

    @property
    def pixels(self) -> np.ndarray:
        """All pictures at once: uint8 [T, height, width, 3]."""
        if isinstance(self.pictures, np.ndarray):
            return self.pictures
        return self.each(lambda picture: picture)

    def each(self, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return what `change` makes of the pictures, with no more than one of them in memory."""
        first = change(self.pictures[0])
        changed = np.empty((len(self.pictures), *first.shape), first.dtype)
        changed[0] = first
        for place in range(1, len(changed)):
            changed[place] = change(self.pictures[place])
        return changed


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """Sound of one video: float32 [n] in -1..1, one channel, at `rate_hz`.

    It begins with the first sample of the track, which in most files is within some tens of
    milliseconds of the first frame.
    """

    samples: np.ndarray
    rate_hz: int
