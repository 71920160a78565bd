"""Motion and cuts: how much moves, where, which way, and in what rhythm.

`motion/steps` describes each step from one frame to the next by 74 numbers (`steps.py`); `motion`
is what becomes of them over the steps that are not cuts [276]: of all but the cells mean, 10th and
90th percentile and the mean change from step to step; of the cells mean and change; the rhythm of
three series (`series.py`); and the shots: cuts per second, and mean, longest and first length
(log2(1 + seconds)). A video of one frame has no motion: ABSENT(too-short), not 0.

Frames come 15 a second from the first minute, 96 pixels on the shorter side: steps of 67 ms
whatever the rate of the source. A slower source gives longer steps: a frame that is
shown twice is no step. Ten a second were tried: as good on fights, less on faces that speak.

Nothing depends on the size of the source beyond what reduction removes, but noise and repeated
frames of a source are motion too. Cost: 12 ms per second of video at 4:3.
"""

from __future__ import annotations

import numpy as np

from core.status import Gap
from extract.classic import series
from extract.classic.descriptor import Descriptor, Dims, of_frames
from extract.classic.steps import CELL_NAMES, NAMES, TRACK_NAMES
from extract.classic.watched import REQUEST, watch
from media.request import Frames

_RHYTHMS = ("change.mean", "object.mean", "camera.speed")
_SHOTS = ("cuts_per_s", "shot.mean", "shot.longest", "shot.first")
POOLED_NAMES = (
    *(f"{name}:{pooled}" for pooled in ("mean", "p10", "p90", "step") for name in TRACK_NAMES),
    *(f"{name}:{pooled}" for pooled in ("mean", "step") for name in CELL_NAMES),
    *(f"{name}:{quantity}" for name in _RHYTHMS for quantity in series.NAMES),
    *_SHOTS,
)


def extractor(decoder: str = "pyav", seconds: float | None = None) -> Descriptor:
    """Return the extractor of `motion/steps` float32 [T, 74] and `motion` float32 [276]."""
    recipe = {"code": "classic.motion", "version": 1, "decoder": decoder}
    dims: Dims = {"motion/steps": ("step", len(NAMES)), "motion": (len(POOLED_NAMES),)}
    return of_frames(_described, REQUEST, dims, recipe, seconds=seconds)


def _described(frames: Frames) -> dict[str, np.ndarray] | Gap:
    watched = watch(frames, "motion")
    if isinstance(watched, Gap):
        return watched
    pooled = pool_motion(watched.steps, watched.times_s)
    return {"motion/steps": watched.steps, "motion": pooled}


def pool_motion(steps: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Return float32 [276] of steps float32 [T - 1, 74] and the times [T] of frames."""
    cuts = steps[:, -1] > 0
    middles = (times_s[1:] + times_s[:-1]) / 2
    within = ~cuts if not cuts.all() else np.ones_like(cuts)
    kept = steps[within].astype(np.float64)
    tracks, cells = kept[:, : len(TRACK_NAMES)], kept[:, len(TRACK_NAMES) : -1]
    low, high = np.quantile(tracks, [0.1, 0.9], axis=0)
    rhythms = [
        series.describe_rhythm(kept[:, NAMES.index(name)], middles[within]) for name in _RHYTHMS
    ]
    pooled = (
        *(tracks.mean(axis=0), low, high, _step_to_step(tracks)),
        *(cells.mean(axis=0), _step_to_step(cells)),
        *rhythms,
        _shot_numbers(cuts, times_s),
    )
    return np.concatenate(pooled).astype(np.float32)


def _step_to_step(values: np.ndarray) -> np.ndarray:
    """Return [D], the mean absolute difference of neighbouring rows; 0 for one row."""
    if len(values) < 2:
        return np.zeros(values.shape[1])
    return np.asarray(np.abs(np.diff(values, axis=0)).mean(axis=0))


def _shot_numbers(cuts: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """Return the numbers `_SHOTS`: cuts per second, and lengths of shots in log2(1 + seconds)."""
    edges = np.concatenate([times_s[:1], times_s[1:][cuts], times_s[-1:]])
    lengths = np.log2(1 + np.diff(edges))
    total = float(times_s[-1] - times_s[0])
    return np.array([cuts.sum() / total, lengths.mean(), lengths.max(), lengths[0]])
