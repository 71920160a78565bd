"""Image encoders of transformers on frames or covers: ResNet, CLIP, SigLIP 2, DINOv3, any folder.

`resnet101` is the mean over frames float16 [D]; on request `resnet101/std` their deviation
float16 [D], which tells how a video changes, and `resnet101/frames` what each frame gives
float16 [frame, D]. `resnet101@cover` is the vector of the sample's image. What a model calls its
image's embedding is taken: the projected one of CLIP and SigLIP, else the pooled one, else the
mean over the last layer's positions.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import CheckpointError
from extract.contract import Inputs, Value
from extract.encoders.checkpoint import Weights
from extract.encoders.chosen import Dims, arrays, choose, config_of, stated_width
from extract.encoders.encoder import Batch, Computing, Encoder, Forward, Prepare
from extract.encoders.encoding import Encoding
from extract.encoders.pictures import PictureSteps, steps_of
from extract.family import Family
from extract.opening import opened, with_opening
from media.request import FrameRequest

if TYPE_CHECKING:
    import torch

VERSION = 2  # 2: a size of one number is what the kind of processor takes it for
FRAMES = 8
# What two towers call the width of their picture's vector, by model_type; others are measured:
_WIDTHS = {"clip": "projection_dim", "siglip": "vision_config.hidden_size"}
TOGETHER = 256  # pictures in one pass
TOGETHER_CPU = (
    16  # what a convolution makes of more leaves the CPU's cache: measured 1.4 times slower
)


def extractor(
    name: str,
    row: Family,
    encoding: Encoding,
    *,
    decoder: str = "pyav",
    seconds: float | None = None,
    cover: bool = False,
) -> Encoder:
    """Return the encoder of a family's frames, or of covers."""
    chosen = choose(name, row, encoding)
    width = chosen.width(width_of)
    if cover:
        recipe, whole = chosen.recipe("encoders.image", VERSION), f"{name}@cover"
        specs = arrays({whole: (width,)}, ("image",), recipe)
        return chosen.encoder(ImageNetwork(name, whole), specs)
    request = opened(FrameRequest("segment_centres", frames=FRAMES), seconds)
    recipe = chosen.recipe("encoders.image", VERSION, frames=request.recipe(), decoder=decoder)
    whole = with_opening(name, seconds)
    dims: Dims = {
        whole: (width,),
        f"{whole}/std": (width,),
        f"{whole}/frames": ("frame", width),
    }
    specs = arrays(dims, ("video",), recipe)
    return chosen.encoder(ImageNetwork(name, whole), specs, frames=request)


def width_of(weights: Weights) -> int:
    """Return the length of the vector that a checkpoint gives.

    Raises:
        CheckpointError: if it gives none of a picture, or its pictures are made in unknown steps.
    """
    weights = weights.fetched()
    assert weights.folder is not None
    steps, config = steps_of(weights.folder, weights.family), config_of(weights)
    kind = config.model_type
    one_tower = not hasattr(config, "vision_config") and hasattr(config, "hidden_size")
    if kind in _WIDTHS or one_tower:
        return stated_width(weights, _WIDTHS.get(kind, "hidden_size"))
    return _measured_width(weights, config, steps)


def _measured_width(weights: Weights, config: Any, steps: PictureSteps) -> int:
    """Return the width of a model whose configuration does not tell it, such as MobileNet's.

    A picture without values goes through the model without weights.
    """
    import torch
    from transformers import AutoModel

    from extract.encoders.model import quietly

    height, width = steps.apply(np.zeros((1, 224, 224, 3), np.uint8)).shape[1:3]
    try:
        with torch.device("meta"), torch.inference_mode(), quietly():
            model = AutoModel.from_config(config, dtype=torch.float32).eval()
            return int(_vectors(model, torch.zeros(1, 3, height, width)).shape[-1])
    except Exception as error:  # whatever a foreign model wants, the remedy is the same
        raise CheckpointError(
            f"{weights.family}: {weights.folder}, of model_type {config.model_type!r}, makes no "
            f"vector of a picture ({type(error).__name__}: {error}); name another: "
            f"--weights {weights.family}=FOLDER"
        ) from error


@dataclass(frozen=True)
class ImageNetwork:
    """Pictures through a vision model; `whole` is the name of the vector's feature."""

    family: str
    whole: str

    def preparer(self, folder: Path) -> Prepare:
        """Return what resizes and crops frames or a cover to the model's size, on uint8."""
        return Pictures(steps_of(folder, self.family))

    def open(
        self, folder: Path, computing: Computing, device: str, wanted: Collection[str]
    ) -> Forward:
        """Load the vision part of a checkpoint."""
        import torch
        from transformers import AutoModel

        from extract.encoders.model import load_model

        model = load_model(AutoModel, folder, computing, device, prepare=_vision_only)
        model.to(memory_format=torch.channels_last)
        steps, dtype = steps_of(folder, self.family), getattr(torch, computing.dtype)
        together = TOGETHER_CPU if device == "cpu" else TOGETHER

        def forward(batch: Batch) -> list[dict[str, Value]]:
            pixels = torch.from_numpy(np.concatenate([sample["pixels"] for sample in batch]))
            pieces = pixels.to(device).split(together)
            made = [_vectors(model, steps.normalise(piece, dtype)).float() for piece in pieces]
            vectors = torch.cat(made).cpu().numpy()
            ends = np.cumsum([len(sample["pixels"]) for sample in batch])[:-1]
            each = np.split(vectors, ends)
            return [self._values(frames, wanted) for frames in each]

        return forward

    def _values(self, frames: np.ndarray, wanted: Collection[str]) -> dict[str, Value]:
        values: dict[str, Value] = {
            self.whole: frames.mean(axis=0),
            f"{self.whole}/std": frames.std(axis=0),
            f"{self.whole}/frames": frames,
        }
        return {name: value for name, value in values.items() if name in wanted}


@dataclass(frozen=True)
class Pictures:
    """Prepares what an image model sees: "pixels" uint8 [frames, height, width, 3]."""

    steps: PictureSteps

    def __call__(self, inputs: Inputs) -> Mapping[str, Any]:
        if inputs.frames is not None:
            return {"pixels": inputs.frames.each(self.steps.apply)}
        assert inputs.image is not None
        return {"pixels": self.steps.apply(inputs.image[None])}


def _vision_only(model: Any) -> None:
    """Drop the text half of a two-tower model: nobody asks it anything here."""
    for half in ("text_model", "text_projection"):
        if hasattr(model, "get_image_features") and hasattr(model, half):
            delattr(model, half)


def _vectors(model: Any, pictures: torch.Tensor) -> torch.Tensor:
    """Return what a model makes of pictures [N, 3, height, width]: float [N, D]."""
    if hasattr(model, "get_image_features"):
        return _embedding(model.get_image_features(pixel_values=pictures))
    return _embedding(model(pixel_values=pictures))


def _embedding(output: Any) -> torch.Tensor:
    import torch

    if isinstance(output, torch.Tensor):
        return output
    pooled = getattr(output, "pooler_output", None)
    if isinstance(pooled, torch.Tensor):
        return pooled.flatten(1)
    last = output.last_hidden_state  # [N, tokens, D], or [N, D, height, width] of a convnet
    return last.mean(dim=1) if last.dim() == 3 else last.mean(dim=(2, 3))
