"""Run folders: what was run, on what, how it ended; `run.json` says "running" from the start."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import platform
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.config import dump_config
from core.errors import RunError, UsageError
from core.files import storage_errors, write_json, write_text

RUNS = Path("var/runs")
_PACKAGES = ("numpy", "scipy", "scikit-learn", "lightgbm", "torch", "av", "decord", "h5py")


@dataclass(frozen=True)
class RunRecord:
    """The content of `run.json`.

    state  "running", then "done", "failed" or "interrupted"; a run that was killed stays "running"
    data   digests of what the run read, by name
    """

    id: str
    command: str
    argv: Sequence[str]
    state: str
    started: str
    config: Mapping[str, Any]
    seed: int | None = None
    finished: str | None = None
    error: str | None = None
    git: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)


class Run:
    """An open run folder; `recording` makes one and closes it."""

    def __init__(self, folder: Path, record: RunRecord) -> None:
        self.folder, self.record = folder, record

    def note(self, **changes: Any) -> None:
        """Change fields of the record and write it."""
        self.record = replace(self.record, **changes)
        write_json(self.folder / "run.json", asdict(self.record))


@contextlib.contextmanager
def recording(
    command: str,
    config: Mapping[str, Any],
    *,
    out: Path | None,
    seed: int | None = None,
    widens: bool = False,
) -> Iterator[Run]:
    """Make a run folder, record the run in it, and record how it ended.

    `out` is the folder to make; None makes one below `var/runs`. It must be new or empty, or hold a
    run of this command that failed, was interrupted or was killed: so the same command can be given
    again. With `widens` also one that is done, which this run adds to.

    Raises:
        UsageError: if `out` has something in it, or another run is writing into it.
        StorageError: if the folder cannot be written.
    """
    identity = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{command}-{secrets.token_hex(2)}"
    folder = RUNS / identity if out is None else out
    with storage_errors(folder):
        taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
        if taken and not _may_go_on(folder, command, widens=widens):
            raise UsageError(f"--out {folder} is not empty; name a new folder or leave --out away")
        folder.mkdir(parents=True, exist_ok=True)
    record = RunRecord(identity, command, sys.argv, "running", _now(), _plain(config), seed)
    with _holding(folder):
        run = Run(folder, replace(record, git=_git_revision(), environment=_environment()))
        run.note()
        write_text(folder / "config.yaml", dump_config(config))
        with _ending(run):
            yield run


@contextlib.contextmanager
def _ending(run: Run) -> Iterator[None]:
    """Record how a run ended."""
    try:
        yield
    except KeyboardInterrupt:
        run.note(state="interrupted", finished=_now())
        raise
    except Exception as error:
        run.note(state="failed", finished=_now(), error=str(error))
        raise
    run.note(state="done", finished=_now())


@contextlib.contextmanager
def _holding(folder: Path) -> Iterator[None]:
    """Hold a folder as long as this process lives in the block, however that ends.

    Raises:
        UsageError: if another process holds it.
    """
    with contextlib.ExitStack() as stack:
        try:
            held = _lock(folder)
        except BlockingIOError as error:
            raise UsageError(_held_text(folder)) from error
        except (ImportError, OSError):  # a system or a disk without locks
            held = None
        if held is not None:
            stack.callback(os.close, held)
        yield


def _held_text(folder: Path) -> str:
    return f"--out {folder} is being written by another run; wait for it, or name a new folder"


def _lock(folder: Path) -> int:
    """Lock a folder, and return the descriptor that holds the lock until it is closed."""
    import fcntl  # not on Windows

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def read_run(folder: Path) -> dict[str, Any]:
    """Return the content of a folder's `run.json`.

    Raises:
        RunError: if the folder is no run folder.
    """
    try:
        content: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(
            f"{folder} is no run folder: no readable run.json; `fit-head` prints the one it makes"
        ) from error
    return content


def is_done(folder: Path, command: str, config: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
    """Say whether a folder holds a done run of a command with these options on these very data."""
    try:
        record = read_run(folder)
    except RunError:
        return False
    same = record["config"] == json.loads(json.dumps(_plain(config)))
    same = same and record["data"].items() >= data.items()
    return bool(same and record["command"] == command and record["state"] == "done")


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: str(value) if isinstance(value, Path) else value for key, value in config.items()}


def _may_go_on(folder: Path, command: str, *, widens: bool) -> bool:
    """Say whether a folder holds a run of a command that ended before it was done, or done too."""
    try:
        record = read_run(folder)
    except RunError:
        return False
    if record.get("command") != command:
        return False
    ended = {"failed", "interrupted", "done"} if widens else {"failed", "interrupted"}
    return record.get("state") in ended or _was_killed(folder, record)


def _was_killed(folder: Path, record: Mapping[str, Any]) -> bool:
    """Say whether a run is "running" by its record, and no process holds its folder.

    Where locks tell nothing, it is taken for alive.
    """
    if record.get("state") != "running":
        return False
    try:
        os.close(_lock(folder))
    except BlockingIOError as error:
        raise UsageError(_held_text(folder)) from error
    except (ImportError, OSError):
        return False
    return True


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _git_revision() -> str | None:
    """Return the revision of the code that runs, with "+changes" where files differ from it."""
    here = Path(__file__).resolve().parent.parent
    ask = ["git", "-C", os.fspath(here), "describe", "--always", "--dirty=+changes", "--abbrev=12"]
    try:
        answer = subprocess.run(ask, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() or None


def _environment() -> dict[str, str]:
    """Return the versions of what computes, and the machine."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    found["cpus"] = str(os.cpu_count())
    for package in _PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found
