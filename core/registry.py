"""Names that load when they are used: a table of name -> "module:attribute"."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from core.errors import UnknownName

T = TypeVar("T")


class Registry(Generic[T]):
    """A table of things that are imported when asked for, so that listing them costs nothing."""

    def __init__(self, kind: str, places: Mapping[str, str], remedy: str = "") -> None:
        self.kind, self._places, self._remedy = kind, dict(places), remedy

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def check(self, name: str) -> str:
        """Return the name unchanged if the table has it.

        Raises:
            UnknownName: with the nearest names, if it does not.
        """
        if name not in self._places:
            raise UnknownName(self.kind, name, self._places, self._remedy)
        return name

    def load(self, name: str) -> T:
        """Import and return what `name` stands for.

        Raises:
            UnknownName: if the table does not have it.
        """
        module, _, attribute = self._places[self.check(name)].partition(":")
        loaded: T = getattr(importlib.import_module(module), attribute)
        return loaded
