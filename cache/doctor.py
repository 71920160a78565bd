"""Find what does not belong in a cache, or is not what it says it is. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cache.exported import FILE as EXPORTED
from cache.index_files import INDEX_FILE, INDEX_MARKER
from cache.marker import Shard, count_rows, is_marker, is_shard, read_shard
from cache.shard import FORMATS
from cache.spec import FeatureSpec
from cache.store import SPEC_FILE, feature_folders, read_header, read_spec
from core.errors import CacheError
from core.files import TEMPORARY_PREFIX
from core.fingerprint import digest_file
from core.progress import Meter

DAMAGED = ".damaged"  # what a repair has moved out of the way
# and what SQLite has beside its file; an export of shards is a cache too
_BESIDE = ("digests.sqlite", "checkpoints.json", EXPORTED, DAMAGED)
_PATIENCE_S = 1.0  # a look that takes no longer is not talked of
_REMOVED = "--fix removes it when it is 15 minutes old, as an extraction may be writing just now"
_MOVED = f"--fix moves it to {DAMAGED} with its other half; its rows are computed again"
_RESTORED = "--fix writes it anew if today's code gives it; else bring it back from a copy"

REMEDIES = {
    "temporary file": _REMOVED,
    "shard without marker": _REMOVED,
    "replaced shard": "--fix removes it, as `cache gc` does: a younger shard has its rows",
    "marker without shard": _MOVED,
    "bad marker": _MOVED,
    "broken shard": _MOVED,
    "changed shard": _MOVED,
    "wrong counts": _MOVED,
    "missing spec": _RESTORED,
    "wrong spec": _RESTORED,
    "foreign": "move it out of the cache by hand; --fix leaves it",
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: its place, its kind (a key of `REMEDIES`), and what was seen."""

    path: Path
    kind: str
    text: str

    @property
    def remedy(self) -> str:
        return REMEDIES[self.kind]


def check(cache: Path, *, digests: bool = True) -> list[Finding]:
    """Return all that is wrong with a cache, by place.

    With `digests`, every byte of every shard is read and compared with its marker's digest.

    Raises:
        CacheError: if there is no such folder.
    """
    if not cache.is_dir():
        raise CacheError(f"{cache} is not a folder; name the cache with --cache DIR")
    folders = feature_folders(cache)
    findings = list(_strangers(cache, folders))
    shards = sum(is_marker(place.name) for folder in folders for place in folder.iterdir())
    with Meter("check", shards, unit="shards", patience_s=_PATIENCE_S) as meter:
        for folder in folders:
            findings += check_folder(folder, digests=digests, meter=meter)
    # What has gone in the meantime was removed by a writer or a compaction: nothing is wrong.
    return sorted((f for f in findings if f.path.exists()), key=lambda finding: finding.path)


def _strangers(cache: Path, folders: list[Path]) -> Iterator[Finding]:
    """Yield what lies between the folders of features."""
    features = {folder.parent for folder in folders}
    for place in cache.iterdir():
        begun = place.is_dir() and not any(place.iterdir())  # the writer was stopped there
        if place not in features and not begun and not place.name.startswith(_BESIDE):
            yield _stray(place)
    for feature in features:
        yield from (_stray(place) for place in feature.iterdir() if place not in folders)


def _stray(place: Path) -> Finding:
    if place.name.startswith(TEMPORARY_PREFIX):
        return Finding(place, "temporary file", "a writer was stopped before it was whole")
    return Finding(place, "foreign", "nothing of this name belongs here")


