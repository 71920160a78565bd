"""Strokes: what is thin and of high contrast, as letters are; `overlay.py` says what each is."""

from __future__ import annotations

import numpy as np

from extract.classic.pictures import cell_means

STEEP = 30  # grey levels from pixel to pixel
WIDEST = 6  # pixels, of 180 on the shorter side: letters of a title
BANDS, COLUMNS, SIXTHS = 18, 8, 6
FULL = 0.25  # of a cell
_FLOOR = 0.002  # of a band: a few stray pixels are no peak

NAMES = (
    *("stroke.all", *(f"stroke.{sixth}" for sixth in range(SIXTHS))),
    *("stroke.peak", "stroke.peak.at", "stroke.width", "stroke.uneven", "stroke.contrast"),
    *("text.all", "text.top", "text.middle", "text.bottom", "text.change", "text.held"),
)


def describe_strokes(grey: np.ndarray, same: np.ndarray) -> np.ndarray:
    """Return float64 [18], the numbers `NAMES` of int16 [T, height, width], T > 1.

    `same` bool [T - 1, height, width] says which pixels do not change to the next frame.
    """
    step = np.diff(grey, axis=2)
    rise, fall = step > STEEP, step < -STEEP
    strokes = _between(rise, fall) | _between(fall, rise)
    cells = cell_means(strokes, BANDS, COLUMNS).astype(np.float64)
    bands = cells.mean(axis=(0, 2))
    best = int(bands.argmax())
    peak = np.log10((bands[best] + _FLOOR) / (np.median(bands) + _FLOOR))
    at = (best + 0.5) / BANDS - 0.5 if bands[best] > 0 else 0.0
    parts = (
        [float(strokes.mean()), *bands.reshape(SIXTHS, -1).mean(axis=1)],
        [peak, at, *_widths(rise, fall, min(grey.shape[1:])), _contrast(step, rise | fall)],
        _text_numbers(cells),
        [_change(cells), float((strokes[:-1] & same).sum()) / max(int(strokes[:-1].sum()), 1)],
    )
    return np.concatenate(parts)


def _between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the pixels bool [.., n + 1] that lie between steps [.., n] of two kinds, both near."""
    before, after = (np.zeros((*first.shape[:2], first.shape[2] + 1), bool) for _ in range(2))
    before[..., 1:] = _since(first)
    after[..., :-1] = _since(second[..., ::-1])[..., ::-1]
    return np.asarray(before & after)


def _since(steps: np.ndarray) -> np.ndarray:
    """Return where one of the last `WIDEST` steps, this one included, is set."""
    near = steps.copy()
    for back in range(1, WIDEST):
        near[..., back:] |= steps[..., :-back]
    return near


def _widths(rise: np.ndarray, fall: np.ndarray, side: int) -> tuple[float, float]:
    """Return the mean width of bright and dark strokes, and its deviation over it; else 0."""
    counts = np.zeros(WIDEST)
    for first, second in ((rise, fall), (fall, rise)):
        waiting = first.copy()
        for width in range(1, WIDEST + 1):
            met = waiting[..., :-width] & second[..., width:]
            counts[width - 1] += met.sum()
            waiting[..., :-width] &= ~met
    total = counts.sum()
    if not total:
        return 0.0, 0.0
    widths = np.arange(1, WIDEST + 1)
    mean = float(counts @ widths) / total
    deviation = np.sqrt(max(float(counts @ widths**2) / total - mean**2, 0.0))
    return 100 * mean / side, deviation / mean


def _contrast(step: np.ndarray, steep: np.ndarray) -> float:
    return float(np.abs(step[steep]).mean()) / 255 if steep.any() else 0.0


def _text_numbers(cells: np.ndarray) -> list[float]:
    full = cells >= FULL
    beside = np.zeros_like(full)
    beside[..., 1:] |= full[..., :-1]
    beside[..., :-1] |= full[..., 1:]
    text = full & beside
    thirds = [float(part.mean()) for part in np.split(text, 3, axis=1)]
    return [float(text.mean()), *thirds]


def _change(cells: np.ndarray) -> float:
    both = float((cells[1:] + cells[:-1]).sum())
    return float(np.abs(np.diff(cells, axis=0)).sum()) / both if both else 0.0
