"""The feature cache: CACHE/<feature>/<fingerprint>/ with spec.json, shards and their markers.

Readers look only at markers, writers only add files of random names: any number of processes may
work side by side without a lock.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote

from cache.index_files import remove_index
from cache.known import Digests, IdIndex, Known, match
from cache.marker import Shard, is_marker, read_shard, remove
from cache.shard import FORMATS, Header
from cache.spec import FeatureSpec
from core.errors import CacheError, StorageError
from core.files import storage_errors, write_json
from core.fingerprint import canonical_json

SPEC_FILE = "spec.json"
_LONGEST_NAME = 200  # bytes; file systems end at 255
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")


class StoredFeature(NamedTuple):
    """One feature that the store knows."""

    name: str
    fingerprint: str
    spec: FeatureSpec


class Store:
    """A folder of features. Making one touches nothing; the folder appears with the first row."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def folder_of(self, spec: FeatureSpec) -> Path:
        """Return the folder of a feature, whether or not it is there.

        Raises:
            CacheError: if the name cannot be a folder's.
        """
        return self.folder / encode_name(spec.name) / spec.fingerprint

    def create(self, spec: FeatureSpec) -> Path:
        """Make the folder of a feature with its spec, if it is not there yet, and return it.

        Raises:
            CacheError: if the folder is there with another spec.
            StorageError: if it cannot be written.
        """
        folder = self.folder_of(spec)
        if not self._holds(folder, spec):
            write_json(folder / SPEC_FILE, spec.to_json())
        return folder

    def check_writable(self) -> None:
        """Find out before any work whether rows can be kept.

        Raises:
            StorageError: if the folder, or the one that it would be made in, may not be written.
        """
        place = self.folder.absolute()
        while not place.exists():
            place = place.parent
        if not os.access(place, os.W_OK | os.X_OK):
            raise StorageError(
                f"cache {self.folder} may not be written, and some of what is asked for is not in "
                "it; make it writable, or name another: --cache FOLDER"
            )

    def features(self) -> list[StoredFeature]:
        """Return every feature of the cache, by name.

        Raises:
            CacheError: if a folder's spec is not its own.
        """
        found = []
        for folder in feature_folders(self.folder):
            if (folder / SPEC_FILE).exists():
                spec = read_spec(folder)
                found.append(StoredFeature(spec.name, spec.fingerprint, spec))
        return sorted(found, key=lambda feature: (feature.name, feature.fingerprint))

    def shards(self, spec: FeatureSpec) -> list[Shard]:
        """Return the shards of a feature, oldest first: those that have a marker.

        Shards that another one replaces are not among them.

        Raises:
            CacheError: if the folder or a marker is not this feature's.
        """
        left, _ = self._listed(spec)
        return sorted(left, key=lambda shard: (shard.marker.created, shard.path.name))

    def replaced(self, spec: FeatureSpec) -> list[Shard]:
        """Return the shards that another one replaces and that were not removed yet.

        Raises:
            CacheError: if the folder or a marker is not this feature's.
        """
        return self._listed(spec)[1]

    def _listed(self, spec: FeatureSpec) -> tuple[list[Shard], list[Shard]]:
        """Return the shards that count, and those that another one replaces."""
        folder = self.folder_of(spec)
        if not self._holds(folder, spec):
            return [], []
        shards = _read_markers(folder, spec)
        replaced = {name for shard in shards for name in shard.marker.replaces}
        left = [shard for shard in shards if shard.path.stem not in replaced]
        return left, [shard for shard in shards if shard.path.stem in replaced]

    def headers(self, spec: FeatureSpec) -> list[tuple[Shard, Header]]:
        """Read the headers of all shards of a feature, oldest first.

        Raises:
            CacheError: if a shard is missing, broken, or not what its marker says.
        """
        while True:
            shards = self.shards(spec)
            try:
                return [(shard, read_header(shard, spec)) for shard in shards]
            except CacheError:
                if all_there(shards):
                    raise

    def drop(self, spec: FeatureSpec) -> None:
        """Remove a feature whole: first what readers look at.

        Raises:
            CacheError: if the folder or a marker is not what it says it is.
            StorageError: if it cannot be removed.
        """
        folder = self.folder_of(spec)
        remove([shard for shards in self._listed(spec) for shard in shards])
        with storage_errors(folder):
            remove_index(folder)
            (folder / SPEC_FILE).unlink(missing_ok=True)
        for place in (folder, folder.parent):
            with contextlib.suppress(OSError):  # something else is in it: it stays
                place.rmdir()

    def known(self, spec: FeatureSpec, ids: IdIndex | Iterable[str], digests: Digests) -> Known:
        """Return what is known of each key: N ids, which differ, and the digests of their inputs.

        A digest that is None stands for a file that is not on this machine: its row is found by id
        alone. Make the `IdIndex` yourself to ask for many features.

        Raises:
            CacheError: if the folder, a marker or a shard is not what it says it is.
        """
        index = ids if isinstance(ids, IdIndex) else IdIndex(ids)
        return match(spec, self.headers(spec), index, digests)

    def _holds(self, folder: Path, spec: FeatureSpec) -> bool:
        """Say whether a folder is this feature's; False if there is nothing yet."""
        if not (folder / SPEC_FILE).exists():
            if folder.is_dir() and _markers(folder):
                raise CacheError(
                    f"{folder} has shards but no {SPEC_FILE}, so nobody can tell what they are. "
                    "Most can be written anew: python cli.py cache check --fix; else move the "
                    "folder away, and its rows are computed again"
                )
            return False
        stored = read_spec(folder)
        if canonical_json(stored.to_json()) != canonical_json(spec.to_json()):
            raise CacheError(
                f"{folder / SPEC_FILE} describes another feature than {spec.name} "
                f"{spec.fingerprint}; the folder is not of this cache: move it away"
            )
        return True


