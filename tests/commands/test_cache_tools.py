"""`extract --dry-run` and the tools of `cache`, as they are typed."""

import json
import shutil

import pytest

from cache.keys import Keys
from commands.extract_plan import print_plan
from core.digests import FileDigests
from core.log import talk_to_stderr
from extract.estimate import Estimate, Forecast
from extract.plan import Plan

FEATURES = ("--features", "motion,textstats")


@pytest.fixture(scope="module")
def kept(run_all, clips, tmp_path_factory):
    """Give a cache with three features of 40 clips, in two shards each."""
    home = tmp_path_factory.mktemp("kept")
    for part in ("1/2", "2/2"):
        run_all(home, "extract", clips.table, *clips.columns, *FEATURES, "--cache", home / "cache",
                "--part", part, "--workers", "1")  # fmt: skip
    return home / "cache"


@pytest.fixture
def cache(kept, tmp_path):
    """Give a copy of the cache, to be changed."""
    return shutil.copytree(kept, tmp_path / "cache")


def shard(cache, feature="motion"):
    return sorted((cache / feature).rglob("shard-*.h5"))[0]


def edited(clips, path, *changes):
    """Write the table with some texts replaced; its files stay where they are."""
    text = clips.table.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    return ("--manifest", path, *clips.columns, "--root", clips.folder)


def test_a_dry_run_tells_what_is_known_and_what_is_not(run, clips, cache):
    todo = ("extract", clips.table, *clips.columns, "--cache", cache, "--dry-run")
    before = sorted(cache.rglob("*"))
    done = run(*todo, "--features", "motion,colour", "--decoder", "decord")
    assert done.code == 0, done.err
    lines = {line.split()[0]: line.split()[1:] for line in done.out.splitlines() if line}
    assert lines["motion"][:2] == ["40", "40"]
    assert " rows of recipe " in done.out
    assert lines["colour"][-2:] == ["never", "computed"]
    assert "40 of 40 samples would be worked on" in done.out
    assert "not counted, as they were never computed here: colour; --probe 20" in done.err
    assert sorted(cache.rglob("*")) == before


def test_a_dry_run_with_nothing_to_do_tells_no_time(run, clips, cache):
    done = run("extract", clips.table, *clips.columns, *FEATURES, "--cache", cache, "--dry-run")
    assert "0 of 40 samples would be worked on" in done.out
    assert "about" not in done.out


def test_more_than_the_disk_holds_is_warned_of(capsys, tmp_path):
    talk_to_stderr()
    large = Forecast("motion", 9, 9, size_bytes=1e18, basis="1 rows of a probe")
    plan = Plan([], [], [], Keys([], FileDigests()), {}, {})
    print_plan(plan, Estimate(9, 2, (large,)), tmp_path / "none" / "yet", as_json=True)
    assert "1000000000.0 GB are wanted and" in capsys.readouterr().err


def test_a_probe_computes_some_and_tells_of_the_rest(run, clips, tmp_path):
    todo = ("extract", clips.table, *clips.columns, "--features", "textstats", "--cache", "c")
    told = json.loads(run(*todo, "--dry-run", "--probe", "3", "--json").out)
    assert told["missing"] == {"textstats:title": 37}
    assert told["samples"] == 37
    assert told["estimate"]["features"][0]["basis"] == "3 rows of a probe"
    assert told["estimate"]["bytes"] > 0
    assert json.loads(run(*todo, "--json", "--out", "r").out)["worked_on"] == 37


def test_status_tells_what_features_cost(run, kept):
    rows = json.loads(run("cache", "status", "--cache", kept, "--json").out)
    motion = next(row for row in rows if row["feature"] == "motion")
    assert (motion["ok"], motion["computed"], motion["coverage"]) == (40, 40, 1.0)
    assert motion["decode_s"] > 0
    assert motion["per_1000"]["prepare_s"] > 0
    said = run("cache", "status", "--cache", kept).out
    assert "seconds of work" in said


