"""The journal of an ablation: what was finished stays, whenever the process ends.

journal.jsonl   the first line says what is asked; then one line for each arm finished in a fold
arms.f8         what they predict, little-endian float64, one block for each line

Both are only appended to, the block first. What a kill tore off is told by the digest of its block,
and cut off when the journal is opened again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np

from core.errors import RunError, UsageError
from core.files import storage_errors
from core.fingerprint import canonical_json, digest_bytes
from heads.ablation.fold import ArmFold

JOURNAL, ARMS = "journal.jsonl", "arms.f8"
_NUMBER = np.dtype("<f8")


@dataclass(frozen=True, order=True)
class Cell:
    """One fit: the fold, the head, its seed, and the set of players (`scoring/shapley.py`)."""

    fold: str
    head: str
    seed: int
    players: int


@dataclass(frozen=True)
class _Entry:
    """A line: where the block of a cell lies (in bytes), and what else is known of it."""

    at: int
    valid: tuple[int, ...]
    test: tuple[int, ...]
    digest: str
    chosen: Mapping[str, float]
    seconds: float

    @property
    def size_bytes(self) -> int:
        return _NUMBER.itemsize * (math.prod(self.valid) + math.prod(self.test))


def check_journal(folder: Path, asked: Mapping[str, Any]) -> None:
    """Make sure that a folder holds no journal, or one of this very question, and change nothing.

    Raises:
        UsageError: if it is of another question than `asked`.
        RunError: if it is no journal.
    """
    place = folder / JOURNAL
    if place.is_file():
        with storage_errors(place), place.open("rb") as lines:
            first = lines.readline()
        if first.endswith(b"\n"):
            _check(folder, first, asked)


def _check(folder: Path, first: bytes, asked: Mapping[str, Any]) -> None:
    try:
        before = json.loads(first)
    except ValueError as error:
        raise RunError(f"{folder / JOURNAL} is no journal of an ablation") from error
    now = json.loads(_line(asked))
    names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    if names:
        raise UsageError(
            f"{folder} holds an ablation that differs in {', '.join(names)}; "
            "name a new folder, or ask the same again: its config.yaml has the options"
        )


class Journal:
    """An open journal; a context manager. The run folder is held, so nobody else has it open."""

    def __init__(self, folder: Path, asked: Mapping[str, Any]) -> None:
        """Open the journal of a folder, or begin one.

        Raises:
            UsageError: if it is of another question than `asked`.
            RunError: if it is no journal.
            StorageError: if it cannot be written.
        """
        self._folder, self._asked = folder, asked
        with storage_errors(folder):
            self._lines = (folder / JOURNAL).open("a+b")
            self._blocks = (folder / ARMS).open("a+b")
        try:
            self._entries = dict(self._read())
            self._end = sum(entry.size_bytes for entry in self._entries.values())
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._lines.close()
        self._blocks.close()

    def __contains__(self, cell: Cell) -> bool:
        return cell in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, cell: Cell, found: ArmFold) -> None:
        """Append what an arm gave in a fold.

        Raises:
            StorageError: if it cannot be written.
        """
        block = _bytes(found.valid) + _bytes(found.test)
        entry = _Entry(
            at=self._end,
            valid=found.valid.shape,
            test=found.test.shape,
            digest=digest_bytes(block).hex(),
            chosen=dict(found.chosen),
            seconds=found.seconds,
        )
        self._append(self._blocks, block)
        self._append(self._lines, _line({"cell": asdict(cell), **asdict(entry)}))
        self._entries[cell] = entry
        self._end += entry.size_bytes

    def read(self, cell: Cell) -> ArmFold:
        """Return what `add` was given."""
        entry = self._entries[cell]
        numbers = np.frombuffer(self._block(entry), _NUMBER).astype(np.float64)
        valid, test = np.split(numbers, [math.prod(entry.valid)])
        shaped = valid.reshape(entry.valid), test.reshape(entry.test)
        return ArmFold(*shaped, entry.chosen, entry.seconds)

    def seconds(self, cell: Cell) -> float:
        """Return how long a fit took."""
        return self._entries[cell].seconds

    def _read(self) -> Iterator[tuple[Cell, _Entry]]:
        """Give the whole entries, and cut off what comes behind them."""
        self._lines.seek(0)
        first = self._lines.readline()
        if not first.endswith(b"\n"):
            self._lines.truncate(0)
            self._append(self._lines, _line(self._asked))
            first = _line(self._asked)
        _check(self._folder, first, self._asked)
        lines_end, blocks_end = len(first), 0
        for line in self._lines:
            found = _parsed(line)
            if found is None or not self._is_whole(found[1], blocks_end):
                break
            yield found
            lines_end, blocks_end = lines_end + len(line), blocks_end + found[1].size_bytes
        with storage_errors(self._folder):
            self._lines.truncate(lines_end)
            self._blocks.truncate(blocks_end)

    def _is_whole(self, entry: _Entry, at: int) -> bool:
        return entry.at == at and digest_bytes(self._block(entry)).hex() == entry.digest

    def _block(self, entry: _Entry) -> bytes:
        self._blocks.seek(entry.at)
        return self._blocks.read(entry.size_bytes)

    def _append(self, stream: BinaryIO, content: bytes) -> None:
        with storage_errors(self._folder):
            stream.write(content)
            stream.flush()


def _bytes(numbers: np.ndarray) -> bytes:
    return np.ascontiguousarray(numbers, _NUMBER).tobytes()


def _line(value: Mapping[str, Any]) -> bytes:
    return canonical_json(value).encode() + b"\n"


def _parsed(line: bytes) -> tuple[Cell, _Entry] | None:
    """Return what a line says; None if a kill left only a part of it."""
    if not line.endswith(b"\n"):
        return None
    try:
        value = json.loads(line)
        cell = Cell(**value.pop("cell"))
        value |= {name: tuple(value[name]) for name in ("valid", "test")}
        return cell, _Entry(**value)
    except (ValueError, TypeError, KeyError):
        return None
