"""BEATs has the names, the size and the arithmetic of the published network, and its spectra."""

import math
import pickle

import numpy as np
import pytest
import torch
from torch import nn
from transformers.models.wavlm.modeling_wavlm import WavLMAttention

from core.errors import CheckpointError, UsageError
from core.status import Gap
from extract.contract import Inputs
from extract.encoders.beats import BEATsNetwork, loaded, spectra_of, spectrum
from extract.encoders.beats_network import (
    Attention,
    BEATs,
    Layer,
    PositionConvolution,
    Sizes,
    buckets_of,
)
from extract.encoders.encoder import Computing
from extract.encoders.i3d import I3DNetwork
from media.request import Sound

SMALL = Sizes(embedded=12, width=16, layers=2, heads=2, inner=24, reach=8, groups=4, buckets=32)
BIAS = "encoder.layers.{}.self_attn.relative_attention_bias.weight"


def sound(seconds, seed=0):
    noise = np.random.default_rng(seed).normal(0, 0.1, round(seconds * 16_000))
    return Inputs(sound=Sound(noise.astype(np.float32), 16_000))


def network(seed=0):
    """Return a small network whose weights are far from where training begins."""
    torch.manual_seed(seed)
    made = BEATs(SMALL)
    for weights in made.parameters():
        nn.init.normal_(weights, std=0.4)
    return made.eval().requires_grad_(requires_grad=False)


@pytest.fixture
def published(tmp_path):
    """Give a file as it is published: with its configuration, copies of the table, and classes."""
    state = network().state_dict()
    state[BIAS.format(1)] = state[BIAS.format(0)].clone()
    state |= {"predictor.weight": torch.zeros(5, 16), "predictor.bias": torch.zeros(5)}
    cfg = {"deep_norm": True, "max_distance": 800, "finetuned_model": True, "dropout": 0.0}
    content = {"cfg": cfg, "model": state, "label_dict": {0: "/m/09x0r"}}
    torch.save(content, tmp_path / "beats.pt")
    return tmp_path / "beats.pt", content


def refused(content, tmp_path, told):
    torch.save(content, tmp_path / "other.pt")
    with pytest.raises(CheckpointError, match=told):
        loaded(tmp_path / "other.pt", 16)


@pytest.fixture(scope="module")
def on_meta():
    with torch.device("meta"):
        return BEATs(Sizes())


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("patch_embedding.weight", (512, 1, 16, 16)),
        ("layer_norm.weight", (512,)),
        ("post_extract_proj.weight", (768, 512)),
        ("encoder.pos_conv.0.weight_g", (1, 1, 128)),
        ("encoder.pos_conv.0.weight_v", (768, 48, 128)),
        ("encoder.pos_conv.0.bias", (768,)),
        ("encoder.layers.0.self_attn.relative_attention_bias.weight", (320, 12)),
        ("encoder.layers.11.self_attn.grep_linear.weight", (8, 64)),
        ("encoder.layers.11.self_attn.grep_a", (1, 12, 1, 1)),
        ("encoder.layers.3.self_attn.out_proj.bias", (768,)),
        ("encoder.layers.3.self_attn_layer_norm.weight", (768,)),
        ("encoder.layers.3.fc1.weight", (3072, 768)),
        ("encoder.layers.3.final_layer_norm.bias", (768,)),
        ("encoder.layer_norm.bias", (768,)),
    ],
)
def test_weights_have_the_names_and_shapes_of_the_published_file(on_meta, name, shape):
    assert tuple(on_meta.state_dict()[name].shape) == shape


def test_the_network_is_as_large_as_the_published_one_and_its_size_is_read_off(on_meta):
    # patches, their norm and projection; positions, 12 layers, their one table, the norm before
    sums = 512 * 256 + 2 * 512 + 768 * 513, 768 * 48 * 128 + 128 + 768
    layer = 4 * 768 * 769 + 8 * 65 + 12 + 4 * 768 + 3072 * 769 + 768 * 3073
    expected = sum(sums) + 12 * layer + 320 * 12 + 2 * 768
    assert sum(weights.numel() for weights in on_meta.parameters()) == expected == 90_311_792
    assert Sizes.of(on_meta.state_dict()) == Sizes()


