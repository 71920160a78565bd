"""How a video moves from each frame to the next: amount, camera, objects, direction, cuts.

Speeds are in shorter sides of the picture per second, by the true times of the frames. Large ranges
are compressed, marked (log): log10(1 + x / 0.02) of a speed, log10(1 + x) of grey levels. Signed
numbers are not.

    change.*    absolute difference of luma, mean brightness removed: mean and percentiles (log);
                active, the part of pixels over 12 levels; flicker, the change of mean brightness
                (log); unexplained, what is left when blocks have moved (log), and its part of the
                mean; frozen, whether the frame repeats the one before
    camera.*    shift, zoom and turn per second (`flow.py`); speed of the shift (log)
    object.*    speed of blocks beyond the camera's motion, weighted by texture: mean and
                percentiles (log); the parts of blocks over 0.05, 0.15, 0.4 and 1 sides/s, and the
                mean speed of those over 0.05 (log); where it is (x, y in -0.5..0.5,
                spread, evenness 0..1), and whether it agrees (flow x, y; coherence 0..1)
    border.*    differences between neighbouring blocks (log): divergence, rotation, all of them;
                and all over the mean speed
    jerk.*      change of velocity per second, of blocks (log): mean, 95th percentile, of the speed
                alone; the mean over the speed; turning, 0 straight on .. 2 back and forth
    way.*       speed by direction, 45 degrees each, from right over down (log)
    novelty     `shots.py`
    speed.at.*  object speed on 3 x 3 cells, rows from the top (log)
    change.at.* change on 4 x 4 cells (log)
    cut         whether the step is a cut, 0 or 1
"""

from __future__ import annotations

import numpy as np

from extract.classic.flow import Flow, block_flow
from extract.classic.pictures import cell_means, grey_levels
from extract.classic.shots import find_cuts

_SPEEDS = (0.05, 0.15, 0.4, 1.0)  # sides per second
_SPEED_CELLS, _CHANGE_CELLS = 3, 4
_ACTIVE = 12  # grey levels: beyond the noise of compressed video
_FROZEN = 0.02  # mean grey levels: a repeated frame coded once more
_WAYS = 8
_TOGETHER = 16  # steps

_CHANGE = (
    "mean",
    "p50",
    "p90",
    "p98",
    "active",
    "flicker",
    "unexplained",
    "unexplained.part",
    "frozen",
)
_CAMERA = ("x", "y", "zoom", "turn", "speed")
_OBJECT = (
    *("mean", "p50", "p90", "p98", *(f"over.{speed}" for speed in _SPEEDS), "moving"),
    *("at.x", "at.y", "spread", "evenness", "flow.x", "flow.y", "coherence"),
)
_BORDER = ("divergence", "rotation", "all", "relative")
_JERK = ("mean", "p95", "speed", "relative", "turning")
TRACK_NAMES = (
    *(f"change.{name}" for name in _CHANGE),
    *(f"camera.{name}" for name in _CAMERA),
    *(f"object.{name}" for name in _OBJECT),
    *(f"border.{name}" for name in _BORDER),
    *(f"jerk.{name}" for name in _JERK),
    *(f"way.{way * 360 // _WAYS}" for way in range(_WAYS)),
    "novelty",
)
CELL_NAMES = (
    *(f"speed.at.{row}.{column}" for row in range(_SPEED_CELLS) for column in range(_SPEED_CELLS)),
    *(
        f"change.at.{row}.{column}"
        for row in range(_CHANGE_CELLS)
        for column in range(_CHANGE_CELLS)
    ),
)
NAMES = (*TRACK_NAMES, *CELL_NAMES, "cut")


