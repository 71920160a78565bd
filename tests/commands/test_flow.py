"""From a table to a prediction: each command does what it says, in text and in JSON."""

import csv
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.fingerprint import fingerprint
from core.runs import read_run
from tests.media.painted import paint

ROOT = Path(__file__).resolve().parents[2]
FIT = ("--head", "linear", "--features", "colour,meta:duration")
LATER = "id,video,title,author,ecr,mood,duration\n"


@pytest.fixture(scope="module")
def fitted(run_all, clips, tmp_path_factory):
    """Give a folder with a cache and one run for each task, the runs named after their target."""
    home = tmp_path_factory.mktemp("home")
    cache = ("--cache", home / "cache")
    run_all(home, "extract", clips.table, *clips.columns, "--features", "colour,textstats", *cache)
    for target in ("ecr", "mood", "p"):
        fit = (*FIT, "--target", target, *cache, "--out", home / target, "--split", "kfold:5")
        done = run_all(home, "fit-head", clips.table, *clips.columns, *fit, "--json")
        (home / f"{target}.json").write_text(done.out)
    return home


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


def test_one_clip_is_predicted_in_json(run, clips, fitted):
    done = run(
        "predict", fitted / "ecr", clips.folder / "33.mp4", "--field", "duration=0.4", "--json"
    )
    answer = json.loads(done.out)
    assert {"id", "target", "value", "unit", "low", "high", "missing"} <= set(answer)
    assert (done.code, answer["id"], answer["unit"], answer["missing"]) == (0, "33.mp4", "ecr", [])
    assert answer["low"] <= answer["value"] <= answer["high"]
    assert answer["value"] == pytest.approx(33 / 40, abs=0.2)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("ecr", r"ecr 0\.\d+\n  90 % interval from \S+ to \S+\n"),
        ("mood", r"mood bright\n  bright +0\.\d+\n  dark +0\.\d+\n"),
        ("p", r"p( -?\d+\.?\d*){5}\n  90 % interval from( \S+){5} to( \S+){5}\n"),
    ],
)
def test_one_clip_is_predicted_in_words(run, clips, fitted, target, expected):
    done = run("predict", fitted / target, clips.folder / "33.mp4")
    assert done.code == 0
    assert re.fullmatch(expected + "missing: meta:duration\n", done.out), done.out


def test_a_clip_that_cannot_be_read_has_a_reason_and_no_number(run, fitted):
    done = run("predict", fitted / "ecr", "gone.mp4", "--json")
    answer = json.loads(done.out)
    assert (done.code, answer["value"], answer["low"], answer["high"]) == (3, None, None, None)
    assert "No such file" in answer["reason"]
    assert "no prediction: missing: " in run("predict", fitted / "ecr", "gone.mp4").out


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("duration=long", ["duration='long'", "is not a number", "leave the field away"]),
        ("duration=inf", ["is not a number"]),
        ("durtion=1", ["'durtion'", "did you mean 'duration'"]),
        ("duration", ["is not NAME=VALUE"]),
        ("title=x", ["'title'", "The run does not read it"]),
    ],
)
def test_a_wrong_field_is_refused(run, clips, fitted, field, words):
    done = run("predict", fitted / "ecr", clips.folder / "33.mp4", "--field", field)
    assert done.code == 2
    assert all(word in done.err for word in words), done.err


def test_a_category_that_was_never_seen_is_predicted_as_any_other(run, clips, tmp_path):
    columns = ("--columns", "id=id,video=video,category=mood")
    fit = ("--head", "linear", "--target", "ecr", "--features", "meta:mood", "--out", "r")
    assert run("fit-head", clips.table, *columns, *fit).code == 0
    values = [
        json.loads(run("predict", "r", "x.mp4", "--field", f"mood={mood}", "--json").out)["value"]
        for mood in ("dark", "odd", "bright")
    ]
    assert values[0] < values[1] < values[2]


def test_a_table_is_predicted_row_by_row(run, clips, fitted, tmp_path):
    rows = f"x,{clips.folder}/3.mp4,,,,,0.4\ny,{clips.folder}/gone.mp4,,,,,\nz,,only text,,,,\n"
    (tmp_path / "new.csv").write_text(LATER + rows)
    todo = ("predict", fitted / "ecr", "--manifest", "new.csv", "--root", clips.folder)
    done = run(*todo, "--out", "p.csv")
    lines = list(csv.reader((tmp_path / "p.csv").read_text().splitlines()))
    assert (done.code, lines[0]) == (3, ["id", "predicted", "status", "reason", "low", "high"])
    assert float(lines[1][4]) <= float(lines[1][1]) <= float(lines[1][5])
    assert lines[2][4:] == ["", ""]
    assert [(line[0], line[2]) for line in lines[1:]] == [("x", "OK"), ("y", "FAILED"), ("z", "OK")]
    assert lines[2][1] == ""
    assert "No such file" in lines[2][3]
    assert list(csv.reader(run(*todo).out.splitlines())) == lines


