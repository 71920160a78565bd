"""Checkpoints of the published sizes with random weights, for timing: values mean nothing.

They are made once, in a folder of choice, about 1.2 GB in all.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import (
    ASTConfig,
    ASTFeatureExtractor,
    AutoModel,
    BertConfig,
    BertTokenizer,
    PreTrainedModel,
    ResNetConfig,
    TimesformerConfig,
)

_IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
_KINETICS = {"image_mean": [0.45] * 3, "image_std": [0.225] * 3}
_MBERT_WORDS = 119_547
Made = tuple[PreTrainedModel, dict[str, object] | None]


def make(folder: Path) -> dict[str, str]:
    """Return the folder of each family's checkpoint; those that are not there are made."""
    for family, maker in _MAKERS.items():
        place = folder / family
        if not (place / "model.safetensors").exists():
            place.mkdir(parents=True, exist_ok=True)
            model, steps = maker(place)
            if steps:
                (place / "preprocessor_config.json").write_text(json.dumps(steps))
            model.save_pretrained(place)
    return {family: str(folder / family) for family in _MAKERS}


def _timesformer(_place: Path) -> Made:
    steps = {"image_processor_type": "VideoMAEImageProcessor", "size": {"shortest_edge": 224}}
    crop = {"crop_size": {"height": 224, "width": 224}}
    return AutoModel.from_config(TimesformerConfig()), {**steps, **crop, **_KINETICS}


def _resnet(depths: list[int]) -> Callable[[Path], Made]:
    def made(_place: Path) -> Made:
        steps = {"image_processor_type": "ConvNextImageProcessor", "crop_pct": 0.875, "resample": 3}
        size = {"size": {"shortest_edge": 224}}
        model = AutoModel.from_config(ResNetConfig(depths=depths)).train()
        with torch.no_grad():  # sets the batch norms, without which values overflow float16
            for _ in range(20):
                model(torch.randn(4, 3, 224, 224))
        return model, {**steps, **size, **_IMAGENET}

    return made


def _mbert(place: Path) -> Made:
    letters = [chr(code) for code in range(33, 127)]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{x}" for x in letters)]
    BertTokenizer(vocab={word: n for n, word in enumerate(words)}).save_pretrained(place)
    return AutoModel.from_config(BertConfig(vocab_size=_MBERT_WORDS)), None


def _ast(place: Path) -> Made:
    ASTFeatureExtractor().save_pretrained(place)
    return AutoModel.from_config(ASTConfig()), None


_MAKERS: dict[str, Callable[[Path], Made]] = {
    "timesformer": _timesformer,
    "resnet101": _resnet([3, 4, 23, 3]),
    "mbert": _mbert,
    "ast": _ast,
    "image": _resnet([3, 4, 6, 3]),  # ResNet-50
}


def seeded(folder: Path) -> dict[str, str]:
    """Return the folders as `make`, with weights that seed 0 decides."""
    torch.manual_seed(0)
    return make(folder)
