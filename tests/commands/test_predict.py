"""What a fitted run says of clips and of tables, in text, CSV and JSON."""

import csv
import json
import os
import re
import shutil

import pytest

from core.fingerprint import fingerprint

LATER = "id,video,title,author,ecr,mood,duration\n"


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


def test_a_clip_whose_name_is_no_utf8_is_predicted(run, clips, fitted, tmp_path):
    odd = tmp_path / os.fsdecode(b"sch\xf6n.mp4")
    shutil.copy2(clips.folder / "33.mp4", odd)
    os.utime(odd, (1e9, 1e9))  # old enough for its digest to be remembered
    done = run("predict", fitted / "ecr", odd, "--json")
    assert (done.code, json.loads(done.out)["id"]) == (0, odd.name)
    assert done.out.isascii()
    odd.write_bytes(b"broken")
    assert run("predict", fitted / "ecr", odd).out.startswith("sch\\udcf6n.mp4: no prediction")


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
        (["."], "is a folder; name clips"),
        (["new.csv"], "new.csv is a table, not a clip; name it with --manifest"),
        (["--manifest", "new.csv", "--title", "x"], "go with one clip, not with --manifest"),
        (["x.mp4", "--weights", "resnet11=folder"], "did you mean 'resnet101'"),
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
