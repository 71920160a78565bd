"""The usual way to extract features: a script per model that decodes, prepares and computes.

Each video is decoded whole for each model, prepared by the published processor of transformers, and
goes through the model alone, in float32.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import av
import numpy as np
import torch
from transformers import ASTFeatureExtractor, AutoModel, AutoTokenizer
from transformers.models.convnext.image_processing_pil_convnext import ConvNextImageProcessorPil
from transformers.models.videomae.image_processing_pil_videomae import VideoMAEImageProcessorPil

from corpus.sample import Sample

FRAMES = 8
RATE_HZ = 16_000
Inputs = Callable[[Sample], Mapping[str, torch.Tensor]]


def seconds_by_model(samples: Sequence[Sample], weights: Mapping[str, str]) -> dict[str, float]:
    """Return how long each model took for all samples, loading left out."""
    makers = {"timesformer": _clips, "resnet101": _frames, "mbert": _texts, "ast": _sounds}
    times = {}
    for family, maker in makers.items():
        folder = Path(weights[family])
        model, inputs = AutoModel.from_pretrained(folder).eval(), maker(folder)
        started = time.perf_counter()
        for sample in samples:
            with torch.no_grad():
                model(**inputs(sample))
        times[family] = time.perf_counter() - started
    return times


def decoded(path: Path | None) -> list[np.ndarray]:
    """Return frames at even steps, uint8 [height, width, 3], having decoded them all."""
    with av.open(str(path)) as file:
        frames = list(file.decode(video=0))
    chosen = np.linspace(0, len(frames) - 1, FRAMES).round().astype(int)
    return [frames[n].to_ndarray(format="rgb24") for n in chosen]


def _clips(folder: Path) -> Inputs:
    processor = VideoMAEImageProcessorPil.from_pretrained(folder)
    return lambda sample: processor(decoded(sample.video), return_tensors="pt")


def _frames(folder: Path) -> Inputs:
    processor = ConvNextImageProcessorPil.from_pretrained(folder)
    return lambda sample: processor(decoded(sample.video), return_tensors="pt")


def _texts(folder: Path) -> Inputs:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    length = {"padding": "max_length", "max_length": 64, "truncation": True}
    return lambda sample: tokenizer(sample.text["caption"], **length, return_tensors="pt")


def _sounds(folder: Path) -> Inputs:
    extractor = ASTFeatureExtractor.from_pretrained(folder)

    def made(sample: Sample) -> Mapping[str, torch.Tensor]:
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE_HZ)
        with av.open(str(sample.video)) as file:
            parts = [part for frame in file.decode(audio=0) for part in resampler.resample(frame)]
        sound = np.concatenate([part.to_ndarray()[0] for part in parts])
        given: Mapping[str, torch.Tensor] = extractor(
            sound, sampling_rate=RATE_HZ, return_tensors="pt"
        )
        return given

    return made
