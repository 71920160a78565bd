"""Raw labels of a table as arrays: numbers, sequences, class names; errors name their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.errors import UsageError
from corpus.cells import BadCell, is_missing, number_of, shown, text_of
from corpus.sample import Target

SHOWN = 5


def numbers_of(values: Sequence[Target], column: str, ids: Sequence[str]) -> np.ndarray:
    """Return float64 [N], NaN where there is no label.

    Raises:
        UsageError: if a label is no number; the first of them are shown.
    """
    numbers = np.full(len(values), np.nan)
    bad: list[int] = []
    for row, value in enumerate(values):
        if isinstance(value, np.ndarray):
            raise UsageError(
                f"target {column!r} is a sequence; use task sequence, or name one of its columns"
            )
        try:
            number = number_of(value)
        except BadCell:
            bad.append(row)
            continue
        if number is not None:
            numbers[row] = number
    if bad:
        raise UsageError(
            f"target {column!r} must be a number, but {len(bad)} of {len(values)} rows hold "
            f"something else: {named_rows(bad, values, ids)}; correct them, or use "
            "--task classification without quantiles"
        )
    return numbers


def sequences_of(values: Sequence[Target], column: str) -> np.ndarray:
    """Return float64 [N, T], NaN where there is no value; T is 0 where no row has a label.

    Raises:
        UsageError: if a label is no sequence, or they differ in length.
    """
    lengths = {len(value) for value in values if isinstance(value, np.ndarray)}
    others = any(not isinstance(value, np.ndarray) and not is_missing(value) for value in values)
    if len(lengths) > 1 or others:
        raise UsageError(
            f"target {column!r} is not a sequence of one length; task sequence needs columns "
            f"{column}1, {column}2, ... and --target {column}"
        )
    gap = np.full(lengths.pop() if lengths else 0, np.nan)
    rows = [value if isinstance(value, np.ndarray) else gap for value in values]
    return np.array(rows, dtype=np.float64).reshape(len(values), len(gap))


def class_names(values: Sequence[Target], column: str) -> tuple[list[str], np.ndarray]:
    """Return the class names, "" where there is no label, and bool [N], where there is one.

    Raises:
        UsageError: if a label is a sequence.
    """
    if any(isinstance(value, np.ndarray) for value in values):
        raise UsageError(f"target {column!r} is a sequence; use task sequence")
    names = [text_of(value) or "" for value in values]
    return names, np.array([name != "" for name in names], dtype=bool)


def sorted_classes(names: Sequence[str]) -> tuple[str, ...]:
    """Return the distinct names: by number if all of them are numbers, else by their text."""
    distinct = {name for name in names if name}
    try:
        return tuple(sorted(distinct, key=lambda name: (number_of(name) or 0.0, name)))
    except BadCell:
        return tuple(sorted(distinct))


def task_of(values: Sequence[Target], *, column: str = "", ids: Sequence[str] = ()) -> str:
    """Return the task that raw labels suggest.

    It is "sequence" if one is an array, "regression" if all are numbers, else "classification".

    Raises:
        UsageError: if most are numbers and some are not, as a word among numbers may be a gap.
    """
    if any(isinstance(value, np.ndarray) for value in values):
        return "sequence"
    words, numbers = [], 0
    for row, value in enumerate(values):
        try:
            numbers += number_of(value) is not None
        except BadCell:
            words.append(row)
    if numbers > len(words) > 0:
        raise UsageError(
            f"target {column!r}: {numbers:,} cells are numbers and {len(words):,} are not: "
            f"{named_rows(words, values, ids)}; leave a cell empty where there is no label, or say "
            "--task classification"
        )
    return "classification" if words else "regression"


def named_rows(
    rows: Sequence[int], values: Sequence[Target] | Mapping[int, Any], ids: Sequence[str]
) -> str:
    """Show the first rows with their values, as in "id 'a1': 'high', id 'a7': 'low'"."""
    texts = [
        (f"id {str(ids[row])!r}: " if len(ids) else f"row {row + 1}: ") + shown(values[row])
        for row in rows[:SHOWN]
    ]
    return ", ".join(texts) + ", …" * (len(rows) > SHOWN)
