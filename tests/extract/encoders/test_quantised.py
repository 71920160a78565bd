"""int8 is of the weights: neighbours change nothing, and large values cost no precision."""

import pytest
import torch
from torch import nn
from transformers import AutoModel

from extract.catalog import resolve
from extract.encoders.encoder import Computing
from extract.encoders.encoding import Encoding
from extract.encoders.model import load_model


@pytest.fixture
def folder(checkpoints):
    return checkpoints("mbert")


def model(folder, mode):
    return load_model(AutoModel, folder, Computing(quantize=mode), "cpu", unused="pooler")


def layer(folder, mode):
    """Return a linear layer of a tiny checkpoint."""
    return next(each for each in model(folder, mode).modules() if isinstance(each, nn.Linear))


def activations(fifth):
    """Return what comes into it, [2, 20, 32], the fifth channel as told."""
    values = torch.randn(2, 20, 32, generator=torch.Generator().manual_seed(0))
    values[..., 5] = fifth
    return values


def test_what_comes_in_beside_it_changes_nothing(folder):
    quantised, given = layer(folder, "int8"), activations(3)
    together = quantised(torch.cat([given, activations(60)]))
    assert torch.allclose(quantised(given), together[:2], rtol=1e-5, atol=1e-6)


def test_large_values_cost_the_others_no_precision(folder):
    whole, quantised = layer(folder, "none"), layer(folder, "int8")
    small, large = activations(0), activations(60)
    expected = whole(small) - whole(torch.zeros(32))
    found = quantised(large) - quantised(large * (torch.arange(32) == 5))
    assert (found - expected).norm() < 0.01 * expected.norm()


def test_a_text_with_large_values_is_alone_as_among_others(folder):
    quantised = model(folder, "int8")
    for part in quantised.modules():
        if isinstance(part, nn.LayerNorm):
            part.weight *= 2.5  # so that some of what it gives is above 6
    texts = torch.arange(5, 85).reshape(4, 20) % 60
    alone = [quantised(text[None]).last_hidden_state[0] for text in texts]
    together = quantised(texts).last_hidden_state
    assert torch.allclose(torch.stack(alone), together, rtol=1e-4, atol=1e-5)


def test_int8_takes_a_byte_for_each_weight(folder):
    quantised = layer(folder, "int8")
    quantised(activations(3))
    assert (quantised.weight.dtype, quantised.weight.numel()) == (torch.int8, 32 * 32)


def test_a_recipe_says_that_int8_is_of_the_weights_alone(folder, tmp_path):
    whole, short = (
        resolve(
            ["mbert:title"],
            parts=["text:title"],
            encoding=Encoding.parse(tmp_path, weights={"mbert": str(folder)}, quantize=mode),
        ).specs[0]
        for mode in ("none", "int8")
    )
    assert short.recipe["int8"] == "weights"
    assert "int8" not in whole.recipe


def test_nf4_takes_layers_that_fit_no_block_of_the_cpu(checkpoints):
    whole, quantised = (
        load_model(AutoModel, checkpoints("clap"), Computing(quantize=mode), "cpu")
        for mode in ("none", "nf4")
    )
    spectra = torch.randn(2, 1, 1001, 64, generator=torch.Generator().manual_seed(0))
    found, expected = (
        each.get_audio_features(input_features=spectra).pooler_output for each in (quantised, whole)
    )
    assert torch.cosine_similarity(found, expected).min() > 0.8
