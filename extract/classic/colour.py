"""Colour and exposure: what a picture looks like before one knows what is in it.

`colour/frames` describes 16 frames spread over the whole video, reduced to 96 pixels on the
shorter side, by 61 numbers each; `colour` is their mean, their standard deviation and their trend
(slope, per length of the video) [183]. A video of one frame has standard deviation and trend 0.

    grey.*      Rec. 601 luma, 0..1: mean, deviation, percentiles, the range p95 - p5, entropy
                (bits), and the parts clipped to black (<= 8 of 255) and to white (>= 247)
    lab.*       CIE L*a*b* (D65), in hundredths: mean and deviation of a* (green-red) and b*
                (blue-yellow: cold-warm), mean, deviation and p90 of chroma; warm, the part of
                chroma with b* > 0 less that with b* < 0
    colourful   Hasler and Suesstrunk (2003), "Measuring colourfulness in natural images", M3 / 100
    saturation  of HSV, mean and deviation
    box.*       the part of pixels that is dark, middling or bright (L* < 35, < 70) and grey (chroma
                < 8) or of one of six hues: a joint histogram whose 21 boxes have names
    at.*        L* / 100 on 4 x 4 cells, rows from the top
    centre.*    the middle quarter less the rest: L*, chroma

Nothing depends on the size of the source beyond what reduction removes. Cost: 5 ms for a video of
any length.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from extract.classic.descriptor import Descriptor, Dims, of_frames
from extract.classic.pictures import cell_means, grey_levels
from media.request import FrameRequest, Frames

REQUEST = FrameRequest("uniform", frames=16, side=96)

_SHADES = ("dark", "middling", "bright")
_HUES = ("grey", "red", "yellow", "green", "cyan", "blue", "magenta")
_PERCENTILES = (5, 25, 50, 75, 95)
_CELLS = 4
NAMES = (
    *("grey.mean", "grey.std", *(f"grey.p{p}" for p in _PERCENTILES), "grey.range", "grey.entropy"),
    *("grey.black", "grey.white"),
    *("lab.a", "lab.b", "lab.a.std", "lab.b.std", "lab.chroma", "lab.chroma.std", "lab.chroma.p90"),
    *("lab.warm", "colourful", "saturation", "saturation.std"),
    *(f"box.{shade}.{hue}" for shade in _SHADES for hue in _HUES),
    *(f"at.{row}.{column}" for row in range(_CELLS) for column in range(_CELLS)),
    *("centre.lightness", "centre.chroma"),
)
POOLED_NAMES = tuple(f"{name}:{pooled}" for pooled in ("mean", "std", "trend") for name in NAMES)


def extractor(decoder: str = "pyav", seconds: float | None = None) -> Descriptor:
    """Return the extractor of `colour/frames` float32 [T, 61] and `colour` float32 [183]."""
    recipe = {"code": "classic.colour", "version": 1, "decoder": decoder}
    dims: Dims = {"colour/frames": ("frame", len(NAMES)), "colour": (len(POOLED_NAMES),)}
    return of_frames(_described, REQUEST, dims, recipe, seconds=seconds)


def _described(frames: Frames) -> dict[str, np.ndarray]:
    values = describe_colour(frames.pixels)
    return {"colour/frames": values, "colour": pool_with_trend(values)}


def describe_colour(pixels: np.ndarray) -> np.ndarray:
    """Return float32 [T, 61], one column for each of `NAMES`, of uint8 [T, height, width, 3]."""
    small = _thin(pixels)
    lab = _lab(small)
    lightness, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
    parts = (
        _grey_columns(grey_levels(pixels)),
        _lab_columns(lab, chroma),
        _vividness_columns(small),
        _box_columns(lab, chroma),
        cell_means(lightness, _CELLS).reshape(len(pixels), -1) / 100,
        np.stack([_centre_excess(lightness), _centre_excess(chroma)], axis=1) / 100,
    )
    return np.concatenate(parts, axis=1).astype(np.float32)


def pool_with_trend(frames: np.ndarray) -> np.ndarray:
    """Return float32 [3 * D]: mean, deviation and trend over time of float32 [T, D], T >= 1."""
    values = frames.astype(np.float64)
    moments = np.linspace(-0.5, 0.5, len(values)) if len(values) > 1 else np.zeros(1)
    trend = moments @ values / max(float(moments @ moments), 1e-9)
    return np.concatenate([values.mean(axis=0), values.std(axis=0), trend]).astype(np.float32)


def _thin(pixels: np.ndarray) -> np.ndarray:
    """Average 2 x 2 pixels where there are enough: hues of small areas need no more."""
    if min(pixels.shape[1:3]) < 32:
        return pixels.astype(np.float32)
    height, width = (side // 2 * 2 for side in pixels.shape[1:3])
    rows = pixels[:, 0:height:2, :width].astype(np.uint16) + pixels[:, 1:height:2, :width]
    return np.asarray((rows[:, :, 0::2] + rows[:, :, 1::2]).astype(np.float32) * np.float32(0.25))


def _grey_columns(grey: np.ndarray) -> np.ndarray:
    """Return [T, 11] of uint8 [T, height, width], all from each frame's histogram."""
    count = len(grey)
    offset = grey.reshape(count, -1) + (np.arange(count) * 256)[:, None]
    share = np.bincount(offset.ravel(), minlength=256 * count).reshape(count, 256)
    share = share / share.sum(axis=1, keepdims=True)
    level = np.arange(256) / 255
    mean = share @ level
    deviation = np.sqrt(np.maximum(share @ level**2 - mean**2, 0))
    rising = share.cumsum(axis=1)
    percentiles = [level[(rising < p / 100 - 1e-9).sum(axis=1)] for p in _PERCENTILES]
    entropy = -(share * np.log2(np.where(share > 0, share, 1))).sum(axis=1)
    black, white = share[:, :9].sum(axis=1), share[:, 247:].sum(axis=1)
    spread = percentiles[-1] - percentiles[0]
    return np.stack([mean, deviation, *percentiles, spread, entropy, black, white], axis=1)


