"""The published network of SMTPD as a model of a table's features.

    image     embeddings of pictures, video or sound, side by side
    texts     features of texts, each a field, mixed by learned weights
    numbers   the table's own, and the observed days, at least one: 0 without any
    category  the first category of the table; the 15 most frequent values of the train rows
    language  `language:FIELD`: English, Chinese, Korean, Japanese, Hindi, Russian, other

Columns are scaled by train rows. What a row lacks is 0, the train mean, as in the published code:
the network has no flags. That is one of the things that ours does otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from cache.gather import is_meta
from cache.table import FeatureTable
from cache.taking import specs_of
from heads.networks.inputs import Inputs
from heads.networks.smtpd_network import CATEGORIES, Parts, Shape, SmtpdNetwork
from heads.networks.stored import Stored

_LANGUAGES = ("en", "zh", "ko", "ja", "hi", "ru")


@dataclass(frozen=True)
class Words:
    """Features that hold words, and the words with a number of their own, from 1."""

    category: str
    categories: tuple[str, ...]
    language: str

    def to_json(self) -> dict[str, Any]:
        return {
            "category": self.category,
            "categories": list(self.categories),
            "language": self.language,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Words:
        return cls(value["category"], tuple(value["categories"]), value["language"])

    def numbers(self, table: FeatureTable) -> torch.Tensor:
        """Return category and language of each row, int64 [N, 2]; 0 is another, or none."""
        found = np.zeros((len(table), 2), np.int64)
        named = (self.category, self.categories), (self.language, _LANGUAGES)
        for place, (name, words) in enumerate(named):
            if name:
                index = {word: number for number, word in enumerate(words, start=1)}
                values = table.columns[name].values.tolist()
                found[:, place] = [index.get(value, 0) for value in values]
        return torch.from_numpy(found)


class SmtpdModel:
    """One network, told in the table's own unit."""

    unit = 1.0

    def __init__(self, inputs: Inputs, words: Words, observed: tuple[str, ...], days: int) -> None:
        self._inputs, self._words = inputs, words
        blocks = inputs.design.blocks
        roles = [_role(block.kind, block.spec.name, block.spec.reads, observed) for block in blocks]
        self._roles = roles
        of = {
            role: [width for each, width in zip(roles, inputs.widths, strict=True) if each == role]
            for role in ("image", "text", "number", "observed")
        }
        self.shape = Shape(
            image=sum(of["image"]),
            texts=len(of["text"]),
            text=max(of["text"], default=0),
            numbers=len(of["number"]) + max(1, len(of["observed"])),
            days=days,
        )
        self.network = SmtpdNetwork(self.shape)

    def reading(self, table: FeatureTable) -> Callable[[torch.Tensor], Parts]:
        """Return what gives the batch of some rows of a table, int64 [B]."""
        stored, words = Stored(self._inputs, table), self._words.numbers(table)

        def rows(wanted: torch.Tensor) -> Parts:
            values, _ = stored.rows(wanted)
            return self._parts(values, words[wanted])

        return rows

    def curves(self, parts: Parts) -> torch.Tensor:
        """Return the curves, [1, B, T]."""
        curves: torch.Tensor = self.network(parts)[None]
        return curves

    def _parts(self, values: torch.Tensor, words: torch.Tensor) -> Parts:
        of: dict[str, list[torch.Tensor]] = {"image": [], "text": [], "number": [], "observed": []}
        pieces = torch.split(values, self._inputs.widths, dim=1)
        for role, piece in zip(self._roles, pieces, strict=True):
            if role in {"number", "observed"}:
                piece = piece[:, -1:]  # of a skewed number its logarithm alone, as published
            if role:
                of[role].append(piece)
        nothing = values.new_zeros(len(values), 0)
        texts = [functional.pad(t, (0, self.shape.text - t.shape[1])) for t in of["text"]]
        given = torch.cat([nothing, *of["number"], *of["observed"]], dim=1)
        return Parts(
            image=torch.cat([nothing, *of["image"]], dim=1),
            text=torch.stack(texts, dim=1) if texts else nothing[:, :, None],
            numbers=functional.pad(given, (0, self.shape.numbers - given.shape[1])),
            category=words[:, 0],
            language=words[:, 1],
        )

    def words(self) -> dict[str, Any]:
        return self._words.to_json()

    def arrays(self) -> dict[str, np.ndarray]:
        return {}


def fit_words(train: FeatureTable) -> Words:
    """Find the features that hold words, and which words are frequent in train rows."""
    texts = [spec.name for spec in specs_of(train.columns) if spec.is_text]
    category = next((name for name in texts if is_meta(name)), "")
    language = next((name for name in texts if name.partition(":")[0] == "language"), "")
    counts: Counter[str] = Counter()
    if category:
        column = train.columns[category]
        counts.update(column.values[column.present].tolist())
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return Words(category, tuple(word for word, _ in ranked[: CATEGORIES - 1]), language)


def _role(kind: str, name: str, reads: Sequence[str], observed: tuple[str, ...]) -> str:
    """Return which part of the network reads a feature; "" for words."""
    if name in observed:
        return "observed"
    if is_meta(name):
        return "" if kind == "categories" else "number"
    if kind == "categories":
        return ""
    return "text" if all(part.startswith("text:") for part in reads) else "image"
