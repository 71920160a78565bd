"""Sharpness and noise: how well a picture was taken, and how hard it was compressed.

`sharpness/frames` describes 6 frames spread over the whole video by 28 numbers each; `sharpness` is
their mean and standard deviation [56]. Frames come at 720 pixels on the shorter side or, where the
source is smaller, as they are: about what a phone shows. All is measured on Rec. 601 luma.

    pixel.*     at that size: how the picture looks from near
    picture.*   with 120..239 pixels on the shorter side (averaged by a whole factor): compares
                sources of different size; what is blurred there looks blurred to everybody
        laplacian   log10(1 + variance of the Laplacian) (Pech-Pacheco et al. 2000)
        tenengrad   log10(1 + mean square of the Sobel gradient) (Tenenbaum 1970)
        gradient.*  median and 95th percentile of the gradient, log10(1 + grey levels a pixel)
        blur        Crete et al. (2007): the part of differences that more blur leaves; 1 blurred
        aspect      log10 of horizontal over vertical gradient energy: which way it is smeared
    scale.*     pixel less picture: is there more in the fine than in the coarse?
    noise.*     standard deviation in grey levels: of the whole picture (Immerkaer 1996), and of the
                flattest tenth of 16-pixel tiles, which texture does not raise
    block.*     log10 of the mean step across 8-pixel borders over that elsewhere; 0 without
                blocking. A picture that was coded at another size, or reduced by decoding, has none
    at.*        picture tenengrad of 3 x 3 cells; centre: the middle one less the mean of the rest

`pixel`, `noise` and `block` know the resolution and the codec: where labels go with the camera that
took the video, heads will find that out from them. Cost: 20 ms for 6 frames of 480 x 360.
"""

from __future__ import annotations

import numpy as np
import scipy

from extract.classic.descriptor import Descriptor, Dims, of_frames
from extract.classic.pictures import cell_means, grey_levels
from media.request import FrameRequest, Frames

REQUEST = FrameRequest("uniform", frames=6, side=720)
PICTURE_SIDE = 120
TILE = 16

_SCALED = ("laplacian", "tenengrad", "gradient.p50", "gradient.p95", "blur", "aspect")
_CELLS = 3
NAMES = (
    *(f"pixel.{name}" for name in _SCALED),
    *(f"picture.{name}" for name in _SCALED),
    *("scale.tenengrad", "scale.laplacian"),
    *("noise.picture", "noise.flat"),
    *("block.across", "block.down"),
    *(f"at.{row}.{column}" for row in range(_CELLS) for column in range(_CELLS)),
    "at.centre",
)
POOLED_NAMES = tuple(f"{name}:{pooled}" for pooled in ("mean", "std") for name in NAMES)


def extractor(decoder: str = "pyav", seconds: float | None = None) -> Descriptor:
    """Return the extractor of `sharpness/frames` float32 [T, 28] and `sharpness` float32 [56]."""
    recipe = {"code": "classic.sharpness", "version": 1, "decoder": decoder}
    dims: Dims = {"sharpness/frames": ("frame", len(NAMES)), "sharpness": (len(POOLED_NAMES),)}
    return of_frames(_described, REQUEST, dims, recipe, seconds=seconds)


def _described(frames: Frames) -> dict[str, np.ndarray]:
    values = describe_sharpness(frames.pixels)
    pooled = np.concatenate([values.mean(axis=0), values.std(axis=0)])
    return {"sharpness/frames": values, "sharpness": pooled}


def describe_sharpness(pixels: np.ndarray) -> np.ndarray:
    """Return float32 [T, 28], one column for each of `NAMES`, of uint8 [T, height, width, 3]."""
    # One frame at a time: its planes stay in the processor's cache.
    rows = [_describe(grey_levels(frame[None])[0]) for frame in pixels]
    return np.asarray(rows, np.float32)


