"""Composition: where a picture has its edges, lines, detail and colour, and how it is balanced.

`composition/frames` describes 8 frames spread over the whole video, 96 pixels on the shorter side,
by 118 numbers each; `composition` is their mean and standard deviation [236].
All is measured on Rec. 601 luma, but for the places of colour.

    edge.*      density, the part of pixels with a gradient over 8 levels a pixel; strength,
                log10(1 + mean gradient); at.*, the density on 3 x 3 cells, rows from the top
    way.*       gradients by direction, 8 ways of 22.5 degrees from across (a vertical edge) over
                down (a horizontal one); each counts by its size for the two ways next to it; shares
    hog.*       the same on 3 x 3 cells: histograms of oriented gradients (Dalal and Triggs 2005) of
                large cells, each divided by its own length and noise instead of by its neighbours'
    symmetry.*  of luma and of edges against their mirror images, sides swapped, top and bottom
                swapped, and both: 1 equal, about 0.3 unrelated, 0 opposite
    detail.*    where the edges are: centre of mass x, y in -0.5..0.5 and spread around it; the
    colour.*    parts of them in the middle ninth, near the four points where the thirds cross
                (Gaussian, 0.08 of the sides), and along the lines of thirds (0.04); the same of
                chroma, the largest less the smallest of R, G, B. Even where there are none
    line.*      how far 8-pixel blocks have one direction (coherence of the structure tensor, Bigun
                and Granlund 1987), weighed by their edges: all, then the shares of lines that run
                across, down, up to the right, down to the right
    longest.*   the row whose edges are the longest horizontal line: the part of it that is edge,
                and where it is, -0.5..0.5; the same of the columns

Sources for what to look at: the rule of thirds and balance as Datta et al. (2006) and Mai et al.
(2011) measure them in photographs. Cost: 6 ms for a video of any length.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from extract.classic.descriptor import Descriptor, Dims, of_frames
from extract.classic.pictures import cell_means, grey_levels
from media.request import FrameRequest, Frames

REQUEST = FrameRequest("uniform", frames=8, side=96)
EDGE = 8.0  # grey levels a pixel: above the noise of compressed video at this size
WAYS = 8
THIRDS = 3
MIRRORED = 24  # cells of a side: what is nearly symmetric is nearly 1
BLOCK = 8

_PLACE = ("x", "y", "spread", "centre", "points", "thirds")
_LINES = ("all", "across", "down", "rising", "falling")
_CELLS = tuple(f"{row}.{column}" for row in range(THIRDS) for column in range(THIRDS))
NAMES = (
    *("edge.density", "edge.strength", *(f"edge.at.{cell}" for cell in _CELLS)),
    *(f"way.{way}" for way in range(WAYS)),
    *(f"hog.{cell}.{way}" for cell in _CELLS for way in range(WAYS)),
    *(f"symmetry.{what}.{how}" for what in ("luma", "edge") for how in ("sides", "ends", "both")),
    *(f"{what}.{name}" for what in ("detail", "colour") for name in _PLACE),
    *(f"line.{name}" for name in _LINES),
    *(f"longest.{name}" for name in ("across", "across.at", "down", "down.at")),
)
POOLED_NAMES = tuple(f"{name}:{pooled}" for pooled in ("mean", "std") for name in NAMES)


def extractor(decoder: str = "pyav", seconds: float | None = None) -> Descriptor:
    """Return the extractor of `composition/frames` [T, 118] and `composition` float32 [236]."""
    recipe = {"code": "classic.composition", "version": 1, "decoder": decoder}
    dims: Dims = {
        "composition/frames": ("frame", len(NAMES)),
        "composition": (len(POOLED_NAMES),),
    }
    return of_frames(_described, REQUEST, dims, recipe, seconds=seconds)


def _described(frames: Frames) -> dict[str, np.ndarray]:
    values = describe_composition(frames.pixels)
    pooled = np.concatenate([values.mean(axis=0), values.std(axis=0)])
    return {"composition/frames": values, "composition": pooled}


def describe_composition(pixels: np.ndarray) -> np.ndarray:
    """Return float32 [T, 118], one column for each of `NAMES`, of uint8 [T, height, width, 3]."""
    grey = grey_levels(pixels).astype(np.float32)
    across, down = _gradients(grey)
    size = np.hypot(across, down)
    red, green, blue = (pixels[..., channel] for channel in range(3))
    most, least = (pick(pick(red, green), blue) for pick in (np.maximum, np.minimum))
    parts = (
        _edge_columns(size),
        _way_columns(across, down, size),
        *(_symmetry_columns(plane) for plane in (grey, size)),
        *(_place_columns(plane) for plane in (size, most - least)),
        _line_columns(across, down),
        _longest_columns(across, down),
    )
    return np.concatenate(parts, axis=1).astype(np.float32)


def _gradients(grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return slopes to the right and down, levels a pixel; at the border, which has none, 0."""
    across, down = np.zeros_like(grey), np.zeros_like(grey)
    across[:, :, 1:-1] = (grey[:, :, 2:] - grey[:, :, :-2]) * np.float32(0.5)
    down[:, 1:-1] = (grey[:, 2:] - grey[:, :-2]) * np.float32(0.5)
    return across, down


def _edge_columns(size: np.ndarray) -> np.ndarray:
    edges = (size > EDGE).astype(np.float32)
    cells = cell_means(edges, THIRDS).reshape(len(size), -1)
    strength = np.log10(1 + size.mean(axis=(1, 2)))
    return np.column_stack([edges.mean(axis=(1, 2)), strength, cells])


