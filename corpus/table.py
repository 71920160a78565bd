"""Tables as columns of cells: CSV, TSV, JSON lines and Parquet, with the line of every row.

CSV and TSV are read by Python's own reader rather than pandas: it knows the line of each row,
reports rows with too few or too many cells instead of filling them up, and keeps every cell as the
text it is ("NA", "0012"). 100,000 rows of 10 columns take half a second.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import TableError, UnknownName, UsageError

_LONGEST_CELL = 16 << 20  # a long text may stand in a cell; Python's own limit is 128 KiB
# Bytes that a Parquet table may unpack to: a file of 1 MB may hold 10 GB of one word. Many times as
# much as the largest public table of videos.
_LARGEST_TABLE = 4 << 30
_ROWS_AT_ONCE = 4096
# What a time after the year 9999, or of a zone that nobody knows, raises: it depends on whose zones
# pyarrow asks.
_NO_VALUE = (OverflowError, ValueError, LookupError)
Cell = Any  # text; in JSON lines and Parquet also numbers, times and None


@dataclass(frozen=True, eq=False)
class Table:
    """The cells of a table by column; all columns have the same length, at least 1.

    lines   the line of each row in its file, from 1; in Parquet the number of the row; a text such
            as "7 of train.csv" where a source puts files together
    unit    what `lines` counts: "line", "row" or "file"
    faults  by row index: what is wrong with the row as a whole
    """

    path: Path
    columns: Mapping[str, Sequence[Cell]]
    lines: Sequence[int | str]
    unit: str = "line"
    faults: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.lines)

    def where(self, row: int) -> str:
        """Name a row, as in "line 7"."""
        return f"{self.unit} {self.lines[row]}"


def read_table(path: Path, *, kind: str | None = None) -> Table:
    """Read a table whole; `kind` is the suffix that says its format, by default the file's own.

    Raises:
        UsageError: if the suffix is unknown or there is no such file.
        TableError: if the content is not a table in UTF-8, or has no rows.
    """
    read = _READERS.get(kind or path.suffix.lower())
    if read is None:
        raise UsageError(f"{_what_it_is(path)}; expected one of {', '.join(_READERS)}")
    try:
        table = read(path)
    except FileNotFoundError as error:
        raise UsageError(f"table {path} does not exist; {_neighbours(path)}") from error
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"table {path} cannot be read: {reason}; give a readable file") from error
    if not len(table):
        raise TableError(path, ["it has no rows"], "A table has a header and at least one row.")
    return table


def _what_it_is(path: Path) -> str:
    if path.is_dir():
        return f"{path} is a folder: name a table in it, or say what it holds with --source"
    return f"table {path} has the suffix {path.suffix!r}"


def _neighbours(path: Path) -> str:
    """Offer the nearest of the tables that lie in the same folder."""
    if not path.parent.is_dir():
        return f"there is no folder {path.parent} either"
    names = [file.name for file in path.parent.iterdir() if file.suffix.lower() in _READERS]
    if not names:
        return f"there is no table in {path.parent.resolve()}: {', '.join(_READERS)}"
    return str(UnknownName("table", path.name, names)).partition("; ")[2]


def _read_delimited(path: Path, delimiter: str) -> Table:
    content = _decoded(path)
    _check_delimiter(path, content, delimiter)
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    starts: list[int] = []
    next_line = 1
    csv.field_size_limit(_LONGEST_CELL)
    try:
        for row in reader:
            if row:  # a blank line is no row
                rows.append(row)
                starts.append(next_line)
            next_line = reader.line_num + 1
    except csv.Error as error:
        problem = f"line {next_line}: {error}"
        remedy = 'A cell that holds a quote or a line break is quoted whole: "say ""hi""".'
        if "field limit" in str(error):
            problem = f"line {next_line}: a cell has more than {_LONGEST_CELL:,} characters"
            remedy = "A quote that is never closed makes one cell of all that follows; close it."
        raise TableError(path, [problem], remedy) from error
    if not rows:
        raise TableError(path, ["the file is empty"], "A table has a header and at least one row.")
    header = [name.strip() for name in rows[0]]
    _check_header(path, header)
    faults = _even_out(rows, len(header))
    cells = list(zip(*rows[1:], strict=True)) or [()] * len(header)
    columns = {name: values for name, values in zip(header, cells, strict=True) if name}
    return Table(path, columns, starts[1:], faults=faults)


