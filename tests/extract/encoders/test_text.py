"""A text's vector is what the published model and tokenizer give for that text alone."""

import json
import shutil

import numpy as np
import pytest
import torch
from torch.nn.modules.module import register_module_forward_hook
from transformers import AutoModel, AutoTokenizer

from core.errors import CheckpointError
from corpus.sample import Sample
from extract.catalog import resolve
from extract.contract import Inputs
from extract.encoders.encoding import Encoding
from extract.encoders.text import Reading, reading_of
from extract.sample_job import SampleJob, SampleTask

TEXTS = ["cats", "word cats word", "a much longer text of many words " * 40, "!"]


def encoder(family, folder, features=("",)):
    encoding = Encoding.parse(folder.parent, weights={family: str(folder)}, dtype="float32")
    names = [f"{family}:title{feature}" for feature in features]
    made = resolve(names, parts=["text:title"], encoding=encoding).extractors[0].fetch()
    made.load(lambda: "cpu")
    return made


def forward(extractor, texts):
    job = SampleJob([extractor])
    tasks = [SampleTask(0, Sample("x", text={"title": text}), (0,)) for text in texts]
    return extractor.forward([job(task).prepared[0] for task in tasks])


def published(folder, text, tokens):
    model = AutoModel.from_pretrained(folder).eval()
    words = AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        return model(**words(text, truncation=True, max_length=tokens, return_tensors="pt"))


POOLED = {
    "mbert": lambda output: output.pooler_output[0],
    "text": lambda output: output.last_hidden_state[0].mean(dim=0),
    "e5": lambda output: torch.nn.functional.normalize(
        output.last_hidden_state[0].mean(dim=0), dim=0
    ),
    "qwen3embedding": lambda output: torch.nn.functional.normalize(
        output.last_hidden_state[0, -1], dim=0
    ),
}


@pytest.mark.parametrize("family", POOLED)
def test_a_vector_is_the_published_one_of_that_text_alone(family, checkpoints):
    folder = checkpoints(family)
    extractor = encoder(family, folder)
    reading = extractor.network.reading
    for text, found in zip(TEXTS, forward(extractor, TEXTS), strict=True):
        output = published(folder, reading.prefix + text, min(reading.tokens, 512))
        expected = POOLED[family](output).numpy()
        assert np.allclose(found[f"{family}:title"], expected, rtol=1e-3, atol=1e-5)


def test_tokens_and_mean_are_of_the_same_pass(checkpoints):
    extractor = encoder("mbert", checkpoints("mbert"), ("", "/mean", "/tokens"))
    for values in forward(extractor, TEXTS):
        tokens = values["mbert:title/tokens"]
        assert len(tokens) <= 64
        assert np.allclose(values["mbert:title/mean"], tokens.mean(axis=0), atol=1e-5)


@pytest.mark.parametrize("family", ["qwen3embedding", "text"])
def test_a_decoder_keeps_no_keys_and_values_for_words_to_come(family, checkpoints):
    folder, kept = checkpoints("qwen3embedding"), []
    extractor = encoder(family, folder)
    hook = register_module_forward_hook(lambda module, given, output: kept.append(output))
    forward(extractor, TEXTS[:1])
    hook.remove()
    assert [each.past_key_values for each in kept if hasattr(each, "past_key_values")] == [None]


@pytest.mark.parametrize("family", POOLED)
def test_half_an_emoji_at_the_end_of_a_text_is_a_sign_that_nobody_knows(family, checkpoints):
    found, expected = forward(encoder(family, checkpoints(family)), ["cats \ud83d", "cats \ufffd"])
    close = {"rtol": 1e-4, "atol": 1e-6}  # threads sum the rows of a batch in orders of their own
    assert np.allclose(found[f"{family}:title"], expected[f"{family}:title"], **close)


