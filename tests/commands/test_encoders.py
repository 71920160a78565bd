"""Encoders with weights from the command line: extracted, learnt from, and found again."""

import json
import shutil
from pathlib import Path

import pytest

import cli
from core.errors import CheckpointError, RunError, UnknownName, UsageError
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


def test_weights_that_moved_are_found_where_they_are_said_to_be(fitted, capsys):
    Path("weights").rename("elsewhere")
    with pytest.raises(CheckpointError, match="say where it is: --weights resnet101=FOLDER"):
        run("predict", fitted, "3.mp4")
    assert not run("predict", fitted, "3.mp4", "--weights", "resnet101=elsewhere")


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
