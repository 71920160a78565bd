"""The rows of a table as samples; what is wrong with a row is noted, and the reading goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import repeat
from pathlib import Path
from typing import TypeVar

import numpy as np

from core.errors import TableError, UnknownName, UsageError
from corpus.cells import BadCell, id_of, is_missing, number_of, text_of, time_of
from corpus.columns import Columns
from corpus.places import Root
from corpus.sample import Sample, Target
from corpus.sources.source import Source
from corpus.steps import step_columns
from corpus.table import Cell, Table

T = TypeVar("T")


def resolve_columns(table: Table, given: Columns | None, source: Source) -> Columns:
    """Return what the columns are: as given, else as the source or their own names say.

    Raises:
        TableError: if a named column is not in the table, with near names, or nothing gives ids.
    """
    columns = given or Columns()
    if source.columns is not None:
        columns = columns.over(_present(table, source))
    else:
        named = {name for _, name in columns.named()}
        columns = columns.over(Columns.guess(name for name in table.columns if name not in named))
    problems = [
        str(UnknownName(f"{role} column", name, table.columns))
        for role, name in columns.named()
        if header_of(table, name, source) is None
    ]
    if problems:
        raise TableError(table.path, problems, "Name the columns with --columns.")
    if columns.id is None and columns.video is None and columns.image is None:
        problem = f"no column gives ids; the table has: {', '.join(table.columns)}"
        raise TableError(
            table.path, [problem], "Name one of them: --columns id=NAME, or video=NAME"
        )
    return columns


def _present(table: Table, source: Source) -> Columns:
    """Return the source's columns without those that the table lacks; the id stays in any case."""
    own = (source.columns or Columns()).to_mapping()
    kept: dict[str, object] = {}
    for role, named in own.items():
        names = named if isinstance(named, list) else [named]
        there = [name for name in names if role == "id" or header_of(table, name, source)]
        if there:
            kept[role] = there
    return Columns.from_mapping(kept)


def header_of(table: Table, name: str, source: Source) -> str | None:
    """Return the table's own spelling of a column; None where it has no such column."""
    if name in table.columns or not source.any_case:
        return name if name in table.columns else None
    return next((header for header in table.columns if header.lower() == name.lower()), None)