def kaldi(samples):
    """Return log-mel energies [frames, 128] as Kaldi's manual tells them, in float64."""

    def mel(hz):
        return 1127 * np.log(1 + hz / 700)

    edges = np.linspace(mel(20), mel(8000), 130)
    bins = mel(np.arange(257) * 16_000 / 512)[:, None]
    up = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    bank = np.clip(np.minimum(up, down), 0, None)
    povey = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 399)) ** 0.85
    rows = []
    for start in range(0, len(samples) - 399, 160):
        frame = samples[start : start + 400].astype(np.float64) * 32_768
        frame -= frame.mean()
        frame -= 0.97 * np.concatenate([frame[:1], frame[:-1]])
        rows.append(np.abs(np.fft.rfft(frame * povey, 512)) ** 2 @ bank)
    return np.log(np.maximum(np.stack(rows), np.finfo(np.float32).eps))


@pytest.mark.parametrize("seconds", [0.2, 1.0])
def test_a_spectrum_is_that_of_a_calculation_by_hand(seconds):
    samples = sound(seconds).sound.samples
    expected = (kaldi(samples) - 15.41663) / (2 * 6.55582)
    found = spectrum(samples)
    assert len(found) == len(expected) // 16 * 16
    assert np.allclose(found, expected[: len(found)], rtol=1e-4, atol=1e-4)


def test_half_a_minute_has_as_many_tokens_as_published():
    assert spectrum(sound(30.0).sound.samples).shape == (187 * 16, 128)


@pytest.mark.parametrize(
    ("distance", "bucket"),
    [(0, 0), (-1, 1), (1, 161), (-79, 79), (79, 239), (-80, 80), (-800, 159), (5000, 319)],
)
def test_near_distances_have_buckets_of_their_own_and_far_ones_share(distance, bucket):
    assert buckets_of(torch.tensor([distance]), 320, 800).tolist() == [bucket]


def test_buckets_are_those_of_the_published_formula():
    wavlm = WavLMAttention(16, 2, num_buckets=320, max_distance=800)
    distances = torch.arange(-1500, 1500)
    expected = wavlm._relative_positions_bucket(distances)
    assert torch.equal(buckets_of(distances, 320, 800), expected)


def test_positions_are_convolved_as_a_weight_normalised_convolution_does():
    made = PositionConvolution(SMALL)
    nn.init.normal_(made.weight_g)
    plain = nn.Conv1d(16, 16, 8, padding=4, groups=4)
    normed = nn.utils.parametrizations.weight_norm(plain, dim=2)
    weights = normed.parametrizations.weight
    weights.original0.data, weights.original1.data = made.weight_g.data, made.weight_v.data
    normed.bias.data = made.bias.data
    tokens = torch.randn(2, 16, 30)
    assert torch.allclose(made(tokens), normed(tokens)[:, :, :-1], atol=1e-6)


def by_hand(made, tokens, positions):
    """Return the attention of tokens [P, D], a head and a query at a time."""
    parts = [layer(tokens) for layer in (made.q_proj, made.k_proj, made.v_proj)]
    heads = []
    for head in range(2):
        query, key, value = (part[:, 8 * head : 8 * head + 8] for part in parts)
        rows = []
        for place, each in enumerate(query):
            numbers = made.grep_linear(each)
            one, two = torch.sigmoid(numbers[:4].sum()), torch.sigmoid(numbers[4:].sum())
            gate = one * (two * made.grep_a[0, head, 0, 0] - 1) + 2
            scores = key @ each / math.sqrt(8) + gate * positions[head, place]
            rows.append(scores.softmax(dim=0) @ value)
        heads.append(torch.stack(rows))
    return made.out_proj(torch.cat(heads, dim=1))


def test_attention_is_that_of_a_calculation_by_hand():
    made = network().encoder.layers[0].self_attn
    assert isinstance(made, Attention)
    tokens, positions = torch.randn(7, 16), torch.randn(2, 7, 7)
    found = made(tokens[None], positions, torch.zeros(1, 7))[0]
    assert torch.allclose(found, by_hand(made, tokens, positions), atol=1e-5)


def test_the_residue_of_a_layer_is_scaled_by_the_depth_of_the_network():
    made = network().encoder.layers[1]
    assert isinstance(made, Layer)
    tokens, positions = torch.randn(7, 16), torch.randn(2, 7, 7)
    scale = 4**0.25  # (2 N) ** (1 / 4) of two layers
    middle = made.self_attn_layer_norm(tokens * scale + by_hand(made.self_attn, tokens, positions))
    inner = made.fc2(nn.functional.gelu(made.fc1(middle)))
    expected = made.final_layer_norm(middle * scale + inner)
    assert torch.allclose(made(tokens[None], positions, torch.zeros(1, 7))[0], expected, atol=1e-4)


