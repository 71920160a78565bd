"""The run folder of a fit."""

import csv
import json

import numpy as np
import pytest

from cache.known import Coverage
from corpus.folds import SplitRows, load_folds
from heads.bundle import load_bundle
from heads.runs.files import history_csv, predictions_csv, write_run

FILES = {"metrics.json", "predictions.csv", "history.csv", "split.json", "leaks.json"}


def rows_of(text):
    return list(csv.DictReader(text.splitlines()))


@pytest.mark.parametrize("task", ["numbers", "classes", "sequences"])
def test_all_files_are_written(task, request, tmp_path):
    result = request.getfixturevalue(task)
    write_run(tmp_path, result)
    assert {path.name for path in tmp_path.iterdir()} == FILES | {"bundle"}
    assert load_bundle(tmp_path / "bundle").trained == result.bundle.trained


def test_metrics_say_what_was_scored_and_how(numbers, tmp_path):
    write_run(tmp_path, numbers)
    content = json.loads((tmp_path / "metrics.json").read_text())
    assert content["metrics"]["srocc"] == numbers.metrics["srocc"].to_json()
    assert set(content["baselines"]) == {"mean", "category", "metadata"}
    assert content["baselines"]["mean"]["rmse"]["n"] == 234
    assert content["split"]["rule"] == "author-kfold:4"
    assert content["rows"]["unlabelled"] == 6
    assert sum(content["importances"].values()) == pytest.approx(1)


def test_the_split_can_be_read_back(numbers, tmp_path):
    write_run(tmp_path, numbers)
    folds = load_folds(tmp_path / "split.json", SplitRows(numbers.ids))
    for saved, fold in zip(folds, numbers.folds, strict=True):
        np.testing.assert_array_equal(saved.test, fold.test)


def test_predictions_have_one_number_per_cell_and_the_unit_in_the_header(numbers):
    rows = rows_of(predictions_csv(numbers))
    assert list(rows[0]) == [
        "id", "fold", "group", "target (ecr)", "predicted (ecr)", "low (ecr)", "high (ecr)",
    ]  # fmt: skip
    assert [float(row["predicted (ecr)"]) for row in rows] == numbers.scored.predicted.tolist()


def test_predictions_of_classes_have_their_probabilities(classes):
    rows = rows_of(predictions_csv(classes))
    assert list(rows[0])[2:] == [
        "target (ecr)", "predicted (ecr)", "probability (down)", "probability (up)",
    ]  # fmt: skip
    assert rows[0]["target (ecr)"] in {"up", "down"}


def test_predictions_of_sequences_have_their_steps_and_empty_gaps(sequences):
    rows = rows_of(predictions_csv(sequences))
    assert "high (ecr3)" in rows[0]
    assert rows[0]["target (ecr3)"] == ""
    assert float(rows[0]["predicted (ecr3)"]) == sequences.scored.predicted[0, 2]


def test_history_has_a_column_for_each_quantity(numbers, classes):
    assert history_csv(numbers.history).startswith("fold,penalty,loss\nfold1,")
    assert history_csv(classes.history).startswith("fold,iteration,loss\nsplit,1.0,")
    assert history_csv([]) == "fold\n"


def test_metrics_keep_the_gaps_by_cause(numbers, tmp_path):
    coverage = {"motion": Coverage(7, {"no-video": 2}, {"corrupt": 1}, 3, 0)}
    write_run(tmp_path, numbers, coverage=coverage)
    gaps = json.loads((tmp_path / "metrics.json").read_text())["gaps"]["motion"]
    assert gaps == {
        "ok": 7, "absent": {"no-video": 2}, "failed": {"corrupt": 1}, "never": 3, "by_id": 0,
    }  # fmt: skip


def test_metrics_say_what_was_fitted(classes, tmp_path):
    write_run(tmp_path, classes)
    content = json.loads((tmp_path / "metrics.json").read_text())
    assert (content["head"], content["task"], content["fold"]) == ("gbm", "classification", None)
    assert content["features"][0] == "motion"
    assert content["options"]["rounds"] == 80
