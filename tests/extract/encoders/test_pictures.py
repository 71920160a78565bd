"""Our steps give the picture that the published processor gives."""

import json

import numpy as np
import pytest
import torch
import transformers
from transformers.models.auto.image_processing_auto import IMAGE_PROCESSOR_MAPPING_NAMES
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.convnext.image_processing_pil_convnext import ConvNextImageProcessorPil
from transformers.models.mobilenet_v2.image_processing_pil_mobilenet_v2 import (
    MobileNetV2ImageProcessorPil,
)
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.videomae.image_processing_pil_videomae import VideoMAEImageProcessorPil

from core.errors import CheckpointError
from extract.encoders.pictures import _KIND_OF, _KINDS, steps_of

PROCESSORS = {
    "clip": CLIPImageProcessorPil(),
    "convnext that crops": ConvNextImageProcessorPil(size={"shortest_edge": 224}),
    "convnext that warps": ConvNextImageProcessorPil(size={"shortest_edge": 384}),
    "mobilenet": MobileNetV2ImageProcessorPil(),
    "siglip": SiglipImageProcessorPil(),
    "videomae": VideoMAEImageProcessorPil(),
}
# those of the library that run without torchvision; these two cut pictures up for language models
KINDS = sorted(_KINDS.keys() - {"DINOv3ViT", "VJEPA2", "Idefics3", "SmolVLM"})
SHAPES = {"wide": (270, 480), "tall": (852, 480), "small": (60, 90), "square": (256, 256)}


def picture(shape):
    """Return a picture with edges and noise, uint8 [height, width, 3]."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (*shape, 3), np.uint8)
    pixels[shape[0] // 3 :, : shape[1] // 2] //= 4
    return pixels


def ours(folder, pixels):
    steps = steps_of(folder, "test")
    applied = torch.from_numpy(steps.apply(pixels[None]).copy())
    return steps.normalise(applied, torch.float32).numpy(), steps


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", PROCESSORS)
def test_steps_equal_the_published_processor_within_one_level(name, shape, tmp_path):
    processor = PROCESSORS[name]
    processor.save_pretrained(tmp_path)
    found, steps = ours(tmp_path, picture(SHAPES[shape]))
    expected = processor(picture(SHAPES[shape]), return_tensors="np")["pixel_values"]
    level = 1 / 255 / min(steps.std)
    assert np.abs(found - expected.reshape(found.shape)).max() <= level * 1.001


def installed(kind):
    """Return the class of the installed library that a file's kind stands for."""
    names = (name for names in IMAGE_PROCESSOR_MAPPING_NAMES.values() for name in names.values())
    module = next(name for name in names if name == f"{kind}ImageProcessorPil")
    return getattr(transformers, module)


@pytest.mark.parametrize("shape", ["wide", "tall"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_size_of_one_number_is_what_the_installed_processor_takes_it_for(kind, shape, tmp_path):
    words = {"size": 256, "image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.3, 0.25]}
    file = words | {"feature_extractor_type": f"{kind}FeatureExtractor"}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(file))
    found, steps = ours(tmp_path, picture(SHAPES[shape]))
    processor = installed(kind).from_dict(words)
    expected = processor(picture(SHAPES[shape]), return_tensors="np")["pixel_values"]
    assert found[0].shape == expected.squeeze().shape
    assert np.abs(found[0] - expected.squeeze()).max() <= 1 / 255 / min(steps.std) * 1.001


@pytest.mark.parametrize(
    ("model", "size"), [("vit", (224, 224)), ("swin", (224, 224)), ("clip", None), ("resnet", None)]
)
def test_a_file_without_a_kind_is_of_the_kind_of_its_model(model, size, tmp_path):
    words = {"size": 224, "image_mean": [0, 0, 0], "image_std": [1, 1, 1]}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(words))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": model}))
    assert steps_of(tmp_path, "image").size == size


def test_models_are_of_the_kinds_that_the_installed_library_takes():
    for model, kind in _KIND_OF.items():
        assert IMAGE_PROCESSOR_MAPPING_NAMES[model]["pil"] == f"{kind}ImageProcessorPil"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"image_processor_type": "LevitImageProcessor", "size": 224}, "kind 'Levit', whose steps"),
        ({"size": 224}, "size 224, but not whether it is the shorter side or a square"),
        ({"image_processor_type": "ViTImageProcessor", "size": 224, "resample": 0}, "has no 0 "),
    ],
)
def test_what_this_version_would_do_otherwise_is_refused(words, told, tmp_path):
    words |= {"image_mean": [0, 0, 0], "image_std": [1, 1, 1]}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(words))
    with pytest.raises(CheckpointError, match=told):
        steps_of(tmp_path, "image")


def test_a_file_that_says_only_the_kind_gets_the_defaults_of_its_kind(tmp_path):
    words = {"image_processor_type": "CLIPImageProcessor", "size": 224}
    words |= {"image_mean": [0, 0, 0], "image_std": [1, 1, 1]}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(words))
    steps = steps_of(tmp_path, "clip")
    assert (steps.resample, steps.crop, steps.shorter) == ("bicubic", (224, 224), 224)


def test_a_file_without_a_size_is_refused_by_name(tmp_path):
    (tmp_path / "preprocessor_config.json").write_text('{"image_mean": [0, 0, 0]}')
    with pytest.raises(CheckpointError, match="has no 'size'"):
        steps_of(tmp_path, "clip")


def test_a_checkpoint_without_the_file_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"preprocessor_config\.json cannot be read"):
        steps_of(tmp_path, "clip")
