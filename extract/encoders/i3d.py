"""I3D: the inflated Inception network on 64 frames at 25 a second, trained on Kinetics-400.

`i3d` is the mean over time float16 [1024]; on request `i3d/tokens` float16 [step, 1024], 7 steps of
8 frames, and `i3d/logits` float16 [classes]. There is no checkpoint on the hub in the layout of
transformers: `--weights i3d=rgb_imagenet.pt` takes the widely used PyTorch file, or a folder with
it, as it is. Frames are reduced to 256 on the shorter side, cut to the middle 224 and scaled to
-1..1, as by those who published features of it (e.g. video_features).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import CheckpointError
from extract.contract import Inputs, Value
from extract.encoders.chosen import Dims, arrays, choose
from extract.encoders.encoder import Batch, Computing, Encoder, Forward, Prepare
from extract.encoders.encoding import Encoding
from extract.encoders.pictures import PictureSteps, steps_of
from extract.encoders.state import not_quantised
from extract.family import Family
from extract.opening import opened, with_opening
from media.request import FrameRequest

VERSION = 1
REQUEST = FrameRequest("dense", frames=64, fps=25.0)
STEPS = PictureSteps(
    size=None,
    shorter=256,
    resample="bilinear",
    crop=(224, 224),
    scale=1 / 255,
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
)


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
    request = opened(REQUEST, seconds)
    recipe = chosen.recipe("encoders.i3d", VERSION, frames=request.recipe(), decoder=decoder)
    whole, width = with_opening(name, seconds), row.width or 0
    classes = int(row.facts["classes"])
    dims: Dims = {
        whole: (width,),
        f"{whole}/tokens": ("step", width),
        f"{whole}/logits": (classes,),
    }
    network = I3DNetwork(whole, classes)
    return chosen.encoder(network, arrays(dims, ("video",), recipe), frames=request)


@dataclass(frozen=True)
class I3DNetwork:
    """A clip through I3D; `whole` is the name of its one vector."""

    whole: str
    classes: int

    def preparer(self, folder: Path) -> Prepare:
        """Return what resizes and cuts frames to 224 x 224, on uint8."""
        return Frames64(_steps(folder))

    def open(
        self, folder: Path, computing: Computing, device: str, wanted: Collection[str]
    ) -> Forward:
        """Load the state dict by the names of its modules."""
        import torch

        from extract.encoders.i3d_network import pool_steps

        not_quantised("i3d", computing)
        dtype, picture = getattr(torch, computing.dtype), _steps(folder)
        network = _loaded(folder, self.classes).to(device, dtype)
        network.to(memory_format=torch.channels_last_3d)

        def forward(batch: Batch) -> list[dict[str, Value]]:
            pixels = torch.from_numpy(np.stack([sample["pixels"] for sample in batch])).to(device)
            flat = picture.normalise(pixels.flatten(0, 1), dtype)
            features = network(flat.unflatten(0, pixels.shape[:2]).transpose(1, 2))
            steps = pool_steps(features.float()).transpose(1, 2)  # [N, steps, 1024]
            named = {
                self.whole: lambda: steps.mean(dim=1),
                f"{self.whole}/tokens": lambda: steps,
                f"{self.whole}/logits": lambda: network.class_scores(features).float(),
            }
            arrays = {name: named[name]().cpu().numpy() for name in named if name in wanted}
            rows = range(len(batch))
            return [{name: array[row] for name, array in arrays.items()} for row in rows]

        return forward


@dataclass(frozen=True)
class Frames64:
    """Prepares what I3D sees: "pixels" uint8 [64, height, width, 3]."""

    steps: PictureSteps

    def __call__(self, inputs: Inputs) -> Mapping[str, Any]:
        assert inputs.frames is not None
        return {"pixels": inputs.frames.each(self.steps.apply)}


def _steps(place: Path) -> PictureSteps:
    """Return the steps that a folder states, else those of the published features."""
    stated = place.is_dir() and (place / "preprocessor_config.json").exists()
    return steps_of(place, "i3d") if stated else STEPS


def _loaded(place: Path, classes: int) -> Any:
    from extract.encoders.i3d_network import I3D
    from extract.encoders.state import read_state

    network = I3D(classes)
    state = read_state(place, "i3d")
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise CheckpointError(
            f"i3d: {place} is no I3D of {classes} classes: {str(error).splitlines()[-1].strip()}; "
            "expected the RGB state dict of pytorch-i3d, such as rgb_imagenet.pt"
        ) from error
    return network.eval().requires_grad_(requires_grad=False)
