"""The leaderboard of real runs, in text, JSON, CSV and HTML."""

import csv
import io
import json
import re

import pytest

from core.files import write_json

COLUMNS = ("--columns", "id=id,text=title,author=author,number=duration+p1")
QUICK = ("--features", "meta:p1", "--split", "kfold:5", "--open-samples", 0)


@pytest.fixture(scope="module")
def home(run_all, clips, tmp_path_factory):
    """Give a folder with three fits in var/runs, and what a run of extract leaves."""
    home = tmp_path_factory.mktemp("home")
    for name, target, head in (("a", "ecr", "linear"), ("b", "ecr", "mean"), ("c", "mood", "mean")):
        asked = ("--head", head, "--target", target, "--out", f"var/runs/{name}")
        run_all(home, "fit-head", clips.table, *COLUMNS, *QUICK, *asked)
    write_json(home / "var" / "runs" / "d" / "run.json", {"command": "extract", "state": "done"})
    return home


@pytest.fixture
def board(run, home, monkeypatch):
    """Give a function that runs the command in the folder of the runs."""
    monkeypatch.chdir(home)
    return lambda *arguments: run("leaderboard", *arguments)


def test_the_runs_of_a_target_are_ranked_with_intervals(board):
    done = board()
    heading, columns, first, second = done.out.splitlines()[:4]
    assert re.match(
        r"ecr, regression: 40 rows \([0-9a-f]{8}\), by srocc \(more is better\)", heading
    )
    assert columns.split()[:3] == ["run", "head", "srocc"]
    assert re.match(r"  1  a    linear  \d\.\d{4}  +\[.*\] +best ", first)
    assert re.match(r"  2  b    mean .*\[.*\].*-\d\.\d{4} +\[.*\] worse ", second)
    assert "mood, classification: 40 rows" in done.out
    assert "1 runs of extract are not shown" in done.err


def test_json_has_ranks_differences_and_baselines(board):
    answer = json.loads(board("--json").out)
    first, second = answer["boards"][0]["runs"]
    assert (first["rank"], first["run"], first["behind_best"]) == (1, "var/runs/a", None)
    assert set(second["behind_best"]) == {"value", "low", "high", "n"}
    assert second["standing"] == "worse"
    assert set(first["baselines"]) == {"mean", "metadata"}
    assert first["features"] == ["meta:p1"]
    assert answer["other_runs"] == {"extract": 1}


def test_csv_has_a_line_for_each_run(board, tmp_path):
    assert board("--csv", tmp_path / "runs.csv").code == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "runs.csv").read_text())))
    assert [(row["target"], row["rank"], row["head"]) for row in rows] == [
        ("ecr", "1", "linear"), ("ecr", "2", "mean"), ("mood", "1", "mean"),
    ]  # fmt: skip
    assert float(rows[0]["low"]) <= float(rows[0]["value"]) <= float(rows[0]["high"])
    assert rows[0]["behind_best"] == ""


@pytest.mark.parametrize("option", ["--html", "--csv"])
def test_the_table_of_a_run_is_not_written_over(board, clips, option):
    before = clips.table.read_bytes()
    done = board(option, clips.table)
    assert (done.code, done.out) == (2, "")
    assert "is the table that is read; name another file to write" in done.err
    assert clips.table.read_bytes() == before


def test_a_page_of_two_runs_is_the_same_from_both_commands(board, run, tmp_path):
    pair = ("var/runs/a", "var/runs/b")
    place = tmp_path / "pages" / "page.html"
    assert board(*pair, "--html", place).code == 0
    first = place.read_text()
    assert run("report", *pair, "--out", place).out == f"report {place}\n"
    assert place.read_text() == first
    assert "ecr: every metric" in first


def test_a_metric_sorts_where_a_task_has_it(board):
    done = board("--metric", "rmse")
    assert "by rmse (less is better)" in done.out
    assert "mood has no rmse: by accuracy" in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("report", "var/runs/a", "var/runs/b"), "name the page that compares the runs: --out"),
        (("report", "var/runs/a", "--out", "x.html"), "--out goes with several runs"),
        (("leaderboard", "--metric", "nonsense"), "metric 'nonsense' is unknown"),
    ],
)
def test_what_is_misused_is_said(board, run, arguments, words):
    done = run(*arguments)
    assert done.code == 2
    assert words in done.err


def test_what_a_board_of_epochs_has_not_is_refused(board):
    done = board("--epochs", "--html", "page.html")
    assert (done.code, "--epochs has no page" in done.err) == (2, True)


def test_no_page_is_written_of_no_fit(board, tmp_path):
    done = board("var/runs/d", "--html", tmp_path / "page.html", "--csv", tmp_path / "runs.csv")
    assert (done.code, list(tmp_path.iterdir())) == (1, [])
    assert "no finished run of fit-head to compare: 1 runs of extract" in done.err


def test_why_a_board_has_no_intervals_is_said_once(board, run, clips, tmp_path):
    rows = ("--head", "mean", "--target", "ecr", "--split", "kfold:10", "--fold", 1)
    for name in ("x", "y"):
        out = ("--features", "meta:p1", "--open-samples", 0, "--out", tmp_path / name)
        assert run("fit-head", clips.table, *COLUMNS, *rows, *out).code == 0
    done = board(tmp_path)
    assert "[undefined, undefined]" in done.out
    assert done.err.count("rows scored: 4; so few are not a measurement") == 1