def check_folder(
    folder: Path, *, digests: bool = True, meter: Meter | None = None
) -> Iterator[Finding]:
    """Yield what is wrong with the folder of one feature; a meter counts the shards."""
    places = {place.name: place for place in sorted(folder.iterdir())}
    markers = [place for name, place in places.items() if is_marker(name)]
    files = {name for name in places if is_shard(name)}
    known = {SPEC_FILE, INDEX_FILE, INDEX_MARKER, *files, *(marker.name for marker in markers)}
    yield from (_stray(place) for name, place in places.items() if name not in known)
    marked = {marker.stem for marker in markers}
    for name in sorted(files):
        if places[name].stem not in marked:
            yield Finding(places[name], "shard without marker", "readers do not see it")
    if SPEC_FILE not in places and not (markers or files):
        return  # a writer was stopped before it began: the next one goes on here
    if not (folder / SPEC_FILE).exists():
        yield Finding(folder, "missing spec", f"it has no {SPEC_FILE}")
        return
    try:
        spec = read_spec(folder)
    except CacheError as error:
        yield Finding(folder / SPEC_FILE, "wrong spec", str(error))
        return
    yield from _check_shards(markers, spec, digests=digests, meter=meter)


def _check_shards(
    markers: list[Path], spec: FeatureSpec, *, digests: bool, meter: Meter | None
) -> Iterator[Finding]:
    shards = []
    for marker in markers:
        try:
            shards.append(read_shard(marker, spec))
        except CacheError as error:
            yield Finding(marker, "bad marker", str(error))
    yield from _check_replaced(shards, spec, digests=digests, meter=meter)


def _check_replaced(
    shards: list[Shard], spec: FeatureSpec, *, digests: bool, meter: Meter | None
) -> Iterator[Finding]:
    """Yield what is wrong with shards; those with a sound shard in their place are to go."""
    by = {name: shard for shard in shards for name in shard.marker.replaces}
    holders = {by[shard.path.stem].path.stem for shard in shards if shard.path.stem in by}
    found: dict[str, list[Finding]] = {}
    for shard in shards:
        # What is removed in favour of it is lost with it: even a quick look reads all its bytes.
        whole = digests or shard.path.stem in holders
        found[shard.path.stem] = list(_check_shard(shard, spec, whole))
        if meter:
            read_bytes = shard.marker.size_bytes if whole else 0
            meter.advance(failed=bool(found[shard.path.stem]), size_bytes=read_bytes)
    for shard in shards:
        holder = _holder(shard, by, found)
        if holder:
            text = f"its rows are in {holder.path.name}, which a compaction has made"
            yield Finding(shard.marker_path, "replaced shard", text)
        else:
            yield from found[shard.path.stem]


def _holder(
    shard: Shard, by: Mapping[str, Shard], found: Mapping[str, list[Finding]]
) -> Shard | None:
    """Return the sound shard that replaces another, or replaces what does, and so on."""
    passed = set()
    while shard.path.stem in by and shard.path.stem not in passed:
        passed.add(shard.path.stem)
        shard = by[shard.path.stem]
        if not found[shard.path.stem]:
            return shard
    return None


def _check_shard(shard: Shard, spec: FeatureSpec, digests: bool) -> Iterator[Finding]:
    if not shard.path.is_file():
        yield Finding(shard.marker_path, "marker without shard", f"{shard.path.name} is not there")
        return
    try:
        same = not digests or digest_file(shard.path).hex() == shard.marker.digest
    except OSError as error:
        yield Finding(shard.path, "broken shard", f"it cannot be read: {error}")
        return
    if not same:
        yield Finding(shard.path, "changed shard", "its bytes are not those that were written")
        return
    yield from _check_rows(shard, spec, digests)


def _check_rows(shard: Shard, spec: FeatureSpec, whole: bool) -> Iterator[Finding]:
    try:
        header, shard_format = read_header(shard, spec), FORMATS.load(shard.marker.format)
        if whole:
            shard_format.check(shard.path, spec)
        elif spec.is_text or spec.is_ragged:
            shard_format.read_offsets(shard.path, spec)
    except CacheError as error:
        yield Finding(shard.path, "broken shard", str(error))
        return
    stated = zip(header.status.tolist(), header.cause.tolist(), strict=True)
    statuses, causes = count_rows((status, header.causes[cause]) for status, cause in stated)
    if (statuses, causes) != (shard.marker.statuses, shard.marker.causes):
        text = f"its marker says {shard.marker.statuses}, its rows are {statuses}"
        yield Finding(shard.path, "wrong counts", text)
