"""What a source is: how the tables of one data set are laid out, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from corpus.columns import Columns
from corpus.table import Table, read_table


@dataclass(frozen=True)
class Source:
    """The layout of one data set's tables.

    columns   what its columns are; None takes the columns whose names say what they are. A column
              other than the id may be lacking from a table
    files     by part ("video", "image") the name of the file under the root, such as "{id}.mp4",
              where no column gives it
    folders   folders under the root that may hold those files: the first that is there, else the
              root itself
    any_case  whether `Title` and `TITLE` are the column `title`, and `text:title` the part
    read      reads what the user names, a table or a folder, as a table with these columns
    """

    name: str
    columns: Columns | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    folders: Sequence[str] = ()
    any_case: bool = False
    read: Callable[[Path], Table] = read_table
