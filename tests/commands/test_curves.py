"""Curves from the command line: known days, runs beside one another, epochs, days, views."""

import csv
import json

import numpy as np
import pytest

FIT = ("--head", "lstm", "--target", "p", "--task", "sequence", "--features", "meta")
QUICK = ("--set", "epochs=3", "--set", "networks=1", "--split", "kfold:2", "--open-samples", "0")
COLUMNS = ("--columns", "id=id,number=length")


def write_table(path, rows=60):
    """Write curves of six days that fall at one pace from a first day."""
    generator = np.random.default_rng(0)
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "length", *(f"p{day}" for day in range(1, 7))])
        for row in range(rows):
            first, length = generator.uniform(5, 15), generator.uniform(0, 3)
            days = [f"{first - 0.2 * day - 0.05 * length * day:.4f}" for day in range(6)]
            days[3] = "" if row % 7 == 0 else days[3]
            writer.writerow([f"v{row}", f"{length:.3f}", *days])
    return path


@pytest.fixture(scope="module")
def home(run_all, tmp_path_factory):
    """Give a folder with a table and two runs on it, without and with the first day."""
    home = tmp_path_factory.mktemp("curves")
    table = write_table(home / "curves.csv")
    asked = (*FIT, *QUICK, *COLUMNS, "--observed-days", "0,1", "--out", "ep")
    done = run_all(home, "fit-head", table, *asked)
    (home / "said").write_text(done.out)
    return home


def scores_in(said):
    """Return place, run, head, score and interval of each line of a board."""
    return [line.split()[:6] for line in said.splitlines() if "  lstm" in line]


@pytest.fixture
def there(run, home, monkeypatch):
    monkeypatch.chdir(home)
    return run


def test_runs_with_and_without_the_first_day_stand_on_the_days_of_both(home):
    headings = [line for line in (home / "said").read_text().splitlines() if "sequence:" in line]
    assert [line.split(",")[0] for line in headings] == ["p1..p6", "p2..p6"]
    ranked = [line[:2] for line in scores_in((home / "said").read_text())]
    assert ranked == [["1", "observed0"], ["1", "observed1"], ["2", "observed0"]]


def test_of_several_runs_those_that_were_done_before_a_kill_are_kept(there, home):
    asked = (*FIT, *QUICK, *COLUMNS, "--observed-days", "0,1", "--out", "ep")
    done, killed = home / "ep" / "observed0", home / "ep" / "observed1"
    record = json.loads((killed / "run.json").read_text())
    (killed / "run.json").write_text(json.dumps(record | {"state": "running"}))
    before = {folder: (folder / "metrics.json").stat().st_mtime_ns for folder in (done, killed)}
    again = there("fit-head", home / "curves.csv", *asked)
    assert "ep/observed0 is done already" in again.err
    assert scores_in(again.out) == scores_in((home / "said").read_text())
    after = {folder: (folder / "metrics.json").stat().st_mtime_ns for folder in (done, killed)}
    assert (after[done], after[killed] > before[killed]) == (before[done], True)
    record = json.loads((done / "run.json").read_text())
    record["data"]["features"] = "of values that were others then"
    (done / "run.json").write_text(json.dumps(record))
    other = there("fit-head", home / "curves.csv", *asked)
    assert (other.code, "observed0 is not empty" in other.err) == (2, True)


def test_the_known_day_is_a_feature_and_each_config_is_of_its_run(home):
    content = json.loads((home / "ep" / "observed1" / "metrics.json").read_text())
    assert (content["target"], content["features"]) == ("p2..p6", ["meta:length", "meta:p1"])
    assert "persistence" in content["baselines"]
    assert "observed_days: '1'" in (home / "ep" / "observed1" / "config.yaml").read_text()
    assert sum(decade["n"] for decade in content["decades"]) == 5 * 60 - 9


def test_epochs_are_ranked_over_days_of_the_table(there):
    done = json.loads(there("leaderboard", "ep", "--epochs", "--from-day", "3", "--json").out)
    scores = [row["amae"] for row in done["epochs"]]
    assert scores == sorted(scores)
    assert len(scores) == 2 * 2 * 3
    assert {(row["from_day"], row["to_day"]) for row in done["epochs"]} == {(3, 6)}
    assert sum(row["chosen"] for row in done["epochs"]) == 4


def test_runs_are_ranked_on_one_day_of_the_table(there):
    done = json.loads(there("leaderboard", "ep", "--from-day", "6", "--to-day", "6", "--json").out)
    (board,) = done["boards"]
    assert (board["target"], len(board["runs"])) == ("p6", 2)


def test_a_window_that_ends_before_it_begins_is_refused(there):
    done = there("leaderboard", "ep", "--from-day", "6", "--to-day", "5")
    assert (done.code, "--to-day 5 is before --from-day 6" in done.err) == (2, True)


def test_predicted_curves_are_told_as_views(there, tmp_path):
    shown = {}
    for name, more in (("popularity", ()), ("views", ("--views",))):
        asked = ("--manifest", "curves.csv", "--cache", tmp_path / "cache", "--json", *more)
        rows = json.loads(there("predict", "ep/observed1", *asked).out)
        shown[name] = np.array([float(word) for word in rows[0]["predicted"].split()])
    expected = np.arange(2, 7) * (2 ** shown["popularity"] - 1)
    np.testing.assert_allclose(shown["views"], expected, rtol=1e-3)


def test_a_killed_run_goes_on_from_its_epochs(there, home):
    folder = home / "killed"
    asked = ("fit-head", "curves.csv", *FIT, *QUICK, *COLUMNS, "--out", folder, "--json")
    first = json.loads(there(*asked).out)
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(record | {"state": "running"}))
    epochs = sorted((folder / "epochs" / "fold1").glob("epoch-*"))
    before = [path.stat().st_mtime_ns for path in epochs]
    assert json.loads(there(*asked).out)["metrics"] == first["metrics"]
    assert [path.stat().st_mtime_ns for path in epochs] == before  # none was learnt again


def test_epochs_are_not_kept_where_nobody_wants_them(there, home):
    there("fit-head", "curves.csv", *FIT, *QUICK, *COLUMNS, "--no-keep-epochs", "--out", "bare")
    assert not (home / "bare" / "epochs").exists()
    done = there("leaderboard", "bare", "--epochs")
    assert (done.code, "no run here kept an epoch" in done.err) == (1, True)


@pytest.mark.parametrize(
    ("days", "said"),
    [("5", "two must be left"), ("x", "not a number of days"), ("0,0", "not a number of days")],
)
def test_known_days_that_leave_too_little_are_refused(there, days, said):
    done = there("fit-head", "curves.csv", *FIT, *COLUMNS, "--observed-days", days, "--out", "n")
    assert (done.code, said in done.err) == (2, True)