def _way_columns(across: np.ndarray, down: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return [T, 8 + 72]: the ways of the whole picture, then of each cell."""
    count, height, width = size.shape
    turn = np.arctan2(down, across) * np.float32(WAYS / np.pi)  # half a turn is all 8 ways
    lower = np.floor(turn)
    cell = _cell_of(height)[:, None] * THIRDS + _cell_of(width)
    place = (np.arange(count)[:, None, None] * THIRDS**2 + cell) * WAYS
    index = (place + lower.astype(np.int64) % WAYS).ravel()
    shape = (count, THIRDS**2, WAYS)
    here, next_way = (
        np.bincount(index, weights=part.ravel(), minlength=count * THIRDS**2 * WAYS).reshape(shape)
        for part in (size * (1 - turn + lower), size * (turn - lower))
    )
    cells = here + np.roll(next_way, 1, axis=2)
    whole = cells.sum(axis=1)
    noise = height * width / THIRDS**2  # one grey level a pixel
    shares = whole / (whole.sum(axis=1, keepdims=True) + noise * THIRDS**2)
    length = np.sqrt(np.square(cells).sum(axis=2, keepdims=True) + noise**2)
    return np.concatenate([shares, (cells / length).reshape(count, -1)], axis=1)


def _cell_of(side: int) -> np.ndarray:
    return np.arange(side) * THIRDS // side


def _symmetry_columns(planes: np.ndarray) -> np.ndarray:
    """Return [T, 3]: 1 less the difference from a mirror image over the most it could be."""
    small = cell_means(planes, MIRRORED)
    small = small - small.mean(axis=(1, 2), keepdims=True)
    most = 2 * np.abs(small).mean(axis=(1, 2)) + 1e-3
    mirrored = (small[:, :, ::-1], small[:, ::-1], small[:, ::-1, ::-1])
    return np.stack([1 - np.abs(small - m).mean(axis=(1, 2)) / most for m in mirrored], axis=1)


def _place_columns(planes: np.ndarray) -> np.ndarray:
    """Return [T, 6]: where a quantity of 0 or more [T, height, width] is, the numbers `_PLACE`."""
    mass = cell_means(planes, MIRRORED).reshape(len(planes), -1)
    mass += np.float32(0.1)  # even where nothing is
    share = mass / mass.sum(axis=1, keepdims=True)
    x, y, centre, points, thirds = _maps()
    at_x, at_y = share @ x, share @ y
    spread = np.sqrt(np.maximum(share @ (x * x + y * y) - at_x**2 - at_y**2, 0))
    return np.stack([at_x, at_y, spread, share @ centre, share @ points, share @ thirds], axis=1)


@cache
def _maps() -> tuple[np.ndarray, ...]:
    """Return x, y and the weights of `_PLACE` on the cells of a picture, each float64 [576]."""
    middle = (np.arange(MIRRORED) + 0.5) / MIRRORED - 0.5
    y, x = (axis.ravel() for axis in np.meshgrid(middle, middle, indexing="ij"))
    centre = ((np.abs(x) < 1 / 6) & (np.abs(y) < 1 / 6)).astype(np.float64)
    off_x, off_y = np.abs(np.abs(x) - 1 / 6), np.abs(np.abs(y) - 1 / 6)  # from the nearest line
    points = np.exp(-(off_x**2 + off_y**2) / (2 * 0.08**2))
    thirds = np.exp(-(np.minimum(off_x, off_y) ** 2) / (2 * 0.04**2))
    return x, y, centre, points, thirds


def _line_columns(across: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Return [T, 5]: coherence, and the shares of lines by the way they run."""
    xx, xy, yy = (_blocks(a * b) for a, b in ((across, across), (across, down), (down, down)))
    energy = xx + yy + 1.0  # a gradient of one level
    one_way = np.hypot(xx - yy, 2 * xy)
    # The doubled angle of the gradient: 0 across it, so that the line itself runs down.
    cosine, sine = (xx - yy) / energy, 2 * xy / energy
    weight = np.sqrt(energy)
    total = weight.sum(axis=1)
    ways = (-cosine, cosine, sine, -sine)  # y points down: a gradient to the lower right is rising
    shares = [(weight * np.maximum(way, 0)).sum(axis=1) / total for way in ways]
    coherent = (weight * one_way / energy).sum(axis=1) / total
    return np.stack([coherent, *shares], axis=1)


def _blocks(planes: np.ndarray) -> np.ndarray:
    """Return the means of whole blocks, float32 [T, blocks]; a smaller picture is one block."""
    count, height, width = planes.shape
    tall, wide = min(BLOCK, height), min(BLOCK, width)
    rows, columns = height // tall, width // wide
    cut = planes[:, : rows * tall, : columns * wide].reshape(count, rows, tall, columns, wide)
    return np.asarray(cut.mean(axis=2).mean(axis=3)).reshape(count, -1)


def _longest_columns(across: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Return [T, 4]: the part of the best row that is a horizontal edge, where; so of columns."""
    found: list[np.ndarray] = []
    for slope, along in ((down, 2), (across, 1)):
        parts = (np.abs(slope) > EDGE).mean(axis=along)
        best = parts.argmax(axis=1)
        most = parts.max(axis=1)
        at = (best + 0.5) / parts.shape[1] - 0.5
        found += [most, np.where(most > 0, at, 0)]
    return np.stack(found, axis=1)
