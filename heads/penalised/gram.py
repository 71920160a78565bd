"""Products of columns, made once, from which ridge fits of any selection of features are solved.

A fit on some features needs the products of their columns with one another and with the target.
Those are sub-blocks of the products of all features: so many selections cost one pass over the
rows, and each then only algebra of its own width. Where a selection has more columns than there are
rows, the products of the rows take their place, which add up over features.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy.linalg import solve

from heads.ablation.fold import Selection
from heads.penalised.rotation import (
    Matrix,
    Spectrum,
    centred_products,
    eigen,
    means_of,
    products,
    strips,
)
from heads.threads import SMALL_PRODUCT

# The widest product of a selection takes half the time in float32. With so many rows for each
# column that moves a leverage in its sixth digit; a small product is exact, as that costs nothing.
_ROWS_FOR_FLOAT32 = 4
_TARGET = ""  # its name among the features


class Gram:
    """Features of some rows, scaled, with a target; and their products.

    Each part is float32 [N, D], dense or sparse; the target is float64 [N, K] without gaps.
    """

    def __init__(
        self, parts: Mapping[str, Matrix], target: np.ndarray, selections: Iterable[Selection]
    ) -> None:
        self._parts = parts
        self._rows = len(target)
        self.target = target
        self._mean = target.mean(axis=0)
        self._means = {name: means_of(part) for name, part in parts.items()}
        asked = list(selections)
        narrow = [selection for selection in asked if self._is_narrow(selection)]
        wide = [selection for selection in asked if not self._is_narrow(selection)]
        self._blocks = self._column_products(narrow)
        self._kernels = {
            name: products(parts[name]) for name in sorted(set(itertools.chain(*wide)))
        }

    def spectrum(self, selection: Selection) -> Spectrum:
        """Return what `left_out_errors` looks at."""
        if not self._is_narrow(selection):
            return Spectrum(*eigen(self._kernel(selection)))
        values, turn = eigen(self._joined(selection))
        many = self._rows >= _ROWS_FOR_FLOAT32 * len(turn)
        many = many and self._rows * len(turn) >= SMALL_PRODUCT
        scaled = (turn / np.sqrt(values)).astype(np.float32 if many else np.float64)
        basis = np.empty((self._rows, len(values)), scaled.dtype)
        for strip in strips(self._rows):
            np.matmul(self._centred(selection, strip, scaled.dtype), scaled, out=basis[strip])
        return Spectrum(values, basis)

    def weights(self, selection: Selection, penalty: float) -> dict[str, np.ndarray]:
        """Return by feature the weights [D, K] of a fit at a penalty, as `fit_ridge` counts it."""
        if self._is_narrow(selection):
            against = np.concatenate([self._blocks[name, _TARGET] for name in selection])
            return self._split(_ridge(self._joined(selection), against, penalty), selection)
        dual = _ridge(self._kernel(selection), self.target - self._mean, penalty)
        return {name: self._parts[name].T @ dual for name in selection}

    def intercept(self, weights: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return what a fit adds to the weighted columns, float64 [K]."""
        found: np.ndarray = self._mean.copy()
        for name, of in weights.items():
            found -= self._means[name] @ of
        return found

    def _is_narrow(self, selection: Sequence[str]) -> bool:
        return sum(self._width(name) for name in selection) <= self._rows

    def _width(self, name: str) -> int:
        return int(self._parts[name].shape[1])

    def _column_products(self, narrow: Sequence[Selection]) -> dict[tuple[str, str], np.ndarray]:
        """Return the products of features that are ever selected together, and with the target.

        Sums are in float64, as those of a fit on its own are.
        """
        pairs = {pair for one in narrow for pair in itertools.combinations_with_replacement(one, 2)}
        names = sorted({name for selection in narrow for name in selection})
        shapes = {pair: (self._width(pair[0]), self._width(pair[1])) for pair in sorted(pairs)}
        shapes |= {(name, _TARGET): (self._width(name), len(self._mean)) for name in names}
        blocks = {pair: np.zeros(shape) for pair, shape in shapes.items()}
        for strip in strips(self._rows):
            columns = {name: self._centred((name,), strip, np.dtype(np.float64)) for name in names}
            columns[_TARGET] = self.target[strip] - self._mean
            for (first, second), block in blocks.items():
                block += columns[first].T @ columns[second]
        return blocks

    def _centred(self, selection: Selection, strip: slice, dtype: np.dtype) -> np.ndarray:
        """Return some rows of a selection, dense, with the columns' means taken off."""
        rows = len(range(*strip.indices(self._rows)))
        columns = np.empty((rows, sum(map(self._width, selection))), dtype)
        start = 0
        for name in selection:
            part = self._parts[name][strip]
            dense = part if isinstance(part, np.ndarray) else part.toarray()
            end = start + self._width(name)
            np.subtract(dense, self._means[name].astype(dtype), out=columns[:, start:end])
            start = end
        return columns

    def _joined(self, selection: Selection) -> np.ndarray:
        """Return the products of all columns of a selection, float64 [D, D]."""

        def block(first: str, second: str) -> np.ndarray:
            known = self._blocks.get((first, second))
            return self._blocks[second, first].T if known is None else known

        return np.block([[block(row, column) for column in selection] for row in selection])

    def _kernel(self, selection: Selection) -> np.ndarray:
        """Return the products of all rows, their columns centred, float64 [N, N]."""
        whole = self._kernels[selection[0]].copy()
        for name in selection[1:]:
            whole += self._kernels[name]
        return centred_products(whole)

    def _split(self, columns: np.ndarray, selection: Selection) -> dict[str, np.ndarray]:
        """Divide what has a row for each column of a selection by feature."""
        ends = np.cumsum([self._width(name) for name in selection])[:-1]
        return dict(zip(selection, np.split(columns, ends), strict=True))


def _ridge(gram: np.ndarray, against: np.ndarray, penalty: float) -> np.ndarray:
    """Solve with a share of the trace on the diagonal of `gram`, which is used up."""
    trace = np.trace(gram)
    if trace <= 0:  # all columns are constant in these rows
        return np.zeros_like(against)
    gram[np.diag_indices_from(gram)] += penalty * trace
    found: np.ndarray = solve(gram, against, assume_a="pos", overwrite_a=True)
    return found