def test_padding_changes_nothing_before_it():
    made, spectra = network(), torch.randn(1, 48, 128)
    padded = torch.cat([spectra, torch.full((1, 64, 128), 9.0)], dim=1)
    real = torch.arange(7 * 8)[None] < 3 * 8
    alone = made(spectra, torch.ones(1, 24, dtype=torch.bool))
    assert torch.allclose(made(padded, real)[:, :24], alone, atol=1e-4)


def test_a_published_file_loads_as_it_is(published):
    path, _ = published
    spectra, real = torch.randn(1, 32, 128), torch.ones(1, 16, dtype=torch.bool)
    assert torch.equal(loaded(path, 16)(spectra, real), network()(spectra, real))
    assert torch.equal(loaded(path.parent, 16)(spectra, real), network()(spectra, real))


def test_a_track_is_the_mean_of_its_tokens_window_after_window(published):
    whole = {"beats", "beats/windows", "beats/tokens"}
    forward = BEATsNetwork("beats", 16).open(published[0], Computing(), "cpu", whole)
    batch = [spectra_of(sound(seconds)) for seconds in (12.0, 0.2, 10.4)]
    long, short, rest = forward(batch)
    assert [len(each["beats/tokens"]) for each in (long, short, rest)] == [62 * 8 + 12 * 8, 8, 496]
    assert np.allclose(long["beats"], long["beats/tokens"].mean(axis=0), atol=1e-5)
    assert np.allclose(long["beats/windows"][1], long["beats/tokens"][496:].mean(axis=0), atol=1e-5)
    assert np.allclose(forward(batch[1:2])[0]["beats"], short["beats"], atol=1e-4)


def test_too_little_sound_for_a_patch_is_absent():
    gap = spectra_of(sound(0.17))
    assert isinstance(gap, Gap)
    assert gap.cause == "too-short"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("encoder.layers.1.fc2.bias", None, r"lacks 1: encoder\.layers\.1\.fc2\.bias;"),
        ("encoder.layers.0.fc1.weight", None, r"is no BEATs: 'encoder\.layers\.0\.fc1\.weight'"),
        ("mask_emb", torch.zeros(4), r"has unknown 1: mask_emb;"),
        ("encoder.layer_norm.bias", torch.zeros(4), r"of another shape 1: encoder\.layer_norm"),
        (BIAS.format(1), torch.zeros(32, 2), r"layers\.1\..* differs from that of the first layer"),
    ],
)
def test_a_file_of_other_names_or_shapes_is_refused(name, value, told, published, tmp_path):
    content = published[1]
    del content["model"][name if value is None else "predictor.bias"]
    content["model"] |= {} if value is None else {name: value}
    refused(content, tmp_path, told)


@pytest.mark.parametrize(
    ("cfg", "told"),
    [
        ({"deep_norm": False, "layer_norm_first": True}, "has deep_norm=False instead of True, l"),
        ({"activation_fn": "glu"}, "activation_fn='glu' instead of 'gelu'"),
        (["deep_norm"], "the cfg in .* is no mapping"),
    ],
)
def test_a_configuration_of_another_network_is_refused(cfg, told, published, tmp_path):
    refused(published[1] | {"cfg": cfg}, tmp_path, told)


def test_another_width_is_refused(published):
    with pytest.raises(CheckpointError, match="is 16 wide on patches of 16, but 768 on 16"):
        loaded(published[0], 768)


def test_a_pickle_is_refused_and_not_run(tmp_path):
    path = tmp_path / "beats.pt"
    path.write_bytes(pickle.dumps({"model": Sizes()}))
    with pytest.raises(CheckpointError, match="is no file of tensors"):
        loaded(path, 16)


@pytest.mark.parametrize("network", [BEATsNetwork("beats", 16), I3DNetwork("i3d", 400)])
def test_a_network_that_bitsandbytes_does_not_load_is_not_quantised(network, tmp_path):
    with pytest.raises(UsageError, match=f"{network.whole} cannot be quantised"):
        network.open(tmp_path, Computing(quantize="int8"), "cpu", {network.whole})
