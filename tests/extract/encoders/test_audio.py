"""A window's spectrum is the published feature extractor's, a track's vector the model's."""

import warnings

import numpy as np
import pytest
import torch
from transformers import (
    ASTFeatureExtractor,
    AutoModel,
    ClapFeatureExtractor,
    WhisperFeatureExtractor,
)

from core.status import Gap
from extract.contract import Inputs
from extract.encoders.audio import EARS, AudioNetwork
from extract.encoders.encoder import Computing
from media.request import Sound

PUBLISHED = {"ast": ASTFeatureExtractor, "clap": ClapFeatureExtractor}
PUBLISHED |= {"whisper": WhisperFeatureExtractor}
NAMES = {"ast": "input_values", "clap": "input_features", "whisper": "input_features"}


def sound(ear, seconds, seed=0):
    """Return noise that swells and fades, as a sound of that rate."""
    rate_hz = EARS[ear].rate_hz
    count = round(seconds * rate_hz)
    swell = np.sin(np.arange(count) / rate_hz * 3) ** 2
    noise = np.random.default_rng(seed).normal(0, 0.1, count)
    return Sound((noise * swell).astype(np.float32), rate_hz)


def published(ear, folder, samples):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        extractor = PUBLISHED[ear].from_pretrained(folder)
        given = extractor(samples, sampling_rate=EARS[ear].rate_hz, return_tensors="np")
    return given[NAMES[ear]]


@pytest.mark.parametrize("seconds", [0.5, 3.3, 10.0])
@pytest.mark.parametrize("ear", EARS)
def test_a_spectrum_is_that_of_the_published_extractor(ear, seconds, checkpoints):
    track = AudioNetwork(ear, ear, ear).preparer(checkpoints(ear))
    given = sound(ear, seconds)
    found = track(Inputs(sound=given))["spectra"]
    expected = published(ear, checkpoints(ear), given.samples)
    assert found.shape == expected.shape
    assert np.allclose(found, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("ear", "seconds", "shares"),
    [
        ("ast", 5.12, [0.5]),
        ("ast", 10.5, [1.0]),  # 0.26 s more are not worth a window
        ("ast", 15.36, [1.0, 0.5]),
        ("clap", 25.0, [1.0, 1.0, 0.5]),
        ("whisper", 45.0, [1.0, 0.5]),
    ],
)
def test_windows_follow_each_other_and_the_rest_counts_by_its_length(
    ear, seconds, shares, checkpoints
):
    track = AudioNetwork(ear, ear, ear).preparer(checkpoints(ear))
    assert track(Inputs(sound=sound(ear, seconds)))["shares"].tolist() == shares


@pytest.mark.parametrize("ear", EARS)
def test_a_vector_is_that_of_the_published_model(ear, checkpoints):
    folder, given = checkpoints(ear), sound(ear, 10.0)
    network = AudioNetwork(ear, ear, ear)
    prepared = network.preparer(folder)(Inputs(sound=given))
    found = network.open(folder, Computing(), "cpu", {ear})([prepared])[0][ear]
    model = AutoModel.from_pretrained(folder).eval()
    spectra = torch.from_numpy(published(ear, folder, given.samples)).float()
    with torch.inference_mode():
        if ear == "ast":
            expected = model(input_values=spectra).pooler_output[0]
        elif ear == "clap":
            expected = model.get_audio_features(input_features=spectra).pooler_output[0]
        else:
            expected = model.encoder(spectra).last_hidden_state[0, :500].mean(dim=0)
    assert np.allclose(found, expected.numpy(), rtol=1e-3, atol=1e-4)


def test_what_comes_after_the_sound_says_nothing_to_whisper(checkpoints):
    network = AudioNetwork("whisper", "whisper", "whisper")
    folder = checkpoints("whisper")
    forward = network.open(folder, Computing(), "cpu", {"whisper"})
    prepared = network.preparer(folder)(Inputs(sound=sound("whisper", 3.0)))
    assert prepared["shares"].tolist() == [pytest.approx(0.1)]
    changed = {**prepared, "shares": np.ones(1, np.float32)}
    one, other = (forward([each])[0]["whisper"] for each in (prepared, changed))
    assert not np.allclose(one, other)


@pytest.mark.parametrize("ear", EARS)
def test_too_little_sound_is_absent(ear, checkpoints):
    track = AudioNetwork(ear, ear, ear).preparer(checkpoints(ear))
    gap = track(Inputs(sound=sound(ear, 0.05)))
    assert isinstance(gap, Gap)
    assert gap.cause == "too-short"
