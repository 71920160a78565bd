"""`cache export`, `cache import` and `extract --shard-format`, as they are typed."""

import json

import pytest

from tests.cache.foreign import samples


@pytest.fixture(scope="module")
def kept(run_all, clips, tmp_path_factory):
    """Give a cache of tar shards."""
    cache = tmp_path_factory.mktemp("kept") / "cache"
    run_all(cache.parent, "extract", clips.table, *clips.columns, "--features", "motion,textstats",
            "--cache", cache, "--shard-format", "tar")  # fmt: skip
    return cache


def test_extract_writes_tar_shards_of_the_same_features(run, clips, kept):
    assert {path.suffix for path in kept.rglob("shard-*")} == {".tar", ".json"}
    done = run("extract", clips.table, *clips.columns, "--features", "motion", "--cache", kept,
               "--dry-run", "--json")  # fmt: skip
    assert set(json.loads(done.out)["missing"].values()) == {0}


def test_an_unknown_shard_format_is_refused(run, clips):
    done = run("extract", clips.table, *clips.columns, "--shard-format", "zip")
    assert (done.code, "shard format 'zip' is unknown; known: h5, tar" in done.err) == (2, True)


@pytest.mark.parametrize("options", [["--format", "npy"], ["--join"]], ids=" ".join)
def test_a_cache_goes_out_and_comes_back(run, kept, options):
    done = run("cache", "export", "out", *options, "--cache", kept)
    assert done.code == 0, done.err
    assert "120 rows of 3 features written to out" in done.out
    done = run("cache", "import", "out", "--cache", "other", "--json")
    told = json.loads(done.out)["features"]
    assert [(feature["name"], feature["ok"]) for feature in told] == [
        ("motion", 40), ("motion/steps", 40), ("textstats:title", 40)
    ]  # fmt: skip
    done = run("cache", "import", "out", "--cache", "other")
    assert "0 rows of 3 features written to other, 120 were there" in done.out


def test_the_samples_of_a_table_are_joined(run, clips, kept, tmp_path):
    lines = clips.table.read_text().splitlines()[:4]
    (clips.folder / "few.csv").write_text("\n".join([*lines, lines[1].replace("v0,", "new,")]))
    done = run("cache", "export", "out", "--join", "--cache", kept, "--manifest",
               clips.folder / "few.csv", *clips.columns)  # fmt: skip
    assert "the cache has no row of 1 of the table's samples" in done.err
    found = samples(tmp_path / "out" / "samples-00000.tar")
    assert [sample["__key__"] for sample in found] == ["v0", "v1", "v2"]
    assert {"motion.npy", "textstats%3atitle.npy", "json"} <= found[0].keys()


def test_a_dry_run_says_what_would_be_written(run, kept, tmp_path):
    done = run("cache", "export", "out", "--cache", kept, "--features", "motion", "--dry-run")
    assert "80 rows of 2 features would be written to out" in done.out
    done = run("cache", "import", kept, "--cache", "other", "--dry-run")
    assert "120 rows of 3 features would be written to other" in done.out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["there"], "there is there already and nothing is overwritten"),
        (["out", "--format", "zip"], "'zip' is unknown"),
        (["out", "--join", "--format", "npy"], "--join makes tars of whole samples"),
        (["out", "--features", "motoin"], "did you mean 'motion'"),
    ],
)
def test_what_cannot_be_exported_is_refused(run, kept, tmp_path, options, text):
    (tmp_path / "there").touch()
    done = run("cache", "export", *options, "--cache", kept)
    assert (done.code, text in done.err) == (2, True), done.err


def test_a_cache_is_not_exported_into_itself(run, kept):
    done = run("cache", "export", kept / "out", "--cache", kept)
    assert (done.code, "lies in the cache" in done.err) == (2, True)
    done = run("cache", "import", kept, "--cache", kept)
    assert (done.code, "is the cache itself" in done.err) == (2, True)


def test_a_changed_export_is_refused(run, kept, tmp_path):
    run("cache", "export", "out", "--format", "npy", "--cache", kept)
    path = next((tmp_path / "out" / "motion").rglob("values.npy"))
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    done = run("cache", "import", "out", "--cache", "other")
    assert (done.code, "values.npy cannot be imported" in done.err) == (1, True)
    assert not (tmp_path / "other").exists()