def test_a_table_tells_what_a_single_clip_tells(run, clips, fitted, tmp_path):
    (tmp_path / "new.csv").write_text(f"id,video,duration\nx,{clips.folder}/33.mp4,0.4\n")
    table = ("--manifest", "new.csv", "--root", clips.folder)
    for target in ("ecr", "mood", "p"):
        one = ("predict", fitted / target, clips.folder / "33.mp4", "--field", "duration=0.4")
        (row,) = json.loads(run("predict", fitted / target, *table, "--json").out)
        clip = json.loads(run(*one, "--json").out)
        assert {name: row[name] for name in clip} == clip | {"id": "x"}
        numbers = [clip["low"], clip["high"]]
        if target == "mood":
            numbers = [*clip["probabilities"].values()]
        if target == "p":
            numbers = [n for day in zip(clip["value"], *numbers, strict=True) for n in day]
        written = run("predict", fitted / target, *table).out.splitlines()
        assert [float(cell) for cell in written[1].split(",")[4:]] == numbers
    assert written[0].startswith("id,predicted,status,reason,predicted (p1),low (p1),high (p1),")


def test_a_clip_that_is_not_there_is_not_known_by_its_name(run, clips, fitted, tmp_path):
    (tmp_path / "here").mkdir()
    shutil.copy(clips.folder / "33.mp4", tmp_path / "here" / "some.mp4")
    assert run("predict", fitted / "ecr", "here/some.mp4").code == 0
    done = run("predict", fitted / "ecr", "nowhere/some.mp4")
    assert (done.code, "no prediction: missing: " in done.out) == (3, True)
    told = {}
    for video in ("gone.mp4", "here/some.mp4", "moved.mp4"):
        (tmp_path / "new.csv").write_text(f"id,video,duration\nsome.mp4,{video},0.4\n")
        done = run("predict", fitted / "ecr", "--manifest", "new.csv")
        told[video] = (done.code, "1 samples found by id alone" in done.err)
    assert list(told.values()) == [(3, False), (0, False), (0, True)]


def test_what_cannot_be_predicted_or_written_over_is_refused(run, clips, fitted, tmp_path):
    (tmp_path / "new.csv").write_text(f"id,video\nx,{clips.folder}/3.mp4\n")
    table = ("--manifest", "new.csv", "--root", clips.folder, "--out", "new.csv")
    for asked, words in (
        (["."], "is a folder; name one clip"),
        (["--field", "duration=0.4"], "the run reads video of a clip"),
        (table, "new.csv is the table that is read"),
    ):
        done = run("predict", fitted / "ecr", *asked)
        assert (done.code, words in done.err) == (2, True), done.err
    done = run("predict", fitted / "ecr", *table[:-1], "-")
    assert done.out.startswith("id,predicted,status,reason,low,high\nx,")


def test_a_run_on_texts_alone_asks_for_no_clip(run, clips):
    columns, texts = ("--columns", "id=id,text=title"), ("--features", "textstats")
    fit = ("--head", "linear", "--target", "ecr", *texts, "--out", "r")
    assert run("extract", clips.table, *columns, *texts).code == 0
    assert run("fit-head", clips.table, *columns, *fit).code == 0
    answer = json.loads(run("predict", "r", "--title", "A title", "--json").out)
    assert (answer["id"], answer["missing"], answer["reason"]) == ("text", [], None)


def test_a_column_that_the_run_reads_is_missed_aloud(run, clips, fitted, tmp_path):
    (tmp_path / "new.csv").write_text(f"id,video\nx,{clips.folder}/3.mp4\n")
    done = run("predict", fitted / "ecr", "--manifest", "new.csv", "--root", clips.folder, "--json")
    assert "new.csv lacks the column 'duration', which the run reads" in done.err
    assert "title" not in done.err
    assert json.loads(done.out)[0]["status"] == "OK"


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


def change_recipe(run_folder, **changed):
    """Change the recipe that a bundle learnt from, as if another version had fitted it."""
    path = run_folder / "bundle" / "bundle.json"
    bundle = json.loads(path.read_text())
    spec = bundle["features"][0]
    spec["recipe"] |= changed
    spec["fingerprint"] = fingerprint({k: v for k, v in spec.items() if k != "fingerprint"})
    path.write_text(json.dumps(bundle))


def test_a_bundle_of_another_recipe_is_refused_with_the_key(run, clips, fitted, tmp_path):
    shutil.copytree(fitted / "ecr", "mine")
    change_recipe(tmp_path / "mine", version=99)
    for rest in ([clips.folder / "33.mp4"], ["--manifest", clips.table]):
        done = run("predict", "mine", *rest)
        assert done.code == 1
        assert re.search(r"feature 'colour' .*: version was 99, is \d+; .*fit again", done.err)
    assert not (tmp_path / "var" / "cache").exists()


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
