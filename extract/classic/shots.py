"""Shot cuts: where one picture is followed by quite another.

Two signs must agree at a step: the colours change (half the L1 distance of RGB histograms, 6 levels
each), and the structure is gone even when blocks may move (`Flow.unlike`). Their geometric mean is
the step's novelty, 0..1. Fast motion keeps the colours; fades, dissolves and lamps keep the
structure from step to step. A cut is a novelty above 0.3 that stands out from the half second
around it; a flash, after which the old colours are back within 0.3 s, is none. Between two flat
pictures there is no structure to lose: cards of plain colour are not told apart.
"""

from __future__ import annotations

import numpy as np

LEVELS = 6
THRESHOLD = 0.3
STANDS_OUT = 2.5  # times the median of its neighbours
AROUND_S = 0.5
FLASH_S = 0.3
FLASH_BACK = 0.5  # of the distance that the flash made


def colour_shares(pixels: np.ndarray) -> np.ndarray:
    """Return float32 [T, 216], the part of the pixels (every second one) in each box of colour."""
    level = pixels[:, ::2, ::2].astype(np.int32) * LEVELS >> 8
    box = (level[..., 0] * LEVELS + level[..., 1]) * LEVELS + level[..., 2]
    count, boxes = len(box), LEVELS**3
    offset = box.reshape(count, -1) + (np.arange(count) * boxes)[:, None]
    counted = np.bincount(offset.ravel(), minlength=count * boxes).reshape(count, boxes)
    return np.asarray(counted / offset.shape[1], np.float32)


def _novelty(shares: np.ndarray, unlike: np.ndarray) -> np.ndarray:
    distance = np.abs(np.diff(shares, axis=0)).sum(axis=1) / 2
    both: np.ndarray = np.sqrt(distance * unlike)
    return both.astype(np.float32)


def find_cuts(
    pixels: np.ndarray, times_s: np.ndarray, unlike: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return which steps are cuts, bool [T - 1], and their novelty, float32 [T - 1].

    `times_s` float64 [T] rises strictly; step i leads from frame i to frame i + 1.
    """
    shares = colour_shares(pixels)
    new = _novelty(shares, unlike)
    cuts = np.zeros(len(new), bool)
    middles = (times_s[1:] + times_s[:-1]) / 2
    for step in np.flatnonzero(new > THRESHOLD):
        near = np.abs(middles - middles[step]) <= AROUND_S
        near[step] = False
        calm = not near.any() or new[step] > STANDS_OUT * np.median(new[near])
        highest = new[step] == new[max(0, step - 1) : step + 2].max()
        cuts[step] = calm and highest and not _is_flash(shares, times_s, int(step))
    return cuts, new


def _is_flash(shares: np.ndarray, times_s: np.ndarray, step: int) -> bool:
    """Say whether a step leads into or out of colours that do not last."""
    made = np.abs(shares[step + 1] - shares[step]).sum()
    later = (times_s > times_s[step + 1]) & (times_s <= times_s[step + 1] + FLASH_S)
    earlier = (times_s < times_s[step]) & (times_s >= times_s[step] - FLASH_S)
    back = np.abs(shares[later] - shares[step]).sum(axis=1)
    before = np.abs(shares[earlier] - shares[step + 1]).sum(axis=1)
    return bool(np.any(back < FLASH_BACK * made) or np.any(before < FLASH_BACK * made))
