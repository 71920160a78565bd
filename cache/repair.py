"""Mend what `check` has found. Litter is removed, damage is moved away: no row is thrown away."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from cache.doctor import DAMAGED, Finding, check_folder
from cache.marker import is_marker, is_shard, read_shard
from cache.shard import FORMATS
from cache.spec import FeatureSpec
from cache.store import SPEC_FILE, read_spec
from core.errors import CacheError
from core.files import storage_errors, write_json

YOUNG_S = (
    15 * 60.0
)  # what a writer may still be at work on; it takes seconds, on a slow disk minutes
_LITTER = {"temporary file", "shard without marker"}
_SPECS = {"missing spec", "wrong spec"}

SpecOf = Callable[[str, str], FeatureSpec | None]


@dataclass(frozen=True)
class Outcome:
    """What became of a finding, or with a dry run what would.

    done   in words
    fixed  whether nothing is wrong any more
    rows   how many rows readers no longer see; None where nobody can tell
    """

    finding: Finding
    done: str
    fixed: bool = True
    rows: int | None = 0


class Repair:
    """One go of mending; what it moves away lies in one folder of `CACHE/.damaged`.

    spec_of  gives the spec that today's code has for a name and a fingerprint, or None
    """

    def __init__(self, cache: Path, spec_of: SpecOf, *, dry_run: bool = False) -> None:
        self._cache, self._spec_of, self._dry_run = cache, spec_of, dry_run
        begun = time.strftime("%Y%m%d-%H%M%S")
        self.away = cache / DAMAGED / f"{begun}-{secrets.token_hex(2)}"

    def run(self, findings: Iterable[Finding], *, digests: bool = True) -> Iterator[Outcome]:
        """Mend one finding after another, and say what was done.

        A folder whose spec was restored is looked at again, as nobody could before.

        Raises:
            StorageError: if the cache cannot be written; what was done until then is whole.
        """
        for finding in findings:
            outcome = self._mend(finding)
            yield outcome
            if outcome.fixed and finding.kind in _SPECS and not self._dry_run:
                folder = _folder_of(finding)
                yield from self.run(list(check_folder(folder, digests=digests)), digests=digests)

    def _mend(self, finding: Finding) -> Outcome:
        if finding.kind in _LITTER:
            return self._remove_if_old(finding)
        if finding.kind == "replaced shard":
            self._remove([finding.path, *_shards_beside(finding.path)])
            return Outcome(finding, "removed")
        if finding.kind in _SPECS:
            return self._restore(finding)
        if finding.kind == "foreign":
            return Outcome(finding, "left: move it out of the cache by hand", fixed=False)
        rows = _rows_of(finding.path)
        self._move(_halves(finding.path))
        return Outcome(finding, f"moved to {self.away}", rows=rows)

    def _remove_if_old(self, finding: Finding) -> Outcome:
        try:
            age_s = time.time() - finding.path.stat().st_mtime
        except FileNotFoundError:
            return Outcome(finding, "it has gone: a writer was at work on it")
        if finding.path.is_dir():
            return Outcome(finding, "left: it is a folder, no file of ours", fixed=False)
        if age_s < YOUNG_S:
            done = "left: it is younger than 15 minutes, and a writer may be at work on it"
            return Outcome(finding, done, fixed=False)
        self._remove([finding.path])
        return Outcome(finding, "removed")

    def _restore(self, finding: Finding) -> Outcome:
        """Write a spec anew if today's code gives just this one."""
        folder = _folder_of(finding)
        spec = self._spec_of(unquote(folder.parent.name), folder.name)
        if spec is None or spec.fingerprint != folder.name:
            done = "left: today's code does not give it; bring it back from a copy of the cache"
            return Outcome(finding, done, fixed=False)
        if finding.kind == "wrong spec":
            self._move([folder / SPEC_FILE])
        if not self._dry_run:
            write_json(folder / SPEC_FILE, spec.to_json())
        return Outcome(finding, "written anew, as today's code gives it")

    def _remove(self, paths: Iterable[Path]) -> None:
        for path in paths if not self._dry_run else ():
            with storage_errors(path):
                path.unlink(missing_ok=True)

    def _move(self, paths: Iterable[Path]) -> None:
        """Move files, the marker first, to the same places below the folder of this go."""
        for path in paths if not self._dry_run else ():
            place = self.away / path.relative_to(self._cache)
            with storage_errors(path):
                place.parent.mkdir(parents=True, exist_ok=True)
                path.rename(place)


def _folder_of(finding: Finding) -> Path:
    return finding.path if finding.kind == "missing spec" else finding.path.parent


def _halves(path: Path) -> list[Path]:
    """Return the marker and the shard that belong together, as far as they are there."""
    marker = path.with_suffix(".json")
    return [half for half in (marker, *_shards_beside(marker)) if half.exists()]


def _shards_beside(marker: Path) -> list[Path]:
    """Return the shards of this marker's name, of whatever format."""
    places = (marker.with_suffix(f".{suffix}") for suffix in FORMATS)
    return [place for place in places if is_shard(place.name) and place.exists()]


def _rows_of(path: Path) -> int | None:
    """Return how many rows a shard has, by its marker or else by itself; None if neither tells.

    They are none where all shards that it replaces are still there: these count again.
    """
    try:
        spec = read_spec(path.parent)
    except CacheError:
        return None
    for half in _halves(path):
        try:
            if is_marker(half.name):
                marker = read_shard(half, spec).marker
                back = [half.with_name(f"{name}.json").exists() for name in marker.replaces]
                return 0 if back and all(back) else marker.rows
            return len(FORMATS.load(half.suffix[1:]).read_header(half, spec))
        except CacheError:
            continue
    return None
