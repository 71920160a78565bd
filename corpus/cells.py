"""One cell of a table as a text, number, time or id; what it may not be is said in one sentence.

Every reader takes a cell and returns its value, or None where it is empty, and raises `BadCell`
otherwise. A cell of a CSV is text; JSON lines and Parquet have numbers, times and gaps as well.
"""

from __future__ import annotations

import datetime
import math
import re
import unicodedata
from decimal import Decimal
from typing import Any

LONGEST_ID = 200
_JOINERS = "\u200c\u200d"  # they stand inside Persian words and emoji, so inside file names
_SHOWN = 40
_COMPACT_DATE = re.compile(r"\d{4}|\d{6}|\d{8}", re.ASCII)
_LATEST_S = 1e11  # the year 5138; a greater number counts milliseconds


class BadCell(ValueError):
    """A cell that is not what its column says; the text tells the value and what was expected."""


def shown(cell: Any) -> str:
    """Return a cell as an error shows it: quoted, escaped, cut after 40 characters."""
    text = repr(cell)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def is_missing(cell: Any) -> bool:
    """Say whether a cell holds nothing: blank text, None, or NaN in a column of numbers."""
    if isinstance(cell, str):
        return not cell or cell.isspace()
    return cell is None or bool(cell != cell)  # only NaN and NaT differ from themselves


def text_of(cell: Any) -> str | None:
    """Return the cell as text, unchanged; None where it is missing. The word "nan" is a word."""
    if isinstance(cell, str):
        return None if not cell or cell.isspace() else cell
    if is_missing(cell):
        return None
    if isinstance(cell, bool | int | Decimal):
        return str(cell)
    if isinstance(cell, float):  # a column of whole numbers with gaps is one of floats in Parquet
        return str(int(cell)) if cell.is_integer() else str(cell)
    raise BadCell(f"{shown(cell)} is not text")


def number_of(cell: Any) -> float | None:
    """Return the cell as a finite number; None where it is missing."""
    if is_missing(cell):
        return None
    is_text = isinstance(cell, str)
    try:
        number = float(cell)
    except (TypeError, ValueError, OverflowError) as error:
        remedy = f"; {_number_remedy(cell)}" if is_text else ""
        raise BadCell(f"{shown(cell)} is not a number{remedy}") from error
    if not math.isfinite(number):
        raise BadCell(f"{shown(cell)} is not a finite number; {_number_remedy(str(cell))}")
    if is_text and ("_" in cell or not cell.isascii()):  # float() reads 1_000 and foreign digits
        raise BadCell(f"{shown(cell)} is not a number; {_number_remedy(cell)}")
    return number


def _number_remedy(cell: str) -> str:
    if cell.strip().lower() in {"nan", "na", "n/a", "null", "none", "-"}:
        return "leave the cell empty where there is none"
    word = cell.strip()
    if re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?", word):
        whole = f"write {word.replace(',', '')} without thousands separators"
        comma = word.count(",") == 1 and "." not in word
        return f"{whole}, or {word.replace(',', '.')} if the comma is decimal" if comma else whole
    if re.fullmatch(r"[-+]?\d+,\d+", word):
        return f"write {word.replace(',', '.')} with a point"
    return "write it like 12.5"


def time_of(cell: Any) -> float | None:
    """Return the cell as seconds since 1970, UTC; None where it is missing.

    It is ISO 8601 ("2021-04-18T23:00:12Z"; without a zone it is UTC) or a number of seconds.
    """
    if is_missing(cell):
        return None
    if isinstance(cell, datetime.date):
        return _seconds(cell)
    if isinstance(cell, str) and cell[4:5] == "-":
        return _iso_seconds(cell)
    try:
        seconds = number_of(cell)
    except BadCell:
        return _iso_seconds(cell)
    written = cell.strip() if isinstance(cell, str) else f"{seconds:.15g}"
    if _COMPACT_DATE.fullmatch(written):
        raise BadCell(f"{shown(cell)} may be a date or seconds; write the date as 2021-04-18")
    if seconds is not None and abs(seconds) > _LATEST_S:
        raise BadCell(f"{shown(cell)} is no time in seconds; divide milliseconds by 1000")
    return seconds


def _iso_seconds(cell: Any) -> float:
    try:
        return _seconds(datetime.datetime.fromisoformat(cell.strip()))
    except (ValueError, AttributeError) as error:
        expected = "expected 2021-04-18T23:00:12Z or seconds since 1970"
        raise BadCell(f"{shown(cell)} is not a time; {expected}") from error


def _seconds(time: datetime.date) -> float:
    if not isinstance(time, datetime.datetime):
        time = datetime.datetime.combine(time, datetime.time())
    return (time if time.tzinfo else time.replace(tzinfo=datetime.UTC)).timestamp()


def id_of(cell: Any) -> str:
    """Return the cell as an id: printable text of 1 to 200 characters."""
    if is_missing(cell):
        raise BadCell("the id is empty; every row needs one")
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell)
    if not isinstance(cell, str):
        raise BadCell(f"the id {shown(cell)} is not text; store ids as text")
    if len(cell) > LONGEST_ID:
        raise BadCell(
            f"the id {shown(cell)} has {len(cell):,} characters; it may have {LONGEST_ID}"
        )
    if not cell.isprintable():
        _check_characters(cell)
    return cell


def _check_characters(name: str) -> None:
    """Refuse control characters, line ends and invisible marks; spaces of any width may stay."""
    for character in name:
        allowed = character.isprintable() or character in _JOINERS
        if not allowed and unicodedata.category(character) != "Zs":
            raise BadCell(
                f"the id {shown(name)} holds the unprintable character U+{ord(character):04X}; "
                "remove it"
            )
