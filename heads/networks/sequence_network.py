"""Our network for curves: one recurrence whose weights all days share, on top of what is simpler.

    features, flags -> seen [B, hidden]
    day t: LSTM(embedding of day t; the observed value, or the simple curve's) from `seen`
    curve  = simple curve + spread * (LSTM's answer + seen @ embedding of day t)

The simple curve is a ridge regression on the table's own numbers; the network learns what differs
from there. SMTPD has a cell, an input and a head of its own for each day instead: 20 of its 23
million weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

_EMBEDDED = 8  # columns that tell days apart
_BESIDE = 3  # an observed value, whether there is one, and the simple curve


@dataclass(frozen=True)
class Shape:
    """What the network reads and gives, and how large it is.

    widths    columns of each feature
    observed  days before those to be predicted
    days      to be predicted
    """

    widths: tuple[int, ...]
    observed: int
    days: int
    hidden: int = 64
    cells: int = 32
    layers: int = 1
    dropout: float = 0.3
    feature_dropout: float = 0.1


class Rows(NamedTuple):
    """A batch: values [B, D], flags [B, features], observed [B, k] with NaN, simple [B, T].

    Observed days and the simple curve are on one scale, about 1 in size.
    """

    values: torch.Tensor
    flags: torch.Tensor
    observed: torch.Tensor
    simple: torch.Tensor


class SequenceNetwork(nn.Module):
    """`Rows` of a batch to what is added to the simple curves, [B, days]."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self._shape = shape
        self.register_buffer("widths", torch.tensor(shape.widths), persistent=False)
        layers: list[nn.Module] = []
        entering = sum(shape.widths) + len(shape.widths)
        for _ in range(shape.layers):
            dense = nn.Linear(entering, shape.hidden, bias=False)
            layers += [dense, nn.BatchNorm1d(shape.hidden), nn.ReLU(), nn.Dropout(shape.dropout)]
            entering = shape.hidden
        self.seen = nn.Sequential(*layers)
        self.begin = nn.Linear(shape.hidden, 2 * shape.cells)
        self.days = nn.Parameter(0.3 * torch.randn(shape.observed + shape.days, _EMBEDDED))
        self.recurrence = nn.LSTM(_EMBEDDED + _BESIDE, shape.cells, batch_first=True)
        self.answer = nn.Linear(shape.cells, 1)
        self.direct = nn.Linear(shape.hidden, _EMBEDDED)
        self.answer_days = nn.Parameter(0.3 * torch.randn(shape.days, _EMBEDDED))
        self.offset = nn.Parameter(torch.zeros(shape.days))

    def forward(self, rows: Rows) -> torch.Tensor:
        """Return what is added, in spreads; in training whole features are lost at random."""
        flags = rows.flags
        if self.training and self._shape.feature_dropout:
            flags = flags * (torch.rand_like(flags) >= self._shape.feature_dropout)
        there = flags.repeat_interleave(self.get_buffer("widths"), dim=1)
        seen = self.seen(torch.cat([rows.values * there, flags], dim=1))
        hidden, cell = self.begin(seen).tanh()[None].chunk(2, dim=2)
        states, _ = self.recurrence(
            self._entering(rows), (hidden.contiguous(), cell.contiguous())
        )  # [B, observed + days, cells]
        told = self.answer(states[:, self._shape.observed :])[:, :, 0]
        curves: torch.Tensor = told + self.direct(seen) @ self.answer_days.T + self.offset
        return curves

    def _entering(self, rows: Rows) -> torch.Tensor:
        """Return what enters the recurrence, [B, observed + days, columns]; a gap is flagged."""
        known = torch.isfinite(rows.observed)
        observed = torch.where(known, rows.observed, 0.0)
        nothing = torch.zeros_like(rows.simple)
        beside = torch.stack(
            [
                torch.cat([observed, nothing], dim=1),
                torch.cat([known.to(observed.dtype), nothing], dim=1),
                torch.cat([torch.zeros_like(observed), rows.simple], dim=1),
            ],
            dim=2,
        )
        return torch.cat([self.days.expand(len(beside), -1, -1), beside], dim=2)


def above_zero(curves: torch.Tensor, bend: float) -> torch.Tensor:
    """Return (x + sqrt(x² + 4·bend²)) / 2: above 0 for any x, and nearly x from some bends on.

    A clamp at 0 has no gradient below it, so that days which are all negative stay so; and softplus
    has almost none. This one's is 1/2 at 0 and falls as slowly as (bend / x)².
    """
    return (curves + torch.sqrt(curves**2 + 4 * bend**2)) / 2
