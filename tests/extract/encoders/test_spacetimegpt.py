"""SpaceTimeGPT has the size of the published model, and says what its own beam search says."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import (
    AutoTokenizer,
    GPT2Config,
    TimesformerConfig,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
)

from core.errors import CheckpointError, UsageError
from extract.catalog import resolve
from extract.contract import Inputs
from extract.encoders.captions import Length
from extract.encoders.encoder import Computing
from extract.encoders.encoding import Encoding
from extract.encoders.spacetimegpt import LENGTH, CaptionNetwork
from media.request import Frames
from media.sampling import plan

NAMES = {"spacetimegpt", "spacetimegpt/caption"}


def clip(seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 40, 60, 3), np.uint8)
    return Inputs(frames=Frames(pixels, np.arange(8) / 8, 1.0))


def values(folder, inputs, *, wanted=NAMES, length=LENGTH):
    network = CaptionNetwork("spacetimegpt", "spacetimegpt", length)
    batch = [network.preparer(folder)(each) for each in inputs]
    return batch, network.open(folder, Computing(), "cpu", wanted)(batch)


def published(folder):
    return VisionEncoderDecoderModel.from_pretrained(folder).eval()


def pixels_of(prepared, folder):
    steps = CaptionNetwork("spacetimegpt", "spacetimegpt").preparer(folder).steps
    return steps.normalise(torch.from_numpy(prepared["pixels"]), torch.float32)[None]


def said(folder, pixels, **beams):
    """Return the tokens of the published model's own search, and them as words."""
    with torch.inference_mode():
        tokens = published(folder).generate(pixel_values=pixels, do_sample=False, **beams)[0]
    words = AutoTokenizer.from_pretrained(folder).decode(tokens, skip_special_tokens=True)
    return tokens, " ".join(words.split())


def test_the_model_is_as_large_as_the_published_one():
    told = GPT2Config(add_cross_attention=True, is_decoder=True)
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(TimesformerConfig(), told)
    with torch.device("meta"):
        model = VisionEncoderDecoderModel(config=config)
    assert sum(weights.numel() for weights in model.parameters()) == 274_065_408


def test_frames_are_the_starts_of_eight_equal_parts():
    made = resolve(["spacetimegpt"], parts=["video"], encoding=Encoding()).extractors[0]
    long, short = np.arange(240) / 30, np.arange(5) / 30
    assert plan(made.frames, long).tolist() == [0, 30, 60, 90, 120, 150, 180, 210]
    assert plan(made.frames, short).tolist() == [0, 0, 1, 1, 2, 3, 3, 4]


def test_values_are_those_of_the_published_model(checkpoints):
    folder = checkpoints("spacetimegpt")
    batch, found = values(folder, [clip()])
    pixels = pixels_of(batch[0], folder)
    with torch.inference_mode():
        vector = published(folder).encoder(pixel_values=pixels).last_hidden_state[0, 0].numpy()
    beams = {"num_beams": 8, "min_length": 10, "max_length": 20, "early_stopping": True}
    assert np.allclose(found[0]["spacetimegpt"], vector, rtol=1e-3, atol=1e-5)
    assert found[0]["spacetimegpt/caption"] == said(folder, pixels, **beams)[1]


def test_captions_of_a_batch_are_those_of_each_clip_alone(checkpoints):
    clips = [clip(seed) for seed in range(3)]
    _, together = values(checkpoints("spacetimegpt"), clips)
    for each, found in zip(clips, together, strict=True):
        _, alone = values(checkpoints("spacetimegpt"), [each])
        assert alone[0]["spacetimegpt/caption"] == found["spacetimegpt/caption"]


@pytest.mark.parametrize(("least", "most"), [(3, 6), (12, 12), (30, 40)])
def test_a_caption_is_as_long_as_it_must_and_may_be(least, most, checkpoints):
    folder, length = checkpoints("spacetimegpt"), Length(beams=2, least=least, most=most)
    batch, found = values(folder, [clip()], length=length)
    beams = {"num_beams": 2, "min_length": least, "max_length": most, "early_stopping": True}
    tokens, words = said(folder, pixels_of(batch[0], folder), **beams)
    assert least <= len(tokens) <= most
    assert found[0]["spacetimegpt/caption"] == words


def test_a_length_is_of_the_caption_only():
    parts, other = ["video"], Encoding(length={"beams": 1})
    one, two = (resolve(sorted(NAMES), parts=parts, encoding=e).specs for e in (Encoding(), other))
    assert [a.fingerprint == b.fingerprint for a, b in zip(one, two, strict=True)] == [True, False]


@pytest.mark.parametrize(
    "wrong", [{"beams": 0}, {"least": 21}, {"most": 0, "least": 0}, {"most": 513}]
)
def test_a_length_that_no_text_has_is_refused(wrong):
    with pytest.raises(UsageError, match="cannot be written"):
        replace(LENGTH, **wrong)


def test_the_language_model_is_not_kept_where_nobody_wants_a_caption(checkpoints):
    network = CaptionNetwork("spacetimegpt", "spacetimegpt")
    folder, loaded = checkpoints("spacetimegpt"), []
    hook = torch.nn.modules.module.register_module_forward_hook(
        lambda module, *_: loaded.append(type(module).__name__)
    )
    try:
        forward = network.open(folder, Computing(), "cpu", {"spacetimegpt"})
        forward([network.preparer(folder)(clip())])
    finally:
        hook.remove()
    assert "TimesformerModel" in loaded
    assert not any(name.startswith("GPT2") for name in loaded)


def test_a_checkpoint_without_a_tokenizer_says_what_to_do(checkpoints, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    folder = shutil.copytree(checkpoints("spacetimegpt"), tmp_path / "w")
    for path in folder.glob("tokenizer*"):
        path.unlink()
    with pytest.raises(CheckpointError, match=r"hf download openai-community/gpt2 --revision"):
        values(folder, [clip()])
