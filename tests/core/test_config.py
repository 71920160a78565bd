"""Defaults, file, options; unknown keys refused; what is dumped is read back."""

from pathlib import Path

import pytest

from core.config import dump_config, read_config
from core.errors import ConfigError, UnknownName

KNOWN = {"batch_size", "head", "out", "names"}


def config(tmp_path, text):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    return path


def test_a_file_gives_values_by_option_name(tmp_path):
    assert read_config(config(tmp_path, "batch-size: 4\nhead: gbm\n"), KNOWN) == {
        "batch_size": 4,
        "head": "gbm",
    }


def test_an_empty_file_gives_nothing(tmp_path):
    assert read_config(config(tmp_path, ""), KNOWN) == {}


def test_an_unknown_key_is_refused_with_near_names(tmp_path):
    with pytest.raises(UnknownName, match="did you mean 'batch_size'"):
        read_config(config(tmp_path, "batchsize: 4"), KNOWN)


@pytest.mark.parametrize(("text", "words"), [("- a\n- b", "holds a list"), ("a: [", "not YAML")])
def test_a_file_that_is_no_mapping_is_refused(tmp_path, text, words):
    with pytest.raises(ConfigError, match=words):
        read_config(config(tmp_path, text), KNOWN)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.yaml cannot be read"):
        read_config(tmp_path / "nowhere.yaml", KNOWN)


def test_what_is_dumped_is_read_back(tmp_path):
    values = {"batch_size": 4, "head": "gbm", "out": Path("var/x"), "names": ("a", "b")}
    path = config(tmp_path, dump_config({**values, "unset": None}))
    assert read_config(path, KNOWN) == {**values, "out": "var/x", "names": ["a", "b"]}


def test_a_yaml_object_is_not_constructed(tmp_path):
    with pytest.raises(ConfigError, match="not YAML"):
        read_config(config(tmp_path, "head: !!python/object/apply:os.getcwd []"), KNOWN)