def test_each_field_is_a_feature_of_its_own(checkpoints):
    encoding = Encoding.parse(checkpoints("mbert"), weights={"mbert": str(checkpoints("mbert"))})
    parts = ["text:title", "text:category"]
    request = resolve(["mbert"], parts=parts, encoding=encoding)
    assert request.features == ("mbert:title", "mbert:category")
    assert [extractor.reads for extractor in request.extractors] == [(part,) for part in parts]


def test_a_folder_of_sentence_transformers_says_how_it_is_read(checkpoints, tmp_path):
    folder = shutil.copytree(checkpoints("text"), tmp_path / "st")
    files = {
        "1_Pooling/config.json": {"pooling_mode_cls_token": True},
        "sentence_bert_config.json": {"max_seq_length": 77},
        "modules.json": [{"type": "sentence_transformers.models.Normalize"}],
        "config_sentence_transformers.json": {
            "prompts": {"query": "search: "},
            "default_prompt_name": "query",
        },
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    weights = encoder("text", folder).weights
    assert reading_of(weights) == Reading("first", 77, "search: ", normalise=True)


def test_capitals_are_made_small_where_a_folder_says_so(checkpoints, tmp_path):
    folder = shutil.copytree(checkpoints("text"), tmp_path / "st")
    whole = encoder("text", folder)
    said(folder, "sentence_bert_config.json", {"do_lower_case": True})
    small = encoder("text", folder)
    read = [each.prepare(Inputs(text={"title": "Two CATS"}))["text"] for each in (whole, small)]
    assert read == ["Two CATS", "two cats"]
    assert [each.specs[0].recipe.get("lower") for each in (whole, small)] == [None, True]


@pytest.mark.parametrize(("limit", "tokens"), [(77, 77), (10**30, 512), (None, 512)])
def test_a_length_that_newer_folders_leave_to_the_tokenizer_holds(
    limit, tokens, checkpoints, tmp_path
):
    folder = shutil.copytree(checkpoints("text"), tmp_path / "st")
    said(folder, "modules.json", [{"type": "sentence_transformers.base.modules.Transformer"}])
    said(folder, "tokenizer_config.json", {"model_max_length": limit})
    assert reading_of(encoder("text", folder).weights).tokens == tokens


def said(folder, file, content):
    (folder / file).parent.mkdir(exist_ok=True)
    (folder / file).write_text(json.dumps(content))


POOLING, DENSE = "1_Pooling/config.json", "sentence_transformers.models.Dense"
OTHERS = {
    "Dense, which": ("modules.json", [{"type": DENSE}]),
    "pooling_mode_max_tokens, which": (POOLING, {"pooling_mode_max_tokens": True}),
    "weightedmean, which": (POOLING, {"pooling_mode": "weightedmean"}),
    "mean and cls, which": (POOLING, {"pooling_mode": ["mean", "cls"]}),
    "include_prompt false": (POOLING, {"pooling_mode": "mean", "include_prompt": False}),
}


@pytest.mark.parametrize("told", OTHERS)
def test_a_folder_that_does_what_is_not_done_here_is_refused(told, checkpoints, tmp_path):
    folder = shutil.copytree(checkpoints("text"), tmp_path / "st")
    said(folder, *OTHERS[told])
    with pytest.raises(CheckpointError, match=f"text: .*{told}.* --weights text=FOLDER"):
        encoder("text", folder)


@pytest.mark.parametrize(("mode", "pooling"), [("cls", "first"), ("lasttoken", "last")])
def test_a_folder_of_newer_sentence_transformers_is_understood(
    mode, pooling, checkpoints, tmp_path
):
    folder = shutil.copytree(checkpoints("text"), tmp_path / "st")
    said(folder, POOLING, {"embedding_dimension": 32, "pooling_mode": mode})
    assert encoder("text", folder).network.reading.pooling == pooling


def test_a_longer_limit_is_another_feature(checkpoints, tmp_path):
    folder = shutil.copytree(checkpoints("text"), tmp_path / "st")
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 77}')
    one, other = encoder("text", checkpoints("text")), encoder("text", folder)
    assert one.specs[0].recipe["tokens"] == 256
    assert one.specs[0].fingerprint != other.specs[0].fingerprint
