"""Pictures to other sizes, on uint8, by Pillow with antialiasing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from PIL import Image

Filter = Literal["box", "bilinear", "bicubic", "lanczos"]
_FILTERS = {
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def resize(
    pixels: np.ndarray, size: tuple[int, int], *, resample: Filter = "bilinear"
) -> np.ndarray:
    """Return pictures at exactly (height, width): uint8 [..., height, width, 3], as they came."""
    height, width = size
    if pixels.shape[-3:-1] == (height, width):
        return pixels
    return _each(
        pixels,
        lambda picture: np.asarray(
            Image.fromarray(picture).resize((width, height), _FILTERS[resample])
        ),
    )


def resize_shorter(
    pixels: np.ndarray, side: int, *, resample: Filter = "bilinear", enlarge: bool = True
) -> np.ndarray:
    """Return pictures whose shorter side is `side` pixels, in proportion: uint8 [..., h, w, 3].

    The longer side is rounded down, as the processors of published image models do.
    """
    height, width = pixels.shape[-3:-1]
    shorter = min(height, width)
    if shorter < side and not enlarge:
        return pixels
    size = (height * side // shorter, width * side // shorter)
    return resize(pixels, size, resample=resample)


def centre_crop(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the middle (height, width) of pictures: uint8 [..., height, width, 3].

    Raises:
        ValueError: if the pictures are smaller than that.
    """
    height, width = pixels.shape[-3:-1]
    if height < size[0] or width < size[1]:
        raise ValueError(f"a picture of {height}x{width} has no middle of {size[0]}x{size[1]}")
    top, left = (height - size[0]) // 2, (width - size[1]) // 2
    return pixels[..., top : top + size[0], left : left + size[1], :]


def _each(pixels: np.ndarray, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Apply a change to each picture of uint8 [..., height, width, 3]."""
    pictures = [change(picture) for picture in pixels.reshape(-1, *pixels.shape[-3:])]
    return np.stack(pictures).reshape(*pixels.shape[:-3], *pictures[0].shape)
