"""The command `ablate`: its table, files, page; a killed run goes on."""

import csv
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.scoring.test_report import Reader

ROOT = Path(__file__).resolve().parents[2]
ASKED = ("--columns", "id=id,text=title,author=author,number=duration+p1+p2", "--head", "linear")
QUICK = (*ASKED, "--features", "meta:duration,meta:p1,meta:p2", "--split", "kfold:4")


@pytest.fixture(scope="module")
def home(run_all, clips, tmp_path_factory):
    """Give a folder with a finished ablation in `a`, and what it printed."""
    home = tmp_path_factory.mktemp("home")
    done = run_all(home, "ablate", clips.table, *QUICK, "--target", "ecr", "--out", "a")
    (home / "printed.txt").write_text(done.out)
    return home


def rows_of(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_the_printed_table_has_gains_and_arms(home):
    printed = (home / "printed.txt").read_text()
    first, none, heading, best, *_ = printed.splitlines()
    assert first.startswith("linear:srocc")
    assert none.split()[:2] == ["linear:none", "0.0000"]
    assert heading.split() == ["feature", "Shapley", "alone", "last", "costs", "/", "1k", "rows"]
    assert best.startswith(("meta:p1", "meta:p2"))
    assert "picked on validation rows: " in printed
    assert printed.endswith("run a\n")


def test_files_hold_every_feature_and_every_arm(home):
    features, arms = rows_of(home / "a" / "features.csv"), rows_of(home / "a" / "arms.csv")
    assert [row["feature"] for row in features] == ["meta:duration", "meta:p1", "meta:p2"]
    assert len(arms) == 8
    assert {"score", "minus_all_low", "mae", "fit_seconds"} <= arms[0].keys()
    total = sum(float(row["shapley"]) for row in features)
    (everybody,) = (row for row in arms if row["players"] == "3")
    assert total == pytest.approx(float(everybody["score"]))
    assert everybody["minus_all"] == ""
    assert (home / "a" / "plots" / "ablation.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_stands_alone_and_names_everything(home):
    page = Reader((home / "a" / "report.html").read_text())
    assert not page.open
    assert not {"script", "link", "iframe"} & set(page.tags)
    assert all(value.startswith("data:") for name, value in page.attributes if name == "src")
    for words in ("worth for ecr", "meta:p1", "Picked on validation rows", "Every arm", "none"):
        assert words in page.words


def test_json_is_the_file_of_metrics_with_the_folder(run, clips, home, tmp_path):
    done = run("ablate", clips.table, *QUICK, "--target", "mood", "--arms", "single", "--json")
    answer = json.loads(done.out)
    metrics = json.loads((Path(answer.pop("run")) / "metrics.json").read_text())
    assert answer == metrics
    assert metrics["metric"] == "accuracy"
    assert [line["shapley"] for line in metrics["players"]] == [None] * 3
    assert len(metrics["arms"]) == 5


def test_a_dry_run_names_the_arms_and_writes_nothing(run, clips, tmp_path):
    done = run("ablate", clips.table, *QUICK, "--target", "ecr", "--dry-run")
    assert done.out.splitlines()[-1] == "8 arms of 3 features, 8 fits in each fold"
    assert not any(tmp_path.iterdir())


def test_extracted_features_cost_what_the_cache_says(run, clips, tmp_path):
    cache = ("--cache", tmp_path / "cache")
    run("extract", clips.table, *clips.columns, "--features", "textstats", *cache)
    named = ("--features", "textstats,meta:duration", "--target", "ecr", "--head", "mean")
    done = run("ablate", clips.table, *clips.columns, *named, *cache, "--json")
    text, own = json.loads(done.out)["players"]
    assert text["cost_s"] > 0
    assert own["cost_s"] == 0
    assert text["coverage"] == 1


def test_the_observed_days_of_a_curve_are_one_player(run, clips):
    curve = ("--columns", "id=id,text=title,author=author,number=duration", "--head", "linear,gbm")
    days = ("--target", "p", "--task", "sequence", "--observed-days", 2)
    quick = ("--set", "gbm.rounds=5", "--features", "meta:duration", "--split", "kfold:4")
    done = run("ablate", clips.table, *curve, *days, *quick, "--json")
    answer = json.loads(done.out)
    assert answer["metric"] == "amae"
    names = {line["name"]: line["features"] for line in answer["players"]}
    assert names == {"observed days": ["meta:p1", "meta:p2"], "meta:duration": ["meta:duration"]}
    known, own = (line for line in answer["players"] if line["head"] == "linear")
    gains = sorted([known, own], key=lambda line: line["shapley"]["value"])
    assert gains[-1]["name"] == "observed days"


def test_heads_made_of_others_and_neighbours_are_arms(run, clips):
    heads = (
        "--head",
        "knn,blend",
        "--set",
        "blend.of=linear,mean",
        "--target",
        "ecr",
        "--seeds",
        2,
    )
    done = run("ablate", clips.table, *ASKED[:2], *QUICK[4:], *heads, "--arms", "single", "--json")
    answer = json.loads(done.out)
    assert set(answer["everybody"]) == {"knn", "blend"}
    assert len(answer["arms"]) == 2 * 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--group", "g=meta:nosuch"), ("'meta:nosuch'", "known: meta:duration")),
        (("--always", "meta:duration,meta:p1,meta:p2"), ("--always names all",)),
        (("--arms", "every"), ("--arms 'every'", "leave-one-out")),
        (("--metric", "accuracy"), ("metric of regression 'accuracy'",)),
        (("--head", "linear,mean", "--set", "penalty=1"), ("HEAD.penalty=1",)),
        (("--set", "penalty=minus"), ("'minus' is not a number",)),
        (("--head", "linaer"), ("'linaer'", "did you mean 'linear'")),
        (("--seeds", "0"), ("--seeds",)),
        (("--features", "meta,knn(meta:duration)"), ("each fold's labels", "fit-head")),
    ],
)
def test_what_is_misused_is_said(run, clips, arguments, words):
    done = run("ablate", clips.table, *QUICK, "--target", "ecr", *arguments)
    assert done.code == 2
    for word in words:
        assert word in done.err


