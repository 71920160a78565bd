"""What was laid over the picture: captions, logos, bars, borders; without reading any of it.

`overlay` float32 [37]. 8 frames spread over the whole video, 180 pixels on the shorter side; luma.

    moving      the part of the pixels that change by over 10 levels from one frame to the next
    held.*      edges, the part of edge pixels (over 16 levels a pixel) that are edges in the next
                frame too and have not changed; excess, that less the part of all pixels that have
                not: above 0, what is sharp stays while the rest moves
    over.*      the part of the pixels that are held in most frames although a quarter of what is
                around them changes: all, top, middle, bottom third, and the four corners
    bars.*      plain rows or columns from each side that never change: their part of that side;
                dark, whether they are dark, 0..1
    frame.across.*, frame.down.*  the best pair of straight lines at the same distance from top and
                bottom (left and right): strength 0..1, by which they are fuller than those around;
                inside, the part of the picture between them; soft, log10 of the detail inside over
                outside: a blurred border is above 0 (a pair below 0.3: inside 1, soft 0)
    stroke.*    pixels between a steep rise and a steep fall (over 30 levels) not over 6 pixels away
                on either side, as in letters: their part in all and in sixths from the top; peak,
                log10 of the fullest of 18 bands over the median one, and where it is, -0.5..0.5;
                widths, mean in parts of the shorter side times 100 and deviation over mean
                (letters are alike, Epshtein et al. 2010); contrast of their borders, 0..1
    text.*      the part of 18 x 8 cells that look like a line of text (a quarter strokes, and so a
                neighbour in the row): all, top, middle, bottom third
    text.change how much the strokes of the cells differ from frame to frame, 0..1
    text.held   the part of strokes that do not change, 0..1

With a camera that stands still, what stands before it is held as well: then `over` asks for change
around it, and `held.excess` is near 0. Bars of text, fences and leaves have strokes; the number of
bands that have them, and whether they stay, tell captions from those. Frames that are shown
twice count once; for a single one ABSENT(too-short). Cost: 14 ms for a video of any length.
"""

from __future__ import annotations

import numpy as np

from core.status import Gap, absent
from extract.classic.descriptor import Descriptor, of_frames
from extract.classic.pictures import cell_means, grey_levels
from extract.classic.strokes import NAMES as STROKE_NAMES
from extract.classic.strokes import describe_strokes
from extract.classic.watched import distinct
from media.request import FrameRequest, Frames

REQUEST = FrameRequest("uniform", frames=8, side=180)
CHANGED = 10  # grey levels: beyond the noise of compressed video
EDGE = 16  # grey levels a pixel
MOSTLY, AROUND = 0.7, 0.25  # of the pairs of frames; of the pixels around
CELLS = 18
FLAT, DARK = 3.0, 40.0  # grey levels
LINE = 12.0  # grey levels a pixel, which make a full line
NEAREST, FARTHEST = 0.03, 0.45  # of a side: where the lines of a frame may be
AROUND_LINE = 6  # lines on either side
FRAME = 0.3  # pictures without borders stayed below 0.2, nine in ten with made ones were above

NAMES = (
    *("moving", "held.edges", "held.excess"),
    *(f"over.{where}" for where in ("all", "top", "middle", "bottom", "corners")),
    *(f"bars.{where}" for where in ("top", "bottom", "left", "right", "dark")),
    *(f"frame.{way}.{name}" for way in ("across", "down") for name in ("line", "inside", "soft")),
    *STROKE_NAMES,
)


def extractor(decoder: str = "pyav", seconds: float | None = None) -> Descriptor:
    """Return the extractor of `overlay` float32 [37]."""
    recipe = {"code": "classic.overlay", "version": 1, "decoder": decoder}
    return of_frames(_described, REQUEST, {"overlay": (len(NAMES),)}, recipe, seconds=seconds)


def _described(frames: Frames) -> dict[str, np.ndarray] | Gap:
    pixels, _ = distinct(frames)
    if len(pixels) < 2:
        return absent("too-short", "one frame; overlay needs two")
    return {"overlay": describe_overlay(pixels)}


def describe_overlay(pixels: np.ndarray) -> np.ndarray:
    """Return float32 [37], the numbers `NAMES`, of uint8 [T, height, width, 3] with T > 1."""
    grey = _at_least(grey_levels(pixels), CELLS).astype(np.int16)
    across, down = (_steps(grey, axis) for axis in (2, 1))
    detail = np.maximum(across, down)
    same = np.abs(np.diff(grey, axis=0)) <= CHANGED
    parts = (
        _held_numbers(detail > EDGE, same),
        _bar_numbers(grey),
        _frame_numbers(down, detail),
        _frame_numbers(across.swapaxes(1, 2), detail.swapaxes(1, 2)),
        describe_strokes(grey, same),
    )
    return np.concatenate(parts).astype(np.float32)


