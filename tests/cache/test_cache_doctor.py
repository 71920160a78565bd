"""What the doctor finds in a cache, each with a remedy."""

import json
import shutil

import pytest

from cache.doctor import REMEDIES, check
from cache.store import Store
from core.errors import CacheError
from tests.cache.rows import RAGGED, VECTOR, row, write


@pytest.fixture
def folder(store):
    """Return the folder of a feature with two shards, in a cache that is well."""
    write(store, [row(0), row(1)], rows_per_shard=1)
    (store.folder / "digests.sqlite").touch()
    (store.folder / "digests.sqlite-journal").touch()
    (store.folder / "checkpoints.json").touch()
    return store.folder_of(VECTOR)


def found(store: Store, **options: bool) -> list[tuple[str, str]]:
    findings = check(store.folder, **options)
    assert all(finding.remedy and finding.text for finding in findings)
    return [(finding.kind, finding.path.name) for finding in findings]


def first(folder, suffix):
    return sorted(folder.glob(f"shard-*.{suffix}"))[0]


def test_a_cache_that_is_well_has_no_findings(store, folder):
    write(store, [row(0, spec=RAGGED)], spec=RAGGED)
    assert found(store) == []


def test_a_folder_that_is_not_there_is_an_error(store):
    with pytest.raises(CacheError, match="is not a folder; name the cache with --cache DIR"):
        check(store.folder)


@pytest.mark.parametrize("place", [".", "net@small", "net@small/{}"])
def test_litter_and_strangers_are_found_everywhere(store, folder, place):
    inside = store.folder / place.format(VECTOR.fingerprint)
    (inside / ".writing-00ff.h5").touch()
    (inside / "notes.txt").touch()
    assert found(store) == [("temporary file", ".writing-00ff.h5"), ("foreign", "notes.txt")]


def test_a_folder_that_no_feature_has_is_foreign(store, folder):
    (store.folder / "my clips" / "a").mkdir(parents=True)
    (store.folder / "%zz" / "0123456789abcdef").mkdir(parents=True)
    assert found(store) == [("foreign", "%zz"), ("foreign", "my clips")]


def test_half_of_a_shard_is_found(store, folder):
    marker, *_ = sorted(folder.glob("*.json"))
    shard = first(folder, "h5")
    marker.unlink()
    assert found(store) == [("shard without marker", shard.name)]
    other = sorted(folder.glob("shard-*.h5"))[1]
    other.unlink()
    assert ("marker without shard", other.with_suffix(".json").name) in found(store)


def test_a_changed_byte_is_found_by_its_digest(store, folder):
    shard = first(folder, "h5")
    content = bytearray(shard.read_bytes())
    content[-1] ^= 1
    shard.write_bytes(content)
    assert found(store, digests=False) == []
    assert found(store) == [("changed shard", shard.name)]


@pytest.mark.parametrize("spec", [VECTOR, RAGGED], ids=lambda spec: spec.name)
def test_a_cut_shard_is_found_without_digests(store, spec):
    write(store, [row(0, spec=spec)], spec=spec)
    shard = first(store.folder_of(spec), "h5")
    shard.write_bytes(shard.read_bytes()[:-3])
    assert found(store, digests=False) == [("broken shard", shard.name)]


def test_a_shard_that_is_no_file_to_read_is_found(store, folder):
    shard = first(folder, "h5")
    shard.unlink()
    shard.mkdir()
    assert found(store) == [("marker without shard", shard.with_suffix(".json").name)]


def test_counts_that_differ_are_found(store, folder):
    marker = first(folder, "json")
    text = marker.read_text().replace('"OK": 1', '"OK": 7')
    marker.write_text(text)
    assert found(store) == [("wrong counts", first(folder, "h5").name)]


def test_a_marker_that_cannot_be_read_is_found(store, folder):
    first(folder, "json").write_text("{")
    assert found(store) == [("bad marker", first(folder, "json").name)]


def test_a_spec_that_is_gone_or_another_ones_is_found(store, folder):
    spec = folder / "spec.json"
    spec.write_text(json.dumps({**json.loads(spec.read_text()), "dtype": "float32"}))
    assert found(store) == [("wrong spec", "spec.json")]
    spec.unlink()
    assert found(store) == [("missing spec", VECTOR.fingerprint)]


def test_shards_of_another_feature_are_found(store, folder):
    write(store, [row(0, spec=RAGGED)], spec=RAGGED)
    stranger = first(store.folder_of(RAGGED), "json")
    shutil.copy(stranger, folder)
    assert found(store) == [("bad marker", stranger.name)]


def test_nothing_is_changed_by_looking(store, folder):
    (folder / ".writing-00ff.h5").touch()
    before = sorted(store.folder.rglob("*"))
    check(store.folder)
    assert sorted(store.folder.rglob("*")) == before


def test_every_kind_has_a_remedy():
    assert all(remedy for remedy in REMEDIES.values())