def test_a_finished_ablation_is_widened_and_nothing_is_fitted_twice(run, clips, tmp_path):
    asked = ("ablate", clips.table, *QUICK, "--target", "ecr", "--out", tmp_path / "w")
    assert run(*asked, "--arms", "single").code == 0
    wider = run(*asked)
    assert (wider.code, "12 of 32 fits are to be made" in wider.err) == (0, True)
    again = run(*asked)
    assert (again.out, "0 of 32 fits are to be made" in again.err) == (wider.out, True)


@pytest.mark.parametrize("state", ["done", "interrupted"])
def test_another_question_leaves_a_run_as_it_is(run, clips, home, tmp_path, state):
    folder = shutil.copytree(home / "a", tmp_path / "a")
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(record | {"state": state}))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    done = run("ablate", clips.table, *QUICK, "--target", "mood", "--out", folder)
    assert (done.code, "differs in labels, target" in done.err) == (2, True), done.err
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(clips, tmp_path):
    heads = ("--head", "gbm", "--set", "rounds=100", "--target", "ecr", "--out", "killed")
    command = [sys.executable, ROOT / "cli.py", "ablate", clips.table, *QUICK[:2], *QUICK[4:]]
    command = [*map(str, command), *heads]
    journal = tmp_path / "killed" / "journal.jsonl"
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE)
    while not journal.exists() or journal.read_bytes().count(b"\n") < 4:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept = journal.read_bytes()
    kept = kept[: kept.rindex(b"\n") + 1]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    lacking = 32 - (kept.count(b"\n") - 1)
    assert f"{lacking} of 32 fits are to be made" in done.stderr
    assert journal.read_bytes().startswith(kept)
    assert json.loads((tmp_path / "killed" / "run.json").read_text())["state"] == "done"