def _at_least(grey: np.ndarray, side: int) -> np.ndarray:
    """Enlarge a tiny picture by a whole factor, so that every part of it has pixels."""
    factor = -(-side // min(grey.shape[1:]))
    return grey.repeat(factor, axis=1).repeat(factor, axis=2) if factor > 1 else grey


def _steps(grey: np.ndarray, axis: int) -> np.ndarray:
    """Return absolute steps to the next pixel, int16 like `grey`; 0 at the far border."""
    steps = np.zeros_like(grey)
    inner = [slice(None)] * 3
    inner[axis] = slice(0, -1)
    steps[tuple(inner)] = np.abs(np.diff(grey, axis=axis))
    return steps


def _held_numbers(edges: np.ndarray, same: np.ndarray) -> np.ndarray:
    """Return moving, `held.*` and `over.*` of bool [T, height, width] and [T - 1, ...]."""
    moving = 1 - float(same.mean())
    held = edges[:-1] & edges[1:] & same
    stays = float(held.sum()) / max(float(edges[:-1].sum()), 1.0)
    excess = stays - (1 - moving) if edges.any() else 0.0
    alive = _around(cell_means(1 - same.mean(axis=0, dtype=np.float32)[None], CELLS)[0]) > AROUND
    over = (held.mean(axis=0) >= MOSTLY) & _enlarged(alive, *same.shape[1:])
    thirds = [float(part.mean()) for part in np.array_split(over, 3)]
    return np.array([moving, stays, excess, over.mean(), *thirds, _corners(over)])


def _around(cells: np.ndarray) -> np.ndarray:
    """Return the mean of each cell [rows, columns] and its eight neighbours."""
    padded = np.pad(cells, 1, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
    return np.asarray(windows.mean(axis=(2, 3)))


def _enlarged(cells: np.ndarray, height: int, width: int) -> np.ndarray:
    rows, columns = (np.arange(side) * CELLS // side for side in (height, width))
    return np.asarray(cells[rows[:, None], columns])


def _corners(plane: np.ndarray) -> float:
    """Return the mean over the four corners, a quarter of each side long."""
    rows, columns = (-(-side // 4) for side in plane.shape)
    outer = plane[np.r_[:rows, -rows:0]]
    return float(outer[:, np.r_[:columns, -columns:0]].mean())


def _bar_numbers(grey: np.ndarray) -> np.ndarray:
    """Return `bars.*`; a picture that is plain all over has none."""
    lengths: list[float] = []
    levels: list[float] = []
    for planes in (grey, grey.swapaxes(1, 2)):
        mean = planes.mean(axis=2)
        plain = (planes.std(axis=2).max(axis=0) <= FLAT) & (np.ptp(mean, axis=0) <= FLAT)
        if plain.all():
            return np.zeros(5)
        for lines, level in ((plain, mean.mean(axis=0)), (plain[::-1], mean.mean(axis=0)[::-1])):
            count = int(lines.argmin())  # the first that is not plain
            lengths.append(count / len(lines))
            levels += level[:count].tolist()
    dark = float(np.mean(np.array(levels) < DARK)) if levels else 0.0
    return np.array([*lengths, dark])


def _frame_numbers(slope: np.ndarray, detail: np.ndarray) -> np.ndarray:
    """Return line, inside and soft of steps [T, lines, length] from each line to the next.

    `detail`, of the same shape, is how sharp the picture is.
    """
    count = slope.shape[1] - 1
    first, last = max(1, round(NEAREST * count)), int(FARTHEST * count)
    if last <= first:
        return np.array([0.0, 1.0, 0.0])
    near = _lines(slope)[:count]
    near = np.maximum(near, np.maximum(np.roll(near, 1), np.roll(near, -1)))  # a pixel off is on
    pairs = np.minimum(near, near[::-1])[first:last]
    at = int(pairs.argmax()) + first
    line = float(pairs.max())
    if line < FRAME:
        return np.array([line, 1.0, 0.0])
    sharp = detail.mean(axis=(0, 2))
    inside = sharp[at + 3 : count - at - 2]  # the lines themselves are neither
    outside = np.concatenate([sharp[: at - 1], sharp[count - at + 2 :]])
    soft = np.log10((_mean(inside) + 1) / (_mean(outside) + 1))
    return np.array([line, 1 - 2 * (at + 1) / (count + 1), soft])


def _lines(slope: np.ndarray) -> np.ndarray:
    """Return how far each line is a full edge, 0..1, beyond what is usual around it."""
    full = np.minimum(slope.mean(axis=0) / LINE, 1).mean(axis=1)
    padded = np.pad(full, AROUND_LINE, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * AROUND_LINE + 1)
    return np.asarray(np.maximum(full - np.median(around, axis=1), 0))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0
