"""The run folder of a fit."""

import csv
import json

import numpy as np
import pytest

from cache.known import Coverage
from corpus.folds import SplitRows, load_folds
from heads.bundle import load_bundle
from heads.fit import fit_head
from heads.run_files import history_csv, predictions_csv, write_run
from tests.heads.tables import config, make_column, make_table

FILES = {"metrics.json", "predictions.csv", "history.csv", "report.html", "split.json"}


def rows_of(text):
    return list(csv.DictReader(text.splitlines()))


@pytest.mark.parametrize("task", ["numbers", "classes", "sequences"])
def test_all_files_are_written(task, request, tmp_path):
    result = request.getfixturevalue(task)
    write_run(tmp_path, result)
    assert {path.name for path in tmp_path.iterdir()} == FILES | {"plots", "bundle"}
    pictures = list((tmp_path / "plots").iterdir())
    assert len(pictures) >= 2
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)
    assert load_bundle(tmp_path / "bundle").trained == result.bundle.trained


def test_metrics_say_what_was_scored_and_how(numbers, tmp_path):
    write_run(tmp_path, numbers)
    content = json.loads((tmp_path / "metrics.json").read_text())
    assert content["metrics"]["srocc"] == numbers.metrics["srocc"].to_json()
    assert set(content["baselines"]) == {"mean", "metadata"}
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
        "id", "fold", "target (ecr)", "predicted (ecr)", "low (ecr)", "high (ecr)",
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


def test_the_report_tells_coverage_by_cause_and_escapes_names(planted, tmp_path):
    table = make_table(planted.columns["motion"], make_column("<b>x</b>", np.arange(240)))
    result = fit_head(table, list(planted.target), config(split="kfold:3"))
    write_run(tmp_path, result, coverage={"motion": Coverage(7, {"no-video": 2}, {}, 0, 0)})
    page = (tmp_path / "report.html").read_text()
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert ">7</td>" in page


def test_the_report_says_what_a_reader_must_know(numbers, tmp_path, planted):
    write_run(tmp_path, numbers)
    page = (tmp_path / "report.html").read_text()
    assert "Intervals are meant to cover 90% of rows; they cover" in page
    assert "6 rows have no label and were left out." in page
    quick = fit_head(planted, list(planted.target), config("mean", split="kfold:3", fold=1))
    write_run(tmp_path / "quick", quick)
    assert "a quick look, not a result" in (tmp_path / "quick" / "report.html").read_text()
