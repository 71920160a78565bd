"""Options of the LSTM, ours and the published one's."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from heads.networks.gradient_loss import BETA_RUN
from heads.networks.inputs import TOPICS


@dataclass(frozen=True)
class LstmOptions:
    """Options of the LSTM; None is what the network in question takes (`resolved`).

    faithful          the published network of SMTPD, its loss and its optimiser; `networks` to
                      `balance` and `softness` are then of no effect
    networks          of ours that learn side by side, their curves averaged
    hidden, layers    units and number of the layers that features go through
    cells             of the recurrence
    dropout           share of hidden units left out of a step
    feature_dropout   share of features, whole, left out of a row in a step
    balance           1: every feature starts at the same weight whatever its width; 0: each column
    topics            columns that a feature of hashed n-grams is brought to
    penalty           of the ridge regression underneath, see the linear head
    beta              below it an error counts by its square, in spreads of what ridge leaves; in
                      the table's unit for the published: 1.0 as it runs, 0.1 as its authors meant
    slope, bend, peak weights of the loss's further terms
    softness          of a peak that has a gradient, in the same spreads
    rate, decay       of AdamW; of Adam with L2 for the published
    batch             rows of a step, 2 or more
    epochs, patience  the most epochs; those without a better validation loss before it stops
    """

    faithful: bool = False
    networks: int = 4
    hidden: int = 64
    layers: int = 2
    cells: int = 32
    dropout: float = 0.2
    feature_dropout: float = 0.1
    balance: float = 1.0
    topics: int = TOPICS
    penalty: float | None = None
    beta: float | None = None
    slope: float | None = None
    bend: float | None = None
    peak: float | None = None
    softness: float = 0.1
    rate: float | None = None
    decay: float | None = None
    batch: int | None = None
    epochs: int | None = None
    patience: int | None = None

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name} {value} is not {least} or more")
        for name in ("dropout", "feature_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} is not in 0..1, below 1")
        if not 0 <= self.balance <= 1:
            raise ValueError(f"balance {self.balance} is not in 0..1")
        for name in ("softness", "rate", "penalty", "beta"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise ValueError(f"{name} {value} is not above 0")

    def resolved(self) -> LstmOptions:
        """Return the options with what None stands for, but for the penalty, which is chosen."""
        usual = _PUBLISHED if self.faithful else _OURS
        unset = [field.name for field in fields(self) if getattr(self, field.name) is None]
        found: dict[str, Any] = {name: usual[name] for name in unset if name in usual}
        return replace(self, **found)


_LEAST = {
    **dict.fromkeys(("networks", "hidden", "layers", "cells", "topics", "epochs", "patience"), 1),
    **dict.fromkeys(("slope", "bend", "peak", "decay"), 0),
    "batch": 2,
}
_PUBLISHED = {
    "beta": BETA_RUN,
    **dict.fromkeys(("slope", "bend", "peak"), 1.0),
    "rate": 1e-3,
    "decay": 1e-3,
    "batch": 64,
    "epochs": 20,
    "patience": 20,
}
_OURS = {
    "beta": 0.1,
    **dict.fromkeys(("slope", "bend", "peak"), 0.0),
    "rate": 4e-3,
    "decay": 0.01,
    "batch": 256,
    "epochs": 200,
    "patience": 8,
}
