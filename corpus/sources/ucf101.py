"""UCF101, short actions in 101 classes: a tree of class folders, or a table of such files.

    UCF-101/                                  the folder to name, or the one that holds it
    ├── ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi
    └── ...
    ucfTrainTestlist/                         beside it or in it; may be lacking
    ├── classInd.txt
    └── trainlist01.txt ... testlist03.txt

The target is the column `class`. Clips of one group (g01) are cut from one film, so that `group`, a
class and its group, is what stays together: it is the author. `split` has the word of each of the
three official lists, "train,test,train", for `--split ucf101-1` to `ucf101-3`. Any other tree of
class folders is read the same way; its files have no groups.

A table has the paths in `video` (or `path`, `file`), and may have `class`, `group` and `split`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from core.errors import TableError, UsageError
from corpus.columns import Columns
from corpus.sources.source import Source
from corpus.sources.ucf101_lists import OfficialLists, read_lists
from corpus.table import Cell, Table, read_table

TREE = "UCF-101"
LISTS = "ucfTrainTestlist"
VIDEO_SUFFIXES = frozenset({".avi", ".mp4", ".mkv", ".webm", ".mov", ".m4v", ".mpg", ".mpeg"})
_NAME = re.compile(r"v_(.+)_(g\d+)_c\d+", re.ASCII)
_OTHER_HEADERS = {"video": ("path", "file"), "class": ("label", "action")}


def read(path: Path) -> Table:
    """Read a tree of class folders, or a table of paths.

    Raises:
        UsageError: if there is no such table, or the tree has no videos in class folders.
        TableError: if the table has no paths, or an official list is none.
    """
    if path.is_dir():
        videos = _videos(path)
        table = Table(path, {"video": videos}, videos, unit="file")
        tree = path
    else:
        table = _renamed(read_table(path))
        tree = path.parent
    return _described(table, read_lists(_homes(tree)))


def _videos(folder: Path) -> list[str]:
    """Return the paths of all videos in class folders, relative to the folder."""
    tree = folder / TREE if (folder / TREE).is_dir() else folder
    classes = sorted(place for place in tree.iterdir() if place.is_dir())
    files = [file for place in classes for file in sorted(place.iterdir())]
    found = [
        file.relative_to(folder).as_posix()
        for file in files
        if file.suffix.lower() in VIDEO_SUFFIXES and not file.name.startswith(".")
    ]
    if not found:
        raise UsageError(
            f"{tree} has no folder of a class with videos in it, such as "
            "ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi; name the folder of the class folders"
        )
    return found


def _homes(tree: Path) -> list[Path]:
    """Return where the official lists may lie."""
    outer = tree.absolute().parent
    return [tree, tree / LISTS, outer, outer / LISTS]


def _renamed(table: Table) -> Table:
    named = dict(table.columns)
    for name, others in _OTHER_HEADERS.items():
        header = next((other for other in others if other in named), None)
        if name not in named and header is not None:
            named[name] = named.pop(header)
    if "video" not in named:
        problem = f"no column 'video' or 'path'; it has {', '.join(map(repr, table.columns))}"
        raise TableError(table.path, [problem], f"Name a table of paths, or the folder {TREE}.")
    return Table(table.path, named, table.lines, table.unit, table.faults)


def _described(table: Table, lists: OfficialLists) -> Table:
    """Add what paths and lists say: id, class, group and split, where the table does not."""
    paths = [PurePosixPath(_text(cell)) for cell in table.columns["video"]]
    names = [lists.spelling(name) for name in table.columns.get("class") or map(_class, paths)]
    found = {
        "id": [f"{name}/{path.stem}" if path.name else "" for name, path in _both(names, paths)],
        "group": [_group(name, path) for name, path in _both(names, paths)],
        "split": [lists.words(path.stem) for path in paths],
    }
    added = {name: values for name, values in found.items() if any(values)}
    lists.warn_of_missing({path.stem for path in paths})
    faults = dict(table.faults)
    for row, (name, path) in enumerate(_both(names, paths)):
        fault = lists.fault(name, path.stem)
        if fault:
            faults.setdefault(row, fault)
    columns = {**added, **table.columns, "class": names}
    return Table(table.path, columns, table.lines, table.unit, faults)


def _both(names: Sequence[str], paths: Sequence[PurePosixPath]) -> list[tuple[str, PurePosixPath]]:
    return list(zip(names, paths, strict=True))


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else ""


def _class(path: PurePosixPath) -> str:
    """Return the class of a file: that of its folder, as names and folders differ in case."""
    match = _NAME.fullmatch(path.stem)
    return path.parent.name or (match[1] if match else "")


def _group(name: str, path: PurePosixPath) -> str:
    match = _NAME.fullmatch(path.stem)
    return f"{name}_{match[2]}" if match else ""


SOURCE = Source(
    "ucf101",
    columns=Columns(id="id", video="video", author="group", split="split"),
    read=read,
)
