"""Codecs tried in workers, and checkpoints looked for, without a network."""

import json

import pytest
from huggingface_hub import constants

from core.status import failed
from extract.checkup import _of_codec, codec_checks, hub_checks
from extract.encoders.checkpoint import PINS
from media.trial import ENCODERS, SOUND, Trial


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Give an empty cache of the hub."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    return tmp_path / "hub"


def put(hub, name, commit):
    place = hub / f"models--{name.replace('/', '--')}" / "snapshots" / commit
    place.mkdir(parents=True)
    (place / "model.safetensors").write_bytes(b"")


def by_name(checks):
    return {check.what: check for check in checks}


def test_every_codec_is_tried(capfd):
    found = by_name(codec_checks())
    assert list(found) == [*ENCODERS, SOUND]
    assert found["h264"].state == found[SOUND].state == "OK"
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("codec", "trial", "state"),
    [
        ("h264", Trial("h264", "x", {"pyav": "no"}), "FAIL"),
        ("av1", Trial("av1", "x", {"pyav": "no"}), "WARN"),
        ("h264", Trial("h264", "x", {"decord": "no"}), "WARN"),
        ("av1", Trial("av1", "x", {"decord": "no"}), "OK"),
        ("av1", Trial("av1", "", {}), "OK"),
        ("h264", failed("crash", "by SIGSEGV"), "FAIL"),
    ],
)
def test_a_codec_weighs_as_much_as_it_is_needed(codec, trial, state):
    check = _of_codec(codec, trial)
    assert check.state == state
    assert check.remedy or state == "OK"


def test_checkpoints_that_are_here_are_named(hub, tmp_path):
    put(hub, "microsoft/resnet-101", "a" * 40)
    found = by_name(hub_checks(tmp_path / "cache"))
    assert found["hub cache"].found == f"{hub}, online: resnet101 of the encoders there"
    assert "resnet101" not in found["checkpoints"].found
    assert "mbert" in found["checkpoints"].found
    assert found["checkpoints"].state == "OK"


def test_offline_without_checkpoints_is_a_warning(hub, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    check = by_name(hub_checks(tmp_path))["checkpoints"]
    assert check.state == "WARN"
    assert "unset HF_HUB_OFFLINE" in check.remedy


def test_pinned_commits_are_looked_for(hub, tmp_path):
    put(hub, "a/b", "a" * 40)
    pins = {"a/b": "a" * 40}
    (tmp_path / PINS).write_text(json.dumps(pins))
    assert by_name(hub_checks(tmp_path))["pins"].found.endswith("1 checkpoints pinned, all here")
    (tmp_path / PINS).write_text(json.dumps(pins | {"c/d@main": "b" * 40}))
    assert by_name(hub_checks(tmp_path))["pins"].found.endswith("not here: c/d@main")
    (tmp_path / PINS).write_text("[")
    assert by_name(hub_checks(tmp_path))["pins"].state == "WARN"


def test_the_hub_is_asked_only_where_that_is_wanted(hub, tmp_path):
    assert "hub" not in by_name(hub_checks(tmp_path))
    check = by_name(hub_checks(tmp_path, online=True))["hub"]
    assert check.state == "WARN"
    assert "does not answer" in check.found
