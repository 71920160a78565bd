"""A video's vectors are the mean and the deviation of what its frames give."""

import numpy as np

from extract.contract import Inputs
from media.request import Frames
from tests.extract.encoders.test_contract import encoder


def test_mean_and_deviation_are_those_of_the_frames(checkpoints):
    made = encoder("resnet101", checkpoints)
    pixels = np.random.default_rng(0).integers(0, 256, (8, 40, 60, 3), np.uint8)
    prepared = made.prepare(Inputs(frames=Frames(pixels, np.arange(8) / 8, 1.0)))
    found = made.forward([prepared])[0]
    frames = found["resnet101/frames"]
    assert frames.shape[0] == 8
    assert np.allclose(found["resnet101"], frames.mean(axis=0))
    assert np.allclose(found["resnet101/std"], frames.std(axis=0))


def test_one_frame_does_not_vary(checkpoints):
    made = encoder("clip", checkpoints)
    still = Frames(np.full((1, 40, 60, 3), 90, np.uint8), np.zeros(1), 0.04)
    found = made.forward([made.prepare(Inputs(frames=still))])[0]
    assert not found["clip/std"].any()
