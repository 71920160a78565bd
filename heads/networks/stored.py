"""Rows of a table as a network reads them, a batch at a time, out of what the cache stored.

All columns of a small table are made once. Of a large one, embeddings stay as they were stored (two
bytes a number) and become scaled float32 batch by batch; what is narrow is made once all the same.
Both ways give the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from cache.table import FeatureTable
from cache.taking import source_of
from heads.columns.blocks import Block
from heads.columns.design import Design
from heads.networks.inputs import Inputs, fit_inputs

SMALL = 2**28  # bytes that the columns of a table may take at once
_TOLD = 10_000  # rows that tell means, spreads, frequent values and topics
_NARROW = 64  # columns of a feature that are made once whatever the number of rows


def fit_on_some(train: FeatureTable, *, balance: float, topics: int, seed: int) -> Inputs:
    """Learn from train rows, evenly taken where there are many, how features become values.

    Raises:
        FitError: as `heads.columns.design.fit_design`.
    """
    if len(train) > _TOLD:
        train = train.take(np.linspace(0, len(train) - 1, _TOLD).astype(np.int64))
    return fit_inputs(train, balance=balance, topics=topics, seed=seed)


class Stored:
    """The values and flags of a table's rows, as `Inputs.apply` gives them."""

    def __init__(self, inputs: Inputs, table: FeatureTable) -> None:
        """Make what is made once; the rest of a table of more than `SMALL` bytes stays stored."""
        width = sum(inputs.widths)
        blocks = inputs.design.blocks
        is_small = len(table) * width * 4 <= SMALL
        self._wide = {
            place: _Wide.of(block, table)
            for place, block in enumerate(blocks)
            if not is_small and block.kind == "dense" and len(block.kept) > _NARROW
        }
        rest = [block for place, block in enumerate(blocks) if place not in self._wide]
        made = replace(inputs, design=Design(tuple(rest)))
        self._made, _ = made.apply(table)
        self._widths = made.widths
        self.flags = torch.from_numpy(
            np.stack([_present(table, name) for name in inputs.names], axis=1)
        )

    def rows(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return float32 values [B, width] and flags [B, features] of rows, int64 [B]."""
        values = self._made[rows]
        if self._wide:
            made = iter(torch.split(values, self._widths, dim=1))
            places = range(len(self._wide) + len(self._widths))
            parts = [
                self._wide[place].rows(rows) if place in self._wide else next(made)
                for place in places
            ]
            values = torch.cat(parts, dim=1)
        return values, self.flags[rows].float()


@dataclass(frozen=True, eq=False)
class _Wide:
    """One embedding: values [M, D] as stored, and how a batch of them is scaled.

    places  where the table's rows are among the values, int64 [N]; None: they are these values
    """

    block: Block
    values: torch.Tensor
    present: torch.Tensor
    places: torch.Tensor | None
    kept: torch.Tensor | None

    @classmethod
    def of(cls, block: Block, table: FeatureTable) -> _Wide:
        column, places = source_of(table.columns, block.spec.name)
        if column.offsets is not None:
            column, places = table.columns[block.spec.name], None
        values = column.pooled() if column.offsets is not None else column.values
        values = values.reshape(len(column), -1)
        all_kept = len(block.kept) == values.shape[1]
        return cls(
            block,
            torch.from_numpy(values),
            torch.from_numpy(column.present),
            None if places is None else torch.from_numpy(places),
            None if all_kept else torch.from_numpy(block.kept),
        )

    def rows(self, rows: torch.Tensor) -> torch.Tensor:
        rows = rows if self.places is None else self.places[rows]
        values = self.values[rows].float()
        if self.kept is not None:
            values = values[:, self.kept]
        values = (values - torch.from_numpy(self.block.centre)) * torch.from_numpy(self.block.scale)
        if self.block.limit is not None:
            values = values.clamp(-self.block.limit, self.block.limit)
        return values * self.present[rows, None]


def _present(table: FeatureTable, name: str) -> np.ndarray:
    """Return which rows have a feature, bool [N]."""
    column, places = source_of(table.columns, name)
    present: np.ndarray = column.present if places is None else column.present[places]
    return present