def encode_name(name: str) -> str:
    """Return a feature's name as that of a folder: percent-encoded, so that it stays one folder.

    Raises:
        CacheError: if it is empty, begins with a dot, or is too long for a file system.
    """
    encoded = quote(name, safe="@")
    if not encoded or encoded.startswith(".") or len(encoded) > _LONGEST_NAME:
        raise CacheError(
            f"feature name {name!r} cannot be a folder's; a name has 1 to {_LONGEST_NAME} bytes, "
            "percent-encoded, and does not begin with a dot"
        )
    return encoded


def feature_folders(cache: Path) -> list[Path]:
    """Return all CACHE/<feature>/<fingerprint> that are named as such, sorted; none if no cache."""
    return sorted(
        folder
        for feature in _subfolders(cache)
        if not feature.name.startswith(".")
        and quote(unquote(feature.name), safe="@") == feature.name
        for folder in _subfolders(feature)
        if _FINGERPRINT.fullmatch(folder.name)
    )


def all_there(shards: Iterable[Shard]) -> bool:
    """Say whether shards that were listed still exist; if not, they were compacted: list again."""
    return all(shard.marker_path.exists() for shard in shards)


def _read_markers(folder: Path, spec: FeatureSpec) -> list[Shard]:
    """Return the shards of all markers of a folder, those that were replaced too."""
    while True:
        markers = _markers(folder)
        try:
            return [read_shard(marker, spec) for marker in markers]
        except CacheError:
            if all(marker.exists() for marker in markers):
                raise


def _markers(folder: Path) -> list[Path]:
    """List the markers of a folder until two lists agree.

    A list may lack a file that comes while it is made. If that is the marker of a compaction, and
    those that it replaces go before the list gets to them, their rows are in neither.
    """
    before, names = None, _marker_names(folder)
    while names != before:
        before, names = names, _marker_names(folder)
    return [folder / name for name in names]


def _marker_names(folder: Path) -> list[str]:
    return sorted(place.name for place in folder.iterdir() if is_marker(place.name))


def _subfolders(folder: Path) -> list[Path]:
    return [place for place in folder.iterdir() if place.is_dir()] if folder.is_dir() else []


def read_spec(folder: Path) -> FeatureSpec:
    """Read a feature's spec, which must have the name and the fingerprint of its folder.

    Raises:
        CacheError: if it cannot be read, or is another feature's.
    """
    path = folder / SPEC_FILE
    try:
        written = json.loads(path.read_bytes())
        spec = FeatureSpec.from_json(written)
        same = (encode_name(spec.name), spec.fingerprint) == (folder.parent.name, folder.name)
        same = same and written["fingerprint"] == spec.fingerprint
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise CacheError(
            f"{path} is not the spec of a feature: {error!r}. Most can be written anew: python "
            "cli.py cache check --fix; else move the folder away, and its rows are computed again"
        ) from error
    if not same:
        raise CacheError(
            f"{path} is the spec of {spec.name} {spec.fingerprint}, which does not belong in this "
            "folder; it was changed or copied by hand: move the folder away"
        )
    return spec


def new_shard_name() -> str:
    """Return a name that no other shard has, without suffix."""
    return f"shard-{secrets.token_hex(8)}"


def read_header(shard: Shard, spec: FeatureSpec) -> Header:
    """Read the header of a shard, which must have as many rows as its marker says.

    Raises:
        CacheError: if it is missing, broken, or not what its marker says.
    """
    header = FORMATS.load(shard.marker.format).read_header(shard.path, spec)
    if len(header) != shard.marker.rows:
        raise CacheError(
            f"shard {shard.path} has {len(header)} rows, but its marker says {shard.marker.rows}. "
            "Both are moved away by python cli.py cache check --fix; its rows are computed again"
        )
    return header
