"""One video with its text, numbers and targets, and the identity of its parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from core.fingerprint import digest_strings

Target = float | str | np.ndarray | None

_ONE_FILE = {("video",), ("image",)}
MEDIA_PARTS = {"video": "video", "audio": "video", "image": "image"}  # part -> field with its file


@lru_cache
def content_parts(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Return what identifies some parts, sorted: sound is known by the file it is read from."""
    return tuple(sorted({MEDIA_PARTS.get(part, part) for part in parts}))


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One row of a table.

    id         printable text of 1 to 200 characters, unique in its manifest
    video      the file that the parts "video" and "audio" are read from; it may not exist
    image      the cover
    text       by field name; an empty or missing text is not in the mapping
    meta       numbers (float) and categories (str) by field name; a gap is not in the mapping
    targets    by column name, as the table has them (a cell of a CSV is text): a number, a class
               name, float64 [T] with NaN for gaps (sequence), or None where the row has no label
    posted_at  seconds since 1970, UTC
    split      the table's own word for the split, such as "train"
    """

    id: str
    video: Path | None = None
    image: Path | None = None
    text: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, float | str] = field(default_factory=dict)
    targets: Mapping[str, Target] = field(default_factory=dict)
    author: str | None = None
    posted_at: float | None = None
    split: str | None = None

    def file(self, part: str) -> Path | None:
        """Return the file that a media part is read from; None if the row names none."""
        path: Path | None = getattr(self, MEDIA_PARTS[part])
        return path

    def has(self, part: str) -> bool:
        """Say whether the table names this part of this sample; its file may still be missing."""
        kind, _, name = part.partition(":")
        if kind in MEDIA_PARTS:
            return self.file(kind) is not None
        return name in (self.text if kind == "text" else self.meta)

    def digest(
        self, parts: tuple[str, ...], file_digest: Callable[[Path], bytes | None]
    ) -> bytes | None:
        """Return the identity (16 bytes) of just these parts, whatever the rest of the row says.

        A part that is not there counts as absent, never as a word such as "nan". `file_digest`
        gives the digest of a file's content, or None where the file is not on this machine; then
        the identity is not known, and neither is ours: the answer is None.
        """
        named = content_parts(parts)
        if named in _ONE_FILE:
            path = self.image if named == ("image",) else self.video
            if path is not None:
                return file_digest(path)  # as it is: hashing it again took 0.2 s of 100,000 rows
        words: list[str] = []
        for part in named:
            content = self._content(part, file_digest)
            if content is None:
                return None
            words += (part, content)
        return digest_strings(words)

    def _content(self, part: str, file_digest: Callable[[Path], bytes | None]) -> str | None:
        """Return what identifies one part's content; "absent" can be no other content's word."""
        kind, _, name = part.partition(":")
        if kind in MEDIA_PARTS:
            path = self.image if kind == "image" else self.video
            if path is None:
                return "absent"
            digest = file_digest(path)
            return None if digest is None else f"file:{digest.hex()}"
        if kind == "text":
            return f"text:{self.text[name]}" if name in self.text else "absent"
        if name not in self.meta:
            return "absent"
        return f"{type(self.meta[name]).__name__}:{self.meta[name]!r}"
