"""Which column of a table is what: the id, the files, the texts, the numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from core.errors import UnknownName, UsageError

SINGLE = ("id", "video", "image", "author", "time", "split")  # roles that one column has
SEVERAL = ("text", "number", "category")  # roles that columns share, joined by "+"
ROLES = (*SINGLE, *SEVERAL)
GUESSED = {role: role for role in SINGLE} | {"title": "text", "description": "text"}
_EXAMPLE = "--columns id=Id,video=path,text=title+description,number=duration"


@dataclass(frozen=True)
class Columns:
    """The columns of a table by what they are; None or () where the table has no such thing.

    A text, number or category is known by its column's name: `text=title` is the part "text:title".
    One column may have roles that do not collide, such as author, text and category.
    """

    id: str | None = None
    video: str | None = None
    image: str | None = None
    text: tuple[str, ...] = ()
    number: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    author: str | None = None
    time: str | None = None
    split: str | None = None

    @classmethod
    def parse(cls, text: str) -> Columns:
        """Read `id=Id,text=title+description`, `{id: Id}`, or the file that `columns.yaml` names.

        Raises:
            UnknownName: for a key that is no role.
            UsageError: for a key or column named twice, an empty name, or a file that cannot be
                read.
        """
        if "=" not in text and text.lower().endswith((".yaml", ".yml")):
            return cls.from_mapping(_read_yaml(Path(text)))
        if text.lstrip().startswith("{"):
            return cls.from_mapping(_mapping(text, "columns"))
        named: dict[str, list[str]] = {}
        for item in text.split(","):
            role, equals, names = item.partition("=")
            role = role.strip()
            if not equals:
                raise UsageError(
                    f"columns: {item.strip()!r} is not ROLE=COLUMN; example: {_EXAMPLE}"
                )
            if role in named:
                raise UsageError(
                    f"columns: {role!r} is given twice; join columns with '+': {role}=a+b"
                )
            named[role] = names.split("+")
        return cls.from_mapping(named)

    @classmethod
    def from_mapping(cls, named: Mapping[str, Any]) -> Columns:
        """Make columns of a mapping role -> name, "a+b" or list of names, as a YAML file holds it.

        Raises:
            UnknownName: for a key that is no role.
            UsageError: for a column named twice or an empty name.
        """
        values: dict[str, Any] = {}
        for role, given in named.items():
            if role not in ROLES:
                raise UnknownName("column role", str(role), ROLES, f"Example: {_EXAMPLE}")
            names = _names(role, given)
            if role in SINGLE and len(names) > 1:
                raise UsageError(f"columns: {role} is one column, not {len(names)}: {given}")
            values[role] = names[0] if role in SINGLE else names
        columns = cls(**values)
        columns._check()
        return columns

    @classmethod
    def guess(cls, headers: Iterable[str]) -> Columns:
        """Take the columns whose names say what they are: id, video, image, title, description, ...

        Only these names are taken; `path`, for one, may be a path to anything.
        """
        named: dict[str, list[str]] = {}
        for header in headers:
            if header in GUESSED:
                named.setdefault(GUESSED[header], []).append(header)
        return cls.from_mapping(named)

    def over(self, other: Columns) -> Columns:
        """Return the columns of `other`, with the roles that these columns give replaced."""
        mine, theirs = self.to_mapping(), other.to_mapping()
        return Columns.from_mapping({**theirs, **mine})

    def to_mapping(self) -> dict[str, Any]:
        """Return role -> name or list of names, without the roles that no column has."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {
            role: list(value) if isinstance(value, tuple) else value
            for role, value in values.items()
            if value
        }

    def named(self) -> list[tuple[str, str]]:
        """Return (role, column) for every column that is named."""
        pairs = []
        for role, value in self.to_mapping().items():
            pairs += [(role, name) for name in (value if isinstance(value, list) else [value])]
        return pairs

    def _check(self) -> None:
        for name in set(self.number) & set(self.category):
            raise UsageError(
                f"columns: {name!r} is both number and category; it can be only one of them"
            )
        if self.video is not None and self.video == self.image:
            raise UsageError(f"columns: {self.video!r} is both video and image")


def _names(role: str, given: Any) -> tuple[str, ...]:
    """Return the column names of one role, checked."""
    parts = given.split("+") if isinstance(given, str) else given
    if isinstance(parts, int):  # YAML reads a column called 2021 as a number
        parts = [parts]
    if not isinstance(parts, list | tuple) or not parts:
        raise UsageError(f"columns: {role} is {given!r}; expected the name of a column")
    names = tuple(str(part).strip() for part in parts)
    if not all(names):
        raise UsageError(f"columns: {role} has an empty column name; example: {_EXAMPLE}")
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"columns: {role} names the column {name!r} twice")
    return names


def _read_yaml(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"columns file {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"columns file {path} is not YAML: {error}") from error
    return _mapping(text, f"columns file {path}")


def _mapping(text: str, what: str) -> Mapping[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"{what} is not YAML: {error}") from error
    if not isinstance(content, dict):
        raise UsageError(
            f"{what} must map roles to columns, such as `id: Id`; roles: {', '.join(ROLES)}"
        )
    return content
