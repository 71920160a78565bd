"""Every encoder gives the vectors that were recorded: weights and inputs follow a formula.

No random generator has a part in it, so that a change is one of our code or of the libraries that
compute. Write them anew: python -m tests.extract.encoders.test_golden_vectors
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from extract.contract import Inputs
from extract.encoders.rows import ENCODERS
from media.request import Frames, Sound
from tests.extract.encoders.test_contract import encoder
from tests.extract.encoders.tiny import make_checkpoint

GOLDEN = Path(__file__).with_name("golden_vectors.json")
SHOWN = 4  # values of a vector that are recorded, beside its length


@pytest.mark.parametrize("family", ENCODERS)
def test_a_vector_is_the_recorded_one(family, tmp_path):
    expected = json.loads(GOLDEN.read_text())[family]
    found = recorded(vector_of(family, tmp_path))
    assert np.allclose(found, expected, rtol=1e-3, atol=1e-4 * expected[0])


def vector_of(family, folder):
    """Return what a tiny checkpoint with the formula's weights makes of the formula's sample."""
    place = make_checkpoint(family, folder / family)
    for path in place.iterdir():
        if path.suffix in {".safetensors", ".pt"}:
            refill(path)
    made = encoder(family, lambda _: place, whole=False)
    value = made.forward([made.prepare(inputs(made))])[0][made.specs[0].name]
    return np.ravel(value).astype(np.float64)


def refill(path):
    """Replace a file's weights by waves, around 1 for what scales and around 0 for the rest."""
    plain = path.suffix == ".safetensors"
    state = load_file(path) if plain else torch.load(path, weights_only=True)
    for step, name in enumerate(sorted(state)):
        old = state[name]
        if not old.is_floating_point():
            continue
        centre = float(old.dim() == 1 and name.endswith(("weight", "running_var")))
        wave = torch.sin(torch.arange(old.numel(), dtype=torch.float64) * 0.7 + step)
        state[name] = (centre + 0.1 * wave).reshape(old.shape).to(old.dtype)
    save_file(state, path, metadata={"format": "pt"}) if plain else torch.save(state, path)


def inputs(made):
    """Return pictures, sound and words of fixed values, as much as an encoder asks for."""
    frames = sound = None
    if made.frames is not None:
        count = made.frames.frames or 8
        grid = np.arange(count * 48 * 64 * 3, dtype=np.int64).reshape(count, 48, 64, 3)
        frames = Frames((grid * grid // 97 % 256).astype(np.uint8), np.arange(count) / 8, count / 8)
    if made.audio is not None:
        times = np.arange(2 * made.audio.rate_hz) / made.audio.rate_hz
        sound = Sound(np.sin(440 * 2 * np.pi * times).astype(np.float32) / 2, made.audio.rate_hz)
    return Inputs(frames=frames, sound=sound, text={"title": "Wait for it! 3 tricks"})


def recorded(vector):
    """Return a vector's length and its first values."""
    return [float(np.linalg.norm(vector)), *vector[:SHOWN].tolist()]


def main():
    """Write the golden vectors of today's code."""
    found = {}
    for family in ENCODERS:
        with tempfile.TemporaryDirectory() as folder:
            found[family] = recorded(vector_of(family, Path(folder)))
    lines = [f'"{name}": {json.dumps([round(x, 6) for x in found[name]])}' for name in found]
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    sys.stdout.write(GOLDEN.read_text())


if __name__ == "__main__":
    main()
