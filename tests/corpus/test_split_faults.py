from dataclasses import replace

import numpy as np
import pytest

from core.errors import UsageError
from corpus.folds import Fold, SplitRows, check_folds, digest_folds, load_folds, save_folds
from corpus.splits import SplitPlan


def refused(text, rows, problem):
    with pytest.raises(UsageError, match=problem) as caught:
        SplitPlan.parse(text).folds(rows)
    assert str(caught.value).startswith("split ")


@pytest.mark.parametrize(
    ("text", "lacking", "problem"),
    [
        ("author-kfold:5", "author", "--columns author=NAME"),
        ("time:0.7,0.15,0.15", "posted_at", "--columns time=NAME"),
        ("column", "split", "--columns split=NAME"),
        ("stratified-kfold:5", "labels", "needs classes, and the target is a number"),
        ("stratified:0.7,0.15,0.15", "labels", "needs classes"),
        ("popularity-83.6-11.4-5", "labels", "needs classes"),
    ],
)
def test_what_a_rule_looks_at_must_be_there(rows, text, lacking, problem):
    refused(text, replace(rows, **{lacking: None}), problem)


def test_more_folds_than_authors_are_refused(rows):
    rows = replace(rows, author=np.array(["a", "b", "c", "d"] * 50), groups=None)
    refused("author-kfold:5", rows, "5 folds need at least 5 authors; the table has 4")


def test_authors_linked_by_near_duplicates_count_once(rows):
    rows = replace(rows, author=np.array(["a", "b", "c", "d"] * 50), groups=np.arange(200) // 2)
    refused("author-kfold:4", rows, "authors without near-duplicates in common; the table has 2")


def test_two_authors_leave_nothing_for_validation(rows):
    rows = replace(rows, author=np.array(["a", "b"] * 100), groups=None)
    refused("author-kfold:2", rows, "nothing is left for validation")


def test_a_small_class_is_refused_by_stratified_folds(rows):
    labels = np.zeros(200, dtype=np.int64)
    labels[:3] = 1
    refused("stratified-kfold:5", replace(rows, labels=labels), "the smallest has 3; take fewer")
    labels[1:3] = 0
    for text in ("stratified:0.7,0.15,0.15", "popularity-83.6-11.4-5"):
        refused(text, replace(rows, labels=labels, groups=None), "cannot be split by class")


def test_rows_without_label_are_not_split_by_class(rows):
    labels = np.where(np.arange(200) < 4, -1, rows.labels)
    refused("stratified-kfold:5", replace(rows, labels=labels), "4 rows have no label")


def test_a_class_too_small_for_validation_by_class_is_split_without_it(rows):
    labels = np.where(np.arange(200) < 6, 1, 0)
    folds = SplitPlan.parse("stratified-kfold:3").folds(replace(rows, labels=labels, groups=None))
    assert [int(labels[fold.test].sum()) for fold in folds] == [2, 2, 2]


def test_a_time_is_needed_in_every_row(rows):
    times = rows.posted_at.copy()
    times[7] = np.nan
    refused(
        "time:0.7,0.15,0.15", replace(rows, posted_at=times), "1 have none, such as id 'clip007'"
    )


def test_equal_times_leave_parts_empty(rows):
    rows = replace(rows, posted_at=np.zeros(200), groups=None)
    refused("time:0.7,0.15,0.15", rows, "split has no train rows out of 200")


@pytest.mark.parametrize("text", ["random:0.7,0.15,0.15", "kfold:2", "smtpd-5fold"])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_too_few_rows_are_refused(rows, text, number):
    refused(
        text, replace(rows, groups=None).take(np.arange(number)), "no rows|too few|at least|left"
    )


def test_strange_words_in_the_split_column_are_refused(rows):
    split = np.array(["train", "holdout"] * 100)
    refused(
        "column", replace(rows, split=split), "says 'holdout' in 100 rows; expected one of train"
    )


@pytest.mark.parametrize("text", ["column", "popularity-83.6-11.4-5"])
def test_a_fixed_split_that_tears_groups_is_refused(rows, text):
    groups = np.arange(200) // 20
    refused(
        text, replace(rows, groups=groups), "tears apart .* groups of near-duplicates, such as ids"
    )


def test_a_column_without_test_rows_is_refused(rows):
    rows = replace(rows, split=np.array(["train", "val"] * 100), groups=None)
    refused("column", rows, "split has no test rows out of 200")


def test_faults_of_the_files_are_refused(rows, tmp_path):
    plan = f"files:{tmp_path}"
    refused(plan, rows, "there is no file .*train.txt")
    (tmp_path / "train.txt").write_text("\n".join(rows.ids[:100]))
    refused(plan, rows, "there is no file .*test.txt")
    (tmp_path / "test.txt").write_text("\n".join(rows.ids[99:]))
    refused(plan, rows, "id 'clip099' is in both train.txt and test.txt")
    (tmp_path / "test.txt").write_text("\n".join(rows.ids[150:]))
    refused(plan, rows, "50 of 200 ids are in none of the files, such as 'clip100'")
    (tmp_path / "test.txt").write_bytes(b"\xff\xfe")
    refused(plan, rows, "cannot be read as UTF-8")


def test_an_id_in_two_parts_is_refused(rows):
    fold = Fold("split", np.arange(150), np.arange(140, 170), np.arange(170, 200))
    with pytest.raises(UsageError, match="id 'clip140' in 2 of its parts"):
        check_folds([fold], rows, "by hand")


def test_an_id_in_no_part_is_refused(rows):
    fold = Fold("split", np.arange(1, 150), np.arange(150, 170), np.arange(170, 200))
    with pytest.raises(UsageError, match="id 'clip000' in 0 of its parts"):
        check_folds([fold], rows, "by hand")


def test_saved_folds_are_read_back_for_rows_in_another_order(rows, tmp_path):
    folds = SplitPlan.parse("kfold:3").folds(rows)
    save_folds(tmp_path / "split.json", folds, rows.ids, "kfold:3")
    turned = rows.take(np.arange(200)[::-1])
    again = load_folds(tmp_path / "split.json", turned)
    assert [fold.name for fold in again] == ["fold1", "fold2", "fold3"]
    assert digest_folds(again, turned.ids) == digest_folds(folds, rows.ids)


def test_saved_folds_of_other_rows_are_refused(rows, tmp_path):
    path = tmp_path / "split.json"
    save_folds(path, SplitPlan.parse("kfold:3").folds(rows), rows.ids, "kfold:3")
    with pytest.raises(UsageError, match="ids that the table lacks, such as 'clip"):
        load_folds(path, rows.take(np.arange(100)))
    more = SplitRows(np.append(rows.ids, "new"))
    with pytest.raises(UsageError, match="id 'new' in 0 of its parts"):
        load_folds(path, more)


@pytest.mark.parametrize("content", ["", "[]", '{"folds": [{}]}', '{"folds": 1}'])
def test_a_file_that_is_no_split_is_refused(rows, tmp_path, content):
    path = tmp_path / "split.json"
    path.write_text(content)
    with pytest.raises(UsageError, match="is not a saved split"):
        load_folds(path, rows)
    with pytest.raises(UsageError, match="cannot be read"):
        load_folds(tmp_path / "nowhere.json", rows)
