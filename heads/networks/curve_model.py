"""What a model of curves is, and what is done with one whatever it is."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from cache.spec import Column
from cache.table import FeatureTable
from heads.networks.training import repeatable

CHUNK = 1024  # rows predicted at a time


class Model(Protocol):
    """A model of curves; `curves` are [networks, B, T], in `unit`."""

    @property
    def network(self) -> nn.Module: ...
    @property
    def unit(self) -> float: ...
    def reading(self, table: FeatureTable) -> Callable[[torch.Tensor], Any]: ...
    def curves(self, batch: Any) -> torch.Tensor: ...
    def words(self) -> dict[str, Any]: ...
    def arrays(self) -> dict[str, np.ndarray]: ...


def exact(model: Model) -> Model:
    """Return a copy that sums in float64."""
    model = copy.deepcopy(model)
    model.network.double().eval()
    return model


def curves_of(model: Model, table: FeatureTable) -> np.ndarray:
    """Return what an exact model predicts, float64 [N, T]."""
    batch_of = model.reading(table)
    with torch.inference_mode(), repeatable(0):
        chunks = torch.split(torch.arange(len(table)), CHUNK)
        parts = [model.curves(_doubled(batch_of(rows))).mean(dim=0) for rows in chunks]
    curves: np.ndarray = torch.cat(parts).numpy() * model.unit
    return curves


def absent(column: Column) -> Column:
    """Return a column that no row has."""
    nothing = np.zeros(len(column), bool)
    if column.spec.is_text:
        return Column(column.spec, np.full(len(column), "", object), None, nothing)
    if column.offsets is None:
        return Column(column.spec, np.zeros_like(column.values), None, nothing)
    return Column(column.spec, column.values[:0], np.zeros_like(column.offsets), nothing)


def _doubled(batch: Any) -> Any:
    """Return a batch with its numbers in float64."""
    return type(batch)(*(x.double() if x.is_floating_point() else x for x in batch))
