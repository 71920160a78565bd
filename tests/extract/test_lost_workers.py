"""A sample at which a worker dies loses what is computed of one file, and no more."""

import os
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from cache.spec import FeatureSpec
from corpus.sample import Sample
from tests.extract.levels import Level, Weightless
from tests.extract.test_pipeline import Words, extract


@dataclass
class Deadly(Level):
    """Ends its worker process when it sees a frame."""

    def prepare(self, inputs):
        os._exit(9)


@dataclass
class Cover(Weightless):
    """The mean level of a picture; a deadly one ends its worker process when it sees one."""

    deadly: bool = False
    family = "cover"
    reads = ("image",)
    specs = (FeatureSpec("cover", (1,), "float32", reads, {"version": 1}),)

    def prepare(self, inputs):
        if self.deadly:
            os._exit(9)
        return {"cover": np.array([inputs.image.mean()], np.float32)}


@pytest.fixture
def sample(tmp_path, clips):
    Image.new("L", (8, 8), 99).save(tmp_path / "cover.png")
    text = {"title": "two words"}
    return Sample("x", video=clips[0].video, image=tmp_path / "cover.png", text=text)


def crashed(state):
    return {name for _, name, cause, _ in state.failures if cause == "crash"}


def test_a_video_costs_neither_cover_nor_text(tmp_path, sample):
    worked, state, _ = extract(tmp_path, [sample], Deadly(), Cover(), Words())
    assert (worked, crashed(state)) == (1, {"level", "level/frames"})
    assert (state.coverage["cover"].ok, state.coverage["count:title"].ok) == (1, 1)


def test_a_video_and_a_cover_do_not_cost_the_text(tmp_path, sample):
    _, state, _ = extract(tmp_path, [sample], Deadly(), Cover(deadly=True), Words())
    assert crashed(state) == {"level", "level/frames", "cover"}
    assert state.coverage["count:title"].ok == 1
