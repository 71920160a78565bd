"""The digests that rows are stored under: one for each sample and set of parts that is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cache.known import IdIndex
from core.digests import FileDigests
from corpus.sample import MEDIA_PARTS, Sample, content_parts


class Keys:
    """The ids of some samples, and the identity of each set of their parts, computed once."""

    def __init__(self, samples: Sequence[Sample], digest_of: FileDigests) -> None:
        self.index = IdIndex(sample.id for sample in samples)
        self._samples, self._digest_of = samples, digest_of
        self._digests: dict[tuple[str, ...], list[bytes | None]] = {}
        self._files: dict[str, bytes | None] = {}  # two looks at 100,000 files take 0.3 s more

    def digests(self, parts: tuple[str, ...]) -> list[bytes | None]:
        """Return 16 bytes for each sample; None where a file is not on this machine."""
        parts = content_parts(parts)
        if parts not in self._digests:
            self._look_at_files(parts)
            self._digests[parts] = [s.digest(parts, self._file_digest) for s in self._samples]
        return self._digests[parts]

    def _look_at_files(self, parts: tuple[str, ...]) -> None:
        """Digest each file once: its parts are then of one and the same content."""
        media = [part for part in parts if part in MEDIA_PARTS]
        paths = (path for part in media for s in self._samples if (path := s.file(part)))
        new = (path for path in paths if str(path) not in self._files)
        self._files |= self._digest_of.all_of(new)

    def _file_digest(self, path: Path) -> bytes | None:
        return self._files[str(path)]

    def changed(self, row: int, parts: tuple[str, ...]) -> bool:
        """Say whether a sample's parts are others by now than when they were digested."""
        return self._samples[row].digest(parts, self._digest_of) != self.digests(parts)[row]
