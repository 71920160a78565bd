"""Popularity as SMTPD has it, log2(views / days + 1), from tables of raw views and back.

Paper: SMTPD (arXiv 2503.04446), eq. 1. `views` are all views since the release, `days` the age.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import TableError, UnknownName, UsageError
from corpus.cells import BadCell, is_missing, number_of
from corpus.steps import step_columns
from corpus.table import Cell, Table

COUNTS = ("cumulative", "daily")


def popularity_of(views: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Return the popularity of float arrays of one shape, or that broadcast; days above 0."""
    found: np.ndarray = np.log2(views / days + 1)
    return found


def views_of(popularity: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Return all views since the release: the inverse of `popularity_of`."""
    found: np.ndarray = days * (np.exp2(popularity) - 1)
    return found


def is_popularity(column: str) -> bool:
    """Say whether a column is a day of popularity by its name: p1, p2, ..."""
    return column[:1] == "p" and column[1:].isdecimal()


@dataclass(frozen=True, eq=False)
class ViewColumns:
    """Which columns of a table hold views, and what they count.

    steps      the columns in the order of days, as `step_columns` finds them
    counts     "cumulative": all views since the release; "daily": those of the day alone
    first_day  age in days at the first of the columns, or the column that has it for each row;
               an age of 0 days counts as 1
    """

    steps: Sequence[str]
    counts: str
    first_day: int | str = 1

    @classmethod
    def parse(cls, views: str, counts: str, first_day: str, table: Table) -> ViewColumns:
        """Find the columns that `v1..v30`, or a stem, stands for in a table.

        Raises:
            UsageError: if there are none, or counts and first day are not what they may be.
        """
        if counts not in COUNTS:
            raise UnknownName("counts", counts, COUNTS)
        steps = step_columns(views, table.columns)
        if not steps and views in table.columns:
            raise UsageError(f"--views {views!r} is one column; name those of days, as v1..v30")
        if not steps:
            raise UnknownName("column of views", views, table.columns, "Write it like v1..v30")
        if first_day.isdecimal():
            first: int | str = int(first_day)
        elif first_day in table.columns:
            first = first_day
        else:
            raise UnknownName("column of the first day", first_day, table.columns)
        if counts == "daily" and first != 1:
            raise UsageError(
                f"daily counts add up from day 1 on, but the first day is {first_day!r}; what came "
                "before is not known: give cumulative counts"
            )
        return cls(steps, counts, first)


@dataclass(frozen=True, eq=False)
class Converted:
    """A table with p1, p2, ... where its views were.

    columns  by name the cells of each column; "" where there is no popularity
    falling  how many rows have cumulative counts that fall from one day to a later one
    gaps     how many cells have no popularity
    """

    columns: dict[str, Sequence[Cell]]
    falling: int
    gaps: int


def convert_views(table: Table, given: ViewColumns) -> Converted:
    """Put the popularity of each day in the place of its views.

    A day without a count has no popularity; with daily counts, none of the days after it has.

    Raises:
        UsageError: if the table has a column p1, p2, ... already.
        TableError: if a count or age is no number or below 0; all rows are listed.
    """
    names = {step: f"p{place}" for place, step in enumerate(given.steps, start=1)}
    taken = sorted((set(names.values()) & set(table.columns)) - set(given.steps))
    if taken:
        raise UsageError(f"the table already has a column {taken[0]!r}; rename it or leave it out")
    problems = [f"{table.where(row)}: {text}" for row, text in table.faults.items()]
    views = np.stack([_numbers(table, step, problems) for step in given.steps], axis=1)
    first = _first_day(table, given, problems)
    if problems:
        raise TableError(table.path, problems, "Leave a cell empty where there is no count.")
    days = np.maximum(first[:, None] + np.arange(len(given.steps)), 1)
    if given.counts == "daily":
        views = np.cumsum(views, axis=1)
    found = popularity_of(views, days)
    columns: dict[str, Sequence[Cell]] = {}
    for header, cells in table.columns.items():
        place = None if header not in names else list(names).index(header)
        told = _written(found[:, place]) if place is not None else _emptied(cells)
        columns[names.get(header, header)] = told
    return Converted(columns, _falling(views), int(np.isnan(found).sum()))


def _numbers(table: Table, name: str, problems: list[str]) -> np.ndarray:
    """Return a column of numbers from 0, float64 [N], NaN where there is none."""
    values = np.full(len(table), np.nan)
    for row, cell in enumerate(table.columns[name]):
        try:
            number = number_of(cell)
        except BadCell as error:
            problems.append(f"{table.where(row)}: column {name!r}: {error}")
            continue
        if number is not None and number < 0:
            problems.append(f"{table.where(row)}: column {name!r}: {number:g} is below 0")
        values[row] = np.nan if number is None else number
    return values


def _first_day(table: Table, given: ViewColumns, problems: list[str]) -> np.ndarray:
    if isinstance(given.first_day, int):
        return np.full(len(table), float(given.first_day))
    return _numbers(table, given.first_day, problems)


def _written(values: np.ndarray) -> list[str]:
    return ["" if np.isnan(value) else f"{value:.6f}" for value in values.tolist()]


def _emptied(cells: Sequence[Cell]) -> list[Cell]:
    return ["" if is_missing(cell) else cell for cell in cells]


def _falling(views: np.ndarray) -> int:
    """Count the rows where a known count is below an earlier one."""
    highest = np.fmax.accumulate(views, axis=1)
    return int((views < highest).any(axis=1).sum())
