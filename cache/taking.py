"""Rows of large columns, copied when they are first looked at and not before.

A fold takes train, validation and test rows of a table, and with 3 GB of embeddings three copies of
them would not fit. A head that reads batch by batch (`heads/networks/stored.py`) asks `source_of`
where the rows lie and copies a batch at a time; to all others these are columns like any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from cache.spec import Column, FeatureSpec

LARGE = 2**26  # bytes of a column, from which its rows are not copied at once


class TakenColumns(Mapping[str, Column]):
    """The rows `rows`, int64 [M], of some columns, by name."""

    def __init__(self, source: Mapping[str, Column], rows: np.ndarray) -> None:
        self._source, self._rows = source, rows
        self._taken: dict[str, Column] = {}

    def __getitem__(self, name: str) -> Column:
        if name not in self._taken:
            self._taken[name] = self._source[name].take(self._rows)
        return self._taken[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._source)

    def __len__(self) -> int:
        return len(self._source)

    def take(self, rows: np.ndarray) -> Mapping[str, Column]:
        """Return some of these rows."""
        return taken(self._source, self._rows[rows])

    def select(self, names: list[str]) -> TakenColumns:
        """Return some of these columns."""
        return TakenColumns({name: self._source[name] for name in names}, self._rows)

    def source(self, name: str) -> tuple[Column, np.ndarray]:
        """Return the column that holds the rows of one of these, and where they are in it."""
        return self._source[name], self._rows


def taken(columns: Mapping[str, Column], rows: np.ndarray) -> Mapping[str, Column]:
    """Return the rows `rows` (int64 [M] or bool [N]) of columns, large ones not yet copied."""
    if isinstance(columns, TakenColumns):
        return columns.take(rows)
    if any(column.values.nbytes > LARGE for column in columns.values()):
        return TakenColumns(columns, np.flatnonzero(rows) if rows.dtype == bool else rows)
    return {name: column.take(rows) for name, column in columns.items()}


def is_all(rows: np.ndarray, count: int) -> bool:
    """Say whether rows (int64 [M] or bool [N]) are all `count` rows in their order."""
    if rows.dtype == bool:
        return bool(rows.all())
    return len(rows) == count and bool((rows == np.arange(count)).all())


def selected(columns: Mapping[str, Column], names: list[str]) -> Mapping[str, Column]:
    """Return some columns, in this order."""
    if isinstance(columns, TakenColumns):
        return columns.select(names)
    return {name: columns[name] for name in names}


def source_of(columns: Mapping[str, Column], name: str) -> tuple[Column, np.ndarray | None]:
    """Return the column that has the rows of `columns[name]`, and where; None: all of it."""
    if isinstance(columns, TakenColumns):
        return columns.source(name)
    return columns[name], None


def specs_of(columns: Mapping[str, Column]) -> list[FeatureSpec]:
    """Return what the columns are, without a copy of any."""
    return [source_of(columns, name)[0].spec for name in columns]
