"""SnapUGC, short videos and their ECR in 0..1: Id, Title, Description, ECR; `<Id>.mp4` files.

The public lists of the VQualA 2025 challenge have these headers; copies of them in lower case are
read as well. Other columns, such as a duration, are added with `--columns number=duration`.

Its parts are published as a file each. A folder of them is read as one table, whose column `split`
says the part: the first word of a file's name that is one, as in `train_out_sanitized.txt`, tells
it. A `.txt` has tabs between its cells.
"""

from __future__ import annotations

import re
from pathlib import Path

from core.errors import TableError, UsageError
from corpus.columns import Columns
from corpus.folds import PARTS, SPLIT_WORDS
from corpus.sources.source import Source
from corpus.table import Table, read_table

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".jsonl")


def read(path: Path) -> Table:
    """Read a table, or a folder with a table for each part.

    Raises:
        UsageError: if there is no such table, or the folder has none or two for one part.
        TableError: if one is no table, or already has a column `split`.
    """
    if not path.is_dir():
        return _read_file(path)
    tables = {part: _read_file(file) for part, file in sorted(_files(path).items())}
    for table in tables.values():
        if "split" in map(str.lower, table.columns):
            problem = "it has a column 'split', and so has every table of a folder by its name"
            raise TableError(table.path, [problem], "Rename the column.")
    return _joined(path, {PARTS[part]: table for part, table in tables.items()})


def _read_file(path: Path) -> Table:
    return read_table(path, kind=".tsv" if path.suffix.lower() == ".txt" else None)


def _files(folder: Path) -> dict[int, Path]:
    """Return the file of each part."""
    found: dict[int, Path] = {}
    for file in sorted(folder.iterdir()):
        words = re.findall("[a-z]+", file.stem.lower())
        parts = [SPLIT_WORDS[word] for word in words if word in SPLIT_WORDS]
        if not parts or file.suffix.lower() not in SUFFIXES:
            continue
        if parts[0] in found:
            raise UsageError(
                f"folder {folder} has two {PARTS[parts[0]]} tables, {found[parts[0]].name} and "
                f"{file.name}; move one of them out"
            )
        found[parts[0]] = file
    if not found:
        raise UsageError(
            f"folder {folder} has no table of a part, such as train.csv; name a table, or a folder "
            "with files whose names say train, val or test"
        )
    return found


def _joined(folder: Path, tables: dict[str, Table]) -> Table:
    """Put tables below each other; a column that one of them lacks is empty there."""
    names = {name.lower(): name for table in tables.values() for name in table.columns}
    columns: dict[str, list[object]] = {name: [] for name in names.values()}
    split: list[str] = []
    lines: list[int | str] = []
    faults: dict[int, str] = {}
    for part, table in tables.items():
        cells = {name.lower(): values for name, values in table.columns.items()}
        for key, name in names.items():
            columns[name] += cells.get(key, [None] * len(table))
        faults |= {len(lines) + row: text for row, text in table.faults.items()}
        split += [part] * len(table)
        lines += [f"{line} of {table.path.name}" for line in table.lines]
    return Table(folder, {**columns, "split": split}, lines, faults=faults)


SOURCE = Source(
    "snapugc",
    columns=Columns(id="id", text=("title", "description"), split="split"),
    files={"video": "{id}.mp4"},
    any_case=True,
    read=read,
)
