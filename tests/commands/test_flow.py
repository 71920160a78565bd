"""From a table to a prediction: each command does what it says, in text and in JSON."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.runs import read_run
from tests.commands.conftest import FIT
from tests.media.painted import paint

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def cache(fitted, tmp_path):
    """Give a copy of the cache, to be spoilt."""
    return shutil.copytree(fitted / "cache", tmp_path / "cache")


def one_shard(cache):
    return next((cache / "colour").glob("*/shard-*.h5"))


def test_extract_says_what_the_cache_then_has(run, clips, tmp_path):
    done = run("extract", clips.table, "--features", "textstats", "--out", "again", "--json")
    answer = json.loads(done.out)
    assert (done.code, answer["run"], answer["worked_on"], answer["failed"]) == (0, "again", 40, 0)
    assert answer["features"]["textstats:title"]["ok"] == 40
    assert (tmp_path / "again" / "failures.csv").read_text().split() == ["id,feature,cause,reason"]


def test_a_dry_run_computes_and_writes_nothing(run, clips, tmp_path):
    done = run("extract", clips.table, "--features", "colour", "--dry-run", "--json")
    answer = json.loads(done.out)
    assert answer.pop("estimate")["features"]  # what it says is held against the ledger elsewhere
    assert answer == {"samples": 40, "missing": {"colour/frames": 40, "colour": 40}}
    assert not list(tmp_path.rglob("shard-*"))


def test_what_of_a_preset_a_table_has_nothing_for_is_said(run, tmp_path):
    (tmp_path / "t.csv").write_text("id,title\na,x\n")
    told = run("extract", "t.csv", "--preset", "classic", "--dry-run").err
    assert "preset classic without colour, sharpness, " in told
    assert "silence: the table names nothing that they read" in told
    assert "preset" not in run("extract", "t.csv", "--features", "textstats", "--dry-run").err


def test_a_run_that_had_failures_ends_with_3_and_lists_them(run, tmp_path):
    (tmp_path / "t.csv").write_text("id,video\na,gone.mp4\n")
    done = run("extract", "t.csv", "--features", "colour", "--out", "first")
    assert done.code == 3
    assert "1 samples failed; listed in first/failures.csv" in done.err
    assert "a,colour,missing," in (tmp_path / "first" / "failures.csv").read_text()


@pytest.mark.parametrize("target", ["ecr", "mood", "p"])
def test_the_json_of_a_fit_has_scores_baselines_and_coverage(fitted, target):
    answer = json.loads((fitted / f"{target}.json").read_text())
    assert answer["run"] == str(fitted / target)
    scores = [answer["metrics"], *answer["baselines"].values()]
    assert all(
        set(score) == {"value", "low", "high", "n"} for of in scores for score in of.values()
    )
    assert set(answer["baselines"]) == {"mean", "metadata"}
    assert answer["coverage"] == {"colour": 40, "meta:duration": 40}


def test_each_task_has_its_metrics(fitted):
    names = {
        t: set(json.loads((fitted / f"{t}.json").read_text())["metrics"]) for t in ("ecr", "p")
    }
    mood = json.loads((fitted / "mood.json").read_text())["metrics"]
    assert {"srocc", "plcc", "krcc", "rmse", "mae", "final"} <= names["ecr"]
    assert {"amae", "amse", "asrc"} <= names["p"]
    assert mood["accuracy"]["n"] == 40
    assert mood["accuracy"]["value"] > 0.8


def test_a_fit_prints_name_value_interval_and_count(run, clips, fitted):
    fit = (*FIT, "--target", "ecr", "--cache", fitted / "cache", "--split", "kfold:5")
    done = run("fit-head", clips.table, *clips.columns, *fit, "--out", "r")
    number = r"-?\d+\.\d{4}"
    lines = done.out.splitlines()
    assert re.fullmatch(rf"srocc +{number} \[{number}, {number}\] 40", lines[0])
    assert any(line.startswith("mean:mae ") for line in lines)
    assert lines[-1] == "run r"


def test_rows_that_the_run_knows_are_left_out_of_an_evaluation(run, clips, fitted, tmp_path):
    known = clips.table.read_text()
    new = "".join(f"new{n},{n}.mp4,t,a,{n / 40},dark,0.4,1,1,1,1,1\n" for n in (1, 12, 25, 38))
    path = clips.folder / "later.csv"
    path.write_text(known + new)
    done = run("evaluate", fitted / "ecr", path, "--out", "e", "--json")
    answer = json.loads(done.out)
    assert "40 rows left out: the run knows them" in done.err
    assert "rows scored: 4; so few are not a measurement, and give no interval" in done.err
    assert answer["rows"] == {"scored": 4, "unlabelled": 0, "failed": 0}
    assert answer["metrics"]["srocc"]["value"] > 0.7
    assert read_run(tmp_path / "e")["metrics"] == answer["metrics"]


def test_a_run_is_not_scored_on_what_it_has_learnt(run, clips, fitted):
    done = run("evaluate", fitted / "ecr", clips.table)
    assert done.code == 1
    assert "fitted on every row" in done.err


@pytest.mark.parametrize("target", ["ecr", "mood", "p"])
def test_a_config_fed_back_gives_the_same_run(run, fitted, target):
    config = fitted / target / "config.yaml"
    again = json.loads(run("fit-head", "--config", config, "--out", "r", "--json").out)
    before = json.loads((fitted / f"{target}.json").read_text())
    assert again["metrics"] == before["metrics"]
    assert again["baselines"] == before["baselines"]


def test_options_beat_the_config(run, fitted):
    config = fitted / "ecr" / "config.yaml"
    run("fit-head", "--config", config, "--out", "r", "--head", "mean", "--seed", "3")
    settings = read_run(Path("r"))["config"]
    assert (settings["head"], settings["seed"], settings["target"]) == ("mean", 3, "ecr")


def test_the_cache_is_listed(run, fitted):
    done = run("cache", "ls", "--cache", fitted / "cache", "--json")
    by_name = {entry["feature"]: entry for entry in json.loads(done.out)}
    assert {"colour", "textstats:title"} <= set(by_name)
    assert by_name["colour"]["rows"] >= 40
    assert "colour " in run("cache", "ls", "--cache", fitted / "cache").out


def test_the_status_of_a_table_counts_its_rows_only(run, clips, cache, tmp_path):
    (clips.folder / "two.csv").write_text("id,video,title\nv1,1.mp4,clip 1\nnew,2.mp4,\n")
    table = ("--manifest", clips.folder / "two.csv")
    rows = json.loads(run("cache", "status", "--cache", cache, *table, "--json").out)
    colour = next(row for row in rows if row["feature"] == "colour")
    assert (colour["ok"], colour["absent"], colour["failed"], colour["never"]) == (1, {}, {}, 1)
    assert "1 never extracted" in run("cache", "status", "--cache", cache, *table).out


def test_a_sound_cache_passes_and_a_damaged_shard_is_found(run, cache):
    assert run("cache", "check", "--cache", cache)[:2] == (0, "the cache is sound\n")
    shard = one_shard(cache)
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 0xFF
    shard.write_bytes(content)
    done = run("cache", "check", "--cache", cache, "--json")
    assert done.code == 1
    assert [finding["path"] for finding in json.loads(done.out)["findings"]] == [str(shard)]


@pytest.mark.parametrize("command", ["ls", "status", "check", "gc"])
def test_a_mistyped_cache_is_no_empty_cache(run, command):
    done = run("cache", command, "--cache", "nowhere")
    assert done.code == 2
    assert "--cache nowhere is no folder" in done.err


def test_the_features_are_listed(run):
    done = run("features", "--json")
    answer = json.loads(done.out)
    names = {row["feature"] for row in answer["features"]}
    assert {"colour", "motion/steps", "words:FIELD"} <= names
    assert "colour" in answer["presets"]["classic"]
    assert "preset classic: colour" in run("features").out


def test_an_interrupt_ends_with_130_and_keeps_what_was_complete(tmp_path):
    for n in range(40):
        paint(tmp_path / f"{n}.mp4", [10 * n % 200] * 50, size=(320, 240))
    lines = ["id,video", *(f"v{n},{n}.mp4" for n in range(40))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    line = [sys.executable, ROOT / "cli.py", "extract", "t.csv", "--features", "colour,motion"]
    line += ["--out", "run", "--shard-seconds", "0.1", "--workers", "1"]
    process = subprocess.Popen(line, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    while process.poll() is None and not list(tmp_path.glob("var/cache/colour/*/shard-*.json")):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130, said.decode()
    assert b"Traceback" not in said
    assert b"the same command goes on" in said
    assert read_run(tmp_path / "run")["state"] == "interrupted"
    again = subprocess.run([*line, "--json"], cwd=tmp_path, capture_output=True, check=True)
    assert 0 < json.loads(again.stdout)["worked_on"] < 40
