"""SpaceTimeGPT: a sentence about a clip, by a TimeSformer that GPT-2 looks at.

`spacetimegpt/caption` is a text, and `spacetimegpt` the class token of its video encoder
float16 [D]; the family's name stands for both. Eight frames at the starts of eight equal parts of
the clip, always eight: the published script drops repeated ones, and from four the encoder mixes up
time and space. Sentences come from a beam search whose limits are those of the published script.

Pictures are normalised as the checkpoint's preprocessor_config.json says; a checkpoint without one
gets the steps of VideoMAE-base (ImageNet's mean and deviation), with which it was trained. Its
encoder was pretrained with 0.45 and 0.225 instead, a mismatch that training has made part of the
weights. A checkpoint without a tokenizer takes GPT-2's.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cache.spec import TEXT, FeatureSpec
from core.errors import CheckpointError
from extract.contract import Value
from extract.encoders.captions import Length, said, write
from extract.encoders.chosen import STORED, choose, hidden_size
from extract.encoders.encoder import Batch, Computing, Encoder, Forward, Prepare
from extract.encoders.encoding import Encoding
from extract.encoders.pictures import PictureSteps, steps_of
from extract.encoders.video import Clip, check_frames
from extract.family import Family
from extract.opening import opened, with_opening
from media.request import FrameRequest

VERSION = 1
FRAMES = 8
LENGTH = Length(beams=8, least=10, most=20)
GPT2 = ("openai-community/gpt2", "607a30d783dfa663caf39e06633721c8d4cfcd7e")
_TRAINED = PictureSteps(
    size=None,
    shorter=224,
    resample="bilinear",
    crop=(224, 224),
    scale=1 / 255,
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
)


def extractor(
    name: str,
    row: Family,
    encoding: Encoding,
    *,
    decoder: str = "pyav",
    seconds: float | None = None,
) -> Encoder:
    """Return the encoder that captions a clip."""
    chosen = choose(name, row, encoding)
    request = opened(FrameRequest("segment_starts", frames=FRAMES), seconds)
    recipe = chosen.recipe(
        "encoders.spacetimegpt", VERSION, frames=request.recipe(), decoder=decoder
    )
    whole, width = with_opening(name, seconds), chosen.width(hidden_size("encoder"))
    length = replace(LENGTH, **encoding.length)
    written = recipe | {"length": length.recipe()}
    specs = [
        FeatureSpec(whole, (width,), STORED, ("video",), recipe),
        FeatureSpec(f"{whole}/caption", (), TEXT, ("video",), written),
    ]
    network = CaptionNetwork(name, whole, length)
    return chosen.encoder(network, specs, frames=request, on_request=frozenset())


@dataclass(frozen=True)
class CaptionNetwork:
    """A clip through a video encoder and a language model; `whole` is the name of its vector."""

    family: str
    whole: str
    length: Length = LENGTH

    def preparer(self, folder: Path) -> Prepare:
        """Return what resizes and crops frames to the model's size, on uint8."""
        return Clip(self._steps(folder), FRAMES)

    def open(
        self, folder: Path, computing: Computing, device: str, wanted: Collection[str]
    ) -> Forward:
        """Load the encoder, and the language model where sentences are wanted."""
        import torch
        from transformers import VisionEncoderDecoderModel

        from extract.encoders.model import load_model

        caption = f"{self.whole}/caption"
        computing = replace(computing, whole=("lm_head",))
        cut = None if caption in wanted else _encoder_only
        model = load_model(VisionEncoderDecoderModel, folder, computing, device, prepare=cut)
        check_frames(self.family, model.encoder.config, FRAMES)
        tokenizer = _tokenizer(folder) if caption in wanted else None
        steps, dtype = self._steps(folder), getattr(torch, computing.dtype)

        def forward(batch: Batch) -> list[dict[str, Value]]:
            pixels = torch.from_numpy(np.stack([sample["pixels"] for sample in batch])).to(device)
            flat = steps.normalise(pixels.flatten(0, 1), dtype)
            seen = model.encoder(pixel_values=flat.unflatten(0, pixels.shape[:2]))
            vectors = seen.last_hidden_state[:, 0].float().cpu().numpy()
            values: list[dict[str, Value]] = [{self.whole: vector} for vector in vectors]
            if tokenizer is not None:
                tokens = write(model, self.length, encoder_outputs=seen)
                for value, words in zip(values, tokens, strict=True):
                    value[caption] = said(tokenizer, words)
            return [{name: value[name] for name in wanted} for value in values]

        return forward

    def _steps(self, folder: Path) -> PictureSteps:
        stated = (folder / "preprocessor_config.json").exists()
        return steps_of(folder, self.family) if stated else _TRAINED


def _encoder_only(model: Any) -> None:
    """Drop the language model, more than half of the weights."""
    del model.decoder


def _tokenizer(folder: Path) -> Any:
    """Return the checkpoint's tokenizer, or GPT-2's from the hub where it has none."""
    from transformers import AutoTokenizer

    if any((folder / name).exists() for name in ("tokenizer.json", "vocab.json")):
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)
    hub, commit = GPT2
    try:
        return AutoTokenizer.from_pretrained(hub, revision=commit)
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{folder} has no tokenizer, and GPT-2's is neither on this machine nor to be had "
            f"({type(error).__name__}). With a network: hf download {hub} --revision {commit}; "
            f"without one: copy its tokenizer.json into the folder"
        ) from error
