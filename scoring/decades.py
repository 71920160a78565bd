"""Errors of popularity by how popular a video was: one number for each power of ten of views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from scoring.checks import check_sequences

MOST = 1e15  # views; more are no views


@dataclass(frozen=True)
class Decade:
    """The known days on which `low` or more views had been counted, and less than `high`.

    mae  mean absolute error of these days' popularity; `n` counts them
    """

    low: float
    high: float
    mae: float
    n: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def mae_by_decade(target: np.ndarray, predicted: np.ndarray, views: np.ndarray) -> Sequence[Decade]:
    """Return the error by decade of true views, for arrays [N, T]; NaN is an unobserved day.

    Fewer than 10 views are one decade, which begins at 0.

    Raises:
        ValueError: as `check_sequences`.
    """
    first, second = check_sequences(target, predicted)
    known = np.isfinite(first)
    error = np.abs(first - second)[known]
    counted = np.clip(views[known], 1, MOST)
    decade = np.floor(np.log10(counted)).astype(np.int64)
    return [
        Decade(
            low=float(10**power) if power else 0.0,
            high=float(10 ** (power + 1)),
            mae=float(error[decade == power].mean()),
            n=int((decade == power).sum()),
        )
        for power in np.unique(decade).tolist()
    ]
