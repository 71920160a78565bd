"""From a table of features to what a network takes: values of about one size, and who has what.

A network takes dense columns, and a row has ten of 200,000 n-grams. So hashed n-grams are brought
into few columns first, those in which the train rows differ most (latent semantic analysis: the
leading right singular vectors of the weighed counts), which needs no label and no gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load_file
from scipy import sparse

from cache.spec import Column
from cache.table import FeatureTable
from heads.columns.blocks import Block
from heads.columns.design import Design, fit_design, save_arrays
from heads.threads import calm

if TYPE_CHECKING:
    import torch

TOPICS = 128  # columns that a block of n-grams becomes
_FILE = "topics.safetensors"
_CHUNK = 4096  # rows that are brought into topics at a time
_ROUNDS = 4  # of the randomised search for singular vectors


@dataclass(frozen=True, eq=False)
class Inputs:
    """The way from a table to values float32 [N, width] and flags float32 [N, features].

    design  the columns of each feature (`heads/columns/design.py`), of which presence is left out
    topics  float32 [K, topics] of each feature of n-grams, by name
    """

    design: Design
    topics: Mapping[str, np.ndarray]

    @property
    def names(self) -> list[str]:
        """The features."""
        return [block.spec.name for block in self.design.blocks]

    @property
    def widths(self) -> list[int]:
        """The number of columns of each feature."""
        return [
            self.topics[block.spec.name].shape[1]
            if block.spec.name in self.topics
            else len(block.kept)
            for block in self.design.blocks
        ]

    def apply(self, table: FeatureTable) -> tuple[torch.Tensor, torch.Tensor]:
        """Return values and flags of these rows; a row depends on its own values only.

        What a row lacks is 0, the train mean.
        """
        import torch

        values, flags = self.arrays(table)
        return torch.from_numpy(values), torch.from_numpy(flags)

    def arrays(self, table: FeatureTable) -> tuple[np.ndarray, np.ndarray]:
        """Return what `apply` does as arrays of numpy."""
        values = np.zeros((len(table), sum(self.widths)), np.float32)
        flags = np.zeros((len(table), len(self.names)), np.float32)
        start = 0
        for place, (block, width) in enumerate(zip(self.design.blocks, self.widths, strict=True)):
            column = table.columns[block.spec.name]
            self._write(block, column, values[:, start : start + width])
            flags[:, place] = column.present
            start += width
        return values, flags

    def _write(self, block: Block, column: Column, out: np.ndarray) -> None:
        topics = self.topics.get(block.spec.name)
        if topics is None:
            out[:] = _columns(block, column)
        else:
            for start in range(0, len(column), _CHUNK):
                rows = slice(start, start + _CHUNK)
                out[rows] = _counts(block, column.take(np.arange(len(column))[rows])) @ topics
        out[~column.present] = 0

    def save(self, folder: Path) -> None:
        """Write the design and the topics."""
        self.design.save(folder)
        save_arrays(folder / _FILE, dict(self.topics))

    @classmethod
    def load(cls, folder: Path) -> Inputs:
        """Read what `save` wrote."""
        return cls(Design.load(folder), load_file(folder / _FILE))


def fit_inputs(train: FeatureTable, *, balance: float, topics: int, seed: int) -> Inputs:
    """Learn from train rows how features become values.

    Raises:
        FitError: as `fit_design`.
    """
    design = fit_design(train, balance=balance)
    wide = [block for block in design.blocks if block.kind == "counts"]
    with calm(0):  # the sums of several threads are not always the same
        found = {
            block.spec.name: _topics(_counts(block, train.columns[block.spec.name]), topics, seed)
            for block in wide
        }
    return Inputs(design, found)


def _columns(block: Block, column: Column) -> np.ndarray:
    """Return the values of a block without its indicator, float32 [N, K]."""
    both = np.empty((len(column), block.width), np.float32)
    block.apply(column, both)
    values: np.ndarray = both[:, : len(block.kept)]
    return values


def _counts(block: Block, column: Column) -> sparse.csr_matrix:
    """Return the weighed counts of a block without its indicator, float32 [N, K]."""
    return block.without_zeros(column)[:, : len(block.kept)].tocsr()


def _topics(counts: sparse.csr_matrix, width: int, seed: int) -> np.ndarray:
    """Return float32 [K, width], the block's variance left at most what it was."""
    from sklearn.utils.extmath import randomized_svd

    width = min(width, *counts.shape)
    _, _, directions = randomized_svd(counts, width, n_iter=_ROUNDS, random_state=seed)
    return np.ascontiguousarray(directions.T, np.float32)
