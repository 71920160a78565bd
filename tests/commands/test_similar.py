"""`cache index`, `cache similar`, and heads of neighbours and blends, as they are typed."""

import json
import shutil
from pathlib import Path

import pytest

FOLDS = ("--split", "kfold:2", "--no-refit")


@pytest.fixture(scope="module")
def kept(run_all, clips, tmp_path_factory):
    """Give a cache with a few features of the clips."""
    cache = tmp_path_factory.mktemp("kept") / "cache"
    run_all(cache.parent, "extract", clips.table, *clips.columns, "--features", "colour,words",
            "--cache", cache)  # fmt: skip
    return cache


@pytest.fixture
def copied(kept, tmp_path):
    return shutil.copytree(kept, tmp_path / "cache")


def test_an_index_is_made_once(run, copied):
    first = json.loads(run("cache", "index", "--cache", copied, "--json").out)
    second = json.loads(run("cache", "index", "--cache", copied, "--json").out)
    assert [(each["feature"], each["kind"], each["rows"]) for each in first] == [
        ("colour", "flat", 40)
    ]
    assert [(each["was"], each["made"]) for each in first + second] == [
        ("none", True), ("fresh", False)
    ]  # fmt: skip


def test_clips_of_a_like_brightness_are_alike(run, copied):
    done = run("cache", "similar", "v20", "--feature", "colour", "-k", "2", "--cache", copied,
               "--json")  # fmt: skip
    found = json.loads(done.out)["similar"]
    assert all(abs(int(each["id"][1:]) - 20) < 6 for each in found)
    assert 0 < found[0]["distance"] <= found[1]["distance"] < 0.5


def test_a_new_clip_is_extracted_and_kept(run, copied, clips, tmp_path):
    new = shutil.copy(clips.folder / "7.mp4", tmp_path / "new.mp4")
    run("cache", "index", "--cache", copied)
    done = run("cache", "similar", new, "--feature", "colour", "-k", "1", "--cache", copied)
    assert done.out.splitlines()[1].split() == ["v7", "0.0000"]
    again = run("cache", "similar", "new.mp4", "--feature", "colour", "-k", "1", "--cache", copied)
    assert again.out == done.out


def test_a_clip_does_not_take_the_place_of_a_row_of_its_name(run, copied, clips):
    def nearest(target):
        done = run("cache", "similar", target, "--feature", "colour", "-k", "1", "--cache", copied)
        return done.out.splitlines()[1].split()[0]

    Path("new").mkdir()
    shutil.copy(clips.folder / "39.mp4", "new/v3")
    before = nearest("v3")
    assert (nearest("new/v3"), nearest("v3")) == ("v39", before)
    run("fit-head", clips.table, *clips.columns, "--cache", copied, *FOLDS, "--target", "ecr",
        "--features", "colour", "--head", "linear", "--out", "line")  # fmt: skip
    answer = json.loads(run("predict", "line", "new/v3", "--cache", copied, "--json").out)
    assert (answer["id"], answer["value"] > 0.8, nearest("v3")) == ("v3", True, before)


@pytest.mark.parametrize("name", ["n" * 240, "odd\udcff\n.mp4"])
def test_a_clip_of_any_name_can_be_kept(run, copied, clips, name):
    shutil.copy(clips.folder / "7.mp4", name)
    done = run("cache", "similar", name, "--feature", "colour", "-k", "1", "--cache", copied)
    assert done.out.splitlines()[1].split() == ["v7", "0.0000"]


def test_a_clip_that_cannot_be_read_says_why(run, copied, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    done = run("cache", "similar", "broken.mp4", "--feature", "colour", "--cache", copied)
    assert done.code == 3
    assert done.out.startswith("broken.mp4: unreadable")


def test_texts_are_compared_by_their_words(run, copied):
    done = run("cache", "similar", "v1", "--feature", "words:title", "-k", "3", "--cache", copied)
    assert len(done.out.splitlines()) == 4


@pytest.mark.parametrize(
    ("target", "feature", "text"),
    [
        ("v1", "color", "stored feature 'color' is unknown; did you mean 'colour'?"),
        ("nobody", "colour", "'nobody' is neither an id that the cache has a colour of, nor a"),
    ],
)
def test_what_there_is_not_is_refused(run, copied, target, feature, text):
    done = run("cache", "similar", target, "--feature", feature, "--cache", copied)
    assert (done.code, text in done.err) == (2, True)


def test_a_text_is_no_file(run, copied, clips):
    clip = clips.folder / "7.mp4"
    done = run("cache", "similar", clip, "--feature", "words:title", "--cache", copied)
    assert done.code == 2
    assert "words:title reads text:title, which a file alone does not have" in done.err


def test_a_blend_is_fitted_and_predicts(run, copied, clips):
    done = run("fit-head", clips.table, *clips.columns, "--cache", copied, *FOLDS, "--target",
               "ecr", "--features", "colour", "--head", "blend", "--of", "linear,knn",
               "--set", "knn.k=4", "--set", "knn.temperature=1", "--set", "knn.relevance=0",
               "--out", "blend", "--json")  # fmt: skip
    assert json.loads(done.out)["metrics"]["srocc"]["value"] > 0.9
    said = json.loads(
        run("predict", "blend", clips.folder / "20.mp4", "--cache", copied, "--json").out
    )
    assert said["value"] == pytest.approx(0.5, abs=0.1)


def test_columns_of_neighbours_are_asked_for_by_name(run, copied, clips):
    done = run("fit-head", clips.table, *clips.columns, "--cache", copied, *FOLDS, "--target",
               "ecr", "--features", "knn(colour),meta:duration", "--head", "linear",
               "--set", "knn.k=4", "--set", "knn.temperature=1", "--set", "knn.relevance=0",
               "--out", "told", "--json")  # fmt: skip
    assert json.loads(done.out)["metrics"]["srocc"]["value"] > 0.9
    done = run("predict", "told", clips.folder / "20.mp4", "--cache", copied, "--json")
    assert json.loads(done.out)["missing"] == ["meta:duration"]


def test_wrong_members_are_refused_before_anything_is_read(run, copied, clips):
    done = run("fit-head", clips.table, *clips.columns, "--cache", copied, "--target", "ecr",
               "--head", "blend", "--of", "linear,gmb")  # fmt: skip
    assert (done.code, "head 'gmb' is unknown; did you mean 'gbm'?" in done.err) == (2, True)