def describe_motion(pixels: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Return float32 [T - 1, len(NAMES)] of uint8 [T, height, width, 3] at rising times, T >= 2."""
    # A few steps at a time: their planes stay in the processor's cache, and a long video in memory.
    starts = range(0, len(pixels) - 1, _TOGETHER)
    parts = [_measure(pixels[start : start + _TOGETHER + 1]) for start in starts]
    changes, cells, flows = zip(*parts, strict=True)
    camera, objects, unlike = (
        np.concatenate([getattr(flow, name) for flow in flows])
        for name in ("camera", "objects", "unlike")
    )
    step_s = np.diff(times_s).astype(np.float32)
    velocity = objects / step_s[:, None, None, None]
    speed = np.hypot(velocity[..., 0], velocity[..., 1])
    cuts, new = find_cuts(pixels, times_s, unlike)
    columns = (
        np.concatenate(changes),
        _camera_columns(camera / step_s[:, None]),
        _object_columns(velocity, speed),
        _border_columns(velocity, speed),
        _jerk_columns(velocity, speed, step_s),
        _way_columns(velocity, speed),
        new[:, None],
        _log_speed(cell_means(speed, _SPEED_CELLS)).reshape(len(speed), -1),
        np.concatenate(cells),
        cuts[:, None],
    )
    return np.concatenate(columns, axis=1).astype(np.float32)


def _measure(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, Flow]:
    """Return what is measured on pixels: change [S, 9], change of cells [S, 16], flow."""
    grey = grey_levels(pixels).astype(np.float32)
    flow = block_flow(grey)
    brightness = grey.mean(axis=(1, 2), keepdims=True)
    change = np.abs(np.diff(grey - brightness, axis=0))
    flicker = np.abs(np.diff(brightness[:, 0, 0]))
    cells = np.log10(1 + cell_means(change, _CHANGE_CELLS)).reshape(len(change), -1)
    return _change_columns(change, flicker, flow), cells, flow


def _log_speed(speed: np.ndarray) -> np.ndarray:
    """Compress sides per second: 0.02, the noise of the flow, is 0.3; 1 is 1.7."""
    return np.asarray(np.log10(1 + speed * 50))


def _change_columns(change: np.ndarray, flicker: np.ndarray, flow: Flow) -> np.ndarray:
    mean = change.mean(axis=(1, 2))
    sample = change[:, ::3, ::3].reshape(len(change), -1)
    p50, p90, p98 = np.log10(1 + np.quantile(sample, [0.5, 0.9, 0.98], axis=1))
    active = (change > _ACTIVE).mean(axis=(1, 2))
    left, part = np.log10(1 + flow.unexplained), flow.unexplained / (mean + 1)
    columns = (
        np.log10(1 + mean),
        p50,
        p90,
        p98,
        active,
        np.log10(1 + flicker),
        left,
        part,
        mean < _FROZEN,
    )
    return np.stack(columns, axis=1)


def _camera_columns(camera: np.ndarray) -> np.ndarray:
    speed = _log_speed(np.hypot(camera[:, 0], camera[:, 1]))
    return np.concatenate([np.clip(camera, -5, 5), speed[:, None]], axis=1)


def _object_columns(velocity: np.ndarray, speed: np.ndarray) -> np.ndarray:
    steps, rows, columns = speed.shape
    flat = speed.reshape(steps, -1)
    mean = flat.mean(axis=1)
    percentiles = np.quantile(flat, [0.5, 0.9, 0.98], axis=1)
    over = [(flat > limit).mean(axis=1) for limit in _SPEEDS]
    moving = (flat * (flat > _SPEEDS[0])).sum(axis=1) / np.maximum(
        (flat > _SPEEDS[0]).sum(axis=1), 1
    )
    share = (flat + 1e-4) / (flat + 1e-4).sum(axis=1, keepdims=True)  # even where nothing moves
    y, x = (axis.ravel() for axis in np.mgrid[-0.5 : 0.5 : rows * 1j, -0.5 : 0.5 : columns * 1j])
    at_x, at_y = share @ x, share @ y
    spread = np.sqrt(np.maximum(share @ (x * x + y * y) - at_x**2 - at_y**2, 0))
    evenness = -(share * np.log(share)).sum(axis=1) / np.log(rows * columns)
    flow = velocity.mean(axis=(1, 2))
    coherence = np.hypot(flow[:, 0], flow[:, 1]) / (mean + 0.01)
    speeds = (_log_speed(mean), *_log_speed(percentiles), *over, _log_speed(moving))
    return np.stack(
        [*speeds, at_x, at_y, spread, evenness, flow[:, 0], flow[:, 1], coherence], axis=1
    )


def _border_columns(velocity: np.ndarray, speed: np.ndarray) -> np.ndarray:
    across = np.diff(velocity, axis=2)[:, :-1]
    down = np.diff(velocity, axis=1)[:, :, :-1]
    frame = (1, 2)
    divergence = np.abs(across[..., 0] + down[..., 1]).mean(frame)
    rotation = np.abs(across[..., 1] - down[..., 0]).mean(frame)
    size = np.sqrt((across**2 + down**2).sum(axis=-1)).mean(frame)
    relative = size / (speed.mean(frame) + 0.01)
    return np.stack([*_log_speed(np.stack([divergence, rotation, size])), relative], axis=1)


def _jerk_columns(velocity: np.ndarray, speed: np.ndarray, step_s: np.ndarray) -> np.ndarray:
    """Return [S, 5]; the first step, which nothing precedes, repeats the second."""
    steps = len(speed)
    if steps == 1:
        return np.zeros((1, len(_JERK)))
    between_s = ((step_s[1:] + step_s[:-1]) / 2)[:, None]
    before, after = velocity[:-1].reshape(steps - 1, -1, 2), velocity[1:].reshape(steps - 1, -1, 2)
    flat = speed.reshape(steps, -1)
    size = np.hypot(*np.moveaxis(after - before, -1, 0)) / between_s
    speeding = np.abs(np.diff(flat, axis=0)) / between_s
    both = np.sqrt(flat[1:] * flat[:-1])
    pace = (flat[1:] + flat[:-1]).mean(axis=1) / 2
    turning = (both * both - (before * after).sum(axis=-1)).sum(axis=1) / (
        (both * both).sum(axis=1) + 1e-3
    )
    # 0.1: these are per second and so some ten times the speeds
    logs = _log_speed(
        0.1 * np.stack([size.mean(axis=1), np.quantile(size, 0.95, axis=1), speeding.mean(axis=1)])
    )
    columns = np.stack([*logs, 0.1 * size.mean(axis=1) / (pace + 0.01), turning], axis=1)
    return np.concatenate([columns[:1], columns])


def _way_columns(velocity: np.ndarray, speed: np.ndarray) -> np.ndarray:
    turn = np.arctan2(velocity[..., 1], velocity[..., 0]) * np.float32(_WAYS / (2 * np.pi))
    way = np.rint(turn).astype(np.int64) % _WAYS
    step = np.arange(len(speed))[:, None, None] * _WAYS
    sums = np.bincount((way + step).ravel(), weights=speed.ravel(), minlength=len(speed) * _WAYS)
    return _log_speed(sums.reshape(len(speed), _WAYS) / speed[0].size)
