import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import UnknownName, UsageError
from corpus.folds import SplitRows, digest_folds
from corpus.splits import SplitPlan

FREE = ["random:0.7,0.15,0.15", "stratified:0.6,0.2,0.2", "kfold:5", "stratified-kfold:4"]
GROUPED = [*FREE, "author-kfold:5", "time:0.7,0.15,0.15"]
PUBLISHED = ["popularity-83.6-11.4-5", "smtpd-5fold"]


def parts(fold):
    return np.concatenate([fold.train, fold.valid, fold.test])


def folds_of(text, rows, seed=0):
    return SplitPlan.parse(text, seed=seed).folds(rows)


@pytest.mark.parametrize("text", [*GROUPED, *PUBLISHED, "column"])
def test_every_row_is_in_one_part_of_every_fold(text, rows):
    groups = rows.groups if text in GROUPED else None
    folds = folds_of(text, replace(rows, groups=groups))
    for fold in folds:
        np.testing.assert_array_equal(np.sort(parts(fold)), np.arange(len(rows)))
    if len(folds) > 1:
        tested = np.sort(np.concatenate([fold.test for fold in folds]))
        np.testing.assert_array_equal(tested, np.arange(len(rows)))


@pytest.mark.parametrize("text", GROUPED)
def test_near_duplicates_stay_on_one_side(text, rows):
    for fold in folds_of(text, rows):
        sides = [set(rows.groups[part]) - {-1} for part in (fold.train, fold.valid, fold.test)]
        assert len(set.union(*sides)) == sum(map(len, sides))


def test_authors_stay_on_one_side_and_take_near_duplicates_with_them(rows):
    for fold in folds_of("author-kfold:3", rows):
        sides = [set(rows.author[part]) for part in (fold.train, fold.valid, fold.test)]
        assert len(set.union(*sides)) == sum(map(len, sides))


@pytest.mark.parametrize("text", [*FREE, "author-kfold:5"])
def test_the_seed_decides_the_split(text, rows):
    digests = [digest_folds(folds_of(text, rows, seed), rows.ids) for seed in (0, 0, 1)]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("text", [*GROUPED, "column"])
def test_the_order_of_the_rows_does_not_matter(text, rows):
    rows = replace(rows, groups=None) if text == "column" else rows
    turned = rows.take(np.random.default_rng(5).permutation(len(rows)))
    digests = [digest_folds(folds_of(text, each), each.ids) for each in (rows, turned)]
    assert digests[0] == digests[1]


@settings(max_examples=25, deadline=None)
@given(
    text=st.sampled_from(["random:0.6,0.2,0.2", "kfold:3", "author-kfold:3", "time:0.6,0.2,0.2"]),
    seed=st.integers(0, 2**31),
    groups=st.lists(st.integers(-1, 12), min_size=30, max_size=60),
)
def test_no_split_tears_a_group_or_loses_a_row(text, seed, groups):
    number = len(groups)
    rows = SplitRows(
        ids=np.array([f"c{row}" for row in range(number)]),
        author=np.array(["" if row % 3 else f"u{row % 5}" for row in range(number)]),
        posted_at=np.arange(number, dtype=np.float64) // 4,
        groups=np.array(groups),
    )
    try:
        folds = folds_of(text, rows, seed)  # checks parts and groups itself
    except UsageError as error:
        assert str(error).startswith(f"split {text}")  # noqa: PT017
        return
    assert all(len(parts(fold)) == number for fold in folds)


def test_fractions_are_met(rows):
    (fold,) = folds_of("random:0.7,0.15,0.15", replace(rows, groups=None))
    assert [len(fold.train), len(fold.valid), len(fold.test)] == [140, 30, 30]


def test_classes_are_balanced_in_every_part(rows):
    (fold,) = folds_of("stratified:0.6,0.2,0.2", replace(rows, groups=None))
    for part in (fold.train, fold.valid, fold.test):
        assert rows.labels[part].mean() == pytest.approx(0.5)


@pytest.mark.parametrize("grouped", [False, True])
def test_classes_are_balanced_in_every_fold(rows, grouped):
    rows = rows if grouped else replace(rows, groups=None)
    for fold in folds_of("stratified-kfold:4", rows):
        assert rows.labels[fold.test].mean() == pytest.approx(0.5, abs=0.05)
        assert rows.labels[fold.valid].mean() == pytest.approx(0.5, abs=0.1)


def test_validation_is_an_eighth_of_the_train_units(rows):
    for fold in folds_of("kfold:5", replace(rows, groups=None)):
        assert (len(fold.train), len(fold.valid), len(fold.test)) == (140, 20, 40)


def test_ten_authors_in_ten_folds_leave_one_out_each(rows):
    rows = replace(rows, author=np.array([f"a{row % 10}" for row in range(200)]), groups=None)
    folds = folds_of("author-kfold:10", rows)
    assert [len(set(rows.author[fold.test])) for fold in folds] == [1] * 10
    assert [len(set(rows.author[fold.valid])) for fold in folds] == [1] * 10


def test_a_row_of_unknown_author_is_an_author_of_its_own(rows):
    rows = replace(rows, author=np.array([""] * 200), groups=None)
    assert [len(fold.test) for fold in folds_of("author-kfold:5", rows)] == [40] * 5


def test_the_past_is_trained_on_and_equal_times_stay_together(rows):
    times = np.repeat(np.arange(20.0), 10)[np.random.default_rng(1).permutation(200)]
    (fold,) = folds_of("time:0.7,0.15,0.15", replace(rows, posted_at=times, groups=None))
    assert times[fold.train].max() < times[fold.valid].min()
    assert times[fold.valid].max() < times[fold.test].min()


