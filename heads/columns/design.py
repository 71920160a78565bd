"""From a table of features to one matrix: learnt on train rows, applied to any rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from scipy import sparse

from cache.table import FeatureTable
from core.errors import FitError
from core.files import replacing, write_json
from heads.columns.blocks import Block, fit_block
from heads.penalised.rotation import Matrix

_WORDS, _NUMBERS = "design.json", "design.safetensors"


@dataclass(frozen=True, eq=False)
class Design:
    """The columns of a design matrix, one block (`heads/columns/blocks.py`) per feature."""

    blocks: tuple[Block, ...]

    @property
    def width(self) -> int:
        return sum(block.width for block in self.blocks)

    def names(self) -> list[str]:
        """Return the name of each column, feature by feature."""
        return [name for block in self.blocks for name in block.names()]

    def apply(self, table: FeatureTable) -> np.ndarray:
        """Return float32 [N, width]; a row depends on its own values only."""
        matrix = np.empty((len(table), self.width), np.float32)
        start = 0
        for block in self.blocks:
            block.apply(table.columns[block.spec.name], matrix[:, start : start + block.width])
            start += block.width
        return matrix

    def without_zeros(self, table: FeatureTable) -> Matrix:
        """Return what `apply` does, without its zeros where hashed n-grams are among the blocks."""
        if not any(block.kind == "counts" for block in self.blocks):
            return self.apply(table)
        parts = [block.without_zeros(table.columns[block.spec.name]) for block in self.blocks]
        return sparse.csr_array(sparse.hstack(parts, format="csr", dtype=np.float32))

    def shares(self, weights: np.ndarray) -> dict[str, float]:
        """Sum weights [width], 0 or more, by feature, as shares of all; empty if all are 0."""
        total, start, shares = float(weights.sum()), 0, {}
        for block in self.blocks if total > 0 else ():
            part = float(weights[start : start + block.width].sum()) / total
            shares[block.spec.name] = part
            start += block.width
        return shares

    def spread(self, by_feature: Mapping[str, float]) -> np.ndarray:
        """Return a number of each feature for each of its columns, float64 [width]; 1 for others.

        A mapping may name features that have no column here.
        """
        numbers = [by_feature.get(block.spec.name, 1.0) for block in self.blocks]
        return np.repeat(numbers, [block.width for block in self.blocks])

    def save(self, folder: Path) -> None:
        """Write `design.json` and `design.safetensors`."""
        write_json(folder / _WORDS, [block.to_json() for block in self.blocks])
        arrays = {
            f"{index}.{name}": np.ascontiguousarray(values)
            for index, block in enumerate(self.blocks)
            for name, values in block.arrays().items()
        }
        save_arrays(folder / _NUMBERS, arrays)

    @classmethod
    def load(cls, folder: Path) -> Design:
        """Read what `save` wrote."""
        words = json.loads((folder / _WORDS).read_text(encoding="utf-8"))
        by_block: list[dict[str, np.ndarray]] = [{} for _ in words]
        for name, values in load_file(folder / _NUMBERS).items():
            index, _, field = name.partition(".")
            by_block[int(index)][field] = values
        pairs = zip(words, by_block, strict=True)
        return cls(tuple(Block.from_json(value, arrays) for value, arrays in pairs))


def fit_design(
    train: FeatureTable, *, raw: bool = False, balance: float = 1.0, support: int = 1
) -> Design:
    """Learn the columns of all the table's features from its rows.

    Args:
        train: the rows to learn from.
        raw: values as they are, gaps NaN (trees), instead of scaled with gaps at the mean.
        balance: see `fit_block`.
        support: see `fit_block`.

    Raises:
        FitError: if no feature has two values to tell samples apart by, or one is not finite.
    """
    blocks = [
        fit_block(column, raw=raw, balance=balance, support=support)
        for column in train.columns.values()
    ]
    design = Design(tuple(block for block in blocks if block.width))
    if not design.width:
        raise FitError(_nothing_text(train))
    return design


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays into a safetensors file, whole or not at all."""
    with replacing(path) as temporary:
        save_file(dict(arrays), temporary)


def _nothing_text(train: FeatureTable) -> str:
    if not train.columns:
        return "there is no feature to learn from; name some: --features NAMES"
    absent = [name for name, column in train.columns.items() if not column.present.any()]
    some = ", ".join(absent[:5]) or "-"
    return (
        f"no feature has two different values in the {len(train)} train rows "
        f"({len(absent)} of {len(train.columns)} have none at all: {some}); "
        "see what was extracted: python cli.py cache status"
    )
