"""Tiny checkpoints with random weights: real configurations made small, saved as real ones are."""

import json

import torch
from transformers import (
    AutoModel,
    CLIPConfig,
    CLIPModel,
    DINOv3ViTConfig,
    ResNetConfig,
    SiglipConfig,
    SiglipModel,
)

SMALL = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
_VISION = {**SMALL, "image_size": 32, "patch_size": 8}
_WORDS = {**SMALL, "vocab_size": 99, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
_IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
_HALF = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}


def _resnet():
    config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 24], depths=[1, 1])
    steps = {"size": {"shortest_edge": 28}, "crop_pct": 0.875, "resample": 3, **_IMAGENET}
    return AutoModel.from_config(config), {
        "image_processor_type": "ConvNextImageProcessor",
        **steps,
    }


def _clip():
    vision = {**_VISION, "projection_dim": 24}
    words = {**_WORDS, "projection_dim": 24}
    config = CLIPConfig(vision_config=vision, text_config=words, projection_dim=24)
    steps = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}, **_IMAGENET}
    steps |= {"resample": 3, "do_center_crop": True}
    return CLIPModel(config), {"image_processor_type": "CLIPImageProcessor", **steps}


def _siglip():
    config = SiglipConfig(vision_config=_VISION, text_config=_WORDS)
    steps = {"size": {"height": 32, "width": 32}, "resample": 2, **_HALF}
    return SiglipModel(config), {"image_processor_type": "SiglipImageProcessor", **steps}


def _dinov3():
    steps = {"size": {"height": 32, "width": 32}, "resample": 2, **_IMAGENET}
    config = DINOv3ViTConfig(**_VISION, num_register_tokens=2)
    return AutoModel.from_config(config), {
        "image_processor_type": "DINOv3ViTImageProcessor",
        **steps,
    }


MAKERS = {
    "resnet101": _resnet,
    "clip": _clip,
    "siglip2": _siglip,
    "dinov3": _dinov3,
    "image": _resnet,
}


def make_checkpoint(family, folder):
    """Write a tiny checkpoint for a family into a folder, with weights that a seed decides."""
    torch.manual_seed(0)
    model, processor = MAKERS[family]()
    model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return folder
