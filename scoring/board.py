"""Runs of one target that were scored on the same rows, beside one another: plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scoring.bootstrap import Score
from scoring.compare import Comparison
from scoring.report_data import Gaps


@dataclass(frozen=True)
class Entry:
    """One run of a board.

    folder     where it lies
    scores     by metric
    baselines  by baseline, then by metric
    started    ISO 8601, UTC; "" where unknown
    seconds    how long it took; None where unknown
    gap        this run minus the best one under the board's metric, paired; None for the best
    """

    name: str
    folder: str
    head: str
    features: Sequence[str]
    scores: Mapping[str, Score]
    baselines: Mapping[str, Mapping[str, Score]]
    started: str
    seconds: float | None
    gap: Comparison | None = None

    @property
    def standing(self) -> str:
        """Return "best", or whether it is surely worse than the best run."""
        if self.gap is None:
            return "best"
        if not math.isfinite(self.gap.difference.low):
            return "undefined"
        return {"second": "worse", "neither": "level", "first": "better"}[self.gap.better]


@dataclass(frozen=True)
class Details:
    """What a page tells besides of a few runs.

    forest       their scores with intervals, PNG
    by_metric    (run, metric) -> that run minus the best one
    pairs        (run, run) -> the first minus the second, under the board's metric
    settings     by setting that differs, its value in each run
    coverage     by feature its gaps in each run that reads it
    disputed     (id, true, the prediction of each run) where they differ most
    """

    forest: bytes
    by_metric: Mapping[tuple[str, str], Comparison] = field(default_factory=dict)
    pairs: Mapping[tuple[str, str], Comparison] = field(default_factory=dict)
    settings: Mapping[str, Sequence[str]] = field(default_factory=dict)
    coverage: Mapping[str, Mapping[str, Gaps]] = field(default_factory=dict)
    disputed: Sequence[tuple[str, str, Sequence[str]]] = ()


@dataclass(frozen=True)
class Board:
    """Runs of one target on the same rows, the best first.

    rows    how many rows were scored
    digest  of these rows and their labels, 8 hexadecimal digits
    others  digest of each other board of the same target -> how many of its rows are these too
    """

    target: str
    task: str
    metric: str
    rows: int
    digest: str
    entries: Sequence[Entry]
    others: Mapping[str, int] = field(default_factory=dict)
    details: Details | None = None

    def to_json(self) -> dict[str, Any]:
        """Return a mapping for JSON, null for what is undefined."""
        return {
            "target": self.target,
            "task": self.task,
            "metric": self.metric,
            "rows": self.rows,
            "rows_digest": self.digest,
            "other_rows": dict(self.others),
            "runs": [self._entry(rank, entry) for rank, entry in enumerate(self.entries, 1)],
        }

    def _entry(self, rank: int, entry: Entry) -> dict[str, Any]:
        return {
            "rank": rank,
            "run": entry.folder,
            "head": entry.head,
            "score": entry.scores[self.metric].to_json(),
            "behind_best": entry.gap and entry.gap.difference.to_json(),
            "standing": entry.standing,
            "baselines": {
                name: given[self.metric].to_json() for name, given in entry.baselines.items()
            },
            "features": list(entry.features),
            "seconds": entry.seconds,
            "started": entry.started,
        }


@dataclass(frozen=True)
class Unranked:
    """A run that no board has: it did not end, or cannot be read.

    state  "running", "failed", "interrupted", or "unreadable"
    why    one line
    """

    folder: str
    state: str
    started: str
    why: str

    def to_json(self) -> dict[str, str]:
        """Return a mapping for JSON."""
        return {
            "run": self.folder,
            "state": self.state,
            "started": self.started,
            "why": self.why,
        }
