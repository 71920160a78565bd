"""SmolVLM2: what a small vision-language model makes of eight frames, title and description.

`smolvlm2` is the mean over all tokens of the last hidden state float16 [D], and `smolvlm2/yes`
float32 [1] the logit of "yes" minus that of "no" where it is asked whether people keep watching.
On request: `/last` the last token instead of the mean; `/early`, `/middle` and `/late` the mean
after a quarter, half and three quarters of the layers, and `/early-last`, ... their last token;
`/vision` float16 [token, D], the frames as the language model gets them; `/caption`, a text. The
vocabulary's logits are computed for captions only. `smolvlm2frames` is the same without texts.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cache.spec import TEXT, FeatureSpec
from core.errors import CheckpointError
from extract.contract import Inputs, Value
from extract.encoders.captions import Length
from extract.encoders.checkpoint import read_json, read_settings
from extract.encoders.chosen import arrays, choose, hidden_size
from extract.encoders.encoder import Batch, Computing, Encoder, Forward, Prepare
from extract.encoders.encoding import Encoding
from extract.encoders.pictures import PictureSteps, steps_of
from extract.encoders.prompts import FRAMES, Prompter
from extract.encoders.smolvlm2_features import Wanted
from extract.family import Family
from extract.opening import opened, with_opening
from media.request import FrameRequest
from media.transforms import resize

VERSION = 1
UNSTATED, MOST_SIDE = {"longest_edge": 1456}, 4096  # as the published processor has them
MOST = {"title": 300, "description": 1000}  # characters of each text that are read
LENGTH = Length(beams=1, least=4, most=48)
VERDICT = "Would most people who come across this short video keep watching it? Answer yes or no."
CAPTION = "Describe what happens in this video in one sentence."


def extractor(
    name: str,
    row: Family,
    encoding: Encoding,
    *,
    decoder: str = "pyav",
    seconds: float | None = None,
) -> Encoder:
    """Return the encoder of a clip and its texts."""
    chosen = choose(name, row, encoding)
    width = chosen.width(hidden_size("text_config"))
    request = opened(FrameRequest("uniform", frames=FRAMES), seconds)
    most = {field: MOST[field] for field in row.facts["texts"]}
    length = replace(LENGTH, **encoding.length)
    recipe = chosen.recipe(
        "encoders.smolvlm2",
        VERSION,
        characters=most,
        frames=request.recipe(),
        through="size",  # of the processor's two sizes that frames could be resized through
        decoder=decoder,
    )
    whole, reads = with_opening(name, seconds), ("video", *(f"text:{field}" for field in most))
    asked, told = recipe | {"question": VERDICT}, {"question": CAPTION, "length": length.recipe()}
    states = dict.fromkeys(Wanted(whole).states, (width,))
    specs = [
        *arrays(states, reads, asked),
        FeatureSpec(f"{whole}/yes", (1,), "float32", reads, asked),
        *arrays({f"{whole}/vision": ("token", width)}, reads, recipe),
        FeatureSpec(f"{whole}/caption", (), TEXT, reads, recipe | told),
    ]
    always = {whole, f"{whole}/yes"}
    return chosen.encoder(
        SmolVLM2Network(name, whole, most, length, seconds),
        specs,
        frames=request,
        on_request=frozenset(spec.name for spec in specs) - always,
    )


@dataclass(frozen=True)
class SmolVLM2Network:
    """Frames and texts through a vision-language model; `whole` is the name of its vector."""

    family: str
    whole: str
    most: Mapping[str, int]
    length: Length = LENGTH
    seconds: float | None = None

    def preparer(self, folder: Path) -> Prepare:
        """Return what resizes frames, and makes prompts of texts and times."""
        steps, longest = frame_steps(folder, self.family)
        return Seen(steps, longest, self._prompter(folder), self.seconds)

    def open(
        self, folder: Path, computing: Computing, device: str, wanted: Collection[str]
    ) -> Forward:
        """Load the model."""
        import torch
        from transformers import SmolVLMForConditionalGeneration

        from extract.encoders.model import load_model
        from extract.encoders.smolvlm2_reader import Reader

        computing = replace(computing, whole=("lm_head",))  # the verdict reads its weights
        model = load_model(SmolVLMForConditionalGeneration, folder, computing, device)
        steps, _ = frame_steps(folder, self.family)
        named = Wanted(self.whole, frozenset(wanted))
        reader = Reader(model, self._prompter(folder), named, self.length)
        dtype = getattr(torch, computing.dtype)

        def forward(batch: Batch) -> list[dict[str, Value]]:
            pixels = torch.from_numpy(np.stack([sample["pixels"] for sample in batch])).to(device)
            frames = steps.normalise(pixels.flatten(0, 1), dtype)
            return reader.values(batch, reader.vision(frames).unflatten(0, pixels.shape[:2]))

        return forward

    def _prompter(self, folder: Path) -> Prompter:
        return Prompter(folder, places_of(folder, self.family), self.most)


@dataclass(frozen=True)
class Seen:
    """Prepares "pixels" uint8 [frames, side, side, 3] and the prompts "verdict" and "caption"."""

    steps: PictureSteps
    longest: int
    prompter: Prompter
    seconds: float | None

    def __call__(self, inputs: Inputs) -> Mapping[str, Any]:
        frames = inputs.frames
        assert frames is not None
        assert len(frames.pictures) == FRAMES
        length_s = min(frames.duration_s, self.seconds or math.inf)
        about = (inputs.text, frames.times_s.tolist(), length_s)
        return {
            "pixels": frames.each(self._resized),
            "verdict": self.prompter.ids(VERDICT, *about),
            "caption": self.prompter.ids(CAPTION, *about),
        }

    def _resized(self, picture: np.ndarray) -> np.ndarray:
        """Resize in proportion, the longer side to `longest` and the other to even; then warp."""
        height, width = picture.shape[:2]
        share = width / height  # and not its inverse: the published processor rounds so
        if width >= height:
            size = (max(1, _even(int(self.longest / share))), self.longest)
        else:
            size = (self.longest, max(1, _even(int(self.longest * share))))
        return self.steps.apply(resize(picture, size, resample=self.steps.resample))


def _even(side: int) -> int:
    return side + side % 2


def frame_steps(folder: Path, family: str) -> tuple[PictureSteps, int]:
    """Return what is done to a frame, and the longer side that it is resized to before that.

    The published processor of videos does both. The first size is `size`, even where its file
    states another as `video_size`: the published files state both, 2048 and 512 pixels, and
    transformers puts the one in the place of the other.
    """
    config, path = read_settings(folder, family, parts=["video_processor", "image_processor"])
    side = int(config.get("max_image_size", {}).get("longest_edge", 0))
    stated = config.get("size") or config.get("video_sampling", {}).get("video_size") or UNSTATED
    longest = min(int(stated.get("longest_edge", 0)), MOST_SIDE)
    if not side or not longest:
        raise CheckpointError(
            f"{family}: {path} states no max_image_size, or a size "
            "without its longest_edge; it is no checkpoint of SmolVLM2"
        )
    return steps_of(folder, family, size={"height": side, "width": side}), longest


def places_of(folder: Path, family: str) -> int:
    """Return how many tokens stand for one picture.

    Raises:
        CheckpointError: if the configuration does not say it.
    """
    config = read_json(folder / "config.json", family)
    try:
        seen = config["vision_config"]
        return (seen["image_size"] // seen["patch_size"] // config["scale_factor"]) ** 2
    except (KeyError, TypeError) as error:
        raise CheckpointError(
            f"{family}: {folder}/config.json has no {error}; it is no checkpoint of SmolVLM2"
        ) from error
