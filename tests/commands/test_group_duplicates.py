"""`fit-head --group-duplicates`: what is alike stays on one side of the split."""

import json

import pytest

FIT = (
    "--head",
    "linear",
    "--target",
    "ecr",
    "--features",
    "meta:duration",
    "--cache",
    "cache",
    "--open-samples",
    "0",
)


@pytest.fixture
def extracted(run, clips):
    """Extract the colours of the clips, of which neighbours are alike."""
    assert run("extract", clips.table, "--features", "colour", "--cache", "cache").code == 0
    return clips


def test_what_is_alike_stays_together_and_is_told(run, extracted):
    asked = (*FIT, "--split", "kfold:4", "--group-duplicates", "colour:0.999", "--out", "r")
    done = run("fit-head", extracted.table, *extracted.columns, *asked, "--json")
    assert done.code == 0, done.err
    assert "near-duplicates by colour:0.999: " in done.err
    leaks = json.loads(done.out)["leaks"]
    assert (leaks["near_duplicates_by"], leaks["counts"]["near_duplicate"]) == ("colour:0.999", 0)
    assert leaks["counts"]["same_author"] > 0
    assert json.loads(done.out)["coverage"] == {"meta:duration": 40}


def test_a_given_split_is_taken_as_it_is_and_its_twins_counted(run, extracted, tmp_path):
    words = ["train", "valid", "test"]
    rows = extracted.table.read_text().splitlines()
    lines = [f"{row},{words[n % 3]}" for n, row in enumerate(rows[1:])]
    table = extracted.folder / "given.csv"
    table.write_text("\n".join([rows[0] + ",split", *lines]))
    asked = (*FIT, "--split", "column", "--group-duplicates", "colour:0.9", "--out", "r")
    columns = ("--columns", extracted.columns[1] + ",split=split")
    done = run("fit-head", table, *columns, *asked)
    assert "split column is given as it is, so they are counted only" in done.err
    leaks = json.loads((tmp_path / "r" / "leaks.json").read_text())
    assert leaks["counts"]["near_duplicate"] > 0


@pytest.mark.parametrize(
    ("likeness", "text"),
    [
        ("colour:2", "'colour:2' is not FEATURE:THRESHOLD with a threshold above 0"),
        ("color", "'color' is unknown; did you mean"),
        ("classic", "feature 'classic' is unknown"),
    ],
)
def test_a_likeness_that_is_none_is_refused(run, clips, likeness, text):
    done = run("fit-head", clips.table, *clips.columns, *FIT, "--group-duplicates", likeness)
    assert done.code == 2
    assert text in done.err
