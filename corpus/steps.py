"""Which columns make up a sequence: `p` stands for p1, p2, ... pT, and `p2..p22` for some."""

from __future__ import annotations

import re
from collections.abc import Iterable

from core.errors import UsageError

_STEP = re.compile(r"(.*?)(\d+)", re.ASCII)
_RANGE = re.compile(r"(.*?)(\d+)\.\.(.*?)(\d+)")


def step_columns(target: str, headers: Iterable[str]) -> list[str]:
    """Return the columns of a sequence in the order of their numbers; [] where there is none.

    A column is a step if its name is the target's and a number, as in p1, p_1, "Day 1" or p01. The
    order is that of the numbers, wherever the columns stand in the table. One step alone is no
    sequence.

    Raises:
        UsageError: if a number is lacking between the first and the last, or is there twice.
    """
    match = _RANGE.fullmatch(target)
    if match and match[1] == match[3]:
        first, last = int(match[2]), int(match[4])
        steps = _numbered(match[1], headers)
        wanted = range(first, last + 1)
        _check(target, [number for number in wanted if number not in steps], wanted)
        return [steps[number] for number in wanted]
    steps = _numbered(target, headers)
    if len(steps) < 2:
        return []
    wanted = range(min(steps), max(steps) + 1)
    _check(target, [number for number in wanted if number not in steps], wanted)
    return [steps[number] for number in wanted]


def step_names(target: str, count: int) -> list[str]:
    """Return names for the steps of a sequence: p2, p3, ... for `p2..p22`, else from 1."""
    stem, first = _beginning(target)
    return [f"{stem}{first + step}" for step in range(count)]


def first_step(target: str) -> int:
    """Return the number of the first step: 2 for `p2..p22`, else 1."""
    return _beginning(target)[1]


def earlier_steps(target: str, names: Iterable[str]) -> list[str]:
    """Return those of some columns that are the steps before a target's, in their order.

    The target is a part of a sequence, as in `p3..p22`, or one step, as in `p22`. Before a whole
    sequence, `p`, there is nothing.
    """
    match = _RANGE.fullmatch(target) or _STEP.fullmatch(target)
    if match is None:
        return []
    steps = _numbered(match[1], names)
    return [steps[number] for number in sorted(steps) if number < int(match[2])]


def divided(target: str, known: int, headers: Iterable[str]) -> tuple[list[str], str]:
    """Return the columns of the first days, which are known, and the target that is left.

    `p` of 30 days with one known gives ["p1"] and "p2..p30", and with none [] and "p1..p30"; of
    `p5..p30` with one known, all of it is left.

    Raises:
        UsageError: if the target is no sequence, or fewer than two of its days are left.
    """
    headers = list(headers)
    columns = step_columns(target, headers)
    if not columns:
        raise UsageError(f"target {target!r} is no curve; days are known of p1, p2, ... alone")
    stem, _ = _beginning(target)
    steps = _numbered(stem, headers)
    of = {column: number for number, column in steps.items()}
    left = [of[column] for column in columns if of[column] > known]
    lacking = [day for day in range(1, known + 1) if day not in steps]
    if lacking or len(left) < 2:
        days = ", ".join(str(day) for day in sorted(steps))
        raise UsageError(
            f"target {target!r} cannot have {known} known days: two must be left to predict, and "
            f"the table has the days {days}"
        )
    return [steps[day] for day in range(1, known + 1)], f"{stem}{left[0]}..{stem}{left[-1]}"


def _beginning(target: str) -> tuple[str, int]:
    match = _RANGE.fullmatch(target)
    return (match[1], int(match[2])) if match and match[1] == match[3] else (target, 1)


def _numbered(stem: str, headers: Iterable[str]) -> dict[int, str]:
    """Return the columns called `stem` and a number, by that number."""
    steps: dict[int, str] = {}
    pattern = re.compile(re.escape(stem.rstrip(" _")) + r"[ _]?(\d+)", re.ASCII)
    for header in headers:
        match = pattern.fullmatch(header)
        if match is None:
            continue
        number = int(match[1])
        if number in steps:
            raise UsageError(
                f"target {stem!r}: columns {steps[number]!r} and {header!r} are both step {number}"
            )
        steps[number] = header
    return steps


def _check(target: str, lacking: list[int], wanted: range) -> None:
    if len(wanted) < 2:
        raise UsageError(f"target {target!r} has fewer than two steps; write it like p1..p30")
    if lacking:
        shown = ", ".join(str(number) for number in lacking[:5]) + ", …" * (len(lacking) > 5)
        raise UsageError(
            f"target {target!r}: the table has no column for step {shown} of "
            f"{wanted[0]} to {wanted[-1]}; name the steps it has, like p1..p30"
        )
