"""Intervals of predictions, from residuals of rows that the head has not learnt from.

Split conformal prediction (Vovk et al., Algorithmic Learning in a Random World, 2005; finite-sample
rank as in Lei et al., JASA 113, 2018, section 2.2), with one quantile for each side, as residuals
of popularity are skewed. The residuals are those of the folds' validation rows, pooled; as in CV+
(Barber et al., Annals of Statistics 49, 2021) every residual comes from a model without its row,
while the prediction is that of one more model on all rows: the level is met in practice, not
guaranteed.

Residuals are taken on the scale that the head learns on and the ends of the interval are brought
back to the table's unit. A transform is monotone, so as many rows are covered, and a video of a
hundred views does not get the interval of one of a million.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

LEVEL = 0.9


@dataclass(frozen=True, eq=False)
class Conformal:
    """Offsets to add to a prediction, on the head's own scale.

    level  the share of rows that the interval is to cover
    low    float64 [] or [T] (sequence), mostly below 0; NaN where there are too few residuals
    high   likewise, mostly above 0
    rows   residuals they were taken from
    """

    level: float
    low: np.ndarray
    high: np.ndarray
    rows: int

    @property
    def usable(self) -> bool:
        """Whether every offset is known."""
        return bool(np.isfinite(self.low).all() and np.isfinite(self.high).all())

    def to_json(self) -> dict[str, Any]:
        return {
            "level": self.level,
            "low": _plain(self.low),
            "high": _plain(self.high),
            "rows": self.rows,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Conformal:
        low, high = (np.array(value[side], np.float64) for side in ("low", "high"))
        return cls(value["level"], low, high, value["rows"])


def fit_conformal(residuals: np.ndarray, level: float = LEVEL) -> Conformal:
    """Take the offsets of residuals (target - predicted), float64 [M] or [M, T] with NaN for gaps.

    Each side is exceeded by (1 - level) / 2 of new rows; with M residuals that takes the one of
    rank (M + 1)(1 + level) / 2 rounded up, and a side without so many residuals is NaN: 90 % takes
    19.
    """
    columns = residuals.reshape(len(residuals), int(np.prod(residuals.shape[1:])))
    pairs = [_offsets(column[np.isfinite(column)], level) for column in columns.T]
    low, high = (np.array(side).reshape(residuals.shape[1:]) for side in zip(*pairs, strict=True))
    return Conformal(level, low, high, len(residuals))


def _offsets(residuals: np.ndarray, level: float) -> tuple[float, float]:
    ordered, count = np.sort(residuals), len(residuals)
    rank = int(np.ceil((count + 1) * (1 + level) / 2 - 1e-9))
    if rank > count:
        return float("nan"), float("nan")
    return float(ordered[count - rank]), float(ordered[rank - 1])


def _plain(values: np.ndarray) -> Any:
    """Return nested lists of numbers, or a number, None where it is NaN."""
    if values.ndim:
        return [_plain(value) for value in values]
    return float(values) if np.isfinite(values) else None
