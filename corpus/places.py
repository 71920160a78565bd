"""Where the files of a table lie: every path stays inside one folder, as far as its text says.

The check looks at the text of the path and not at the disk: a file may be missing on this machine,
and folders of media are often links to another disk.
"""

from __future__ import annotations

import os
from pathlib import Path

from core.errors import UsageError
from corpus.cells import BadCell, shown


class Root:
    """The folder that paths are relative to: the one given, or the folder of the table.

    Where a source reads a folder as a table, it is that folder.

    An absolute path is accepted where it lies inside the folder, so everywhere with `--root /`.
    """

    def __init__(self, table: Path, given: Path | None) -> None:
        self.given = given is not None
        home = table if table.is_dir() else table.parent
        self.folder = Path(os.path.normpath((home if given is None else given).absolute()))
        self._folders: dict[str, Path] = {}  # parsing each path whole took half of all the time
        self._prefix = str(self.folder).rstrip(os.sep) + os.sep
        if not self.folder.is_dir():
            raise UsageError(
                f"root {self.folder} is not a folder; give the folder of the files with --root"
            )

    def place(self, text: str) -> tuple[str, Path]:
        """Return a path relative to the folder, and as a whole.

        Raises:
            BadCell: if it leaves the folder, or cannot be a path.
        """
        if "\0" in text:
            raise BadCell(f"{shown(text)} is not a path")
        whole = os.path.normpath(text if text.startswith(os.sep) else self._prefix + text)
        if not whole.startswith(self._prefix):
            raise BadCell(f"the path {shown(text)} {self._fault(text, whole)}")
        folder, _, name = whole.rpartition(os.sep)
        if folder not in self._folders:
            self._folders[folder] = Path(folder or os.sep)
        return whole[len(self._prefix) :], self._folders[folder] / name

    def _fault(self, text: str, whole: str) -> str:
        if whole + os.sep == self._prefix:
            return "is the folder itself; name a file"
        what = f"--root {self.folder}" if self.given else f"the folder of the table, {self.folder}"
        if text.startswith(os.sep):
            return f"leaves {what}; name a folder that holds all files, such as --root /"
        remedy = "write paths relative to a folder that holds all files, and name it: --root DIR"
        return f"leaves {what}; {remedy}"