def test_a_group_over_a_cut_in_time_goes_to_the_later_side(rows):
    groups = np.full(200, -1)
    groups[[0, 199]] = 1
    (fold,) = folds_of("time:0.7,0.15,0.15", replace(rows, groups=groups))
    assert {0, 199} <= set(fold.test.tolist())


def test_a_column_says_the_split_in_its_own_words(rows):
    (fold,) = folds_of("column", replace(rows, groups=None))
    assert [rows.split[part[0]] for part in (fold.train, fold.valid, fold.test)] == [
        "train",
        "val",
        "test",
    ]


def test_a_column_without_validation_gives_an_eighth_of_train(rows):
    split = np.array(["Train", "TEST"] * 100)
    (fold,) = folds_of("column", replace(rows, split=split, groups=None))
    assert (len(fold.train), len(fold.valid), len(fold.test)) == (88, 12, 100)


def test_files_list_the_ids_of_each_part(rows, tmp_path):
    for name, ids in zip(("train", "valid", "test"), np.split(rows.ids, [150, 175]), strict=True):
        (tmp_path / f"{name}.txt").write_text("\r\n".join([*ids, "not in the table", ""]))
    (tmp_path / "valid.txt").write_text("\n".join(rows.ids[150:175]))
    (tmp_path / "test.txt").write_text("\n".join(rows.ids[175:]))
    (fold,) = folds_of(f"files:{tmp_path}", replace(rows, groups=None))
    assert (fold.valid[0], fold.valid[-1], len(fold.test)) == (150, 174, 25)


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_the_popularity_split_of_1000_balanced_rows_is_836_114_50(classes):
    ids = np.array([f"{row}" for row in range(1000)])
    (fold,) = folds_of("popularity-83.6-11.4-5", SplitRows(ids, labels=np.arange(1000) % classes))
    assert (len(fold.train), len(fold.valid), len(fold.test)) == (836, 114, 50)


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_the_popularity_split_of_classes_is_the_published_one(classes):
    from sklearn.model_selection import train_test_split

    labels = np.arange(1000) % classes
    rest, test = train_test_split(np.arange(1000), test_size=0.05, stratify=labels, random_state=42)
    train, _ = train_test_split(rest, test_size=0.12, stratify=labels[rest], random_state=42)
    ids = np.array([f"{row}" for row in range(1000)])
    (fold,) = folds_of("popularity-83.6-11.4-5", SplitRows(ids, labels=labels), seed=7)
    np.testing.assert_array_equal(fold.test, np.sort(test))
    np.testing.assert_array_equal(fold.train, np.sort(train))


def test_the_popularity_split_draws_the_middle_apart_as_the_study_leaves_it_out():
    from sklearn.model_selection import train_test_split

    labels = np.array([0, 1, 2, 1])[np.random.default_rng(0).integers(0, 4, 1000)]
    study = np.flatnonzero(labels != 1)
    _, test = train_test_split(study, test_size=0.05, stratify=labels[study], random_state=42)
    ids = np.array([f"{row}" for row in range(1000)])
    (fold,) = folds_of("popularity-83.6-11.4-5", SplitRows(ids, labels=labels, between=1))
    np.testing.assert_array_equal(fold.test[labels[fold.test] != 1], np.sort(test))
    assert (labels[fold.test] == 1).mean() == pytest.approx((labels == 1).mean(), abs=0.02)


def test_the_smtpd_folds_of_the_whole_data_set_have_their_published_size():
    ids = np.arange(282_403).astype(np.str_)
    folds = folds_of("smtpd-5fold", SplitRows(ids))
    assert [len(fold.test) for fold in folds] == [56_480] * 4 + [56_483]


def test_the_smtpd_folds_are_the_published_ones_and_the_last_takes_the_remainder():
    order = list(range(1003))
    random.Random(23).shuffle(order)
    folds = folds_of("smtpd-5fold", SplitRows(np.array([f"{row}" for row in range(1003)])))
    assert [len(fold.test) for fold in folds] == [200, 200, 200, 200, 203]
    np.testing.assert_array_equal(folds[1].test, sorted(order[200:400]))


@pytest.mark.parametrize("text", [*GROUPED, *PUBLISHED, "column", "files:some/folder"])
def test_a_plan_is_written_as_it_is_read(text):
    assert SplitPlan.parse(text).text == text


def test_the_default_goes_by_author_where_there_are_authors():
    assert SplitPlan.default(has_author=True).text == "author-kfold:5"
    assert SplitPlan.default(has_author=False).text == "random:0.7,0.15,0.15"


def test_an_unknown_rule_gets_near_names():
    with pytest.raises(UnknownName, match="split 'kfolds' is unknown; did you mean 'kfold'"):
        SplitPlan.parse("kfolds:5")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("random", "is not complete; write it like random:0.7,0.15,0.15"),
        ("column:x", "write it like column"),
        ("random:0.7,0.3", "needs three fractions"),
        ("random:a,b,c", "needs three fractions"),
        ("random:0.7,0.2,0.2", "sum to 1, not 1.1"),
        ("random:0.8,0.2,0", "must be positive"),
        ("random:nan,0.5,0.5", "must be positive"),
        ("kfold:1", "a number of folds from 2, like kfold:5"),
        ("kfold:five", "a number of folds from 2"),
    ],
)
def test_a_faulty_plan_is_refused(text, problem):
    with pytest.raises(UsageError, match=problem):
        SplitPlan.parse(text)
