"""The composite gradient loss of SMTPD: distances of curves, of their slopes, bends and peaks.

Paper: SMTPD (arXiv 2503.04446); code: zhuwei321/SMTPD. With D1 the differences of neighbouring days
and D2 those of D1, k falling along a cosine from 1 to 0 over the training, and SL the smooth L1:

    SL(P, Y) + k·SL(D1 P, D1 Y) + k·SL(D2 P, D2 Y) + k·mean|peak(P) - peak(Y)|
             + 1e-6·(sum|D1 P| + sum|D2 P|)

The authors mean a beta of 0.1 and get 1.0, as torch takes the first argument for another. Their
peak is the one-hot argmax, which has no gradient; ours may be a softmax, which has one. A day that
was not observed is left out of every term, and so is a slope to or from it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch.nn import functional

BETA_INTENDED, BETA_RUN = 0.1, 1.0
CALM = 1e-6


@dataclass(frozen=True)
class GradientLoss:
    """The weights of the terms.

    beta     below it an error counts by its square
    slope    of the distance of slopes, at the begin; likewise `bend` and `peak`
    calm     of the summed slopes and bends of predictions
    softness  None: the peak is the argmax, without a gradient; else softmax(P / softness)
    """

    beta: float = BETA_RUN
    slope: float = 1.0
    bend: float = 1.0
    peak: float = 1.0
    calm: float = CALM
    softness: float | None = None

    def __call__(
        self, predicted: torch.Tensor, target: torch.Tensor, done: float = 0.0
    ) -> torch.Tensor:
        """Return the loss of curves [B, T] where a share `done` of the training is behind.

        NaN in the target is a day that was not observed.
        """
        terms, fading = self.terms(predicted, target), (1 + math.cos(math.pi * done)) / 2
        fleeting = self.slope * terms["slope"] + self.bend * terms["bend"]
        fleeting = fleeting + self.peak * terms["peak"]
        return terms["base"] + fading * fleeting + terms["calm"]

    def terms(self, predicted: torch.Tensor, target: torch.Tensor) -> Mapping[str, torch.Tensor]:
        """Return the terms by name; all but "calm" without their weights."""
        slopes, bends = predicted.diff(dim=1), predicted.diff(n=2, dim=1)
        calm = self.calm * (slopes.abs().sum() + bends.abs().sum())
        return {
            "base": distance(predicted, target, self.beta),
            "slope": distance(slopes, target.diff(dim=1), self.beta),
            "bend": distance(bends, target.diff(n=2, dim=1), self.beta),
            "peak": self._peaks(predicted, target),
            "calm": calm,
        }

    def _peaks(self, predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        known = torch.isfinite(target)
        never = torch.finfo(predicted.dtype).min
        told = predicted.masked_fill(~known, never)
        true = _highest(target.masked_fill(~known, never), predicted.dtype)
        if self.softness is None:
            told = _highest(told, predicted.dtype)
        else:
            told = torch.softmax(told / self.softness, dim=1)
        return ((told - true).abs() * known).sum() / known.sum().clamp(min=1)


def distance(predicted: torch.Tensor, target: torch.Tensor, beta: float) -> torch.Tensor:
    """Return the mean smooth L1 distance over the known numbers; of beta 0 the plain L1."""
    known = torch.isfinite(target)
    error = torch.where(known, predicted - target, 0.0).abs()
    if beta:
        error = torch.where(error < beta, error**2 / (2 * beta), error - beta / 2)
    return (error * known).sum() / known.sum().clamp(min=1)


def _highest(curves: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Return 1 at the first highest day of each curve [B, T], 0 elsewhere."""
    days = curves.shape[1]
    return functional.one_hot(curves.argmax(dim=1), days).to(dtype)
