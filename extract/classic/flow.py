"""Motion between frames: a coarse-to-fine flow of 8-pixel blocks, and the camera's part in it.

For each step from one frame to the next:

1. Phase correlation (Kuglin and Hines 1975) at a quarter of the size proposes one shift for the
   whole picture; it is kept only where it explains the step clearly better than no shift does, so
   that a whip pan is followed although it is wider than the search of blocks.
2. Around it, blocks are matched exhaustively at a quarter of the size (sum of absolute
   differences, +-3 pixels there, +-12 at full size), with a small price on distance so that flat
   blocks stay put.
3. Two rounds of Lucas and Kanade (1981) over 3 x 3 blocks refine this to parts of a pixel. The
   structure tensor is damped by the noise that a compressed picture has, so that a block without
   texture moves 0, not anywhere.
4. The camera is the similarity (shift, zoom, turn) that most textured blocks agree on: weighted
   least squares with Cauchy weights. What blocks do beyond it is the motion of objects.

Steps do not depend on each other; several are computed at once to share numpy's cost per call.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

BLOCK = 8  # pixels
REACH = 3  # pixels at a quarter of the size
ROUNDS = 2  # one leaves 20 % of a move of two pixels in fine texture undone
NOISE = 4.0  # grey levels; damping of the structure tensor per pixel is its square
SMALLEST = 32  # pixels; a smaller picture is enlarged so that there are blocks to match


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """Motion of S steps on a grid of blocks; lengths are in parts of the picture's shorter side.

    velocity     float32 [S, rows, columns, 2], x to the right and y down, per step
    camera       float32 [S, 4]: shift x, shift y, zoom, turn (radians, clockwise), per step
    objects      float32 [S, rows, columns, 2], velocity less the camera's, times texture
    texture      float32 [S, rows, columns], in 0..1: how far a block's velocity can be believed
    unexplained  float32 [S], mean absolute grey difference that is left after blocks are matched
    unlike       float32 [S], in 0..1: what is left of the picture's structure is 1 less this
    """

    velocity: np.ndarray
    camera: np.ndarray
    objects: np.ndarray
    texture: np.ndarray
    unexplained: np.ndarray
    unlike: np.ndarray


def block_flow(grey: np.ndarray) -> Flow:
    """Measure the motion between consecutive frames of float32 [T, height, width], T >= 2.

    Differences in mean brightness are removed first: a lamp or the exposure is not motion.
    """
    grey = _whole_blocks(grey)
    grey = grey - grey.mean(axis=(1, 2), keepdims=True)
    quarter = _halve(_halve(grey))
    before, after = quarter[:-1], quarter[1:]
    base = _picture_shift(before, after)
    coarse = (base[:, None, None, :] + _match_blocks(before, after, base)) * 4
    slopes = _Slopes.of(grey[:-1])
    moves = coarse
    for _ in range(ROUNDS):
        whole = np.rint(moves).astype(np.int64)
        fetched = _fetch(grey[1:], whole)
        moves = _refine(slopes, fetched - grey[:-1], whole)
    texture = slopes.texture() * _stays_inside(whole)
    velocity = moves / np.float32(min(grey.shape[1:]))
    camera = _fit_camera(velocity, texture)
    objects = (velocity - _camera_velocity(camera, *velocity.shape[1:3])) * texture[..., None]
    unexplained = np.abs(fetched - grey[:-1]).mean(axis=(1, 2))
    unlike = _unlikeness(grey[:-1], fetched)
    return Flow(velocity, camera, objects, texture, unexplained, unlike)


def _whole_blocks(grey: np.ndarray) -> np.ndarray:
    """Enlarge a tiny picture by a whole factor, then cut the margin that fills no block."""
    factor = -(-SMALLEST // min(grey.shape[1:]))
    if factor > 1:
        grey = grey.repeat(factor, axis=1).repeat(factor, axis=2)
    height, width = (side // BLOCK * BLOCK for side in grey.shape[1:])
    top, left = (grey.shape[1] - height) // 2, (grey.shape[2] - width) // 2
    return grey[:, top : top + height, left : left + width]


def _halve(grey: np.ndarray) -> np.ndarray:
    rows = grey[:, ::2] + grey[:, 1::2]
    half: np.ndarray = (rows[:, :, ::2] + rows[:, :, 1::2]) * np.float32(0.25)
    return half


def _picture_shift(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return the whole shift int64 [S, 2] (x, y) of each step, (0, 0) where none convinces."""
    steps, height, width = before.shape
    window = np.hanning(height)[:, None] * np.hanning(width)
    spectra = scipy.fft.rfft2(np.concatenate([before, after]) * window.astype(np.float32))
    cross = spectra[steps:] * spectra[:steps].conj()
    surface = scipy.fft.irfft2(cross / (np.abs(cross) + 1e-3), s=(height, width))
    peak = surface.reshape(steps, -1).argmax(axis=1)
    shift = np.stack([peak % width, peak // width], axis=1)
    size = np.array([width, height])
    shift = np.where(shift > size // 2, shift - size, shift)
    far = np.abs(shift).max(axis=1) > REACH - 1  # nearer ones are within the reach of blocks
    kept = np.zeros_like(shift)
    for step in np.flatnonzero(far & (np.abs(shift) <= size // 2).all(axis=1)):
        x, y = shift[step]
        moved = _overlap_difference(before[step], after[step], x, y)
        if moved < 0.6 * _overlap_difference(before[step], after[step], 0, 0):
            kept[step] = x, y
    return kept


def _overlap_difference(before: np.ndarray, after: np.ndarray, x: int, y: int) -> float:
    height, width = before.shape
    here = before[max(0, -y) : height - max(0, y), max(0, -x) : width - max(0, x)]
    there = after[max(0, y) : height + min(0, y), max(0, x) : width + min(0, x)]
    return float(np.abs(here - there).mean())


def _match_blocks(before: np.ndarray, after: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Return float32 [S, rows, columns, 2]: where blocks of 2 x 2 pixels went, beyond `base`."""
    steps, height, width = before.shape
    pad = REACH
    padded = np.pad(after, ((0, 0), (pad, pad), (pad, pad)), mode="edge")
    if base.any():
        rows = np.clip(np.arange(-pad, height + pad) + base[:, 1:], 0, height - 1)
        columns = np.clip(np.arange(-pad, width + pad) + base[:, :1], 0, width - 1)
        padded = after[np.arange(steps)[:, None, None], rows[:, :, None], columns[:, None, :]]
    span = 2 * REACH + 1
    cost = np.empty((span, span, steps, height // 2, width // 2), np.float32)
    for y in range(span):
        for x in range(span):
            difference = np.abs(padded[:, y : y + height, x : x + width] - before)
            cost[y, x] = _three_by_three(_halve(difference))
            cost[y, x] += np.float32(0.15 * np.hypot(x - REACH, y - REACH))
    best = cost.reshape(span * span, -1).argmin(axis=0)
    y, x = best // span, best % span
    flat = cost.reshape(span, span, -1)
    at = np.arange(flat.shape[2])
    y_part = _vertex(
        flat[np.maximum(y - 1, 0), x, at], flat[y, x, at], flat[np.minimum(y + 1, span - 1), x, at]
    )
    x_part = _vertex(
        flat[y, np.maximum(x - 1, 0), at], flat[y, x, at], flat[y, np.minimum(x + 1, span - 1), at]
    )
    moved = np.stack([x - REACH + x_part, y - REACH + y_part], axis=1)
    moved[(x == REACH) & (y == REACH)] = 0  # parts of a pixel here are for the fine step
    return moved.reshape(steps, height // 2, width // 2, 2).astype(np.float32)


def _vertex(left: np.ndarray, middle: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return where, in -0.5..0.5, the V through three absolute differences has its tip."""
    slope = np.maximum(np.maximum(left, right) - middle, 1e-6)
    tip: np.ndarray = np.clip((left - right) / (2 * slope), -0.5, 0.5)
    return tip


def _three_by_three(blocks: np.ndarray) -> np.ndarray:
    """Return the mean of each block [.., rows, columns] and its eight neighbours."""
    padded = np.pad(blocks, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    mean: np.ndarray = (rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]) * np.float32(1 / 9)
    return mean


@dataclass(frozen=True, slots=True, eq=False)
class _Slopes:
    """Gradients [S, height, width] of the frames before, and block means of their products."""

    across: np.ndarray
    down: np.ndarray
    xx: np.ndarray
    xy: np.ndarray
    yy: np.ndarray

    @classmethod
    def of(cls, before: np.ndarray) -> _Slopes:
        across, down = np.zeros_like(before), np.zeros_like(before)
        across[:, :, 1:-1] = (before[:, :, 2:] - before[:, :, :-2]) * np.float32(0.5)
        down[:, 1:-1] = (before[:, 2:] - before[:, :-2]) * np.float32(0.5)
        products = (across * across, across * down, down * down)
        return cls(across, down, *(_block_mean(product) for product in products))

    def texture(self) -> np.ndarray:
        """Return the smaller eigenvalue of the structure tensor, over itself and the noise."""
        xx, xy, yy = (_three_by_three(part) for part in (self.xx, self.xy, self.yy))
        weaker = np.maximum((xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy * xy), 0)
        return np.asarray(weaker / (weaker + np.float32(NOISE**2)))


def _refine(slopes: _Slopes, change: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Return the moves float32 [S, rows, columns, 2] in pixels, from whole ones.

    The neighbours of a block were fetched by moves of their own: what the window averages is where
    each of them went in all, not what is left of it. Without this, an error of one pixel in the
    matching of a neighbour remains one.
    """
    x, y = (moves[..., axis].astype(np.float32) for axis in (0, 1))
    left_x = slopes.xx * x + slopes.xy * y - _block_mean(slopes.across * change)
    left_y = slopes.xy * x + slopes.yy * y - _block_mean(slopes.down * change)
    xx, xy, yy, to_x, to_y = (
        _three_by_three(part) for part in (slopes.xx, slopes.xy, slopes.yy, left_x, left_y)
    )
    rest_x, rest_y = to_x - xx * x - xy * y, to_y - xy * x - yy * y
    xx, yy = xx + np.float32(NOISE**2), yy + np.float32(NOISE**2)
    fine = np.stack([yy * rest_x - xy * rest_y, xx * rest_y - xy * rest_x], axis=-1)
    fine /= (xx * yy - xy * xy)[..., None]
    return np.asarray(moves + np.clip(fine, -2, 2), np.float32)


def _unlikeness(before: np.ndarray, fetched: np.ndarray) -> np.ndarray:
    """Return [S]: 1 less the covariance of two pictures over the larger variance, damped by noise.

    A fade scales the structure and keeps it; a picture that comes out of black is all new.
    """
    a, b = (plane - plane.mean(axis=(1, 2), keepdims=True) for plane in (before, fetched))
    damping = NOISE**2
    shared = (a * b).mean(axis=(1, 2)) + damping
    most = np.maximum((a * a).mean(axis=(1, 2)), (b * b).mean(axis=(1, 2))) + damping
    unlike: np.ndarray = np.clip(1 - shared / most, 0, 1)
    return unlike


def _stays_inside(rounded: np.ndarray) -> np.ndarray:
    """Return bool [S, rows, columns]: what a block shows is still in the picture one step later."""
    rows, columns = rounded.shape[1:3]
    x = np.arange(columns) * BLOCK + rounded[..., 0]
    y = np.arange(rows)[:, None] * BLOCK + rounded[..., 1]
    inside: np.ndarray = (x > -BLOCK) & (x < columns * BLOCK) & (y > -BLOCK) & (y < rows * BLOCK)
    return inside


def _block_mean(picture: np.ndarray) -> np.ndarray:
    steps, height, width = picture.shape
    rows = picture.reshape(steps, height // BLOCK, BLOCK, width).sum(axis=2)
    blocks = rows.reshape(steps, height // BLOCK, width // BLOCK, BLOCK).sum(axis=3)
    return np.asarray(blocks) * np.float32(1 / BLOCK**2)


def _fetch(after: np.ndarray, rounded: np.ndarray) -> np.ndarray:
    """Return [S, height, width]: for each block of the frame before, the place that it went to."""
    steps, height, width = after.shape
    padded = np.pad(after, ((0, 0), (BLOCK, BLOCK), (BLOCK, BLOCK)), mode="edge")
    places = np.lib.stride_tricks.sliding_window_view(padded, (BLOCK, BLOCK), axis=(1, 2))
    y = np.arange(0, height, BLOCK)[:, None] + rounded[..., 1] + BLOCK
    x = np.arange(0, width, BLOCK) + rounded[..., 0] + BLOCK
    step = np.arange(steps)[:, None, None]
    blocks = places[step, np.clip(y, 0, height + BLOCK), np.clip(x, 0, width + BLOCK)]
    fetched: np.ndarray = blocks.swapaxes(2, 3).reshape(steps, height, width)
    return fetched


def _fit_camera(velocity: np.ndarray, texture: np.ndarray) -> np.ndarray:
    """Return float32 [S, 4], the similarity that most textured blocks follow."""
    steps, rows, columns, _ = velocity.shape
    design = _similarity(rows, columns)
    observed = velocity.reshape(steps, -1)
    trust = (texture.reshape(steps, -1, 1) + 1e-3).repeat(2, axis=2).reshape(steps, -1)
    weight = trust
    ridge = np.diag([1e-6, 1e-6, 1e-3, 1e-3]).astype(np.float32) * rows * columns
    for _ in range(5):
        weighted = design * weight[..., None]
        normal = weighted.transpose(0, 2, 1) @ design + ridge
        camera = np.linalg.solve(normal, weighted.transpose(0, 2, 1) @ observed[..., None])[..., 0]
        error = observed - camera @ design.T
        scale = np.median(np.abs(error), axis=1, keepdims=True) * 2 + 2e-3
        weight = trust / (1 + (error / scale) ** 2)
    return camera.astype(np.float32)


def _camera_velocity(camera: np.ndarray, rows: int, columns: int) -> np.ndarray:
    moved = camera @ _similarity(rows, columns).T
    return np.asarray(moved.reshape(len(camera), rows, columns, 2))


def _similarity(rows: int, columns: int) -> np.ndarray:
    """Return float32 [rows * columns * 2, 4]: the velocity of each block per unit of the camera."""
    side = min(rows, columns)
    y, x = np.meshgrid(
        (np.arange(rows) - (rows - 1) / 2) / side,
        (np.arange(columns) - (columns - 1) / 2) / side,
        indexing="ij",
    )
    one, none = np.ones_like(x), np.zeros_like(x)
    design = np.stack([np.stack([one, none, x, -y], -1), np.stack([none, one, y, x], -1)], axis=2)
    return design.reshape(-1, 4).astype(np.float32)
