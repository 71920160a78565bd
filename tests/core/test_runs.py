"""A run folder says what ran and how it ended."""

import contextlib
import json

import pytest

from core.errors import RunError, UsageError
from core.files import write_json
from core.runs import read_run, recording


def test_a_run_is_running_from_the_first_second_and_done_at_the_end(tmp_path):
    with recording("fit-head", {"head": "gbm"}, out=tmp_path / "run", seed=3) as run:
        assert read_run(run.folder)["state"] == "running"
        run.note(metrics={"mae": 1.0})
    record = read_run(tmp_path / "run")
    assert record["state"] == "done"
    assert record["metrics"] == {"mae": 1.0}
    assert record["environment"]["numpy"]
    assert (tmp_path / "run" / "config.yaml").read_text() == "head: gbm\n"


def test_an_error_is_recorded_and_goes_on(tmp_path):
    with pytest.raises(ValueError, match="no luck"), recording("x", {}, out=tmp_path / "run"):
        raise ValueError("no luck")
    assert read_run(tmp_path / "run")["state"] == "failed"
    assert read_run(tmp_path / "run")["error"] == "no luck"


def test_an_interrupt_is_recorded(tmp_path):
    with pytest.raises(KeyboardInterrupt), recording("x", {}, out=tmp_path / "run"):
        raise KeyboardInterrupt
    assert read_run(tmp_path / "run")["state"] == "interrupted"


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "precious.txt").write_text("x")
    with pytest.raises(UsageError, match="is not empty"), recording("x", {}, out=tmp_path):
        pass
    assert (tmp_path / "precious.txt").read_text() == "x"


@pytest.mark.parametrize(("command", "again"), [("x", True), ("y", False)])
def test_the_folder_of_a_failed_run_is_taken_by_the_same_command_only(tmp_path, command, again):
    with pytest.raises(ValueError, match="no"), recording("x", {}, out=tmp_path / "run"):
        raise ValueError("no")
    expected = contextlib.nullcontext() if again else pytest.raises(UsageError, match="not empty")
    with expected, recording(command, {}, out=tmp_path / "run"):
        pass
    assert read_run(tmp_path / "run")["state"] == ("done" if again else "failed")


def test_the_folder_of_a_killed_run_is_taken_by_the_same_command(tmp_path):
    (tmp_path / "kept").write_text("x")
    write_json(tmp_path / "run.json", {"command": "x", "state": "running"})
    with recording("x", {}, out=tmp_path):
        pass
    assert read_run(tmp_path)["state"] == "done"
    assert (tmp_path / "kept").exists()


def test_the_folder_of_a_run_that_lives_is_refused(tmp_path):
    with recording("x", {}, out=tmp_path / "run"):
        refused = pytest.raises(UsageError, match="is being written by another run")
        with refused, recording("x", {}, out=tmp_path / "run"):
            pass
    assert read_run(tmp_path / "run")["state"] == "done"


def test_the_folder_of_a_run_that_is_done_is_refused(tmp_path):
    with recording("x", {}, out=tmp_path / "run"):
        pass
    with pytest.raises(UsageError, match="not empty"), recording("x", {}, out=tmp_path / "run"):
        pass


def test_runs_without_a_name_get_folders_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with recording("x", {}, out=None) as one, recording("x", {}, out=None) as other:
        assert one.folder != other.folder
        assert json.loads((other.folder / "run.json").read_text())["command"] == "x"


def test_what_is_no_run_folder_is_refused(tmp_path):
    with pytest.raises(RunError, match="is no run folder"):
        read_run(tmp_path)
