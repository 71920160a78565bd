"""Text encoders of transformers on one field of text: mBERT, e5, Qwen3-Embedding, any folder.

`mbert:title` is one vector float16 [D]; `mbert:title/mean` the mean over the tokens, and
`mbert:title/tokens` float16 [token, D] what each token gives, both on request. How a checkpoint's
one vector is made is a fact of its row: "pooler" (BERT's tanh layer, as SMTPD uses it), "mean",
"first" or "last" token. A folder of the sentence-transformers kind says it itself, and its prompt,
length and normalisation too. Padding is masked everywhere: a text's vector does not depend on the
others of its batch.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cache.spec import FeatureSpec
from core.errors import CheckpointError
from extract.contract import Inputs, Value
from extract.encoders.checkpoint import Weights
from extract.encoders.chosen import arrays, choose, hidden_size
from extract.encoders.encoder import Batch, Computing, Encoder, Forward, Prepare
from extract.encoders.encoding import Encoding
from extract.family import Family

if TYPE_CHECKING:
    import numpy as np
    import torch

VERSION = 1
APPETITE = 16  # texts are small: sorting 128 of them by length spares most of the padding
TOGETHER = 32  # texts in one pass through the model
POOLINGS = ("pooler", "mean", "first", "last")
_MODES = {  # of sentence-transformers' 1_Pooling/config.json, by older versions and by newer ones
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "first",
    "pooling_mode_lasttoken": "last",
    "mean": "mean",
    "cls": "first",
    "lasttoken": "last",
}
_MODULES = ("Transformer", "Pooling", "Normalize")  # of its modules.json: what is done here


@dataclass(frozen=True)
class Reading:
    """How a text becomes a vector.

    pooling    one of `POOLINGS`
    tokens     the most that are read of a text, the model's own marks among them
    prefix     words before every text, which some models were trained with
    normalise  whether vectors have length 1
    lower      whether capital letters are made small before the tokenizer sees them
    """

    pooling: str = "mean"
    tokens: int = 256
    prefix: str = ""
    normalise: bool = False
    lower: bool = False

    def recipe(self) -> dict[str, Any]:
        """Return what decides a vector, for a feature's recipe; older ones had no `lower`."""
        return {name: fact for name, fact in vars(self).items() if name != "lower" or fact}


def extractor(
    name: str,
    row: Family,
    encoding: Encoding,
    *,
    field: str,
    upstream: FeatureSpec | None = None,
) -> Encoder:
    """Return the encoder of a field of text, or of the texts that another feature gives."""
    chosen = choose(name, row, encoding)
    reading = Reading(**row.facts) if row.checkpoint else reading_of(chosen.weights)
    width = chosen.width(hidden_size())
    recipe = chosen.recipe("encoders.text", VERSION, **reading.recipe())
    if upstream is not None:
        told = {"fingerprint": upstream.fingerprint, "recipe": dict(upstream.recipe)}
        recipe["after"] = {upstream.name: told}
    whole = f"{name}:{field}"
    dims: dict[str, tuple[int | str, ...]] = {whole: (width,)}
    if reading.pooling != "mean":
        dims[f"{whole}/mean"] = (width,)
    dims[f"{whole}/tokens"] = ("token", width)
    reads = upstream.reads if upstream else (f"text:{field}",)
    return chosen.encoder(
        TextNetwork(field, whole, reading),
        arrays(dims, reads, recipe),
        after=(upstream,) if upstream else (),
        appetite=APPETITE,
    )


def reading_of(weights: Weights) -> Reading:
    """Return how a folder says that it is to be read; one that says nothing: the mean of 256.

    Raises:
        CheckpointError: if it does what is not done here.
    """
    folder = weights.fetched().folder
    assert folder is not None
    types = [str(each.get("type", "")) for each in _stated(folder / "modules.json", kind=list)]
    modules = [each.rpartition(".")[2] for each in types]
    if others := [name for name in modules if name not in _MODULES]:
        raise _other(weights, "modules.json", ", ".join(others), ", ".join(_MODULES))
    words = _stated(folder / "config_sentence_transformers.json")
    prompts, chosen = words.get("prompts") or {}, words.get("default_prompt_name")
    return Reading(
        pooling=_pooling_of(weights, folder / "1_Pooling" / "config.json"),
        tokens=_length_of(folder),
        prefix=str(prompts.get(chosen, "")),
        normalise="Normalize" in modules,
        lower=_stated(folder / "sentence_bert_config.json").get("do_lower_case") is True,
    )


def _length_of(folder: Path) -> int:
    """Return the most tokens of a text; newer sentence-transformers leave it to other files."""
    length = _stated(folder / "sentence_bert_config.json").get("max_seq_length")
    if length or not (folder / "modules.json").is_file():
        return int(length or Reading.tokens)
    limits = (
        _stated(folder / "tokenizer_config.json").get("model_max_length"),
        _stated(folder / "config.json").get("max_position_embeddings"),
    )
    return min((int(limit) for limit in limits if limit), default=Reading.tokens)


