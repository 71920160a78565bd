"""The published network of SMTPD on cached features: a cell and a head of its own for every day.

Paper: SMTPD (arXiv 2503.04446); code: zhuwei321/SMTPD, `youtube_lstm3`. Shapes and initial weights
are theirs; layers that theirs never uses are left out. With ResNet-101 (2048), five texts of mBERT
(5 x 768) and six numbers it has 23,000,611 weights for 29 days and 665,729 more for each day. Other
features give other first layers; a part that no feature serves adds zeros to the fusion.

Ours differ from theirs in what is around the network: a batch of one row works, frozen encoders do
not drift (they are in the cache), and scalers know train rows only.
"""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from typing import NamedTuple

import torch
from torch import nn

PART = 128  # columns that each part of a sample becomes
CATEGORIES, LANGUAGES = 16, 7  # 0 is what is not known
_FUSED = 4 * PART


@dataclass(frozen=True)
class Shape:
    """What the network reads: columns of the image, texts and columns of each, numbers; days."""

    image: int
    texts: int
    text: int
    numbers: int
    days: int

    def to_json(self) -> dict[str, int]:
        return asdict(self)


class Parts(NamedTuple):
    """A batch: float image [B, D], text [B, texts, D], numbers [B, n]; int64 category, language."""

    image: torch.Tensor
    text: torch.Tensor
    numbers: torch.Tensor
    category: torch.Tensor
    language: torch.Tensor


class SmtpdNetwork(nn.Module):
    """`Parts` of a batch to curves [B, days]."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        if shape.image:
            self.image = _mlp(shape.image, 1024, 512, PART)
        if shape.texts:
            self.mix = nn.Conv2d(shape.texts, 1, kernel_size=1)
            nn.init.normal_(self.mix.weight, 0.2, 0.01)
            self.text = _mlp(shape.text, 512, PART)
        self.numbers = _mlp(shape.numbers, PART, PART)
        self.category = nn.Sequential(nn.Embedding(CATEGORIES, PART), _mlp(PART, 256, PART))
        self.language = nn.Sequential(nn.Embedding(LANGUAGES, PART), _mlp(PART, 256, PART))
        self.product = _mlp(PART, 256, PART)
        self.begin = _mlp(_FUSED, 512, PART)
        self.entering = nn.ModuleList([_mlp(_FUSED, 768, PART) for _ in range(shape.days)])
        self.cells = nn.ModuleList([nn.LSTMCell(PART, PART) for _ in range(shape.days)])
        self.leaving = nn.ModuleList([_mlp(2 * PART, PART, 64, 1) for _ in range(shape.days)])

    def forward(self, parts: Parts) -> torch.Tensor:
        """Return the curves; nothing keeps them at 0 or above, as in the published code."""
        fused = self._fused(parts)
        hidden = cell = self.begin(fused)
        days = []
        for entering, step, leaving in zip(self.entering, self.cells, self.leaving, strict=True):
            hidden, cell = step(entering(fused), (hidden, cell))
            days.append(leaving(torch.cat([hidden, cell], dim=1)))
        return torch.cat(days, dim=1)

    def _fused(self, parts: Parts) -> torch.Tensor:
        """Return image, category times language, text and numbers side by side, [B, 512]."""
        nothing = parts.numbers.new_zeros(len(parts.numbers), PART)
        image = self.image(parts.image) if self.shape.image else nothing
        words = self.product(self.category(parts.category) * self.language(parts.language))
        text = nothing
        if self.shape.texts:
            text = self.text(self.mix(parts.text[:, :, :, None])[:, 0, :, 0])
        return torch.cat([image, words, text, self.numbers(parts.numbers)], dim=1)


def _mlp(*widths: int) -> nn.Sequential:
    """Return linear layers, with a BatchNorm without weights and a ReLU between two of them."""
    layers: list[nn.Module] = []
    for entering, leaving in itertools.pairwise(widths):
        if layers:
            layers += [nn.BatchNorm1d(entering, affine=False), nn.ReLU()]
        layers.append(nn.Linear(entering, leaving))
    return nn.Sequential(*layers)
