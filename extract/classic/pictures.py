"""Arithmetic on pictures that the descriptors of video share: grey levels, means of cells."""

from __future__ import annotations

import numpy as np


def grey_levels(pixels: np.ndarray) -> np.ndarray:
    """Return the Rec. 601 luma uint8 [T, height, width] of uint8 [T, height, width, 3]."""
    weighted = pixels[..., 0].astype(np.uint16) * 77
    weighted += pixels[..., 1].astype(np.uint16) * 150
    weighted += pixels[..., 2].astype(np.uint16) * 29
    return ((weighted + 128) >> 8).astype(np.uint8)


def cell_means(planes: np.ndarray, rows: int, columns: int | None = None) -> np.ndarray:
    """Return the means float32 [T, rows, columns] of planes [T, height, width].

    Cells have equal size: a pixel on a border counts in part for both. There are as many columns
    as rows unless said otherwise.
    """
    down, across = _shares(planes.shape[1], rows), _shares(planes.shape[2], columns or rows)
    return np.asarray(down @ (planes.astype(np.float32, copy=False) @ across.T), np.float32)


def _shares(side: int, cells: int) -> np.ndarray:
    """Return float32 [cells, side]: how much a pixel counts in each part of a side."""
    edges = np.arange(cells + 1) * (side / cells)
    pixels = np.arange(side)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    shares = np.maximum(overlap, 0)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)