class RowReader:
    """Reads the columns of a table one after the other and gathers what is wrong with its rows."""

    def __init__(self, table: Table, columns: Columns, source: Source, root: Root) -> None:
        self.table, self.columns, self.source, self.root = table, columns, source, root
        self._bad: dict[int, list[str]] = {row: [text] for row, text in table.faults.items()}

    def problems(self) -> list[str]:
        """Return what is wrong, in the order of the rows: "line 7: column 'ECR': ..."."""
        return [
            f"{self.table.where(row)}: {text}"
            for row in sorted(self._bad)
            for text in self._bad[row]
        ]

    def samples(self, targets: Mapping[str, bool]) -> list[Sample]:
        """Return the samples of the rows that are right; `targets` says which must be numbers.

        Raises:
            UsageError: if a target is an input as well, or steps of a sequence are lacking.
            TableError: if there is no column for a target.
        """
        files = {part: self._files(part) for part in ("video", "image")}
        ids = self._ids(files)
        files |= {part: self._patterned(part, ids) for part in self.source.files if not files[part]}
        columns = self.columns
        texts = {name: self._values(name, text_of) for name in columns.text}
        meta: dict[str, list[float | str | None]] = {}
        meta.update({name: [*self._values(name, number_of)] for name in columns.number})
        meta.update({name: [*self._values(name, text_of)] for name in columns.category})
        labels = {name: self._target(name, number) for name, number in targets.items()}
        rows = zip(
            ids,
            self._located(files["video"]),
            self._located(files["image"]),
            _mappings(texts, len(ids)),
            _mappings(meta, len(ids)),
            _targets(labels, len(ids)),
            self._optional(columns.author, text_of),
            self._optional(columns.time, time_of),
            self._optional(columns.split, text_of),
            strict=False,  # a column that the table lacks repeats None for ever
        )
        return [Sample(*row) for index, row in enumerate(rows) if index not in self._bad]

    def _values(self, name: str, read: Callable[[Cell], T | None]) -> list[T | None]:
        """Return a column read cell by cell; a bad cell is noted, and None stands in its place."""
        header = header_of(self.table, name, self.source)
        assert header is not None, name
        values: list[T | None] = []
        for row, cell in enumerate(self.table.columns[header]):
            try:
                values.append(read(cell))
            except BadCell as error:
                values.append(None)
                self._note(row, f"column {header!r}: {error}")
        return values

    def _optional(
        self, name: str | None, read: Callable[[Cell], T | None]
    ) -> Sequence[T | None] | repeat[None]:
        return repeat(None) if name is None else self._values(name, read)

    def _note(self, row: int, problem: str) -> None:
        if row not in self.table.faults:  # the cells of such a row may stand in any column
            self._bad.setdefault(row, []).append(problem)

    def _files(self, part: str) -> list[tuple[str, Path] | None]:
        """Return the relative and whole paths of a part; [] where no column gives them."""
        name: str | None = getattr(self.columns, part)
        if name is None:
            return []
        return self._values(name, self._place)

    def _place(self, cell: Cell) -> tuple[str, Path] | None:
        text = text_of(cell)
        return None if text is None else self.root.place(text)

    def _located(
        self, files: list[tuple[str, Path] | None]
    ) -> Sequence[Path | None] | repeat[None]:
        return [file and file[1] for file in files] if files else repeat(None)

    def _patterned(self, part: str, ids: Sequence[str]) -> list[tuple[str, Path] | None]:
        """Return the files that the source finds by id."""
        there = (f"{name}/" for name in self.source.folders if (self.root.folder / name).is_dir())
        pattern = next(there, "") + self.source.files[part]
        places: list[tuple[str, Path] | None] = []
        for row, name in enumerate(ids):
            try:
                places.append(self.root.place(pattern.format(id=name)))
            except BadCell as error:
                places.append(None)
                self._note(row, f"the {part} of id {name!r}: {error}")
        return places

    def _ids(self, files: Mapping[str, list[tuple[str, Path] | None]]) -> list[str]:
        """Return the ids of all rows, those of bad rows "": from their column, or the paths."""
        if self.columns.id is not None:
            read = self._values(self.columns.id, id_of)
        else:
            paths = files["video"] or files["image"]
            read = [self._path_id(row, file) for row, file in enumerate(paths)]
        first: dict[str, int] = {}
        for row, name in enumerate(read):
            if name is not None and first.setdefault(name, row) != row:
                self._note(
                    row, f"the id {name!r} is already that of {self.table.where(first[name])}"
                )
        return [name or "" for name in read]

    def _path_id(self, row: int, file: tuple[str, Path] | None) -> str | None:
        if file is None:
            if row not in self._bad:
                self._note(
                    row,
                    "there is neither a path nor an id; name an id column with --columns id=NAME",
                )
            return None
        try:
            return id_of(file[0])
        except BadCell as error:
            self._note(row, f"{error}; or name an id column with --columns id=NAME")
            return None

    def _target(self, name: str, must_be_number: bool) -> Sequence[Target]:
        header = header_of(self.table, name, self.source)
        steps = [name] if header else step_columns(name, self.table.columns)
        if not steps:
            problem = str(UnknownName("target column", name, self.table.columns))
            raise TableError(self.table.path, [problem])
        self._check_leak(name, steps)
        if header:
            return self._values(name, _checked_label if must_be_number else _label)
        columns = [self._values(step, number_of) for step in steps]
        sequences = np.array(columns, dtype=np.float64).T  # None becomes NaN
        return [*np.ascontiguousarray(sequences)]

    def _check_leak(self, target: str, steps: Sequence[str]) -> None:
        named = (*self.columns.text, *self.columns.number, *self.columns.category)
        inputs = {header_of(self.table, name, self.source) for name in named}
        for step in steps:
            if header_of(self.table, step, self.source) in inputs:
                raise UsageError(
                    f"column {step!r} is both an input and the target {target!r}; "
                    "take it out of --columns"
                )


def _label(cell: Cell) -> Target:
    """Return a raw label: text of a CSV as it is, numbers as float, a list as a sequence."""
    if isinstance(cell, list):
        numbers = [number_of(item) for item in cell]
        return np.array(numbers, dtype=np.float64)  # None becomes NaN
    if is_missing(cell):
        return None
    if isinstance(cell, int | float | Decimal) and not isinstance(cell, bool):
        return float(cell)
    return text_of(cell)


def _checked_label(cell: Cell) -> Target:
    """Return a raw label after making sure that it reads as a number."""
    if not isinstance(cell, list):
        number_of(cell)
    return _label(cell)


def _targets(columns: Mapping[str, Sequence[Target]], rows: int) -> list[dict[str, Target]]:
    """Return one mapping column -> label for each row, None where there is no label."""
    if not columns:
        return [{} for _ in range(rows)]
    whole = zip(*columns.values(), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in whole]


def _mappings(columns: Mapping[str, Sequence[T | None]], rows: int) -> list[dict[str, T]]:
    """Return one mapping name -> value for each row, without the values that are not there."""
    names = list(columns)
    if not names:
        return [{} for _ in range(rows)]
    whole = zip(*columns.values(), strict=True)
    return [
        {name: value for name, value in zip(names, row, strict=True) if value is not None}
        for row in whole
    ]
