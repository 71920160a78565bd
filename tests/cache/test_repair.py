"""Repair does what the remedy of a finding says, and nothing else is lost."""

import json
import os
import subprocess
import time

import pytest

from cache.compaction import plan_merges, sweep
from cache.doctor import DAMAGED, check
from cache.repair import Repair
from cache.store import Store
from core.errors import CacheError, StorageError
from core.status import failed
from tests.cache.rows import RAGGED, VECTOR, read, row, values_of, write
from tests.cache.test_compaction import killed_at

SPECS = {(spec.name, spec.fingerprint): spec for spec in (VECTOR, RAGGED)}


@pytest.fixture
def folder(store):
    """Return the folder of a feature with three shards of one row each."""
    write(store, [row(0), row(1), row(2)], rows_per_shard=1)
    write(store, [row(0, spec=RAGGED)], spec=RAGGED)
    return store.folder_of(VECTOR)


def repair(store: Store, *, spec_of=lambda *_: None, dry_run=False, digests=True):
    mending = Repair(store.folder, spec_of, dry_run=dry_run)
    return list(mending.run(check(store.folder, digests=digests), digests=digests))


def shard_of(store: Store, number: int):
    return store.shards(VECTOR)[number]


def age(path, minutes: float = 60) -> None:
    then = time.time() - 60 * minutes
    os.utime(path, (then, then))


