"""SMTPD, the popularity of YouTube videos day by day: covers, texts, numbers and p1..p30.

Columns are known by their headers, whatever their case, spaces and underscores: `Video ID` is
`video_id`, `Day 1` is `p1`. A table of exactly 45 columns is in the published order, which tells
the columns whose headers are not known, such as the numbers 0 to 44. Where one header is known and
stands elsewhere, or days have headers, nothing is told by position: in a table of 22 days it would
take what follows for days. Covers are `<video_id>.jpg`, in `img_yt` or `covers` under the root, or
in the root itself.

The published code reads missing cells as the word "nan", and so do tables that it wrote: here such
a cell is missing. Its numbers have no names that all sources agree on; without headers they are f0
to f4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.errors import TableError
from corpus.cells import BadCell, number_of, shown
from corpus.columns import Columns
from corpus.sources.source import Source
from corpus.sources.youtube import category_name
from corpus.table import Cell, Table, read_table

WIDTH, DAYS = 45, 30
FIRST_NUMBER, FIRST_DAY = 10, 15
PLACES = {
    "video_id": 0,
    "user_id": 5,
    "category": 6,
    "title": 7,
    "keywords": 8,
    "description": 9,
    **{f"f{index}": FIRST_NUMBER + index for index in range(5)},
}
OTHER_HEADERS = {
    "video_id": ("id", "vid"),
    "user_id": ("user", "user_name", "nickname", "channel_id"),
    "category": ("categories", "category_name"),
    "title": ("video_title",),
    "keywords": ("keyword", "tags", "tag", "hashtags"),
    "description": ("desc", "video_description"),
    "published_at": ("publish_time", "upload_date"),
}
NUMBERS = (
    *(f"f{index}" for index in range(5)),
    *(f"num{index}" for index in range(1, 6)),
    *("duration", "duration_s", "first_day", "title_len", "title_length", "tag_count"),
    *("description_len", "description_length", "followers", "posts"),
    *("channel_subscribers", "channel_videos", "channel_views"),
)
HIGHEST = 50.0  # of a popularity: more than 10^15 views a day are counts, not their logarithm
LOOKED_AT = 100  # rows whose days are looked at before positions are believed
_DAY = re.compile(r"(p|day)[ _]*0*(\d+)", re.ASCII)


def read(path: Path) -> Table:
    """Read a table and name its columns as this source does.

    Raises:
        TableError: if they can be told neither by header nor by position, or two are one day.
    """
    table = read_table(path)
    names = _by_header(table)
    names |= _by_position(table, names)
    if "video_id" not in names.values() or len(names) < 2:
        raise TableError(path, [_found(table)], _REMEDY)
    columns = {names.get(header, header): header for header in table.columns}
    cells = {name: _cleaned(name, table.columns[columns[name]]) for name in columns}
    return Table(path, cells, table.lines, table.unit, table.faults)


_REMEDY = (
    "Name the columns in the header, or say which is what: --source generic --columns "
    "id=NAME,text=NAME,number=NAME,category=NAME,author=NAME"
)


def _found(table: Table) -> str:
    headers = [shown(header) for header in table.columns]
    more = ", …" * (len(headers) > 10)
    return (
        f"it has {len(headers)} columns: {', '.join(headers[:10])}{more}; expected headers such as "
        f"video_id, user_id, category, title, p1 to p{DAYS}, or exactly {WIDTH} columns in the "
        "order of SMTPD"
    )


def _by_header(table: Table) -> dict[str, str]:
    """Return header -> name for the headers that are known.

    Raises:
        TableError: if two columns are one day.
    """
    headers = table.columns
    keys: dict[str, str] = {}
    for header in headers:
        keys.setdefault(_key(header), header)
    found: dict[str, str] = {}
    for name in (*PLACES, *NUMBERS, "published_at"):
        spellings = (name, *OTHER_HEADERS.get(name, ()))
        alike = [keys[_key(spelling)] for spelling in spellings if _key(spelling) in keys]
        first = name if name in headers else next(iter(alike), None)
        if first is not None:
            found.setdefault(first, name)
    return found | _days(table)


def _key(header: str) -> str:
    return re.sub(r"[\W_]+", "", header.casefold())


def _days(table: Table) -> dict[str, str]:
    """Return header -> p1, p2, ...: of the headers p1, p2, ..., else of Day 1, Day 2, ..."""
    families: dict[str, dict[str, str]] = {"p": {}, "day": {}}
    for header in table.columns:
        match = _DAY.fullmatch(header.casefold())
        if match:
            families[match[1]][header] = f"p{int(match[2])}"
    found = next((family for family in families.values() if len(family) > 1), {})
    holder = {header: header for header in table.columns if header not in found}
    for header, name in found.items():
        if holder.setdefault(name, header) != header:
            problem = f"the columns {holder[name]!r} and {header!r} are both {name}"
            raise TableError(table.path, [problem], "Rename one of them.")
    return found


def _by_position(table: Table, known: Mapping[str, str]) -> dict[str, str]:
    """Return header -> name for the other columns of a table in the published order.

    Raises:
        TableError: if the order fits, but the days hold no popularity.
    """
    headers = list(table.columns)
    days = {f"p{day}": FIRST_DAY + day - 1 for day in range(1, DAYS + 1)}
    places = PLACES if any(name in days for name in known.values()) else PLACES | days
    strange = [
        header
        for header, name in known.items()
        if name in places and headers.index(header) != places[name]
    ]
    if len(headers) != WIDTH or strange:
        return {}
    told = {headers[place]: name for name, place in places.items() if headers[place] not in known}
    taken = (set(told.values()) & set(headers)) - set(told)
    if taken:
        return {}
    for header, name in told.items():
        if name in days:
            _check_day(table, header)
    return told


def _check_day(table: Table, header: str) -> None:
    """Make sure that a column told by its position can hold the popularity of a day."""
    place = list(table.columns).index(header)
    where = f"column {place}, {shown(header)}, must be the popularity of day {place - 14}"
    if _is_number(header) and header != str(place):  # pandas writes 0 to 44 where it has no names
        problem = f"{where}, but its header is a number: the first line holds values"
        raise TableError(table.path, [problem], "Write a line of headers above it.")
    for cell in _without_nan(table.columns[header][:LOOKED_AT]):
        try:
            number = number_of(cell)
        except BadCell as error:
            raise TableError(table.path, [f"{where}, but {error}"], _REMEDY) from error
        if number is not None and not 0 <= number <= HIGHEST:
            problem = f"{where}, at most {HIGHEST:g}, but holds {number:g}"
            remedy = "Turn counts of views into popularity first: python cli.py convert-views"
            raise TableError(table.path, [problem], remedy)


def _is_number(header: str) -> bool:
    try:
        return number_of(header) is not None
    except BadCell:
        return False


def _cleaned(name: str, cells: Sequence[Cell]) -> Sequence[Cell]:
    if name == "video_id":
        return cells
    cells = _without_nan(cells)
    if name != "category":
        return cells
    spelt = {cell: category_name(cell) for cell in set(cells) if isinstance(cell, str)}
    return [spelt.get(cell, cell) for cell in cells]


def _without_nan(cells: Sequence[Cell]) -> Sequence[Cell]:
    return [None if cell == "nan" else cell for cell in cells] if "nan" in cells else cells


SOURCE = Source(
    "smtpd",
    columns=Columns(
        id="video_id",
        text=("title", "keywords", "description"),
        number=NUMBERS,
        category=("category",),
        author="user_id",
        time="published_at",
    ),
    files={"image": "{id}.jpg"},
    folders=("img_yt", "covers"),
    read=read,
)
