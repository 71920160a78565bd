"""A whole feature, from frames to vector, is that of the published processor and model.

DINOv3 and V-JEPA 2 have no published processor that runs without torchvision: theirs is not here.
"""

import numpy as np
import pytest
import torch
from transformers import AutoModel
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.convnext.image_processing_pil_convnext import ConvNextImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.videomae.image_processing_pil_videomae import VideoMAEImageProcessorPil

from extract.contract import Inputs
from media.request import Frames
from tests.extract.encoders.test_contract import encoder

PUBLISHED = {
    "clip": CLIPImageProcessorPil,
    "siglip2": SiglipImageProcessorPil,
    "resnet101": ConvNextImageProcessorPil,
    "timesformer": VideoMAEImageProcessorPil,
    "timesformer600": VideoMAEImageProcessorPil,
    "videomae": VideoMAEImageProcessorPil,
}


def clip_of(count):
    """Return frames uint8 [count, 90, 120, 3] of waves and a little noise."""
    rows, columns = np.mgrid[:90, :120] / 9.0
    waves = np.sin(rows + np.arange(count)[:, None, None]) + np.cos(columns * 1.3)
    noise = np.random.default_rng(0).integers(0, 20, (count, 90, 120, 3))
    return (waves[..., None] * [40, 30, 20] + 100 + noise).astype(np.uint8)


def published(family, folder, pixels):
    """Return what the published processor and model, in float32, make of frames: [D]."""
    made = PUBLISHED[family].from_pretrained(folder)(list(pixels), return_tensors="pt")
    model = AutoModel.from_pretrained(folder).eval()
    inputs = made["pixel_values"]
    with torch.inference_mode():
        if family in {"clip", "siglip2"}:
            return model.get_image_features(pixel_values=inputs).pooler_output.mean(dim=0)
        found = model(pixel_values=inputs)
    if family == "resnet101":
        return found.pooler_output.flatten(1).mean(dim=0)
    last = found.last_hidden_state[0]
    return last.mean(dim=0) if family == "videomae" else last[0]


@pytest.mark.parametrize("family", PUBLISHED)
def test_a_feature_is_that_of_the_published_processor_and_model(family, checkpoints):
    made = encoder(family, checkpoints, whole=False)
    pixels = clip_of(made.frames.frames)
    times = np.arange(len(pixels)) / 8
    prepared = made.prepare(Inputs(frames=Frames(pixels, times, len(pixels) / 8)))
    found = made.forward([prepared])[0][family]
    expected = published(family, checkpoints(family), pixels).numpy()
    assert np.linalg.norm(found - expected) / np.linalg.norm(expected) <= 1e-3