def _lab_columns(lab: np.ndarray, chroma: np.ndarray) -> np.ndarray:
    a, b = lab[..., 1], lab[..., 2]
    frame = (1, 2)
    balance = (chroma * np.sign(b)).mean(frame) / (chroma.mean(frame) + 1)  # 1: grey is neither
    p90 = np.quantile(chroma.reshape(len(chroma), -1), 0.9, axis=1)
    levels = (
        a.mean(frame),
        b.mean(frame),
        a.std(frame),
        b.std(frame),
        chroma.mean(frame),
        chroma.std(frame),
        p90,
    )
    return np.stack([*(level / 100 for level in levels), balance], axis=1)


def _vividness_columns(pixels: np.ndarray) -> np.ndarray:
    """Return [T, 3]: colourfulness, and saturation, of float32 [T, height, width, 3] in 0..255."""
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    frame = (1, 2)
    red_green, yellow_blue = red - green, (red + green) / 2 - blue
    deviation = np.hypot(red_green.std(frame), yellow_blue.std(frame))
    offset = np.hypot(red_green.mean(frame), yellow_blue.mean(frame))
    most = np.maximum(np.maximum(red, green), blue)
    least = np.minimum(np.minimum(red, green), blue)
    saturation = (most - least) / np.maximum(most, 1)
    colourful = (deviation + 0.3 * offset) / 100
    return np.stack([colourful, saturation.mean(frame), saturation.std(frame)], axis=1)


def _box_columns(lab: np.ndarray, chroma: np.ndarray) -> np.ndarray:
    """Return [T, 21], the share of pixels in each box of lightness and hue."""
    count = len(lab)
    shade = (lab[..., 0] >= 35).astype(np.int64) + (lab[..., 0] >= 70)
    sixths = np.arctan2(lab[..., 2], lab[..., 1]) * np.float32(3 / np.pi)
    red = 40 / 60  # where the red of sRGB lies, in sixths of a turn; the others follow near enough
    hue = np.floor(sixths + np.float32(0.5 - red)).astype(np.int64) % 6 + 1
    box = shade * len(_HUES) + np.where(chroma < 8, 0, hue)
    boxes = len(_SHADES) * len(_HUES)
    offset = box.reshape(count, -1) + (np.arange(count) * boxes)[:, None]
    counted = np.bincount(offset.ravel(), minlength=boxes * count).reshape(count, boxes)
    return np.asarray(counted / counted.sum(axis=1, keepdims=True))


def _centre_excess(plane: np.ndarray) -> np.ndarray:
    """Return [T]: the mean of the middle (half of each side) less that of the rest."""
    height, width = plane.shape[1:]
    top, left = height // 4, width // 4
    middle = plane[:, top : height - top, left : width - left]
    total, inner = plane.sum(axis=(1, 2)), middle.sum(axis=(1, 2))
    pixels, inside = height * width, middle.shape[1] * middle.shape[2]
    if inside == pixels:
        return np.zeros(len(plane), np.float32)
    excess: np.ndarray = inner / inside - (total - inner) / (pixels - inside)
    return excess


@cache
def _linear_light() -> np.ndarray:
    """Return float32 [1021]: the linear light of an sRGB level in quarters, 0, 0.25 .. 255."""
    level = np.arange(1021) / 1020
    curve = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    return curve.astype(np.float32)


# From linear sRGB to XYZ relative to D65 white (IEC 61966-2-1).
_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
) / np.array([[0.95047], [1.0], [1.08883]])


def _lab(pixels: np.ndarray) -> np.ndarray:
    """Return CIE L*a*b* float32 [T, height, width, 3] of sRGB float32 in 0..255, in quarters."""
    linear = _linear_light()[(pixels * 4).astype(np.int64)]
    xyz = linear @ _TO_XYZ.T.astype(np.float32)
    curve = np.where(
        xyz > 216 / 24389, np.cbrt(xyz), xyz * np.float32(841 / 108) + np.float32(4 / 29)
    )
    x, y, z = curve[..., 0], curve[..., 1], curve[..., 2]
    lab = np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
    return np.asarray(lab, np.float32)
