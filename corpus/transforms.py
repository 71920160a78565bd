"""Scales on which targets are learnt: fitted on train rows, and undone before anything is shown.

none   the number itself
log1p  ln(1 + x), for counts; x > -1
rank   the share of train rows below, 0..1; between train values interpolated, beyond them the end
logit  ln(p / (1 - p)) of a share p = x / scale; p is kept in 0.0001..0.9999, so that 0 and 1 stay
finite
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import UsageError

TRANSFORMS = ("none", "log1p", "rank", "logit")
LOGIT_MARGIN = 1e-4
_MOST_KNOTS = 10_000  # a run of a million rows keeps every hundredth value of the rank's curve
_LARGEST_LOG = 700.0  # expm1 of more is not a float64


@dataclass(frozen=True, eq=False)
class Transform:
    """A fitted scale.

    scale   logit only: the value that counts as 1
    values  rank only: the sorted distinct train values, float64 [K]
    ranks   rank only: their mean ranks, float64 [K] in (0, 1)
    """

    name: str
    scale: float = 1.0
    values: np.ndarray | None = None
    ranks: np.ndarray | None = None

    @classmethod
    def fit(cls, name: str, train: np.ndarray, *, scale: float) -> Transform:
        """Fit a scale on the labels of train rows, float64 [N] without NaN."""
        if name != "rank":
            return cls(name, scale)
        values, counts = np.unique(train, return_counts=True)
        ranks = (np.cumsum(counts) - counts / 2) / len(train)
        if len(values) > _MOST_KNOTS:
            kept = np.linspace(0, len(values) - 1, _MOST_KNOTS).round().astype(np.int64)
            values, ranks = values[kept], ranks[kept]
        return cls(name, scale, values, ranks)

    def outside(self, numbers: np.ndarray) -> np.ndarray:
        """Return where the scale has no place for a number: bool, the shape of `numbers`."""
        if self.name == "log1p":
            return np.asarray(numbers <= -1)
        if self.name == "logit":
            return (numbers < 0) | (numbers > self.scale)
        return np.zeros(numbers.shape, dtype=bool)

    def encode(self, numbers: np.ndarray) -> np.ndarray:
        """Return numbers of the table, any shape, on the scale to learn; NaN stays NaN."""
        if self.name == "log1p":
            return np.asarray(np.log1p(numbers))
        if self.name == "rank":
            return self._interpolated(numbers, self.values, self.ranks)
        if self.name == "logit":
            share = np.clip(numbers / self.scale, LOGIT_MARGIN, 1 - LOGIT_MARGIN)
            return np.log(share) - np.log1p(-share)
        return numbers

    def decode(self, numbers: np.ndarray) -> np.ndarray:
        """Return predictions, any shape, in the unit of the table."""
        if self.name == "log1p":
            return np.asarray(np.expm1(np.minimum(numbers, _LARGEST_LOG)))
        if self.name == "rank":
            return self._interpolated(numbers, self.ranks, self.values)
        if self.name == "logit":
            return self.scale * 0.5 * (1 + np.tanh(numbers / 2))  # the logistic, without overflow
        return numbers

    @staticmethod
    def _interpolated(
        numbers: np.ndarray, source: np.ndarray | None, goal: np.ndarray | None
    ) -> np.ndarray:
        assert source is not None
        assert goal is not None
        return np.asarray(np.interp(numbers, source, goal), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """Return the scale as JSON values."""
        knots = {"values": self.values, "ranks": self.ranks}
        lists = {name: None if knot is None else knot.tolist() for name, knot in knots.items()}
        return {"name": self.name, "scale": self.scale, **lists}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Transform:
        """Read what `to_json` gave."""
        return cls(value["name"], value["scale"], _array(value["values"]), _array(value["ranks"]))


def _array(values: Sequence[float] | None) -> np.ndarray | None:
    return None if values is None else np.array(values, dtype=np.float64)


def check_transform(name: str, *, task: str, scale: float) -> None:
    """Refuse a transform that does not exist, or does not go with the task.

    Raises:
        UsageError: with the transforms there are.
    """
    if name not in TRANSFORMS:
        raise UsageError(f"transform {name!r} is unknown; known: {', '.join(TRANSFORMS)}")
    if task == "classification" and name != "none":
        raise UsageError(f"transform {name!r} needs numbers, not classes; leave it out")
    if task == "sequence" and name == "rank":
        raise UsageError("transform 'rank' is for one number, not a sequence; use none or log1p")
    if not (np.isfinite(scale) and scale > 0):
        raise UsageError(f"the scale of a target is {scale}; it must be positive, such as 1 or 100")
    if scale != 1 and name != "logit":
        raise UsageError(f"a scale ({scale}) goes with transform logit, not with {name!r}")