def _decoded(path: Path) -> str:
    """Return a file's text, without a byte order mark."""
    raw = path.read_bytes()
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise TableError(path, ["the file is in UTF-16"], "Save it as UTF-8.")
    try:
        return raw.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problem = f"line {line}: the byte 0x{error.object[error.start]:02x} is not UTF-8"
        remedy = f"Save it as UTF-8, for example: iconv -f latin1 -t utf-8 {path.name}"
        raise TableError(path, [problem], remedy) from error


def _check_delimiter(path: Path, content: str, delimiter: str) -> None:
    """Refuse a header with other separators, before they make quotes look misplaced."""
    first = re.search(r"[^\r\n]+", content)
    if first is None:
        return
    bare = re.sub(r'"[^"]*"', "", first[0])  # what stands in quotes separates nothing
    for other, word in ((";", "semicolons"), ("\t", "tabs"), (",", "commas")):
        if other in bare and delimiter not in bare:
            problem = f"line 1: the header {first[0]!r} is separated by {word}"
            raise TableError(path, [problem], "A .csv has commas between cells, a .tsv tabs.")


def _check_header(path: Path, header: list[str]) -> None:
    twice = sorted({name for name in header if name and header.count(name) > 1})
    values = [name for name in twice if _is_number(name)]
    if values:
        problem = f"line 1: no header line, it holds values: {values[0]!r} is there twice or more"
        raise TableError(path, [problem], "Write a line of headers above it.")
    if twice:
        problems = [
            f"line 1: the column {name!r} is there {header.count(name)} times" for name in twice
        ]
        raise TableError(path, problems, "Rename one of them.")
    if not any(header):
        raise TableError(path, ["line 1: the header names no column"])


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def _even_out(rows: list[list[str]], width: int) -> dict[int, str]:
    """Make every row as wide as the header, and say which were not."""
    faults = {}
    for index, row in enumerate(rows):
        if len(row) != width:
            faults[index - 1] = f"the row has {len(row)} cells, the header {width}"
            rows[index] = (row + [""] * width)[:width]
    return faults


def _read_json_lines(path: Path) -> Table:
    rows: list[Mapping[str, Cell]] = []
    lines: list[int] = []
    faults: dict[int, str] = {}
    for number, line in enumerate(_decoded(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            row, faults[len(rows)] = {}, f"the line is not JSON: {error}"
        if not isinstance(row, dict):
            row, faults[len(rows)] = {}, "the line is not a JSON object"
        rows.append(row)
        lines.append(number)
    if len(faults) == len(rows) and rows:
        raise TableError(path, [f"line {lines[i]}: {text}" for i, text in faults.items()])
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name) for row in rows] for name in names}
    return Table(path, columns, lines, faults=faults)


def _read_parquet(path: Path) -> Table:
    import pyarrow
    import pyarrow.parquet

    try:
        with path.open("rb") as stream:
            file = pyarrow.parquet.ParquetFile(stream)
            names = file.schema_arrow.names
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise TableError(path, [f"the column {name!r} is there twice" for name in twice])
            content = _unpacked(path, file)
    except pyarrow.ArrowException as error:
        raise TableError(path, [f"it is not a Parquet file: {error}"]) from error
    columns = {name: _cells(content.column(name)) for name in names}
    return Table(path, columns, range(1, content.num_rows + 1), unit="row")


def _unpacked(path: Path, file: Any) -> Any:
    """Return the whole of an open Parquet file as an Arrow table."""
    import pyarrow

    batches, size = [], 0
    for batch in file.iter_batches(_ROWS_AT_ONCE):
        size += batch.nbytes
        if size > _LARGEST_TABLE:
            problem = f"it unpacks to more than {_LARGEST_TABLE:,} bytes"
            remedy = "Leave out the columns that are not needed, or divide it."
            raise TableError(path, [problem], remedy)
        batches.append(batch)
    return pyarrow.Table.from_batches(batches, file.schema_arrow)


def _cells(column: Any) -> list[Cell]:
    """Return the cells of an Arrow column; what Python has no value for is a text."""
    try:
        return list(column.to_pylist())
    except _NO_VALUE:
        return [_cell(value) for value in column]


def _cell(value: Any) -> Cell:
    import pyarrow

    try:
        return value.as_py()
    except _NO_VALUE:
        try:
            return value.cast(pyarrow.string()).as_py()
        except pyarrow.ArrowException:
            return f"unreadable {value.type}"


_READERS: Mapping[str, Callable[[Path], Table]] = {
    ".csv": lambda path: _read_delimited(path, ","),
    ".tsv": lambda path: _read_delimited(path, "\t"),
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".parquet": _read_parquet,
}
SUFFIXES = tuple(_READERS)
