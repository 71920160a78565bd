"""The table that heads learn from: features as columns, beside targets, authors and times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cache.spec import Column
from cache.taking import is_all, selected, taken
from core.errors import UnknownName


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """N samples with their features.

    ids        str [N]
    columns    by feature name; numbers and categories of the table are columns too:
               `meta:duration` is float32 [N, 1], a category such as `meta:category` a text column
    target     float64 [N] (regression, in the head's own scale), int64 [N] (class index) or
               float64 [N, T] with NaN for gaps (sequence); None where nothing is to be learnt
    author     str [N], "" where unknown; None where the table has no such column
    posted_at  float64 [N], seconds since 1970, NaN where unknown; None where the table has no such
               column
    groups     int64 [N], near-duplicate clusters; None where not computed
    """

    ids: np.ndarray
    columns: Mapping[str, Column]
    target: np.ndarray | None = None
    author: np.ndarray | None = None
    posted_at: np.ndarray | None = None
    groups: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: np.ndarray) -> FeatureTable:
        """Return the samples `rows` (int64 [M] or bool [N]), in that order."""
        if is_all(rows, len(self)):
            return self
        optional = {
            name: None if (values := getattr(self, name)) is None else values[rows]
            for name in ("target", "author", "posted_at", "groups")
        }
        columns = taken(self.columns, rows)
        return replace(self, ids=self.ids[rows], columns=columns, **optional)

    def select(self, features: Sequence[str]) -> FeatureTable:
        """Return the same samples with only these features, in this order.

        Raises:
            UnknownName: if one is not in the table.
        """
        for name in features:
            if name not in self.columns:
                raise UnknownName("feature", name, self.columns)
        return replace(self, columns=selected(self.columns, list(features)))

    def with_target(self, target: np.ndarray | None) -> FeatureTable:
        """Return the same samples with another target."""
        return replace(self, target=target)
