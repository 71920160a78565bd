"""A table of videos as samples: ids, files, texts, numbers and targets, checked row by row.

What is wrong with rows is gathered and said at once, with line and remedy; a file that is missing
or broken is none of the table's faults and is found later.
"""

from __future__ import annotations

import contextlib
import gc
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import TableError, UnknownName
from core.fingerprint import digest_strings
from corpus.columns import Columns
from corpus.folds import SplitRows
from corpus.places import Root
from corpus.rows import RowReader, resolve_columns
from corpus.sample import Sample, Target
from corpus.sources.catalog import SOURCES
from corpus.targets import TargetPlan


@dataclass(frozen=True, eq=False)
class Manifest:
    """The samples of a table.

    source    name of the source that the table was read as
    digest    of ids, texts, numbers, targets, authors, times and splits; not of the table's path or
              format, its row order, or where files lie
    columns   what its columns are, as resolved
    bad_rows  what was wrong with the rows that were left out, one line each
    """

    samples: tuple[Sample, ...]
    source: str
    digest: str
    columns: Columns = field(default_factory=Columns)
    bad_rows: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.samples)

    @cached_property
    def ids(self) -> np.ndarray:
        """The ids, str [N]."""
        return np.array([sample.id for sample in self.samples], dtype=np.str_)

    @property
    def has_author(self) -> bool:
        """Whether the table has a column of authors."""
        return self.columns.author is not None

    @property
    def author(self) -> np.ndarray | None:
        """The authors, str [N], "" where unknown; None where the table has no such column."""
        if not self.has_author:
            return None
        return np.array([sample.author or "" for sample in self.samples], dtype=np.str_)

    @property
    def posted_at(self) -> np.ndarray | None:
        """Seconds since 1970, float64 [N], NaN where unknown; None without such a column."""
        if self.columns.time is None:
            return None
        times = [sample.posted_at for sample in self.samples]
        return np.array([np.nan if time is None else time for time in times], dtype=np.float64)

    @property
    def split(self) -> np.ndarray | None:
        """The table's words for the split, str [N], "" where unknown; None without a column."""
        if self.columns.split is None:
            return None
        return np.array([sample.split or "" for sample in self.samples], dtype=np.str_)

    def split_rows(
        self, *, labels: np.ndarray | None = None, groups: np.ndarray | None = None
    ) -> SplitRows:
        """Return what a split looks at; `labels` and `groups` are int64 [N], as in `SplitRows`."""
        return SplitRows(self.ids, labels, self.author, self.posted_at, self.split, groups)

    def target(self, column: str) -> list[Target]:
        """Return the raw values of a target that was asked for when the table was read, N of them.

        Raises:
            UnknownName: if it was not.
        """
        known = self.samples[0].targets if self.samples else {}
        if column not in known:
            raise UnknownName("target", column, known)
        return [sample.targets[column] for sample in self.samples]


def read_manifest(
    path: Path,
    *,
    columns: Columns | None = None,
    source: str = "generic",
    root: Path | None = None,
    targets: Sequence[str | TargetPlan] = (),
    skip_bad_rows: bool = False,
) -> Manifest:
    """Read a table into samples.

    columns        what its columns are; None takes those that say it themselves, or the source's.
                   With a source that has columns, they replace and add to its own
    root           the folder that paths are relative to; None is the folder of the table
    targets        columns to predict, or plans for them; `p` stands for a sequence p1, p2, ...
                   where no column has that very name, and `p2..p22` for a part of one. Where a plan
                   needs numbers, a label that is none makes its row a bad one
    skip_bad_rows  leave bad rows out instead of raising

    Raises:
        UsageError: if there is no such table, root or source.
        TableError: if columns are lacking, or rows are bad: all of them are listed, with line and
            remedy.
    """
    layout = SOURCES.load(source)
    with _collection_paused():
        table = layout.read(path)
        resolved = resolve_columns(table, columns, layout)
        reader = RowReader(table, resolved, layout, Root(path, root))
        samples = reader.samples(_must_be_numbers(targets))
    problems = reader.problems()
    if problems and not (skip_bad_rows and samples):
        raise TableError(path, problems, _remedy(len(samples)))
    return Manifest(tuple(samples), source, _digest(samples), resolved, tuple(problems))


@contextlib.contextmanager
def _collection_paused() -> Iterator[None]:
    """Keep the garbage collector from walking through all samples again and again as they grow.

    They hold no cycles; the walks took a third of the time of 100,000 rows.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _must_be_numbers(targets: Sequence[str | TargetPlan]) -> dict[str, bool]:
    """Return by column whether every one of its labels must be a number."""
    return {
        target if isinstance(target, str) else target.column: (
            isinstance(target, TargetPlan) and target.needs_numbers
        )
        for target in targets
    }


def _remedy(good: int) -> str:
    if not good:
        return "No row is left."
    return f"Correct them, or go on with the other {good:,} rows: --skip-bad-rows"


def _digest(samples: Sequence[Sample]) -> str:
    """Return the digest of what samples say, 32 hexadecimal digits, whatever their order."""
    ordered = sorted(samples, key=lambda sample: sample.id)
    columns: dict[str, list[Any]] = {
        name: [getattr(sample, name) for sample in ordered]
        for name in ("id", "author", "posted_at", "split")
    }
    for kind in ("text", "meta", "targets"):
        mappings = [getattr(sample, kind) for sample in ordered]
        for name in sorted({name for mapping in mappings for name in mapping}):
            values = [mapping.get(name) for mapping in mappings]
            columns[f"{kind}:{name}"] = values if kind != "targets" else [*map(_word, values)]
    words = (f"{name}={json.dumps(values)}" for name, values in columns.items())
    return digest_strings(words).hex()


def _word(value: Target) -> float | str | None:
    return value.tobytes().hex() if isinstance(value, np.ndarray) else value
