"""Near-duplicates stay together, what a split lets through is said, and errors by group."""

import json
from dataclasses import replace

import numpy as np
import pytest

from cache.duplicates import Duplicates, groups_of
from core.errors import UsageError
from heads.fit import fit_head
from heads.folding import Labelled
from heads.gather import drawn_together
from heads.runs.files import write_run
from scoring.bootstrap import score_regression
from tests.heads.tables import config, make_column, make_table, plant


@pytest.fixture(scope="module")
def copies():
    """Return a table in which every row is there twice, under other ids and authors."""
    table = plant(rows=120)
    twice = table.take(np.repeat(np.arange(120), 2))
    ids = np.array([f"v{row:04d}" for row in range(240)])
    return replace(twice, ids=ids, author=None)


def fitted(table, *, duplicates=None, **others):
    asked = config("linear", split="kfold:4", features=("motion",), **others)
    return fit_head(table, list(table.target), asked, duplicates=duplicates)


def twins_of(table, *, keep):
    return Duplicates(groups_of(table.columns["words:title"]), "words:title:0.95", keep)


def test_equal_rows_on_both_sides_are_a_leak_that_is_counted(copies):
    leaks = fitted(copies.take(np.r_[:60, 60:240:2])).leaks
    assert leaks.by == "equality in all features"
    assert leaks.count("near_duplicate") > 30


def test_groups_that_are_kept_are_on_one_side_and_leak_nothing(copies):
    result = fitted(copies, duplicates=twins_of(copies, keep=True))
    assert result.leaks.count("near_duplicate") == 0
    assert result.leaks.by == "words:title:0.95"
    fold = dict(zip(result.scored.ids, result.scored.fold, strict=True))
    assert all(fold[f"v{row:04d}"] == fold[f"v{row + 1:04d}"] for row in range(0, 240, 2))


def test_groups_that_are_kept_are_drawn_whole_by_intervals(copies):
    torn, kept = (fitted(copies, duplicates=twins_of(copies, keep=keep)) for keep in (False, True))
    assert torn.scored.group is None
    assert kept.scored.group.tolist() == np.repeat(copies.ids[::2], 2).tolist()
    alone = score_regression(kept.scored.target, kept.scored.predicted, seed=0)["srocc"]
    drawn = kept.metrics["srocc"]
    assert drawn.value == alone.value
    assert drawn.high - drawn.low > 1.2 * (alone.high - alone.low)  # half as many are drawn


def test_authors_and_near_duplicates_that_are_chained_are_drawn_together(planted):
    table = planted.take(np.arange(40))
    author = np.array([f"a{row // 4}" for row in range(39)] + [""])
    pairs = np.full(40, -1)
    pairs[[0, 4]] = 0  # a copy that joins the first two authors
    asked = config("mean", split="author-kfold:4")
    data = Labelled(replace(table, author=author, groups=pairs), list(table.target), asked)
    named = drawn_together(data, np.arange(40)).tolist()
    assert named[:8] == [table.ids[0]] * 8
    assert named[8:] == [table.ids[row // 4 * 4] for row in range(8, 39)] + [table.ids[39]]


def test_groups_that_are_only_counted_leave_the_split_as_it_was(copies):
    result = fitted(copies, duplicates=twins_of(copies, keep=False))
    assert result.split_digest == fitted(copies).split_digest
    assert result.leaks.count("near_duplicate") > 100


def test_a_score_that_copies_made_is_gone_when_they_stay_together():
    rng = np.random.default_rng(0)
    noise = np.repeat(rng.normal(size=(60, 100)), 2, axis=0)
    table = make_table(make_column("noise", noise), target=np.repeat(rng.normal(size=60), 2))
    pairs = Duplicates(np.repeat(np.arange(60), 2), "pairs", keep=True)
    asked = config("linear", split="kfold:5", options={"penalty": 1e-3})
    torn, kept = (fit_head(table, list(table.target), asked, duplicates=d) for d in (None, pairs))
    assert torn.metrics["srocc"].value > 0.5 > kept.metrics["srocc"].value + 0.2


def test_a_column_that_tears_kept_groups_apart_is_refused(copies):
    words = np.array(["train", "valid", "test"])[np.arange(240) % 3]
    asked = config("mean", split="column")
    twins = twins_of(copies, keep=True)
    with pytest.raises(UsageError, match="tears apart 120 groups of near-duplicates"):
        fit_head(copies, list(copies.target), asked, words=words, duplicates=twins)


def test_rows_without_a_label_take_their_groups_with_them(copies):
    cells = [None if row % 4 == 1 else float(copies.target[row]) for row in range(240)]
    asked = config("mean", split="kfold:4")
    result = fit_head(copies, cells, asked, duplicates=twins_of(copies, keep=True))
    assert result.rows["labelled"] == 180
    assert result.leaks.count("near_duplicate") == 0


@pytest.mark.parametrize("task", ["numbers", "classes", "sequences"])
def test_the_spread_has_authors_and_categories(task, request):
    result = request.getfixturevalue(task)
    assert set(result.spread) == {"author", "meta:category"}
    assert (result.spread["author"].groups, result.spread["meta:category"].groups) == (8, 3)
    assert result.spread["author"].worst[0].error >= result.spread["author"].median


def test_the_mean_of_the_groups_is_that_of_their_rows(numbers, planted):
    scored = numbers.scored
    author = dict(zip(planted.ids, planted.author, strict=True))
    error = np.abs(scored.target - scored.predicted)
    mine = np.array([author[name] for name in scored.ids])
    means = [error[mine == name].mean() for name in "abcdefgh"]
    assert numbers.spread["author"].macro == pytest.approx(np.mean(means))


def test_texts_that_name_rows_are_no_groups(planted):
    title = make_column("caption", [f"title {row}" for row in range(240)])
    table = make_table(planted.columns["motion"], title, target=planted.target)
    assert fitted(table).spread == {}


def test_leaks_and_spread_are_written_down(numbers, tmp_path):
    write_run(tmp_path, numbers)
    content = json.loads((tmp_path / "metrics.json").read_text())
    assert content["leaks"]["counts"]["same_author"] == 0
    assert content["spread"]["author"] == numbers.spread["author"].to_json()
    leaks = json.loads((tmp_path / "leaks.json").read_text())
    assert [fold["name"] for fold in leaks["folds"]] == ["fold1", "fold2", "fold3", "fold4"]
