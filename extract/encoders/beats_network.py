"""BEATs (Chen et al. 2023, arXiv 2212.09058): a transformer over 16 x 16 patches of a spectrum.

Modules are called as in the published checkpoints (iter3+), which load as they are. The size is
read off the weights' shapes. What no shape tells is fixed as in those: post-norm with deep-norm,
GELU, and relative positions whose weight each token's query opens and shuts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import nn

WIDTH = 768  # of every published checkpoint
FAR = 800  # patches apart, from which on all distances are one
_GATES = 8  # numbers of which a query makes its two gates, four each
_SHARED = "self_attn.relative_attention_bias.weight"


@dataclass(frozen=True)
class Sizes:
    """The size of a network; `far` is the distance from which on all are one."""

    patch: int = 16
    embedded: int = 512
    width: int = WIDTH
    layers: int = 12
    heads: int = 12
    inner: int = 3072
    reach: int = 128
    groups: int = 16
    buckets: int = 320
    far: int = FAR

    @classmethod
    def of(cls, state: Mapping[str, torch.Tensor], far: int = FAR) -> Sizes:
        """Read the size off weights.

        Raises:
            KeyError: if one of those that tell it is not there.
        """
        first = "encoder.layers.0."
        embedded, _, patch, _ = state["patch_embedding.weight"].shape
        inner, width = state[f"{first}fc1.weight"].shape
        _, grouped, reach = state["encoder.pos_conv.0.weight_v"].shape
        names = {name.split(".")[2] for name in state if name.startswith("encoder.layers.")}
        return cls(
            patch=patch,
            embedded=embedded,
            width=width,
            layers=len(names),
            heads=state[f"{first}self_attn.grep_a"].shape[1],
            inner=inner,
            reach=reach,
            groups=width // grouped,
            buckets=state[first + _SHARED].shape[0],
            far=far,
        )


def buckets_of(distances: torch.Tensor, buckets: int, far: int) -> torch.Tensor:
    """Return the bucket of each signed distance: int64 of the same shape, in 0..buckets - 1.

    Half of them are for what comes after. Short distances have one each, longer ones share them by
    their logarithm, as in T5 (Raffel et al. 2020, section 2.1).
    """
    half = buckets // 2
    exact = half // 2
    apart = distances.abs()
    share = torch.log(apart.clamp(min=1).float() / exact) / math.log(far / exact)
    shared = (exact + (share * (half - exact)).long()).clamp(max=half - 1)
    return torch.where(apart < exact, apart, shared) + (distances > 0).long() * half


class PositionConvolution(nn.Module):
    """A grouped convolution along tokens whose weight is a length for each tap, and directions."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width, reach = sizes.width, sizes.reach
        self.weight_g = nn.Parameter(torch.ones(1, 1, reach))
        self.weight_v = nn.Parameter(torch.randn(width, width // sizes.groups, reach))
        self.bias = nn.Parameter(torch.zeros(width))
        self._groups = sizes.groups

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return [N, D, tokens], as many as came."""
        directions = self.weight_v / self.weight_v.norm(dim=(0, 1), keepdim=True)
        reach = directions.shape[2]
        found = functional.conv1d(
            tokens, directions * self.weight_g, self.bias, padding=reach // 2, groups=self._groups
        )
        return found[:, :, : tokens.shape[2]]  # an even reach gives one too many


class Attention(nn.Module):
    """Self-attention with relative positions that the queries gate."""

    def __init__(self, sizes: Sizes, *, first: bool) -> None:
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (
            nn.Linear(sizes.width, sizes.width) for _ in range(4)
        )
        self.grep_linear = nn.Linear(sizes.width // sizes.heads, _GATES)
        self.grep_a = nn.Parameter(torch.ones(1, sizes.heads, 1, 1))
        if first:  # the layers share one table
            self.relative_attention_bias = nn.Embedding(sizes.buckets, sizes.heads)
        self._heads = sizes.heads

    def forward(
        self, tokens: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        """Return [N, tokens, D]; `positions` is [heads, tokens, tokens], `mask` -inf on padding."""
        query, key, value = (
            layer(tokens).unflatten(2, (self._heads, -1)).transpose(1, 2)
            for layer in (self.q_proj, self.k_proj, self.v_proj)
        )
        weights = self.gate(query) * positions + mask[:, None, None]
        found = functional.scaled_dot_product_attention(query, key, value, attn_mask=weights)
        return self.out_proj(found.transpose(1, 2).flatten(2))

    def gate(self, query: torch.Tensor) -> torch.Tensor:
        """Return how much each query minds positions, [N, heads, tokens, 1], between 1 and 2 + a.

        As the gated relative positions of Chi et al. 2022 (arXiv 2106.16138, section 3.3), but on
        projected queries.
        """
        pairs = self.grep_linear(query).unflatten(3, (2, _GATES // 2)).sum(dim=4)
        update, reset = torch.sigmoid(pairs).chunk(2, dim=3)
        return update * (reset * self.grep_a - 1) + 2


class Layer(nn.Module):
    """Attention and two linear layers, each normalised after a sum that the residue dominates."""

    def __init__(self, sizes: Sizes, *, first: bool) -> None:
        super().__init__()
        self.self_attn = Attention(sizes, first=first)
        self.self_attn_layer_norm = nn.LayerNorm(sizes.width)
        self.fc1 = nn.Linear(sizes.width, sizes.inner)
        self.fc2 = nn.Linear(sizes.inner, sizes.width)
        self.final_layer_norm = nn.LayerNorm(sizes.width)
        self._residue = (2 * sizes.layers) ** 0.25  # DeepNet's alpha for encoders

    def forward(
        self, tokens: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        """Return [N, tokens, D]."""
        attended = self.self_attn(tokens, positions, mask)
        tokens = self.self_attn_layer_norm(tokens * self._residue + attended)
        inner = self.fc2(functional.gelu(self.fc1(tokens)))
        return self.final_layer_norm(tokens * self._residue + inner)


class Encoder(nn.Module):
    """The transformer over projected patches."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.pos_conv = nn.Sequential(PositionConvolution(sizes), nn.GELU())
        self.layers = nn.ModuleList(
            Layer(sizes, first=number == 0) for number in range(sizes.layers)
        )
        self.layer_norm = nn.LayerNorm(sizes.width)
        self._buckets, self._far = sizes.buckets, sizes.far

    def forward(self, tokens: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Return [N, tokens, D]; `real` is bool [N, tokens]."""
        tokens = tokens * real.unsqueeze(2)
        tokens = self.layer_norm(tokens + self.pos_conv(tokens.transpose(1, 2)).transpose(1, 2))
        mask = torch.zeros_like(real, dtype=tokens.dtype).masked_fill(~real, -torch.inf)
        positions = self._positions(tokens.shape[1])
        for layer in self.layers:
            tokens = layer(tokens, positions, mask)
        return tokens

    def _positions(self, count: int) -> torch.Tensor:
        """Return what each head adds for each pair of tokens, [heads, count, count]."""
        first = self.layers[0]
        assert isinstance(first, Layer)
        table = first.self_attn.relative_attention_bias
        places = torch.arange(count, device=table.weight.device)
        found = buckets_of(places[None] - places[:, None], self._buckets, self._far)
        return table(found).permute(2, 0, 1)


class BEATs(nn.Module):
    """Spectra [N, frames, bands], frames and bands multiples of the patch, to tokens [N, P, D].

    Tokens go through the bands of a step before they go on in time.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        patch, embedded = sizes.patch, sizes.embedded
        self.patch_embedding = nn.Conv2d(1, embedded, patch, stride=patch, bias=False)
        self.layer_norm = nn.LayerNorm(embedded)
        if embedded != sizes.width:
            self.post_extract_proj = nn.Linear(embedded, sizes.width)
        self.encoder = Encoder(sizes)

    def forward(self, spectra: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Return tokens; those of patches that are not `real` (bool [N, P]) mean nothing."""
        patches = self.patch_embedding(spectra.unsqueeze(1)).flatten(2).transpose(1, 2)
        patches = self.layer_norm(patches)
        if hasattr(self, "post_extract_proj"):
            patches = self.post_extract_proj(patches)
        return self.encoder(patches, real)


def without_copies(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return weights without the copies of the table that the first layer shares with the others.

    Raises:
        ValueError: if one of them is not a copy.
    """
    kept = dict(state)
    shared = state.get(f"encoder.layers.0.{_SHARED}")
    for name in state:
        if shared is None or not name.endswith(_SHARED) or name.startswith("encoder.layers.0."):
            continue
        if not torch.equal(kept.pop(name), shared):
            raise ValueError(f"{name} differs from that of the first layer, which all share")
    return kept