def change_byte(path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


DAMAGE = {
    "bad marker": lambda shard: shard.marker_path.write_text("{"),
    "changed shard": lambda shard: change_byte(shard.path),
    "broken shard": lambda shard: shard.path.write_bytes(b""),
    "marker without shard": lambda shard: shard.path.unlink(),
    "wrong counts": lambda shard: shard.marker_path.write_text(
        shard.marker_path.read_text().replace('"OK": 1', '"OK": 7')
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_moved_away_and_costs_its_own_rows_only(store, folder, kind):
    shard = shard_of(store, 1)
    DAMAGE[kind](shard)
    (outcome,) = repair(store, digests=kind != "broken shard")
    assert (outcome.finding.kind, outcome.fixed, outcome.rows) == (kind, True, 1)
    assert values_of(read(store, 0, 1, 2)) == [[0.0] * 3, None, [2.0] * 3]
    assert (store.folder / DAMAGED).is_dir()
    assert check(store.folder) == []
    write(store, [row(1)])
    assert values_of(read(store, 0, 1, 2)) == [[float(n)] * 3 for n in range(3)]


def test_what_was_moved_away_can_be_moved_back(store, folder):
    shard = shard_of(store, 1)
    good = shard.path.read_bytes()
    shard.path.write_bytes(b"")
    repair(store)
    (away,) = (store.folder / DAMAGED).iterdir()
    moved = away / shard.path.relative_to(store.folder)
    moved.with_suffix(".json").rename(shard.marker_path)
    moved.rename(shard.path).write_bytes(good)
    assert values_of(read(store, 0, 1, 2)) == [[float(n)] * 3 for n in range(3)]


@pytest.mark.parametrize("name", [".writing-00ff.h5", "shard-00000000000000ff.h5"])
def test_litter_is_removed_only_when_no_writer_can_be_at_it(store, folder, name):
    (folder / name).write_bytes(b"half")
    (young,) = repair(store)
    assert (young.fixed, (folder / name).exists()) == (False, True)
    assert "younger than 15 minutes" in young.done
    age(folder / name)
    (old,) = repair(store)
    assert (old.done, (folder / name).exists()) == ("removed", False)
    assert values_of(read(store, 0, 1, 2)) == [[float(n)] * 3 for n in range(3)]


@pytest.fixture
def joined(store, folder):
    """Return the shard of a compaction that was killed before it removed the three it joined."""
    step = 1
    while not store.replaced(VECTOR):
        killed_at(step, store)
        step += 1
    return max(store.shards(VECTOR), key=lambda shard: len(shard.marker.replaces))


def test_what_a_killed_compaction_left_is_removed(store, joined):
    assert {outcome.done for outcome in repair(store)} >= {"removed"}
    assert (store.replaced(VECTOR), len(store.shards(VECTOR))) == ([], 1)
    assert plan_merges(store, VECTOR) == []
    assert values_of(read(store, 0, 1, 2)) == [[float(n)] * 3 for n in range(3)]


@pytest.mark.parametrize("digests", [True, False], ids=["whole", "quick"])
def test_what_was_joined_counts_again_if_the_shard_in_its_place_is_damaged(store, joined, digests):
    change_byte(joined.path)
    outcomes = repair(store, digests=digests)
    assert sum(outcome.rows for outcome in outcomes) == 0
    kinds = {outcome.finding.kind for outcome in outcomes}
    assert kinds == {"changed shard", "temporary file", "shard without marker"}
    assert values_of(read(store, 0, 1, 2)) == [[float(n)] * 3 for n in range(3)]


def test_gc_removes_nothing_in_favour_of_a_damaged_shard(store, joined):
    change_byte(joined.path)
    with pytest.raises(CacheError, match=r"is not what was written.*check --fix"):
        sweep(store, VECTOR)
    repair(store)
    assert values_of(read(store, 0, 1, 2)) == [[float(n)] * 3 for n in range(3)]


@pytest.mark.parametrize("damage", ["wrong", "missing"])
def test_a_spec_is_written_anew_if_todays_code_gives_it(store, folder, damage):
    spec_file = folder / "spec.json"
    spec_file.write_text("{") if damage == "wrong" else spec_file.unlink()
    (outcome,) = repair(store, spec_of=lambda *key: SPECS.get(key))
    assert (outcome.finding.kind, outcome.fixed) == (f"{damage} spec", True)
    assert check(store.folder) == []
    assert values_of(read(store, 0, 1, 2)) == [[float(n)] * 3 for n in range(3)]


def test_shards_behind_a_restored_spec_are_looked_at_too(store, folder):
    shard_of(store, 1).path.write_bytes(b"")
    (folder / "spec.json").unlink()
    outcomes = repair(store, spec_of=lambda *key: SPECS.get(key))
    assert [outcome.finding.kind for outcome in outcomes] == ["missing spec", "changed shard"]
    assert check(store.folder) == []


def test_a_spec_that_todays_code_does_not_give_is_left(store, folder):
    (folder / "spec.json").write_text(json.dumps({"name": "x"}))
    (outcome,) = repair(store)
    assert (outcome.fixed, "bring it back from a copy" in outcome.done) == (False, True)
    assert not (store.folder / DAMAGED).exists()


def test_strangers_are_left(store, folder):
    (folder / "notes.txt").write_text("mine")
    (outcome,) = repair(store)
    assert (outcome.fixed, (folder / "notes.txt").read_text()) == (False, "mine")


def test_a_dry_run_says_the_same_and_changes_nothing(store, folder):
    write(store, [row(3, failed("crash"))])
    age((folder / ".writing-00ff.h5").touch() or folder / ".writing-00ff.h5")
    shard_of(store, 1).path.write_bytes(b"")
    (store.folder_of(RAGGED) / "spec.json").write_text("{")
    before = {place: place.stat().st_mtime_ns for place in store.folder.rglob("*")}
    said = repair(store, spec_of=lambda *key: SPECS.get(key), dry_run=True)
    assert {place: place.stat().st_mtime_ns for place in store.folder.rglob("*")} == before
    done = repair(store, spec_of=lambda *key: SPECS.get(key))
    assert [one.finding for one in said] == [one.finding for one in done]
    assert [(one.fixed, one.rows) for one in said] == [(one.fixed, one.rows) for one in done]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting takes root")
def test_a_read_only_cache_is_named_and_left_as_it_is(store, folder):
    shard_of(store, 1).path.write_bytes(b"")
    subprocess.run(["mount", "--bind", store.folder, store.folder], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", store.folder], check=True)
    try:
        with pytest.raises(StorageError, match="make it writable"):
            repair(store)
    finally:
        subprocess.run(["umount", store.folder], check=True)
    assert [finding.kind for finding in check(store.folder)] == ["changed shard"]
