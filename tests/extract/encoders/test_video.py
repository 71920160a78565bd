"""A clip's vector is what the published model gives, and its steps are those of time."""

import numpy as np
import pytest
import torch
from transformers import AutoModel

from core.errors import CheckpointError
from extract.contract import Inputs
from extract.encoders.encoder import Computing
from extract.encoders.video import VideoNetwork
from media.request import Frames
from tests.extract.encoders.tiny import make_checkpoint

FRAMES = {"timesformer": 8, "videomae": 16, "vjepa2": 64}


def clip(count, *, changed=()):
    """Return frames of 40 x 60 noise; those that are `changed` are white."""
    pixels = np.random.default_rng(0).integers(0, 200, (count, 40, 60, 3), np.uint8)
    pixels[list(changed)] = 255
    return Frames(pixels, np.arange(count) / 8, count / 8)


def values(folder, family, frames, wanted):
    network = VideoNetwork(family, family, FRAMES[family])
    prepared = network.preparer(folder)(Inputs(frames=frames))
    return prepared, network.open(folder, Computing(), "cpu", wanted)([prepared])[0]


@pytest.mark.parametrize("family", FRAMES)
def test_a_vector_is_that_of_the_published_model(family, checkpoints):
    folder = checkpoints(family)
    prepared, found = values(folder, family, clip(FRAMES[family]), {family})
    steps = VideoNetwork(family, family, FRAMES[family]).preparer(folder).steps
    pixels = steps.normalise(torch.from_numpy(prepared["pixels"]), torch.float32)[None]
    model = AutoModel.from_pretrained(folder).eval()
    name = "pixel_values_videos" if family == "vjepa2" else "pixel_values"
    with torch.inference_mode():
        last = model(**{name: pixels.contiguous()}).last_hidden_state[0]
    expected = last[0] if family == "timesformer" else last.mean(dim=0)
    assert np.allclose(found[family], expected.numpy(), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("family", FRAMES)
def test_steps_are_the_means_of_their_tokens(family, checkpoints):
    wanted = {f"{family}/steps", f"{family}/tokens"}
    _, found = values(checkpoints(family), family, clip(FRAMES[family]), wanted)
    steps, tokens = found[f"{family}/steps"], found[f"{family}/tokens"]
    assert np.allclose(tokens.reshape(len(steps), -1, 32).mean(axis=1), steps, atol=1e-5)


@pytest.mark.parametrize(("family", "changed", "step"), [("timesformer", [5], 5)])
def test_a_frame_that_changes_changes_its_own_step(family, changed, step, tmp_path):
    folder = make_checkpoint(family, tmp_path / "w", num_hidden_layers=0)
    count, wanted = FRAMES[family], {f"{family}/steps"}
    _, before = values(folder, family, clip(count), wanted)
    _, after = values(folder, family, clip(count, changed=changed), wanted)
    moved = np.abs(after[f"{family}/steps"] - before[f"{family}/steps"]).max(axis=1)
    assert moved[step] > 0.01
    assert np.delete(moved, step).max() < 1e-6


def test_a_model_of_another_number_of_frames_is_refused(checkpoints):
    network = VideoNetwork("timesformer", "timesformer", 4)
    with pytest.raises(CheckpointError, match="trained on 8 frames, but gets 4"):
        network.open(checkpoints("timesformer"), Computing(), "cpu", {"timesformer"})
