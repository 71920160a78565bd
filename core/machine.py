"""What the machine offers: CPUs, memory, open files, texts, disks. Needs no package."""

from __future__ import annotations

import contextlib
import locale
import os
import secrets
import shutil
import sqlite3
import sys
import time
from pathlib import Path

from core.checks import Check, gibibytes

PYTHON = (3, 11)
_PER_WORKER = 1 << 30  # bytes that a decoding worker may need for a phone's video
_SHARED = 256 << 20  # what a DataLoader's workers pass batches through
_OPEN_FILES = 1024
_ROOM_WARN, _ROOM_FAIL = 2 << 30, 64 << 20
_PROBE_BYTES = 32 << 20
_SLOW = 20e6  # bytes a second
_CGROUP = Path("/sys/fs/cgroup")


def machine_checks(cache: Path, runs: Path) -> list[Check]:
    """Return what there is to say of the machine and of the folders that are written to."""
    return [
        _python(),
        _cpus(),
        _memory(),
        _shared_memory(),
        _open_files(),
        _texts(),
        _disk("cache folder", cache, "--cache"),
        _disk("run folder", runs, "--out"),
    ]


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < PYTHON:
        wanted = ".".join(map(str, PYTHON))
        return Check("FAIL", "python", version, f"install Python {wanted} or newer")
    return Check("OK", "python", f"{version} at {sys.executable}")


def _cpus() -> Check:
    have = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else have
    found = f"{usable} of {have} usable"
    quota = cpu_quota()
    if quota is not None and quota < usable - 0.01:
        return Check(
            "WARN",
            "cpus",
            f"{found}, but this group of processes may use {quota:.3g}",
            f"--workers {max(1, round(quota))}: more only wait for one another",
        )
    return Check("OK", "cpus", found)


def cpu_quota(root: Path = _CGROUP, mine: Path = Path("/proc/self/cgroup")) -> float | None:
    """Return how many CPUs the group of this process may use; None where nothing limits it."""
    for folder in _groups(root, mine, "cpu"):
        with contextlib.suppress(OSError, ValueError):
            quota, period = (folder / "cpu.max").read_text().split()
            if quota != "max":
                return int(quota) / int(period)
        with contextlib.suppress(OSError, ValueError):
            limit = int((folder / "cpu.cfs_quota_us").read_text())
            if limit > 0:
                return limit / int((folder / "cpu.cfs_period_us").read_text())
    return None


def memory_limit(root: Path = _CGROUP, mine: Path = Path("/proc/self/cgroup")) -> int | None:
    """Return how many bytes the group of this process may use; None where nothing limits it."""
    for folder in _groups(root, mine, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            with contextlib.suppress(OSError, ValueError):
                limit = int((folder / name).read_text())
                if 0 < limit < 1 << 60:  # the largest number there is stands for none
                    return limit
    return None


def _groups(root: Path, mine: Path, controller: str) -> list[Path]:
    """Return the folders that may limit this process: its own group's first (version 2 or 1)."""
    folders = []
    with contextlib.suppress(OSError):
        for line in mine.read_text().splitlines():
            _, names, path = line.split(":", 2)
            if not names:
                folders.append(root / path.lstrip("/"))
            elif controller in names.split(","):
                folders += [root / controller / path.lstrip("/"), root / names / path.lstrip("/")]
    return [*folders, root, root / controller]


def _memory() -> Check:
    available = _meminfo("MemAvailable")
    if available is None:
        return Check("OK", "memory", "this system does not tell how much there is")
    limit, total = memory_limit(), _meminfo("MemTotal") or available
    found = f"{gibibytes(available)} available of {gibibytes(total)}"
    if limit is not None and limit < total:
        found += f", {gibibytes(limit)} at most for this group of processes"
        available = min(available, limit)
    if available < _PER_WORKER:
        return Check("WARN", "memory", found, "close something, or extract with --workers 1")
    return Check("OK", "memory", found)


def _meminfo(name: str) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return None


def _shared_memory(place: Path = Path("/dev/shm")) -> Check:
    if not place.is_dir():
        return Check("OK", "shared memory", f"no {place} on this system; none is needed")
    free = shutil.disk_usage(place).free
    if free < _SHARED:
        return Check(
            "WARN",
            "shared memory",
            f"{gibibytes(free)} free in {place}",
            "workers of a DataLoader pass batches through it: docker run --shm-size=1g, or "
            "num_workers=0; extract does not need it",
        )
    return Check("OK", "shared memory", f"{gibibytes(free)} free in {place}")


def _open_files() -> Check:
    try:
        import resource
    except ImportError:  # not on Windows
        return Check("OK", "open files", "this system does not limit them by process")
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return Check("OK", "open files", "without limit")
    if soft < _OPEN_FILES:
        return Check("WARN", "open files", f"{soft} at most", f"ulimit -n {_OPEN_FILES}")
    return Check("OK", "open files", f"{soft} at most")


def _texts() -> Check:
    found = {
        "stdout": (getattr(sys.stdout, "encoding", None) or "none").lower(),
        "files": locale.getpreferredencoding(do_setlocale=False).lower(),
        "names of files": sys.getfilesystemencoding().lower(),
    }
    others = {name: code for name, code in found.items() if code.replace("-", "") != "utf8"}
    if others:
        words = ", ".join(f"{name} in {code}" for name, code in others.items())
        return Check("WARN", "texts", words, "set PYTHONUTF8=1, or LANG=C.UTF-8")
    return Check("OK", "texts", "UTF-8 throughout")


def _disk(what: str, folder: Path, option: str) -> Check:
    """Write a little where a folder is, or would be made, and take it away again."""
    place = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    elsewhere = f"name another folder: {option} DIR"
    if not place.is_dir():
        return Check("FAIL", what, f"{place} is a file", elsewhere)
    free = shutil.disk_usage(place).free
    found = f"{folder}: {gibibytes(free)} free"
    if free < _ROOM_FAIL:
        return Check("FAIL", what, found, f"free some space, or {elsewhere}")
    try:
        speed = _write_speed(place)
    except (OSError, sqlite3.Error) as error:
        return Check("FAIL", what, f"{place} cannot be written: {error}", elsewhere)
    found += f", {speed / 1e6:.0f} MB/s written and synced"
    if free < _ROOM_WARN:
        return Check("WARN", what, found, f"free some space, or {elsewhere}")
    if speed < _SLOW:
        return Check("WARN", what, found, f"{elsewhere} on a faster disk")
    return Check("OK", what, found)


def _write_speed(folder: Path) -> float:
    """Return the bytes a second of one synced file; a small database is tried too."""
    litter = folder / f".writing-doctor-{secrets.token_hex(6)}"
    content = os.urandom(1 << 20)
    try:
        started = time.perf_counter()
        with litter.open("wb") as stream:
            for _ in range(_PROBE_BYTES // len(content)):
                stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        seconds = time.perf_counter() - started
        litter.unlink()
        with contextlib.closing(sqlite3.connect(litter)) as base, base:
            base.execute("CREATE TABLE tried (one)")
    finally:
        with contextlib.suppress(OSError):
            litter.unlink()
    return _PROBE_BYTES / seconds
