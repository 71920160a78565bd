"""`fit-head --tune`: options chosen by validation rows, told, and kept in the run folder."""

import json

FIT = ("--target", "ecr", "--features", "meta:duration", "--split", "kfold:2", "--head", "gbm")


def test_trials_are_told_and_kept_so_that_a_killed_run_goes_on(run, clips, tmp_path):
    asked = (*FIT, "--set", "rounds=20", "--open-samples", "0", "--out", "r", "--json")
    first = run("fit-head", clips.table, *clips.columns, *asked, "--tune", "3")
    assert "tuning rate, leaves, leaf_rows, columns: 3 trials in each fold" in first.err
    assert "Which options were tried" in (tmp_path / "r" / "report.html").read_text()
    trials = (tmp_path / "r" / "trials.csv").read_text()
    assert len(trials.splitlines()) == 7
    record = json.loads((tmp_path / "r" / "run.json").read_text())
    (tmp_path / "r" / "run.json").write_text(json.dumps(record | {"state": "running"}))
    again = run("fit-head", clips.table, *clips.columns, *asked, "--tune", "3")
    assert json.loads(again.out) == json.loads(first.out)
    assert (tmp_path / "r" / "trials.csv").read_text() == trials  # the seconds too: none was redone


def test_one_trial_would_be_the_defaults_alone(run, clips):
    done = run("fit-head", clips.table, *clips.columns, *FIT, "--tune", "1")
    assert done.code == 2
    assert "--tune" in done.err
