"""What an exported folder says of itself: `export.json`, with the digest of every other file."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.errors import CacheError
from core.files import write_json
from core.fingerprint import digest_file

FILE = "export.json"
_VERSION = 1


@dataclass(frozen=True)
class Exported:
    """The content of `export.json`.

    format    "h5", "tar", "npy", "parquet" or "samples", a tar set of whole samples
    features  name, fingerprint and number of rows of each
    files     digest (hexadecimal) of each file by its path in the folder
    """

    format: str
    features: Sequence[Mapping[str, Any]]
    files: Mapping[str, str]


def write_exported(folder: Path, format: str, features: Sequence[Mapping[str, Any]]) -> Exported:
    """Digest all files of a folder, and write its `export.json`."""
    files = {_name(folder, path): digest_file(path).hex() for path in _files(folder)}
    exported = Exported(format, features, files)
    write_json(folder / FILE, {"version": _VERSION, **asdict(exported)})
    return exported


def read_exported(folder: Path) -> Exported:
    """Read `export.json`, and compare the folder with it: every byte, and that there is no more.

    Raises:
        CacheError: if it is not a folder that was exported, or not as it was.
    """
    with exported_errors(folder / FILE):
        told = json.loads((folder / FILE).read_bytes())
        if told["version"] != _VERSION:
            raise ValueError(f"its version is {told['version']}, this program reads {_VERSION}")
        exported = Exported(told["format"], told["features"], dict(told["files"]))
    found = {_name(folder, path): path for path in _files(folder)}
    for name in sorted(found.keys() ^ exported.files.keys()):
        why = "not there" if name in exported.files else f"not among the files of {FILE}"
        raise CacheError(f"{folder / name} is {why}; export it again")
    for name, path in found.items():
        with exported_errors(path):
            if path.is_symlink() or digest_file(path).hex() != exported.files[name]:
                raise ValueError(f"its bytes are not those that {FILE} tells")
    return exported


@contextlib.contextmanager
def exported_errors(path: Path) -> Iterator[None]:
    """Turn what goes wrong below into a CacheError about this file."""
    try:
        yield
    except (OSError, LookupError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        raise CacheError(f"{path} cannot be imported: {error}. Export it again") from error


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if not path.is_dir() and path != folder / FILE)


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()