def _pooling_of(weights: Weights, path: Path) -> str:
    stated = _stated(path)
    given = stated.get("pooling_mode") or [
        mode for mode, chosen in stated.items() if mode.startswith("pooling_mode_") and chosen
    ]
    modes = [given] if isinstance(given, str) else given or ["mean"]
    if len(modes) > 1 or modes[0] not in _MODES:
        raise _other(
            weights, "1_Pooling/config.json", " and ".join(modes), "mean, cls or lasttoken"
        )
    if stated.get("include_prompt") is False:
        raise _other(weights, "1_Pooling/config.json", "include_prompt false", "true")
    return _MODES[modes[0]]


def _other(weights: Weights, file: str, found: str, expected: str) -> CheckpointError:
    return CheckpointError(
        f"{weights.family}: {weights.folder}/{file} has {found}, which this version does not "
        f"apply; expected {expected}; name another: --weights {weights.family}=FOLDER"
    )


def _stated(path: Path, kind: type = dict) -> Any:
    """Return the content of a file that a checkpoint may have; empty where it has none."""
    if not path.is_file():
        return kind()
    content = json.loads(path.read_text(encoding="utf-8"))
    return content if isinstance(content, kind) else kind()


@dataclass(frozen=True)
class TextNetwork:
    """A text through a language model; `whole` is the name of its one vector."""

    field: str
    whole: str
    reading: Reading

    def preparer(self, folder: Path) -> Prepare:
        """Return what puts the prefix before a text."""
        return self._prefixed

    def _prefixed(self, inputs: Inputs) -> Mapping[str, Any]:
        text = inputs.upstream[self.field] if inputs.upstream else inputs.text[self.field]
        text = self.reading.prefix + text
        return {"text": text.lower() if self.reading.lower else text}

    def open(
        self, folder: Path, computing: Computing, device: str, wanted: Collection[str]
    ) -> Forward:
        """Load the language model and its tokenizer."""
        from transformers import AutoModel, AutoTokenizer

        from extract.encoders.model import load_model

        unused = "" if self.reading.pooling == "pooler" else r"(^|\.)pooler\."
        model = load_model(AutoModel, folder, computing, device, unused=unused)
        model.config.get_text_config().use_cache = False  # keys and values for words to come
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        tokenizer.padding_side = "right"
        tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token

        def forward(batch: Batch) -> list[dict[str, Value]]:
            texts = [sample["text"] for sample in batch]
            order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
            values: list[dict[str, Value]] = [{} for _ in texts]
            for start in range(0, len(order), TOGETHER):
                chosen = order[start : start + TOGETHER]
                tokens = tokenizer(
                    [texts[index] for index in chosen],
                    padding=True,
                    truncation=True,
                    max_length=self.reading.tokens,
                    return_tensors="pt",
                ).to(device)
                for index, value in zip(chosen, self._values(model, tokens, wanted), strict=True):
                    values[index] = value
            return values

        return forward

    def _values(self, model: Any, tokens: Any, wanted: Collection[str]) -> list[dict[str, Value]]:
        output, mask = model(**tokens), tokens["attention_mask"]
        last = output.last_hidden_state.float()  # [texts, tokens, D]
        named = {
            self.whole: _pooled(self.reading, output, last, mask),
            f"{self.whole}/mean": _mean(last, mask),
        }
        vectors = {name: _array(value) for name, value in named.items() if name in wanted}
        rows: list[dict[str, Value]] = [
            {name: value[row] for name, value in vectors.items()} for row in range(len(mask))
        ]
        if (name := f"{self.whole}/tokens") in wanted:
            lengths, each = mask.sum(dim=1).tolist(), _array(last)
            for row, length in enumerate(lengths):
                rows[row][name] = each[row, :length]
        return rows


def _pooled(reading: Reading, output: Any, last: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return one vector for each text, float [texts, D]."""
    import torch

    if reading.pooling == "pooler":
        vectors = output.pooler_output.float()
    elif reading.pooling == "mean":
        vectors = _mean(last, mask)
    elif reading.pooling == "first":
        vectors = last[:, 0]
    else:
        vectors = last[torch.arange(len(last), device=last.device), mask.sum(dim=1) - 1]
    return torch.nn.functional.normalize(vectors, dim=1) if reading.normalise else vectors


def _mean(last: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the mean over real tokens, float [texts, D]."""
    weights = mask.unsqueeze(2).to(last.dtype)
    return (last * weights).sum(dim=1) / weights.sum(dim=1)


def _array(values: torch.Tensor) -> np.ndarray:
    array: np.ndarray = values.cpu().numpy()
    return array
