"""Video encoders of transformers on frames spread over the clip: TimeSformer, VideoMAE, V-JEPA 2.

`timesformer` is one vector float16 [D]: the class token where the model has one, else the mean of
its tokens. On request: `timesformer/steps` float16 [step, D], the mean over space at each step of
time, and `timesformer/tokens` float16 [token, D], every token, the steps one after another. A model
is never given another number of frames than it was trained on: TimeSformer takes 4 instead of 8
without a word and mixes up time and space.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import CheckpointError
from extract.contract import Inputs, Value
from extract.encoders.chosen import Dims, arrays, choose, hidden_size
from extract.encoders.encoder import Batch, Computing, Encoder, Forward, Prepare
from extract.encoders.encoding import Encoding
from extract.encoders.pictures import PictureSteps, steps_of
from extract.family import Family
from extract.opening import opened, with_opening
from media.request import FrameRequest

if TYPE_CHECKING:
    import torch

VERSION = 1


def extractor(
    name: str,
    row: Family,
    encoding: Encoding,
    *,
    decoder: str = "pyav",
    seconds: float | None = None,
) -> Encoder:
    """Return the encoder of a clip."""
    chosen = choose(name, row, encoding)
    frames = int(row.facts["frames"])
    request = opened(FrameRequest("uniform", frames=frames), seconds)
    recipe = chosen.recipe("encoders.video", VERSION, frames=request.recipe(), decoder=decoder)
    whole, width = with_opening(name, seconds), chosen.width(hidden_size())
    dims: Dims = {
        whole: (width,),
        f"{whole}/steps": ("step", width),
        f"{whole}/tokens": ("token", width),
    }
    network = VideoNetwork(name, whole, frames)
    return chosen.encoder(network, arrays(dims, ("video",), recipe), frames=request)


@dataclass(frozen=True)
class VideoNetwork:
    """A clip of so many frames through a video model; `whole` is the name of its one vector."""

    family: str
    whole: str
    frames: int

    def preparer(self, folder: Path) -> Prepare:
        """Return what resizes and crops frames to the model's size, on uint8."""
        return Clip(steps_of(folder, self.family), self.frames)

    def open(
        self, folder: Path, computing: Computing, device: str, wanted: Collection[str]
    ) -> Forward:
        """Load the video model, which must be of so many frames."""
        import torch
        from transformers import AutoModel

        from extract.encoders.model import load_model

        model = load_model(AutoModel, folder, computing, device)
        check_frames(self.family, model.config, self.frames)
        steps, dtype = steps_of(folder, self.family), getattr(torch, computing.dtype)

        def forward(batch: Batch) -> list[dict[str, Value]]:
            pixels = torch.from_numpy(np.stack([sample["pixels"] for sample in batch])).to(device)
            flat = steps.normalise(pixels.flatten(0, 1), dtype)
            return self._values(model, flat.unflatten(0, pixels.shape[:2]), wanted)

        return forward

    def _values(
        self, model: Any, clips: torch.Tensor, wanted: Collection[str]
    ) -> list[dict[str, Value]]:
        vector, tokens = _encoded(model, clips)
        named = {
            self.whole: lambda: vector,
            f"{self.whole}/steps": lambda: tokens.mean(dim=2),
            f"{self.whole}/tokens": lambda: tokens.flatten(1, 2),
        }
        arrays = {name: named[name]().cpu().numpy() for name in named if name in wanted}
        return [{name: array[row] for name, array in arrays.items()} for row in range(len(clips))]


@dataclass(frozen=True)
class Clip:
    """Prepares what a video model sees: "pixels" uint8 [frames, height, width, 3]."""

    steps: PictureSteps
    frames: int

    def __call__(self, inputs: Inputs) -> Mapping[str, Any]:
        assert inputs.frames is not None
        assert len(inputs.frames.pictures) == self.frames
        return {"pixels": inputs.frames.each(self.steps.apply)}


def check_frames(family: str, config: Any, frames: int) -> None:
    """Refuse a model of another number of frames; V-JEPA 2 rotates positions: any pairs will do.

    Raises:
        CheckpointError: if the model was trained on another number.
    """
    trained = getattr(config, "num_frames", None)
    if trained is not None and trained != frames:
        raise CheckpointError(
            f"{family}: the checkpoint was trained on {trained} frames, but gets {frames}; "
            f"name another: --weights {family}=FOLDER"
        )


def _encoded(model: Any, clips: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Encode clips [N, frames, 3, height, width]: vectors [N, D], tokens [N, steps, places, D]."""
    kind = model.config.model_type
    if kind == "vjepa2":
        last = model.get_vision_features(pixel_values_videos=clips).float()
        steps = clips.shape[1] // model.config.tubelet_size
        return last.mean(dim=1), last.unflatten(1, (steps, -1))
    last = model(pixel_values=clips).last_hidden_state.float()
    if kind == "timesformer":  # the class token, then for every place the frames
        return last[:, 0], last[:, 1:].unflatten(1, (-1, clips.shape[1])).transpose(1, 2)
    steps = clips.shape[1] // model.config.tubelet_size
    return last.mean(dim=1), last.unflatten(1, (steps, -1))
