"""How an error spreads over groups of rows: authors, categories, languages.

A mean over rows is that of the largest groups. What a head does for the others shows in the mean of
the groups' own means, in the middle group, and in the worst.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

LEAST_ROWS = 5  # of a group that is named: the worst of many single rows says nothing
NAMED = 5


@dataclass(frozen=True)
class GroupError:
    """The mean error of one group's rows."""

    name: str
    error: float
    rows: int


@dataclass(frozen=True)
class Spread:
    """The errors of groups.

    groups  how many there are
    macro   the mean of their mean errors, each group weighing the same
    median  the mean error of the middle group
    worst   the groups of at least `LEAST_ROWS` rows with the largest mean errors, worst first
    """

    groups: int
    macro: float
    median: float
    worst: tuple[GroupError, ...]

    def to_json(self) -> dict[str, Any]:
        """Return a mapping for JSON."""
        worst = [{"name": each.name, "error": each.error, "rows": each.rows} for each in self.worst]
        return {"groups": self.groups, "macro": self.macro, "median": self.median, "worst": worst}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Spread:
        """Return the spread that `to_json` wrote."""
        worst = tuple(GroupError(**each) for each in stored["worst"])
        return cls(stored["groups"], stored["macro"], stored["median"], worst)


def spread_of(error: np.ndarray, groups: np.ndarray) -> Spread | None:
    """Return how errors, float64 [N], spread over groups, str [N]; "" is in none.

    None where there are fewer than two groups.
    """
    known = groups != ""
    names, member = np.unique(groups[known], return_inverse=True)
    if len(names) < 2:
        return None
    rows = np.bincount(member)
    means = np.bincount(member, error[known]) / rows
    order = [group for group in np.argsort(-means, kind="stable") if rows[group] >= LEAST_ROWS]
    worst = [GroupError(str(names[g]), float(means[g]), int(rows[g])) for g in order[:NAMED]]
    return Spread(len(names), float(means.mean()), float(np.median(means)), tuple(worst))
