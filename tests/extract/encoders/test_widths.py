"""How long a vector is, by checkpoints whose files leave out what is as the library has it."""

import json
import shutil

import pytest
from transformers import AutoModel, DistilBertConfig, MobileNetV2Config

from core.errors import CheckpointError
from extract.catalog import resolve
from extract.encoders.encoding import Encoding
from tests.extract.encoders.test_contract import PARTS

SPARSE = {  # as published: only what differs from the library's defaults
    "siglip2": ({"model_type": "siglip", "vision_config": {"image_size": 256}}, 768),
    "clip": ({"model_type": "clip", "vision_config": {}, "text_config": {}}, 512),
    "image": ({"model_type": "vit"}, 768),
    "clap": ({"model_type": "clap", "audio_config": {}}, 512),
    "vjepa2": ({"model_type": "vjepa2"}, 1024),
}


def width_of(family, folder):
    encoding = Encoding.parse(folder.parent, weights={family: str(folder)}, dtype="float32")
    name = f"{family}:title" if family == "text" else family
    return resolve([name], parts=PARTS, encoding=encoding).specs[0].dims[0]


def stated(folder, config):
    """Write a checkpoint of which only the configurations are read."""
    folder.mkdir()
    steps = {"image_processor_type": "ViTImageProcessor", "size": 32}
    steps |= {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(steps))
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(b"x")
    return folder


@pytest.mark.parametrize("family", SPARSE)
def test_what_a_file_leaves_out_is_as_the_library_has_it(family, tmp_path):
    config, width = SPARSE[family]
    assert width_of(family, stated(tmp_path / "here", config)) == width


def test_a_configuration_that_calls_its_width_otherwise_is_understood(tmp_path):
    config = DistilBertConfig(vocab_size=99, dim=32, n_heads=2, n_layers=1, hidden_dim=32)
    AutoModel.from_config(config).save_pretrained(tmp_path / "here")
    assert width_of("text", tmp_path / "here") == 32


def test_a_model_without_a_width_is_measured_on_a_picture_of_its_size(checkpoints, tmp_path):
    model = AutoModel.from_config(MobileNetV2Config(depth_multiplier=0.35, image_size=96))
    model.save_pretrained(tmp_path / "here")
    shutil.copy(checkpoints("image") / "preprocessor_config.json", tmp_path / "here")
    assert width_of("image", tmp_path / "here") == 1280


def test_two_towers_that_are_measured_are_asked_as_they_are_computed(checkpoints, tmp_path):
    folder = shutil.copytree(checkpoints("clip"), tmp_path / "here")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "chinese_clip"}))
    assert width_of("image", folder) == 24


@pytest.mark.parametrize(
    ("family", "kind", "told"),
    [
        ("text", "resnet", "'resnet' has no hidden_size; .* --weights text=FOLDER"),
        ("clap", "resnet", "has no projection_dim or d_model or hidden_size"),
        ("smolvlm2", "bert", r"'bert' has no text_config\.hidden_size"),
        ("text", "nobody", "'nobody', is nothing that transformers reads"),
    ],
)
def test_another_kind_of_checkpoint_is_refused_by_name(family, kind, told, tmp_path):
    with pytest.raises(CheckpointError, match=told):
        width_of(family, stated(tmp_path / "here", {"model_type": kind}))


def test_a_model_that_does_not_take_its_own_pictures_is_refused(tmp_path):
    folder = stated(tmp_path / "here", {"model_type": "chinese_clip"})
    with pytest.raises(CheckpointError, match=r"makes no vector of a picture .*32\*32"):
        width_of("image", folder)


def test_pictures_of_unknown_steps_are_refused_before_any_sample(tmp_path):
    folder = stated(tmp_path / "here", {"model_type": "dpt"})
    steps = json.dumps({"image_processor_type": "DPTImageProcessor", "size": 32})
    (folder / "preprocessor_config.json").write_text(steps)
    with pytest.raises(CheckpointError, match="'DPT', whose steps this version does not know"):
        width_of("image", folder)
