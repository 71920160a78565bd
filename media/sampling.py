"""Which frames a request means: arithmetic on the times at which frames are shown.

Every rule picks *moments* and takes, for each, the frame that is on screen then (for
`segment_centres` the nearest frame). With T frames asked for and a video whose frames are shown
from `first` to `last`, the last one for one mean step longer, until `end`:

    uniform          T moments from `first` to `last`, both included, equally spaced
    segment_starts   the starts of T equal parts of `first`..`end`
    segment_centres  the centres of T equal parts of `first`..`last`
    first_seconds    `segment_starts` of the window of `seconds`; where the video does not fill the
                     window, `uniform` over all of it
    fps              a moment every 1/fps seconds; more than T of them become `segment_starts`,
                     so that a long video is covered thinly rather than cut off
    dense            T moments at distances of 1/fps (or T neighbouring frames without `fps`), in
                     the middle; a video too short for it gives `uniform`, not a frozen last frame
    random           one moment at random in each of T equal parts, the same for the same `seed`

`seconds` takes the frames that begin within the first so many seconds, and applies the rule to
them. At a constant rate every rule is the index arithmetic that published code does, such as
`linspace(0, n - 1, T)` cut to whole numbers for `uniform`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from media.request import FrameRequest

# Containers round times (Matroska to 1 ms, 6 % of a step at 60 fps). Frames that are all within a
# tenth of a step of their regular places are taken to be there, or a moment that falls exactly on a
# frame would be given to the frame before it about half of the time.
_REGULAR = 0.1
_WINDOW = (
    0.05  # the same for the end of a window: 0.03 of a step is lost to rounding in 8 s at 30 fps
)
_ROUNDING = 1e-6  # of a step; what float64 arithmetic on moments loses is a thousandth of this


def plan(request: FrameRequest, times_s: np.ndarray) -> np.ndarray:
    """Return the indices int64 [T], sorted, of the frames that a request means.

    `times_s` is float64 [n], sorted: when each frame is shown. T is `request.frames`, or less for
    the rule "fps". An index comes twice only if there are fewer frames than asked for, or if the
    frame is on screen for longer than the distance between two moments.

    Raises:
        ValueError: if there are no times, or they are not sorted.
    """
    if len(times_s) == 0 or np.any(np.diff(times_s) < 0):
        raise ValueError(f"times of frames must be sorted and at least one; got {len(times_s)}")
    step_s = float(times_s[-1] - times_s[0]) / max(len(times_s) - 1, 1)
    places = _places(times_s, step_s)
    window = _window(request.seconds, step_s)
    fills = window is not None and len(places) >= window - _WINDOW
    if window is not None:
        places = places[: max(1, int(np.sum(places < window - _WINDOW)))]
    end = places[-1] + 1 if window is None else min(places[-1] + 1, max(window, 1.0))
    rule = _RULES[request.rule]
    if request.rule == "first_seconds":
        rule = _segment_starts if fills else _uniform
    return rule(request, places, float(end), step_s)


def _places(times_s: np.ndarray, step_s: float) -> np.ndarray:
    """Return the times in steps after the first, float64 [n]; whole numbers for a constant rate."""
    regular = np.arange(len(times_s), dtype=np.float64)
    if step_s == 0:
        return regular
    places = (times_s - times_s[0]) / step_s
    return regular if np.all(np.abs(places - regular) <= _REGULAR) else places


def _window(seconds: float | None, step_s: float) -> float | None:
    """Return a window's length in steps, a whole number if it nearly is one."""
    if seconds is None or step_s == 0:
        return None
    window = seconds / step_s
    return float(round(window)) if abs(window - round(window)) <= _WINDOW else window


def _on_screen(places: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Return the indices of the frames on screen at some moments, the first and last included."""
    shown = np.searchsorted(places, moments + _ROUNDING, side="right") - 1
    return np.asarray(np.clip(shown, 0, len(places) - 1), np.int64)


def _uniform(request: FrameRequest, places: np.ndarray, end: float, step_s: float) -> np.ndarray:
    return _on_screen(places, np.linspace(0, places[-1], request.frames))


def _segment_starts(
    request: FrameRequest, places: np.ndarray, end: float, step_s: float
) -> np.ndarray:
    return _on_screen(places, np.linspace(0, end, request.frames, endpoint=False))


def _segment_centres(
    request: FrameRequest, places: np.ndarray, end: float, step_s: float
) -> np.ndarray:
    moments = places[-1] / request.frames * (np.arange(request.frames) + 0.5)
    halfway = (places[:-1] + places[1:]) / 2  # a moment halfway between two frames takes the later
    nearest = np.searchsorted(halfway, moments + _ROUNDING, side="right")
    return np.asarray(nearest, np.int64)


def _fps(request: FrameRequest, places: np.ndarray, end: float, step_s: float) -> np.ndarray:
    distance = _distance(request, step_s)
    count = int(np.ceil(end / distance - _ROUNDING))
    if count > request.frames:
        return _segment_starts(request, places, end, step_s)
    return _on_screen(places, np.arange(max(count, 1)) * distance)


def _dense(request: FrameRequest, places: np.ndarray, end: float, step_s: float) -> np.ndarray:
    if request.fps is None and len(places) >= request.frames:
        return np.arange(request.frames) + (len(places) - request.frames) // 2
    length = (request.frames - 1) * _distance(request, step_s)
    if length > places[-1] + _ROUNDING:
        return _uniform(request, places, end, step_s)
    return _on_screen(places, np.linspace(0, length, request.frames) + (places[-1] - length) / 2)


def _random(request: FrameRequest, places: np.ndarray, end: float, step_s: float) -> np.ndarray:
    # Parts begin where a frame begins: two parts that share a frame could both choose it.
    first = _segment_starts(request, places, end, step_s)
    borders = np.append(places[first], places[-1] + 1)
    lots = np.random.default_rng(request.seed).random(request.frames)
    chosen = _on_screen(places, borders[:-1] + lots * np.diff(borders) - 2 * _ROUNDING)
    return np.asarray(np.maximum(chosen, first), np.int64)


def _distance(request: FrameRequest, step_s: float) -> float:
    """Return 1/fps in steps; a video of one moment has no steps, and any distance is beyond it."""
    if request.fps is None:
        return 1.0
    return 1 / (request.fps * step_s) if step_s else 1.0


_Rule = Callable[[FrameRequest, np.ndarray, float, float], np.ndarray]
_RULES: dict[str, _Rule] = {
    "uniform": _uniform,
    "segment_starts": _segment_starts,
    "segment_centres": _segment_centres,
    "first_seconds": _segment_starts,
    "fps": _fps,
    "dense": _dense,
    "random": _random,
}
