"""The inflated Inception network of Carreira and Zisserman (2017), with the names of its weights.

Modules are called as in the widely used PyTorch state dict of the RGB checkpoint (1.3 GB of
TensorFlow weights converted by the pytorch-i3d project: `Mixed_3b.b1a.conv3d.weight`), so that it
loads as it is. Padding is TensorFlow's "same": as even as it can be, the odd one at the end.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
import torch.nn.functional as functional
from torch import nn

CHANNELS = 1024  # of the last features
_STEM = 64
# by name: channels in, then out of the branches b0, b1a, b1b, b2a, b2b, b3b
_MIXED = {
    "Mixed_3b": (192, 64, 96, 128, 16, 32, 32),
    "Mixed_3c": (256, 128, 128, 192, 32, 96, 64),
    "Mixed_4b": (480, 192, 96, 208, 16, 48, 64),
    "Mixed_4c": (512, 160, 112, 224, 24, 64, 64),
    "Mixed_4d": (512, 128, 128, 256, 24, 64, 64),
    "Mixed_4e": (512, 112, 144, 288, 32, 64, 64),
    "Mixed_4f": (528, 256, 160, 320, 32, 128, 128),
    "Mixed_5b": (832, 256, 160, 320, 32, 128, 128),
    "Mixed_5c": (832, 384, 192, 384, 48, 128, 128),
}
_BN_EPS = 1e-3  # TensorFlow's


def same_padded(
    clips: torch.Tensor, kernel: tuple[int, ...], stride: tuple[int, ...]
) -> torch.Tensor:
    """Pad [N, C, T, H, W] with zeros as TensorFlow's "same" does."""
    pads: list[int] = []
    for size, length, step in reversed(list(zip(clips.shape[2:], kernel, stride, strict=True))):
        rest = size % step or step
        total = max(length - rest, 0)
        pads += [total // 2, total - total // 2]
    return functional.pad(clips, pads) if any(pads) else clips


class Unit(nn.Module):
    """Convolution, batch norm and ReLU; the logits have a bias instead of the last two."""

    def __init__(
        self,
        inside: int,
        out: int,
        kernel: tuple[int, int, int] = (1, 1, 1),
        stride: tuple[int, int, int] = (1, 1, 1),
        *,
        plain: bool = False,
    ) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(inside, out, kernel, stride, bias=plain)
        self.bn = None if plain else nn.BatchNorm3d(out, eps=_BN_EPS)
        self._kernel, self._stride = kernel, stride

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Return [N, out, T, H, W], each axis divided by its stride, rounded up."""
        found: torch.Tensor = self.conv3d(same_padded(clips, self._kernel, self._stride))
        return found if self.bn is None else functional.relu(self.bn(found))


class Pool(nn.Module):
    """Largest of each neighbourhood; padding counts as 0, which no value before it is below."""

    def __init__(self, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> None:
        super().__init__()
        self._kernel, self._stride = kernel, stride

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Return [N, C, T, H, W], each axis divided by its stride, rounded up."""
        padded = same_padded(clips, self._kernel, self._stride)
        return functional.max_pool3d(padded, self._kernel, self._stride)


class Mixed(nn.Module):
    """Four branches beside each other."""

    def __init__(self, inside: int, *out: int) -> None:
        super().__init__()
        self.b0 = Unit(inside, out[0])
        self.b1a = Unit(inside, out[1])
        self.b1b = Unit(out[1], out[2], (3, 3, 3))
        self.b2a = Unit(inside, out[3])
        self.b2b = Unit(out[3], out[4], (3, 3, 3))
        self.b3a = Pool((3, 3, 3), (1, 1, 1))
        self.b3b = Unit(inside, out[5])

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Return the branches' channels one after another."""
        branches = (
            self.b0(clips),
            self.b1b(self.b1a(clips)),
            self.b2b(self.b2a(clips)),
            self.b3b(self.b3a(clips)),
        )
        return torch.cat(branches, dim=1)


class I3D(nn.Sequential):
    """RGB clips in -1..1, [N, 3, T, 224, 224], to features [N, 1024, ceil(T / 8), 7, 7]."""

    def __init__(self, classes: int = 400) -> None:
        mixed = {name: Mixed(*channels) for name, channels in _MIXED.items()}
        threes = [(name, mixed[name]) for name in ("Mixed_3b", "Mixed_3c")]
        fours = [(name, mixed[name]) for name in mixed if name.startswith("Mixed_4")]
        fives = [(name, mixed[name]) for name in ("Mixed_5b", "Mixed_5c")]
        super().__init__(
            OrderedDict(
                [
                    ("Conv3d_1a_7x7", Unit(3, _STEM, (7, 7, 7), (2, 2, 2))),
                    ("MaxPool3d_2a_3x3", Pool((1, 3, 3), (1, 2, 2))),
                    ("Conv3d_2b_1x1", Unit(_STEM, _STEM)),
                    ("Conv3d_2c_3x3", Unit(_STEM, 192, (3, 3, 3))),
                    ("MaxPool3d_3a_3x3", Pool((1, 3, 3), (1, 2, 2))),
                    *threes,
                    ("MaxPool3d_4a_3x3", Pool((3, 3, 3), (2, 2, 2))),
                    *fours,
                    ("MaxPool3d_5a_2x2", Pool((2, 2, 2), (2, 2, 2))),
                    *fives,
                ]
            )
        )
        self.logits = Unit(CHANNELS, classes, plain=True)

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Return the features; `logits` is not a step of this way."""
        for name, module in self.named_children():
            if name != "logits":
                clips = module(clips)
        return clips

    def class_scores(self, features: torch.Tensor) -> torch.Tensor:
        """Return [N, classes] of features: means of 2 steps and all places, then of time."""
        pooled = pool_steps(features.float()).to(features.dtype)  # no CPU pools halves in 3-D
        scores: torch.Tensor = self.logits(pooled[..., None, None])
        return scores.flatten(2).mean(dim=2)


def pool_steps(features: torch.Tensor) -> torch.Tensor:
    """Return [N, 1024, steps]: means over places and two steps of time, as before the logits."""
    length = min(2, features.shape[2])
    kernel = (length, features.shape[3], features.shape[4])
    return functional.avg_pool3d(features, kernel, stride=1).flatten(2)
