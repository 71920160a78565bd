"""A cache that is full, read-only or damaged by hand: a clear error, and nothing else is lost."""

import json
import shutil

import pytest

from cache.doctor import check
from cache.reading import read_column
from corpus.manifest import read_manifest
from extract.ensure import OpenCache
from tests.cache.mounts import as_root, read_only, small_disk
from tests.extract.accounts import assert_accounts_agree

WANTED = ("--features", "colour,textstats", "--shard-seconds", "0.1", "--workers", "1")
IDS = {f"v{n}" for n in range(40)}


@pytest.fixture(scope="module")
def extracted(run_all, clips, tmp_path_factory):
    """Give a cache of two features in several shards each."""
    home = tmp_path_factory.mktemp("home")
    run_all(home, "extract", clips.table, *WANTED, "--cache", home / "cache")
    return home / "cache"


@pytest.fixture
def cache(extracted, tmp_path):
    """Give a copy of the cache, to be spoilt."""
    return shutil.copytree(extracted, tmp_path / "cache")


def all_values(clips, cache):
    """Return the bytes of all values, and which are there, by feature."""
    opened = OpenCache.at(cache, read_manifest(clips.table).samples)
    columns = [
        read_column(opened.store, spec, opened.keys.index, opened.keys.digests(spec.reads))
        for _, _, spec in opened.store.features()
    ]
    return {c.spec.name: (c.present.tobytes(), c.values.tobytes()) for c in columns}


def shards_of(cache, feature="colour"):
    return sorted(cache.glob(f"{feature}/*/shard-*.h5"))


def marker_of(shard):
    return shard.with_suffix(".json")


def rows_in(shard):
    return json.loads(marker_of(shard).read_text())["rows"]


DAMAGE = {
    "an emptied marker": lambda shard: marker_of(shard).write_text(""),
    "a marker with other numbers": lambda shard: marker_of(shard).write_text(
        marker_of(shard).read_text().replace('"rows": ', '"rows": 1')
    ),
    "a shard cut short": lambda shard: shard.write_bytes(shard.read_bytes()[:-700]),
    "a shard of zeros": lambda shard: shard.write_bytes(bytes(shard.stat().st_size)),
    "a shard that is gone": lambda shard: shard.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_by_hand_is_named_mended_and_costs_its_rows_only(run, clips, cache, damage):
    before, shard = all_values(clips, cache), shards_of(cache)[1]
    lost = rows_in(shard)
    DAMAGE[damage](shard)
    done = run("extract", clips.table, *WANTED, "--cache", cache)
    assert (done.code, done.out, done.err.count("error: ")) == (1, "", 1)
    assert shard.stem in done.err
    assert "cache check --fix" in done.err
    assert run("cache", "check", "--cache", cache, "--fix").code == 0
    again = run("extract", clips.table, *WANTED, "--cache", cache, "--json")
    assert json.loads(again.out)["worked_on"] == lost < 40
    assert_accounts_agree(cache, IDS, json.loads(again.out)["features"])
    assert all_values(clips, cache) == before


@as_root
def test_a_cache_that_fills_up_keeps_what_was_whole_and_goes_on_with_room(
    run, clips, extracted, tmp_path
):
    with small_disk(tmp_path / "disk", 20 << 20) as disk:
        ballast = disk / "ballast"
        ballast.write_bytes(bytes((20 << 20) - (72 << 10)))  # room for a shard of each feature
        done = run("extract", clips.table, *WANTED, "--cache", disk / "cache")
        assert (done.code, done.out, done.err.count("error: ")) == (1, "", 1)
        assert "is full; free some space or choose another folder, then run again" in done.err
        assert check(disk / "cache") == []
        assert sum(map(rows_in, shards_of(disk / "cache", "*"))) > 0
        ballast.unlink()
        again = run("extract", clips.table, *WANTED, "--cache", disk / "cache", "--json")
        assert_accounts_agree(disk / "cache", IDS, json.loads(again.out)["features"])
        assert all_values(clips, disk / "cache") == all_values(clips, extracted)


@as_root
def test_a_read_only_cache_is_read_and_says_so_when_it_lacks_something(run, clips, cache):
    names = {place.name for place in cache.rglob("*")}
    with read_only(cache):
        whole = run("extract", clips.table, *WANTED, "--cache", cache, "--json")
        assert (whole.code, json.loads(whole.out)["worked_on"]) == (0, 0)
        assert run("cache", "status", "--manifest", clips.table, "--cache", cache).code == 0
        lacking = ("--features", "words", "--cache", cache)
        more = run("extract", clips.table, *lacking)
        assert (more.code, "may not be written" in more.err) == (1, True)
        assert "name another: --cache FOLDER" in more.err  # before anything was computed
    assert {place.name for place in cache.rglob("*")} == names
    assert check(cache) == []
