"""Digests of media files, computed once: remembered by path, size and modification time."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path

from core.fingerprint import digest_file
from core.log import logger
from core.progress import Meter

_TABLE = """create table if not exists files
(path text primary key, size_bytes integer, modified_ns integer, digest blob)"""

_SAVE_EVERY_S = 60.0
# Of two changes within one tick of a file system's clock the second leaves no trace in the time: a
# file that young may change again unseen, so it is digested anew next time. FAT ticks every 2 s.
_SETTLED_NS = 2_000_000_000
_PATIENCE_S = 1.0  # digesting that takes no longer is not talked of

_Entry = tuple[int, int, bytes]


class FileDigests:
    """The digest of a file's content, asked for by path; call it like a function.

    What was computed is kept in a small SQLite file, every minute and by `save`, so that a second
    run over a large data set only looks at sizes and times. The memory is a convenience: where it
    cannot be read or written, digests are computed anew and nothing else changes.
    """

    def __init__(self, memory: Path | None = None) -> None:
        self._memory = memory
        self._known: dict[str, _Entry] = {} if memory is None else _load(memory)
        self._new: dict[str, _Entry] = {}
        self._saved_s = time.monotonic()

    def __call__(self, path: Path) -> bytes | None:
        """Return the 16-byte digest of a file's content; None where there is no readable file."""
        name = str(path)
        try:
            facts = os.stat(name)  # noqa: PTH116 - a third of the cost of Path.stat on 100,000 files
            known = self._known.get(name)
            if known and known[:2] == (facts.st_size, facts.st_mtime_ns):
                return known[2]
            begun_ns = time.time_ns()
            digest = digest_file(path)
        except OSError:
            return None
        self._known[name] = (facts.st_size, facts.st_mtime_ns, digest)
        if begun_ns - facts.st_mtime_ns > _SETTLED_NS:
            self._new[name] = self._known[name]
            if time.monotonic() - self._saved_s > _SAVE_EVERY_S:
                self.save()
        return digest

    def all_of(self, paths: Iterable[Path]) -> dict[str, bytes | None]:
        """Return the digests of many files by path, with a meter where many are new."""
        found: dict[str, bytes | None] = {}
        new: list[tuple[Path, int]] = []
        for path in paths:
            name = str(path)
            if name in found:
                continue
            found[name] = None
            with contextlib.suppress(OSError):
                facts = os.stat(name)  # noqa: PTH116 - as above
                known = self._known.get(name)
                if known and known[:2] == (facts.st_size, facts.st_mtime_ns):
                    found[name] = known[2]
                else:
                    new.append((path, facts.st_size))
        with Meter("digest files", len(new), unit="files", patience_s=_PATIENCE_S) as meter:
            for path, size_bytes in new:
                found[str(path)] = self(path)
                meter.advance(failed=found[str(path)] is None, size_bytes=size_bytes)
        return found

    def save(self) -> None:
        """Keep what was computed since the last save; several processes may share a memory."""
        if self._memory is None or not self._new:
            return
        rows = [(name, *entry) for name, entry in self._new.items() if _is_text(name)]
        try:
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.closing(sqlite3.connect(self._memory, timeout=30)) as base, base:
                base.execute(_TABLE)
                base.executemany("insert or replace into files values (?, ?, ?, ?)", rows)
        except (OSError, sqlite3.Error) as error:
            logger.info("file digests not remembered in %s: %s", self._memory, error)
        self._new.clear()
        self._saved_s = time.monotonic()


def _is_text(name: str) -> bool:
    """Say whether the bytes of a path are UTF-8, as SQLite needs them."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _load(memory: Path) -> dict[str, _Entry]:
    if not memory.is_file():
        return {}
    address = f"{memory.resolve().as_uri()}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(address, uri=True)) as base:
            rows = base.execute("select path, size_bytes, modified_ns, digest from files")
            return {name: (size, modified, digest) for name, size, modified, digest in rows}
    except sqlite3.Error as error:
        logger.info("file digests of %s are not readable (%s); computing anew", memory, error)
        return {}
