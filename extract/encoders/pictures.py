"""From pictures to a model's input, as the published processor does it.

Resizing and cropping happen on uint8 in the workers, so that only pictures of the model's own size
travel; scaling and normalising happen in batches on the device. The steps come from the
checkpoint's preprocessor_config.json. Differences from the processors of transformers stay within
1/255, see `tests/extract/encoders/test_pictures.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import CheckpointError
from extract.encoders.checkpoint import read_json
from media.transforms import Filter, centre_crop, resize, resize_shorter

if TYPE_CHECKING:
    import torch

_FILTERS: dict[int, Filter] = {1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box"}
# What processors do where their file does not say it, by the first letters of their names:
_BICUBIC = ("CLIP", "Siglip", "ConvNext", "SmolVLM", "Idefics", "Qwen")
_CROPPING = ("CLIP", "VideoMAE", "MobileNet", "VJEPA2", "Timesformer")
_FILES = ("preprocessor_config.json", "video_preprocessor_config.json")
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
    path = next((folder / name for name in _FILES if (folder / name).exists()), folder / _FILES[0])
    config = read_json(path, family)
    try:
        return _parsed(config if size is None else config | {"size": size})
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{family}: {path} has no {error} that this version "
            "understands; expected an image processor's configuration with size, mean and std"
        ) from error


def _parsed(config: Mapping[str, Any]) -> PictureSteps:
    kind = str(config.get("image_processor_type") or config.get("feature_extractor_type") or "")
    kind = kind or str(config.get("video_processor_type", ""))
    size, shorter = _size(config["size"]) if config.get("do_resize", True) else (None, None)
    crops = config.get("do_center_crop", kind.startswith(_CROPPING))
    crop = _pair(config.get("crop_size", config["size"])) if crops else None
    if kind.startswith("ConvNext") and shorter is not None:
        square = (shorter, shorter)
        if shorter < _WARPS_FROM:
            crop, shorter = square, int(shorter / config.get("crop_pct", 0.875))
        else:
            size, shorter = square, None
    resample = config.get("resample") or (3 if kind.startswith(_BICUBIC) else 2)
    rescales, normalises = config.get("do_rescale", True), config.get("do_normalize", True)
    return PictureSteps(
        size=size,
        shorter=shorter,
        resample=_FILTERS[int(resample)],
        crop=crop,
        scale=float(config.get("rescale_factor", 1 / _WHITE)) if rescales else 1.0,
        mean=tuple(map(float, config["image_mean"])) if normalises else (0.0, 0.0, 0.0),
        std=tuple(map(float, config["image_std"])) if normalises else (1.0, 1.0, 1.0),
    )


def _size(given: Any) -> tuple[tuple[int, int] | None, int | None]:
    """Return (exact size, shorter side): one of the two is None."""
    if isinstance(given, Mapping) and "shortest_edge" in given:
        return None, int(given["shortest_edge"])
    if isinstance(given, int):  # as processors before 2022 wrote it: the shorter side
        return None, given
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
