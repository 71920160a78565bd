"""A run folder read back is the fit that was written."""

import json

import numpy as np
import pytest

from core.errors import RunError
from core.files import write_json
from heads.runs.files import write_run
from heads.runs.reading import read_fit
from tests.heads.finished import FIT, finished


@pytest.mark.parametrize("task", ["numbers", "classes", "sequences"])
def test_the_rows_read_back_are_those_that_were_scored(task, request, tmp_path):
    result = request.getfixturevalue(task)
    read = read_fit(finished(tmp_path, result)).scored
    for name in ("ids", "fold", "target", "predicted", "low", "high", "probabilities", "group"):
        wrote, got = getattr(result.scored, name), getattr(read, name)
        assert (wrote is None) == (got is None), name
        if wrote is not None:
            np.testing.assert_array_equal(wrote, got)


def test_scores_baselines_and_history_read_back(numbers, tmp_path):
    run = read_fit(finished(tmp_path, numbers))
    assert run.scores == dict(numbers.metrics)
    assert run.baselines == {name: dict(given) for name, given in numbers.baselines.items()}
    assert run.history == [dict(row) for row in numbers.history]


def test_authors_that_intervals_draw_whole_are_kept(numbers, sequences, planted):
    rows = {name: row for row, name in enumerate(planted.ids.tolist())}
    places = [rows[name] for name in numbers.scored.ids.tolist()]
    np.testing.assert_array_equal(numbers.scored.group, planted.author[places])
    assert sequences.scored.group is None


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (FIT | {"state": "running"}, "is not finished: its run.json says 'running'"),
        (FIT | {"command": "extract"}, "is a run of 'extract', not of fit-head"),
    ],
)
def test_what_is_no_finished_fit_is_refused(record, words, tmp_path):
    write_json(tmp_path / "run.json", record)
    with pytest.raises(RunError, match=words):
        read_fit(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", '{"target": "ecr"}'])
def test_metrics_that_lack_something_are_refused(content, tmp_path):
    write_json(tmp_path / "run.json", FIT)
    (tmp_path / "metrics.json").write_text(content)
    with pytest.raises(RunError, match=r"metrics\.json"):
        read_fit(tmp_path)


@pytest.mark.parametrize(
    "content",
    ["", "id,fold\na,b\n", "id,fold,target (x),predicted (x)\na,b,word,1\n", 'id,"fold\na'],
)
def test_predictions_that_were_spoilt_are_refused(content, numbers, tmp_path):
    run = read_fit(finished(tmp_path, numbers))
    (tmp_path / "predictions.csv").write_text(content)
    with pytest.raises(RunError, match=r"predictions\.csv"):
        _ = run.scored


def test_a_run_without_curves_has_an_empty_history(numbers, tmp_path):
    run = read_fit(finished(tmp_path, numbers))
    (tmp_path / "history.csv").unlink()
    assert run.history == []


def test_json_of_metrics_has_no_nan(numbers, tmp_path):
    write_run(tmp_path, numbers)
    text = (tmp_path / "metrics.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail)