def test_gc_joins_shards_and_says_so_before(run, cache):
    said = run("cache", "gc", "--cache", cache, "--dry-run").out
    assert "6 shards of 3 features would be joined into 3" in said
    assert "6 shards of 3 features joined into 3" in run("cache", "gc", "--cache", cache).out
    assert run("cache", "gc", "--cache", cache).out == "nothing to compact\n"
    assert run("cache", "check", "--cache", cache).code == 0


def test_gc_drops_what_is_named_and_nothing_else(run, cache):
    fingerprint = shard(cache).parent.name
    done = run("cache", "gc", "--cache", cache, "--drop", fingerprint[:-1])
    assert (done.code, f"did you mean '{fingerprint}'?" in done.err) == (2, True)
    assert "motion " in run("cache", "gc", "--cache", cache, "--drop", fingerprint).out
    left = json.loads(run("cache", "ls", "--cache", cache, "--json").out)
    assert [entry["feature"] for entry in left] == ["motion/steps", "textstats:title"]


def test_damage_is_mended_and_computed_again(run, clips, cache):
    shard(cache).write_bytes(b"not what it was")
    (cache / "notes.txt").touch()
    done = run("cache", "check", "--cache", cache)
    assert (done.code, "2 findings" in done.out) == (1, True)
    done = run("cache", "check", "--cache", cache, "--fix")
    assert (done.code, "1 findings mended, 1 left" in done.out) == (1, True)
    (cache / "notes.txt").unlink()
    assert run("cache", "check", "--cache", cache).out == "the cache is sound\n"
    todo = ("extract", clips.table, *clips.columns, *FEATURES, "--cache", cache, "--out", "r")
    assert 0 < json.loads(run(*todo, "--json").out)["worked_on"] < 40


def test_some_rows_are_computed_again(run, clips, cache, tmp_path):
    table = edited(clips, tmp_path / "t.csv")
    done = run("cache", "check", "--cache", cache, "--recompute", "2", *table, "--workers", "1")
    assert done.code == 0, done.err
    assert "motion: 2 of 2 equal bit for bit" in done.out


def test_why_names_what_changed(run, clips, cache, tmp_path):
    table = edited(clips, tmp_path / "t.csv", ("clip 3,", "an edited title,"))
    done = run("cache", "why", "v3", "--cache", cache, *table)
    assert done.code == 0, done.err
    lines = done.out.partition("today:")[2].splitlines()
    told = {line.split()[0]: line.partition("  ")[2] for line in lines if line}
    assert told["motion"].endswith("stored: OK")
    assert told["textstats:title"].endswith("not stored: text:title changed")
    more = run("cache", "why", "v3", "--cache", cache, *table, "--decoder", "decord").out
    assert "recipe.decoder was 'pyav', is 'decord'" in more


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["why", "v99"], "stored id 'v99' is unknown; did you mean 'v9'"),
        (["why", "v3", "--feature", "moton"], "did you mean 'motion'"),
        (["check", "--recompute", "2"], "--recompute needs the table"),
        (["check", "--dry-run"], "--dry-run is of --fix"),
        (["check", "--manifest", "t.csv"], "--manifest is the table of --recompute"),
        (["check", "--weights", "clip=x"], "--weights are for --recompute"),
    ],
)
def test_what_cannot_be_meant_is_refused(run, kept, options, text):
    done = run("cache", *options, "--cache", kept)
    assert (done.code, text in done.err) == (2, True), done.err


def test_a_probe_without_a_dry_run_is_refused(run, clips):
    done = run("extract", clips.table, *clips.columns, "--probe", "2")
    assert (done.code, "--probe is of --dry-run" in done.err) == (2, True)


@pytest.mark.parametrize("command", ["ls", "status", "gc"])
def test_a_folder_without_features_is_told(run, tmp_path, command):
    (tmp_path / "mine").mkdir()
    done = run("cache", command, "--cache", "mine")
    assert (done.code, "--cache mine has no features" in done.err) == (0, True)
