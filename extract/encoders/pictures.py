"""From pictures to a model's input, as the published processor does it.

Resizing and cropping happen on uint8 in the workers, so that only pictures of the model's own size
travel; scaling and normalising happen in batches on the device. The steps come from the
checkpoint's processor file; what it leaves open is as its kind of processor has it, and
kinds that do something else are refused. Differences from the processors of transformers stay
within 1/255, see `tests/extract/encoders/test_pictures.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import CheckpointError
from extract.encoders.checkpoint import SETTINGS, read_settings
from media.transforms import Filter, centre_crop, resize, resize_shorter

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class _Kind:
    """What a kind of processor does where its file does not say it.

    resample  a key of `_FILTERS`
    square    whether a size of one number is a square to warp to; else it is the shorter side
    crop      the side of the middle that is kept; 0 keeps all
    """

    resample: int = 2
    square: bool = True
    crop: int = 0


_FILTERS: dict[int, Filter] = {1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box"}
_KINDS = {  # by the beginnings of their names; a test compares them with the installed library
    "Beit": _Kind(3),
    "Bit": _Kind(3, square=False, crop=224),
    "Blip": _Kind(3),
    "CLIP": _Kind(3, square=False, crop=224),
    "ChineseCLIP": _Kind(3, square=False, crop=224),
    "ConvNext": _Kind(3, square=False),
    "DINOv3ViT": _Kind(),
    "DeiT": _Kind(3, crop=224),
    "Idefics3": _Kind(1),
    "MobileNetV1": _Kind(square=False, crop=224),
    "MobileNetV2": _Kind(square=False, crop=224),
    "Pvt": _Kind(3),
    "Segformer": _Kind(),
    "Siglip": _Kind(3, square=False),
    "SmolVLM": _Kind(1),
    "VJEPA2": _Kind(square=False, crop=256),
    "ViT": _Kind(),
    "VideoMAE": _Kind(square=False, crop=224),
}
_NAME = re.compile(r"(\w*?)(ImageProcessor|FeatureExtractor|VideoProcessor)(Fast|Pil)?")
_KIND_OF = {  # where the file does not even name it: by the model_type of config.json
    "beit": "Beit",
    "bit": "Bit",
    "clip": "CLIP",
    "convnext": "ConvNext",
    "convnextv2": "ConvNext",
    "deit": "DeiT",
    "dinov2": "Bit",
    "regnet": "ConvNext",
    "resnet": "ConvNext",
    "siglip": "Siglip",
    "swin": "ViT",
    "swinv2": "ViT",
    "timesformer": "VideoMAE",
    "videomae": "VideoMAE",
    "vit": "ViT",
    "vit_mae": "ViT",
}
_PARTS = ("image_processor", "video_processor")
_FILES = (SETTINGS, "video_preprocessor_config.json")
_WARPS_FROM = 384  # ConvNext's processor crops below this side and warps from there on
_WHITE = 255


@dataclass(frozen=True)
class PictureSteps:
    """What is done to a picture.

    size      (height, width) to resize to whatever the shape, or None
    shorter   the shorter side to resize to in proportion, or None
    crop      (height, width) of the middle that is kept, or None
    scale     factor of the uint8 values
    mean, std by channel, on the scaled values
    """

    size: tuple[int, int] | None
    shorter: int | None
    resample: Filter
    crop: tuple[int, int] | None
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def apply(self, pixels: np.ndarray) -> np.ndarray:
        """Resize and crop pictures: uint8 [..., height, width, 3], to uint8."""
        if self.size is not None:
            pixels = resize(pixels, self.size, resample=self.resample)
        elif self.shorter is not None:
            pixels = resize_shorter(pixels, self.shorter, resample=self.resample)
        return pixels if self.crop is None else centre_crop(pixels, self.crop)

    def normalise(self, pixels: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Scale and normalise uint8 [N, height, width, 3] to [N, 3, height, width].

        The result keeps its channels last in memory, which convolutions on a CPU and tensor cores
        like; the arithmetic is float32, whatever the result is.
        """
        import torch

        mean = torch.tensor(self.mean, device=pixels.device)
        std = torch.tensor(self.std, device=pixels.device)
        # one multiply-add per value: x * scale / std - mean / std
        values = torch.addcmul(-mean / std, pixels.float(), self.scale / std)
        return values.to(dtype).permute(0, 3, 1, 2)


