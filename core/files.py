"""Whole files or none: written beside their place, synced, renamed; and paths that stay inside."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.errors import StorageError, UsageError

TEMPORARY_PREFIX = ".writing-"
_FULL = {errno.ENOSPC, errno.EDQUOT}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn OSErrors of the block into a StorageError that names the place and the remedy."""
    try:
        yield
    except OSError as error:
        raise StorageError(_storage_text(path, error)) from error


def _storage_text(path: Path, error: OSError) -> str:
    if error.errno in _FULL:
        return (
            f"the disk of {path} is full; free some space or choose another folder, then run again"
        )
    if error.errno in _READ_ONLY:
        return f"{path} may not be written ({error.strerror}); make it writable or choose another"
    return f"{path} could not be written: {error.strerror or error}"


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path in the same folder that takes the place of `path` on success.

    The suffix is kept, so that writers which look at it behave. On any error, and on a kill, `path`
    is what it was before; a kill may leave a temporary file, whose name begins with `.writing-`.
    Of a link the file that it leads to is replaced. A pipe or a device is no file that could be: it
    is given itself, to be written at once.

    Raises:
        StorageError: if the disk is full, read-only or failing.
    """
    if path.exists() and not path.is_file():
        with storage_errors(path):
            yield path
        return
    place = Path(os.path.realpath(path))  # `resolve` raises of links in a ring
    temporary = place.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(6)}{path.suffix}")
    try:
        with storage_errors(path):
            place.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            sync(temporary)
            temporary.replace(place)
            sync(place.parent)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def sync(path: Path) -> None:
    """Bring a file or folder to the disk (fsync)."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write a whole text file or nothing, in UTF-8."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write a whole JSON file or nothing; NaN and infinity, which JSON lacks, are refused."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def inside(folder: Path, name: str | Path) -> Path:
    """Return `folder / name`, resolved.

    Raises:
        UsageError: if that place is not inside `folder` (`..`, an absolute path, a link out).
    """
    root = folder.resolve()
    place = (root / name).resolve()
    if not place.is_relative_to(root):
        raise UsageError(f"path {str(name)!r} leaves the folder {root}; paths must stay inside it")
    return place
