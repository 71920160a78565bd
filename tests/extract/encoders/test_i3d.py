"""I3D has the shape and the names of the published network, and refuses what is not it."""

import pickle

import numpy as np
import pytest
import torch

from core.errors import CheckpointError
from extract.contract import Inputs
from extract.encoders.encoder import Computing
from extract.encoders.encoding import Encoding
from extract.encoders.i3d import I3DNetwork
from extract.encoders.i3d_network import I3D, Pool, pool_steps, same_padded
from media.request import Frames


@pytest.fixture(scope="module")
def on_meta():
    with torch.device("meta"):
        return I3D().eval()


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("Conv3d_1a_7x7.conv3d.weight", (64, 3, 7, 7, 7)),
        ("Conv3d_1a_7x7.bn.running_var", (64,)),
        ("Conv3d_2c_3x3.conv3d.weight", (192, 64, 3, 3, 3)),
        ("Mixed_3b.b1a.conv3d.weight", (96, 192, 1, 1, 1)),
        ("Mixed_4f.b2b.conv3d.weight", (128, 32, 3, 3, 3)),
        ("Mixed_5c.b3b.bn.weight", (128,)),
        ("logits.conv3d.weight", (400, 1024, 1, 1, 1)),
        ("logits.conv3d.bias", (400,)),
    ],
)
def test_weights_have_the_names_and_shapes_of_the_published_file(on_meta, name, shape):
    assert tuple(on_meta.state_dict()[name].shape) == shape


def test_the_network_is_as_large_as_the_published_one(on_meta):
    assert sum(weights.numel() for weights in on_meta.parameters()) == 12_697_264


def test_a_clip_of_64_frames_gives_seven_steps(on_meta):
    features = on_meta(torch.zeros(2, 3, 64, 224, 224, device="meta"))
    assert features.shape == (2, 1024, 8, 7, 7)
    assert pool_steps(features).shape == (2, 1024, 7)
    assert on_meta.class_scores(features).shape == (2, 400)


def test_padding_is_even_and_the_odd_one_is_at_the_end():
    padded = same_padded(torch.ones(1, 1, 1, 1, 4), (1, 1, 3), (1, 1, 2))
    assert padded.flatten().tolist() == [1, 1, 1, 1, 0]
    padded = same_padded(torch.ones(1, 1, 1, 1, 5), (1, 1, 7), (1, 1, 2))
    assert padded.flatten().tolist() == [0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0]


def test_a_pool_divides_and_rounds_up():
    assert Pool((1, 3, 3), (1, 2, 2))(torch.zeros(1, 1, 2, 7, 8)).shape == (1, 1, 2, 4, 4)


def test_wanted_logits_are_those_of_the_network(checkpoints):
    folder = checkpoints("i3d")
    frames = Frames(np.full((64, 40, 40, 3), 128, np.uint8), np.arange(64) / 25, 2.56)
    network = I3DNetwork("i3d", 400)
    prepared = network.preparer(folder)(Inputs(frames=frames))
    found = network.open(folder, Computing(), "cpu", {"i3d/logits"})([prepared])[0]
    alone = I3D().eval()
    alone.load_state_dict(torch.load(folder / "rgb_imagenet.pt", weights_only=True))
    clip = torch.full((1, 3, 64, 32, 32), 128 / 255 * 2 - 1)
    with torch.inference_mode():
        expected = alone.class_scores(alone(clip))[0].numpy()
    assert np.allclose(found["i3d/logits"], expected, rtol=1e-3, atol=1e-4)


def test_a_file_is_taken_as_it_is(checkpoints):
    path = checkpoints("i3d") / "rgb_imagenet.pt"
    weights = Encoding.parse(path.parent, weights={"i3d": str(path)}).places.find("i3d", None)
    assert weights.folder == path
    I3DNetwork("i3d", 400).open(path, Computing(), "cpu", {"i3d"})


class Trap:
    def __reduce__(self):
        return (print, ("run",))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"Conv3d_1a_7x7.conv3d.weight": torch.zeros(1)}, "is no I3D of 400 classes"),
        ({"a": 1}, "no mapping of names to tensors"),
        (Trap(), "is no file of tensors"),
    ],
)
def test_a_file_of_something_else_is_refused(content, words, tmp_path, capsys):
    torch.save(content, tmp_path / "x.pt", pickle_module=pickle)
    with pytest.raises(CheckpointError, match=words):
        I3DNetwork("i3d", 400).open(tmp_path, Computing(), "cpu", {"i3d"})
    assert "run" not in capsys.readouterr().out
