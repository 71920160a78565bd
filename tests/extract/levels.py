"""Two small real extractors: the mean grey level of frames, and the loudness of sound."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cache.spec import FeatureSpec
from core.status import absent
from media.request import AudioRequest, FrameRequest

FRAMES = FrameRequest("uniform", frames=4, side=32)
AUDIO = AudioRequest(rate_hz=8000)


class Weightless:
    """What an extractor without weights and without wishes says of itself."""

    frames = audio = None
    after = ()
    on_request = frozenset()
    appetite = 1
    weight_bytes = 0

    def only(self, names):
        return self

    def fetch(self):
        return self

    def load(self, device):
        self.device = device

    def forward(self, batch):
        return [dict(one) for one in batch]

    def unload(self):
        pass


@dataclass
class Level(Weightless):
    """The mean grey level of four frames; `fault` says how `forward` misbehaves."""

    fault: Callable[[list], None] | None = None
    version: int = 1
    family = "level"
    reads = ("video",)
    frames = FRAMES

    @property
    def specs(self):
        recipe = {"version": self.version, "frames": FRAMES.recipe()}
        return (
            FeatureSpec("level", (1,), "float32", self.reads, recipe),
            FeatureSpec("level/frames", ("frame", 1), "float32", self.reads, recipe),
        )

    def prepare(self, inputs):
        return {"levels": inputs.frames.pixels.mean(axis=(1, 2, 3))[:, None].astype(np.float32)}

    def forward(self, batch):
        if self.fault:
            self.fault(batch)
        return [
            {"level": one["levels"].mean(axis=0), "level/frames": one["levels"]} for one in batch
        ]


@dataclass
class Loud(Weightless):
    """The mean square of the sound; digital silence is too little to measure."""

    family = "loud"
    reads = ("audio",)
    audio = AUDIO

    @property
    def specs(self):
        recipe = {"audio": AUDIO.recipe()}
        return (FeatureSpec("loud", (1,), "float32", self.reads, recipe),)

    def prepare(self, inputs):
        if not inputs.sound.samples.any():
            return absent("too-short", "silence")
        return {"loud": np.array([np.mean(inputs.sound.samples**2)], np.float32)}