def _describe(grey: np.ndarray) -> list[float]:
    """Return a row of `NAMES` of uint8 [height, width]."""
    grey = _at_least(grey, TILE)
    fine = grey.astype(np.int16)
    coarse = _reduce(fine, min(grey.shape) // PICTURE_SIDE)
    pixel, fine_energy = _scale_columns(fine)
    picture, coarse_energy = _scale_columns(coarse)
    cells = np.log10(1 + cell_means(coarse_energy[None], _CELLS)[0].ravel()).tolist()
    middle = cells[_CELLS**2 // 2]
    return [
        *pixel,
        *picture,
        *(pixel[at] - picture[at] for at in (0, 1)),
        *_noise_columns(fine, fine_energy),
        *(_blockiness(fine), _blockiness(fine.T)),
        *cells,
        middle - (sum(cells) - middle) / (len(cells) - 1),
    ]


def _at_least(grey: np.ndarray, side: int) -> np.ndarray:
    """Repeat the edges of a picture that is smaller than `side`."""
    missing = [max(0, side - length) for length in grey.shape]
    if not any(missing):
        return grey
    return np.pad(grey, [(0, missing[0]), (0, missing[1])], mode="edge")


def _reduce(grey: np.ndarray, factor: int) -> np.ndarray:
    """Return the means float32 of squares of `factor` pixels: what a smaller camera would see."""
    factor = max(factor, 1)
    height, width = (side // factor for side in grey.shape)
    cut = grey[: height * factor, : width * factor]
    rows = cut.reshape(height, factor, width * factor).sum(axis=1, dtype=np.int16)
    squares = rows.reshape(height, width, factor).sum(axis=2, dtype=np.int32)
    return np.asarray(squares / np.float32(factor * factor), np.float32)


def _scale_columns(grey: np.ndarray) -> tuple[list[float], np.ndarray]:
    """Return the numbers `_SCALED` of int16 or float32 [height, width], and its gradient energy.

    The energy is float32 [height - 2, width - 2], squared grey levels a pixel.
    """
    middle = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * middle
    columns = grey[:-2] + 2 * grey[1:-1] + grey[2:]
    rows = grey[:, :-2] + 2 * grey[:, 1:-1] + grey[:, 2:]
    across = (columns[:, 2:] - columns[:, :-2]).astype(np.float32) / 8  # Sobel, per pixel
    down = (rows[2:] - rows[:-2]).astype(np.float32) / 8
    across *= across
    down *= down
    energy = across + down
    thin = 1 + min(energy.shape) // 120  # about 15,000 pixels are enough for two percentiles
    sizes = np.sqrt(np.quantile(energy[::thin, ::thin], [0.5, 0.95]))
    numbers = [
        np.log10(1 + laplacian.astype(np.float32).var()),
        np.log10(1 + energy.mean()),
        *np.log10(1 + sizes),
        max(_blur(grey[::4]), _blur(grey.T[::4])),
        np.log10((across.mean() + 0.1) / (down.mean() + 0.1)),
    ]
    return [float(number) for number in numbers], energy


def _blur(lines: np.ndarray) -> float:
    """Return how much of the differences along lines [L, n] a mean of nine pixels leaves, 0..1.

    One direction of Crete et al. (2007), equations 1 to 5; lines without differences give 1.
    """
    lines = np.ascontiguousarray(lines, np.float32)
    differences = np.abs(np.diff(lines, axis=1))
    blurred = np.abs(np.diff(scipy.ndimage.uniform_filter1d(lines, 9, axis=1), axis=1))
    total = float(differences.sum())
    lost = float(np.maximum(differences - blurred, 0).sum())
    return 1 - lost / total if total > 0 else 1.0


def _noise_columns(grey: np.ndarray, energy: np.ndarray) -> list[float]:
    """Return the deviation of noise in int16 [height, width]: in all, and in its flattest tiles."""
    rows = grey[:-2] - 2 * grey[1:-1] + grey[2:]
    response = np.abs(rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:])
    to_deviation = np.sqrt(np.pi / 2) / 6  # Immerkaer (1996), equation 6
    tiles = [max(1, side // TILE) for side in response.shape]
    noise, slope = (_tile_means(plane, *tiles) for plane in (response, energy))
    level = _tile_means(grey[1:-1, 1:-1], *tiles)
    usable = (level > 12) & (level < 243)  # noise does not show where the picture is clipped
    if not usable.any():
        usable[:] = True
    flattest = slope[usable] <= np.quantile(slope[usable], 0.1)
    return [
        float(to_deviation * response.mean()),
        float(to_deviation * noise[usable][flattest].mean()),
    ]


def _tile_means(plane: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Return the means [rows * columns] of tiles of `TILE` pixels, smaller in a tiny picture."""
    height, width = (min(TILE, side) for side in plane.shape)
    cut = plane[: rows * height, : columns * width].reshape(rows, height, columns, width)
    kind = np.float32 if plane.dtype == np.float32 else np.int32
    sums = cut.sum(axis=1, dtype=kind).sum(axis=2, dtype=kind)
    return np.asarray(sums / (height * width)).ravel()


def _blockiness(grey: np.ndarray) -> float:
    """Return log10 of the mean step across every eighth border of columns over the others."""
    steps = np.abs(np.diff(grey, axis=1)).mean(axis=0)
    border = np.arange(1, len(steps) + 1) % 8 == 0
    return float(np.log10((steps[border].mean() + 0.1) / (steps[~border].mean() + 0.1)))
