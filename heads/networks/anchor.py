"""The last day that is known of a curve: the rest of it is learnt as what differs from there.

Popularity changes slowly, and trees and networks would spend most of what they learn on copying a
number. A constant continuation, the last known day on all days, is also the baseline to beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cache.table import FeatureTable


@dataclass(frozen=True)
class Anchor:
    """Features that hold the observed days, in their order, and what stands for rows without any.

    Without features the anchor of every row is `fallback`.
    """

    features: tuple[str, ...] = ()
    fallback: float = 0.0

    def of(self, table: FeatureTable) -> np.ndarray:
        """Return the last observed day that is known of each row, float64 [N]."""
        last = np.full(len(table), self.fallback)
        for name in self.features:
            column = table.columns[name]
            last = np.where(column.present, column.values.reshape(len(table)), last)
        return last

    def shifted(self, table: FeatureTable) -> np.ndarray:
        """Return the target less the anchor, float64 [N, T]; NaN where it is not known."""
        assert table.target is not None
        moved: np.ndarray = table.target - self.of(table)[:, None]
        return moved


def fit_anchor(observed: Sequence[str], train: FeatureTable) -> Anchor:
    """Return the anchor of some features of `train`, which may be none."""
    if not observed:
        return Anchor()
    known = Anchor(tuple(observed), np.nan).of(train)
    known = known[np.isfinite(known)]
    return Anchor(tuple(observed), float(known.mean()) if len(known) else 0.0)
