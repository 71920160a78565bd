import json
from dataclasses import replace

import numpy as np
import pytest

from corpus.folds import Fold, SplitRows
from corpus.leaks import find_leaks
from corpus.splits import SplitPlan

ROWS = SplitRows(
    ids=np.array(list("abcdefgh")),
    author=np.array(["x", "x", "y", "", "x", "y", "", "z"]),
    posted_at=np.array([1, 2, 9, np.nan, 5, 20, 3, np.nan]),
)
FOLD = Fold("split", np.array([0, 1, 3]), np.array([2]), np.array([4, 5, 6, 7]))
TWINS = np.array([0, 1, 2, 3, 4, 2, 6, 1])


def test_each_kind_of_leak_is_counted():
    leaks = find_leaks([FOLD], ROWS, duplicates=TWINS, by="colour:0.95")
    counts = leaks.to_json()["counts"]
    assert counts == {"same_author": 2, "near_duplicate": 2, "older": 2, "bank": 4}


def test_examples_name_the_row_that_gives_it_away():
    (fold,) = find_leaks([FOLD], ROWS, duplicates=TWINS).to_json()["folds"]
    assert fold["same_author"]["examples"] == [
        {"test": "e", "train": "a"},
        {"test": "f", "train": "c"},
    ]
    assert fold["near_duplicate"]["examples"][1] == {"test": "h", "train": "b"}
    assert fold["older"]["examples"][0] == {"test": "e", "train": "c"}


def test_what_cannot_be_told_is_null_and_not_none_found():
    rows = SplitRows(ROWS.ids)
    leaks = find_leaks([FOLD], rows)
    assert leaks.to_json()["counts"] == {
        "same_author": None,
        "near_duplicate": None,
        "older": None,
        "bank": 0,
    }
    assert leaks.text().startswith("nothing to tell leaks by")


def test_the_line_says_what_was_found_or_looked_for():
    assert find_leaks([FOLD], replace(ROWS, posted_at=None)).text() == (
        "of 4 test rows, 2 have an author whom train rows have too"
    )
    rows = replace(ROWS, author=np.array(list("ABCDEFGH")), posted_at=None)
    text = find_leaks([FOLD], rows, duplicates=np.arange(8)).text()
    assert text == "no leaks found; looked for: same author, near duplicate"


def test_examples_are_few_and_json():
    rows = SplitRows(np.arange(100).astype(str), author=np.array(["x"] * 100))
    fold = Fold("split", np.arange(50), np.arange(50, 60), np.arange(60, 100))
    (found,) = json.loads(json.dumps(find_leaks([fold], rows).to_json()))["folds"]
    assert (found["same_author"]["rows"], len(found["same_author"]["examples"])) == (40, 5)


@pytest.mark.parametrize(
    ("text", "kind"),
    [("author-kfold:5", "same_author"), ("time:0.7,0.15,0.15", "older"), ("kfold:3", "twins")],
)
def test_a_split_has_no_leak_of_the_kind_that_it_keeps_out(rows, text, kind):
    leaks = find_leaks(SplitPlan.parse(text).folds(rows), rows, duplicates=None)
    if kind == "twins":
        alone = np.where(rows.groups < 0, 1000 + np.arange(200), rows.groups)
        leaks = find_leaks(SplitPlan.parse(text).folds(rows), rows, duplicates=alone)
        kind = "near_duplicate"
    assert leaks.count(kind) == 0


def test_a_random_split_of_authors_leaks(rows):
    leaks = find_leaks(SplitPlan.parse("random:0.7,0.15,0.15").folds(rows), rows)
    assert leaks.count("same_author") > 20
    assert leaks.count("older") > 20
