"""Every error that Shortcast raises on purpose, and the exit code that each ends with.

    ProjectError            1  something went wrong that the text explains
    ├── UsageError          2  an option, a name or a combination is wrong
    │   ├── UnknownName     2  a name that no table knows; near names are offered
    │   ├── ConfigError     2  a configuration file says something it may not
    │   └── TableError      2  rows or columns of a table are wrong; all of them are listed
    ├── CacheError          1  a cache folder, spec or shard is not what it says it is
    ├── StorageError        1  the disk is full, read-only or failing
    ├── CheckpointError     1  an encoder's checkpoint is not here, or not what it must be
    ├── RunError            1  a run folder or bundle cannot be used
    └── FitError            1  the data cannot be learnt from

A text names the thing, the value, what was expected, and the remedy. A sample that cannot be read
is not an error but a `Gap` (`core/status.py`): the batch goes on without it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class ProjectError(Exception):
    """Something went wrong that the message explains, with its remedy."""

    exit_code = 1


class UsageError(ProjectError):
    """An option, a name or a combination of them is wrong."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration file says something it may not."""


class CacheError(ProjectError):
    """A cache folder, spec or shard is not what it says it is."""


class StorageError(ProjectError):
    """The disk is full, read-only or failing."""


class CheckpointError(ProjectError):
    """An encoder's checkpoint is not on this machine, or is not what the encoder needs."""


class RunError(ProjectError):
    """A run folder or bundle cannot be used."""


class FitError(ProjectError):
    """The data cannot be learnt from."""


class UnknownName(UsageError):
    """A name that no table knows.

    The text offers the nearest known names, or all of them when they are few.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], remedy: str = "") -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        offer = self._offer()
        stop = "" if offer.endswith("?") or not remedy else "."
        super().__init__(f"{kind} {name!r} is unknown; {offer}{stop} {remedy}".rstrip())

    def _offer(self) -> str:
        near = difflib.get_close_matches(self.name, self.known, n=3, cutoff=0.6)
        if near:
            return "did you mean " + " or ".join(repr(name) for name in near) + "?"
        if not self.known:
            return "there are none"
        shown = ", ".join(self.known[:20])
        return f"known: {shown}" + (f" and {len(self.known) - 20} more" * (len(self.known) > 20))


class TableError(UsageError):
    """Rows or columns of a table are wrong; `problems` holds one line each, all found at once."""

    SHOWN = 20

    def __init__(self, table: object, problems: Sequence[str], remedy: str = "") -> None:
        self.problems = list(problems)
        lines = [f"  {problem}" for problem in self.problems[: self.SHOWN]]
        if len(self.problems) > self.SHOWN:
            lines.append(f"  … and {len(self.problems) - self.SHOWN} more")
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__("\n".join([f"{table}: {count}", *lines, *([remedy] if remedy else [])]))
