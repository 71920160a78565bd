"""What an index leaves in the folder of its feature; `cache/index.py` writes and reads it."""

from __future__ import annotations

from pathlib import Path

from core.files import storage_errors

INDEX_FILE, INDEX_MARKER = "index.faiss", "index.json"


def remove_index(folder: Path) -> None:
    """Remove the index of a feature, if there is one: first what readers look at.

    Raises:
        StorageError: if the folder cannot be written.
    """
    with storage_errors(folder):
        for name in (INDEX_MARKER, INDEX_FILE):
            (folder / name).unlink(missing_ok=True)
