"""Which way up a video is shown: its display matrix, as quarter turns and mirroring."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np
from av.video.frame import VideoFrame

_SLANT = math.tan(math.radians(1))  # a matrix this near to a quarter turn is taken for one


def display_matrix(frame: VideoFrame) -> np.ndarray | None:
    """Return the matrix that says how a frame is shown, int32 [3, 3]; None is as it is stored.

    A place (x, y), as a row, times the matrix is where it is shown; only signs and proportions
    count, not the fixed points of its numbers.
    """
    side_data = cast(Any, frame.side_data)  # annotated as another class than it is
    found = side_data.get("DISPLAYMATRIX")
    return None if found is None else np.frombuffer(bytes(found), np.int32, 9).reshape(3, 3)


def upright(pixels: np.ndarray, matrix: np.ndarray | None) -> np.ndarray:
    """Return a picture, uint8 [height, width, 3], turned and mirrored as its matrix says.

    Other angles than quarter turns, and matrices that make no sense, leave it alone.
    """
    if matrix is None:
        return pixels
    (a, b), (c, d) = np.abs(matrix[:2, :2].astype(np.float64)).tolist()
    x_of, y_of = np.sign(matrix[:2, :2]).tolist()
    if max(b, c) <= _SLANT * min(a, d):
        down, right = y_of[1], x_of[0]
    elif max(a, d) <= _SLANT * min(b, c):
        pixels = pixels.swapaxes(0, 1)
        down, right = x_of[1], y_of[0]
    else:
        return pixels
    return np.ascontiguousarray(pixels[:: down or 1, :: right or 1])
