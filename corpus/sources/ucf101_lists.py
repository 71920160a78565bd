"""The official lists of UCF101: classInd.txt, and which file each of three splits learns from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from core.errors import TableError
from core.log import logger

NUMBERS = (1, 2, 3)
PARTS = ("train", "test")
INDEX = "classInd.txt"


@dataclass(frozen=True)
class OfficialLists:
    """What the lists say of files, by the file's name without suffix and case.

    Folders and files of one class differ in case (HandstandPushups/v_HandStandPushups_g01_c01.avi),
    and copies of the tree in other formats.

    classes  the official spelling of a class, by its name without case; empty without classInd.txt
    parts    for each list "train" or "test", by file; empty where there is no such list
    folders  the class that a list has a file in
    """

    classes: Mapping[str, str] = field(default_factory=dict)
    parts: Sequence[Mapping[str, str]] = field(default_factory=lambda: [{}, {}, {}])
    folders: Mapping[str, str] = field(default_factory=dict)

    def spelling(self, name: object) -> str:
        """Return a class as classInd.txt spells it."""
        text = name if isinstance(name, str) else ""
        return self.classes.get(text.casefold(), text)

    def words(self, stem: str) -> str:
        """Return what the three lists say of a file, "train,test,train"; "" where none does."""
        words = [part.get(stem.casefold(), "") for part in self.parts]
        return ",".join(words) if any(words) else ""

    def fault(self, name: str, stem: str) -> str | None:
        """Return what is wrong with the class of a file, if anything is."""
        listed = self.folders.get(stem.casefold(), name)
        if listed.casefold() != name.casefold():
            return f"its class is {name!r}, but the official lists have it in {listed!r}"
        if self.classes and name and name.casefold() not in self.classes:
            return f"its class {name!r} is not in {INDEX}; add it, or take its folder away"
        return None

    def warn_of_missing(self, stems: Collection[str]) -> None:
        """Say on stderr how many listed files are not among those that there are."""
        missing = set().union(*self.parts) - {stem.casefold() for stem in stems}
        if missing:
            logger.warning(
                "%d of the videos in the official lists are not here, such as %s: scores on "
                "these splits are not the published ones",
                len(missing),
                min(missing),
            )


def read_lists(homes: Sequence[Path]) -> OfficialLists:
    """Read the lists of the first folder that has one; without any nothing is listed.

    Raises:
        TableError: if a line is none of a list, a class is unknown, or a file is in both parts.
    """
    names = [_list_name(part, number) for number in NUMBERS for part in PARTS]
    home = next((home for home in homes if any((home / name).is_file() for name in names)), None)
    if home is None:
        return OfficialLists()
    classes = _read_classes(home / INDEX)
    folders: dict[str, str] = {}
    parts = [_read_parts(home, number, classes, folders) for number in NUMBERS]
    return OfficialLists({name.casefold(): name for name in classes.values()}, parts, folders)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a list that are not blank, with their numbers."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableError(path, [f"it is not UTF-8 text: {error}"], "Take the original.") from error
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            yield number, line.strip()


def _read_classes(path: Path) -> dict[str, str]:
    """Return the classes by their number, as text; nothing without the file."""
    if not path.is_file():
        return {}
    classes = {}
    for number, line in _lines(path):
        index, _, name = line.partition(" ")
        if not index.isdecimal() or not name:
            problem = f"line {number}: {line!r} is not a number and a class"
            raise TableError(path, [problem], "A line is like: 1 ApplyEyeMakeup")
        classes[index] = name.strip()
    return classes


def _read_parts(
    home: Path, number: int, classes: Mapping[str, str], folders: dict[str, str]
) -> dict[str, str]:
    """Return the part of each file in one split, and note the classes of files in `folders`."""
    found: dict[str, str] = {}
    for part in PARTS:
        path = home / _list_name(part, number)
        for line, text in _lines(path) if path.is_file() else ():
            folder, stem, index = _entry(text)
            if found.setdefault(stem, part) != part:
                problem = f"line {line}: {text!r} is in the list of the other part as well"
                raise TableError(path, [problem], "Take the original lists.")
            if index and classes and classes.get(index, "").casefold() != folder.casefold():
                problem = f"line {line}: {text!r}: class {index} is not {folder!r}"
                raise TableError(path, [problem], f"Take the lists that belong to {INDEX}.")
            if folder:
                folders[stem] = folder
    return found


def _entry(text: str) -> tuple[str, str, str]:
    """Return folder, name without suffix and case, and class number ("" if none) of a line."""
    name, _, index = text.rpartition(" ")
    if not name or not index.isdecimal():
        name, index = text, ""
    file = PurePosixPath(name.strip())
    return file.parent.name, file.stem.casefold(), index


def _list_name(part: str, number: int) -> str:
    return f"{part}list{number:02}.txt"