def steps_of(folder: Path, family: str, *, size: Mapping[str, int] | None = None) -> PictureSteps:
    """Read what a checkpoint's processor does; `size` is used instead of the file's, if given.

    Raises:
        CheckpointError: if the file is not there, or says what this reader does not know.
    """
    config, path = read_settings(folder, family, parts=_PARTS, files=_FILES)
    name = _name_of(config, folder)
    if name is not None and name not in _KINDS:
        raise CheckpointError(
            f"{family}: {path} is of the kind {name!r}, whose steps this version does not know; "
            f"known: {', '.join(_KINDS)}; name another: --weights {family}=FOLDER"
        )
    if name is None and size is None and isinstance(config.get("size"), int):
        raise CheckpointError(
            f"{family}: {path} says size {config['size']}, but not whether it is the shorter side "
            "or a square; add its image_processor_type, such as ViTImageProcessor"
        )
    try:
        return _parsed(config if size is None else config | {"size": size}, name or "")
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{family}: {path} has no {error} that this version "
            "understands; expected an image processor's configuration with size, mean and std"
        ) from error


def _name_of(config: Mapping[str, Any], folder: Path) -> str | None:
    """Return how the name of a folder's processor begins, None where nothing tells it."""
    for key in ("image_processor_type", "feature_extractor_type", "video_processor_type"):
        if config.get(key):
            found = _NAME.fullmatch(str(config[key]))
            return found[1] if found else str(config[key])
    try:
        model = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return _KIND_OF.get(model["model_type"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _parsed(config: Mapping[str, Any], name: str) -> PictureSteps:
    kind, given = _KINDS.get(name, _Kind()), config["size"]
    if isinstance(given, int):
        given = {"height": given, "width": given} if kind.square else {"shortest_edge": given}
    size, shorter = _size(given) if config.get("do_resize", True) else (None, None)
    crops = config.get("do_center_crop", kind.crop > 0)
    crop = _pair(config.get("crop_size", kind.crop or given)) if crops else None
    if name == "ConvNext" and shorter is not None:
        square = (shorter, shorter)
        if shorter < _WARPS_FROM:
            crop, shorter = square, int(shorter / config.get("crop_pct", 0.875))
        else:
            size, shorter = square, None
    resample = config.get("resample")
    rescales, normalises = config.get("do_rescale", True), config.get("do_normalize", True)
    return PictureSteps(
        size=size,
        shorter=shorter,
        resample=_FILTERS[kind.resample if resample is None else int(resample)],
        crop=crop,
        scale=float(config.get("rescale_factor", 1 / _WHITE)) if rescales else 1.0,
        mean=tuple(map(float, config["image_mean"])) if normalises else (0.0, 0.0, 0.0),
        std=tuple(map(float, config["image_std"])) if normalises else (1.0, 1.0, 1.0),
    )


def _size(given: Any) -> tuple[tuple[int, int] | None, int | None]:
    """Return (exact size, shorter side): one of the two is None."""
    if isinstance(given, Mapping) and "shortest_edge" in given:
        return None, int(given["shortest_edge"])
    return _pair(given), None


def _pair(given: Any) -> tuple[int, int]:
    if isinstance(given, Mapping):
        if "shortest_edge" in given:
            return int(given["shortest_edge"]), int(given["shortest_edge"])
        return int(given["height"]), int(given["width"])
    if isinstance(given, int):
        return given, given
    height, width = given
    return int(height), int(width)
