"""Encoders with weights from the command line: extracted, learnt from, and found again."""

import json
import shutil
from pathlib import Path

import pytest

import cli
from core.errors import CacheError, CheckpointError, RunError, UnknownName, UsageError
from tests.extract.encoders.conftest import checkpoints
from tests.media.painted import paint, tone

__all__ = ["checkpoints"]


def run(*words):
    return cli.app(list(map(str, words)), standalone_mode=False)


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Give a table of twelve clips whose brightness is the target."""
    monkeypatch.chdir(tmp_path)
    lines = ["id,video,light"]
    for n in range(24):
        paint(tmp_path / f"{n}.mp4", [20 + 9 * n] * 8)
        lines.append(f"v{n},{n}.mp4,{n}")
    Path("videos.csv").write_text("\n".join(lines))
    return Path("videos.csv")


@pytest.fixture
def fitted(table, checkpoints):
    """Extract a tiny ResNet and fit a head on it."""
    shutil.copytree(checkpoints("resnet101"), "weights")
    options = ["--features", "resnet101", "--weights", "resnet101=weights"]
    assert not run("extract", table, *options, "--workers", 1)
    assert not run(
        "fit-head", table, *options, "--head", "linear", "--target", "light", "--out", "r"
    )
    return Path("r")


def test_a_fitted_run_predicts_with_the_weights_it_learnt_from(fitted, capsys):
    capsys.readouterr()
    assert not run("predict", fitted, "3.mp4", "--json")
    assert json.loads(capsys.readouterr().out)["value"] == pytest.approx(3, abs=4)


def test_weights_are_found_from_any_folder(fitted, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert not run("predict", tmp_path / fitted, tmp_path / "3.mp4", "--cache", "../var/cache")


def test_weights_that_moved_are_found_where_they_are_said_to_be(fitted, capsys):
    Path("weights").rename("elsewhere")
    with pytest.raises(CheckpointError, match="say where it is: --weights resnet101=FOLDER"):
        run("predict", fitted, "3.mp4")
    assert not run("predict", fitted, "3.mp4", "--weights", "resnet101=elsewhere")


@pytest.fixture
def of_folder(table, checkpoints):
    """Extract a tiny ResNet whose weights are in a folder, and return how to say which."""
    weights = ["--weights", f"resnet101={checkpoints('resnet101')}"]
    assert not run("extract", table, "--features", "colour,resnet101", *weights, "--workers", 1)
    return weights


def test_a_new_clip_is_likened_with_weights_of_a_folder(of_folder, capsys):
    shutil.copy("3.mp4", "new.mp4")
    similar = ("cache", "similar", "new.mp4", "--feature", "resnet101", "-k", 1)
    with pytest.raises(UsageError, match="say where that is: --weights resnet101=FOLDER"):
        run(*similar)
    capsys.readouterr()
    assert not run(*similar, *of_folder)
    assert "v3  " in capsys.readouterr().out


def test_features_of_a_folder_are_computed_again_with_it(of_folder, capsys):
    again = ("cache", "check", "--recompute", 2, "--manifest", "videos.csv", "--workers", 1)
    capsys.readouterr()
    assert not run(*again)
    told = capsys.readouterr().out
    assert "say where that is: --weights resnet101=FOLDER" in told
    assert told.endswith("no damage\n2 of 3 features compared\n")
    assert not run(*again, *of_folder)
    told = capsys.readouterr().out
    assert "resnet101: 2 of 2 equal bit for bit" in told
    assert told.endswith("no damage\n3 of 3 features compared\n")


def test_one_encoder_in_two_number_formats_is_computed_again_in_each(of_folder, capsys):
    asked = ("extract", "videos.csv", "--features", "resnet101", "--workers", 1)
    for dtype in ("float32", "bfloat16"):
        assert not run(*asked, *of_folder, "--dtype", dtype)
    again = ("cache", "check", "--recompute", 2, "--manifest", "videos.csv", "--workers", 1)
    capsys.readouterr()
    assert not run(*again, *of_folder)
    assert capsys.readouterr().out.count("resnet101: 2 of 2 equal bit for bit") == 2


def test_other_weights_than_those_of_a_stored_feature_are_told_so(of_folder, checkpoints, capsys):
    shutil.copytree(checkpoints("resnet101"), "other")
    Path("other/config.json").write_text(Path("other/config.json").read_text() + "\n")
    shutil.copy("3.mp4", "new.mp4")
    other, told = (
        ("--weights", "resnet101=other"),
        "today's code with these --weights gives another",
    )
    with pytest.raises(CacheError, match=told):
        run("cache", "similar", "new.mp4", "--feature", "resnet101", *other)
    capsys.readouterr()
    assert not run("cache", "check", "--recompute", 2, "--manifest", "videos.csv", *other)
    assert f"resnet101: not computed again: {told}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("where", "problem"),
    [("resnet101=nowhere/at/all", "there is no such folder"), ("resnet=x", "did you mean 'res")],
)
def test_weights_of_stored_features_that_are_not_there_are_refused(of_folder, where, problem):
    asked = ("v3", "--feature", "resnet101", "--weights", where)
    with pytest.raises((UsageError, UnknownName), match=problem):
        run("cache", "similar", *asked)


def test_weights_may_be_one_file(tmp_path, monkeypatch, checkpoints, capsys):
    monkeypatch.chdir(tmp_path)
    lines = ["id,video,pitch"]
    for n in range(12):
        paint(tmp_path / f"{n}.mp4", [100] * 8, sound=tone(1.0, hz=200 * (n + 1)))
        lines.append(f"v{n},{n}.mp4,{n}")
    Path("videos.csv").write_text("\n".join(lines))
    weights = checkpoints("beats") / "beats.pt"
    options = ["videos.csv", "--features", "beats", "--weights", f"beats={weights}"]
    assert not run("extract", *options, "--workers", 1)
    assert not run("fit-head", *options, "--head", "linear", "--target", "pitch", "--out", "r")
    capsys.readouterr()
    assert not run("predict", "r", "3.mp4", "--json")
    assert json.loads(capsys.readouterr().out)["missing"] == []


def test_other_weights_are_not_what_was_learnt_from(fitted):
    Path("weights/config.json").write_text(Path("weights/config.json").read_text() + "\n")
    with pytest.raises(RunError, match=r"checkpoint\.digest was"):
        run("predict", fitted, "3.mp4")


def test_a_hub_that_cannot_be_reached_is_an_error_with_its_remedies(table, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(CheckpointError, match=r"not on this machine.*--weights clip=FOLDER"):
        run("extract", table, "--features", "clip")


def test_an_encoder_without_a_checkpoint_asks_for_one(table):
    with pytest.raises(UsageError, match="--weights image=FOLDER"):
        run("extract", table, "--features", "image")


@pytest.mark.parametrize(
    ("option", "words", "told"),
    [
        ("--dtype", "float8", "--dtype: word 'float8' is unknown"),
        ("--quantize", "int4", "--quantize: word 'int4' is unknown"),
        ("--dtype", "clop=float32", "did you mean 'clip'"),
        ("--weights", "resnet=weights", "did you mean 'resnet101'"),
    ],
)
def test_an_option_that_says_nothing_known_is_refused(table, option, words, told):
    with pytest.raises(UnknownName, match=told):
        run("extract", table, "--features", "clip", option, words)


def test_a_network_without_linear_layers_is_not_quantised(table, checkpoints):
    weights = f"resnet101={checkpoints('resnet101')}"
    with pytest.raises(UsageError, match="no linear layer to quantise"):
        run(
            *("extract", table, "--features", "resnet101", "--weights", weights),
            *("--quantize", "int8", "--workers", 1),
        )
