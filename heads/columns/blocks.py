"""How one feature becomes columns of a design matrix; what that takes is learnt on train rows.

    dense       an embedding, a descriptor, a number of an extractor: each column its own mean and
                scale
    number      a number of the table (`meta:...`): as dense, and where it is skewed (likes, an age)
                beside it sign(x)·log(1 + |x|)
    counts      hashed n-grams (`heads/columns/counts.py`): times the inverse document frequency,
                each row at length 1, and one scale for the block; not centred, as zeros are cheap
    categories  texts (categories, a language): one column for each value that is not rare,
                "other" for the rest, and one scale for the whole block, as a rare value would
                else weigh most

Constant columns go. In the style "scaled" a gap takes the train mean, which is 0, and one more
column says who has the feature (where train has gaps); the block as a whole has a variance of 1
whatever its width (`balance`), so that an embedding does not drown ten numbers. In the style
"raw", for trees, values stay as they are and a gap is NaN.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from cache.spec import Column, FeatureSpec
from core.errors import FitError
from heads.columns.counts import (
    MOST,
    MOST_DENSE,
    counts_of,
    frequent,
    inverse_frequency,
    moments_of,
    normalised,
)
from heads.columns.moments import helped_by_log, varying, with_log

LIMIT = 10.0  # standard deviations: beyond (a broken file, another unit) counts as this far
MAX_LEVELS = 200
_RARE_SHARE = 0.002  # a category with fewer of the train rows is "other"


@dataclass(frozen=True, eq=False)
class Block:
    """One feature's columns: K of values and perhaps one of presence.

    kept     int64 [K], the feature's own columns that vary in train
    centre   float32 [K] and scale float32 [K]: value -> (value - centre) * scale; counts are not
             centred, and take the centre where a row lacks the feature
    idf      float32 [K] for counts, else empty
    limit    scaled values are cut at ± this; None where they are bounded anyway
    levels   for categories the values that have a column; "other" is the column behind them
    present  (centre, scale) of the indicator; None where there is no indicator
    """

    spec: FeatureSpec
    kind: str
    raw: bool
    kept: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    idf: np.ndarray
    limit: float | None
    levels: tuple[str, ...]
    logged: bool
    present: tuple[float, float] | None

    @property
    def width(self) -> int:
        return len(self.kept) + (self.present is not None)

    def names(self) -> list[str]:
        """Name the columns: `mfcc[3]`, `meta:likes`, `meta:category=Music`, `present(mfcc)`."""
        name = self.spec.name
        if self.kind == "categories":
            names = [f"{name}={[*self.levels, 'other'][index]}" for index in self.kept]
        elif _width(self.spec) == 1:
            names = [(name, f"log({name})")[index] for index in self.kept]
        else:
            names = [f"{name}[{index}]" for index in self.kept]
        return [*names, f"present({name})"] if self.present else names

    def apply(self, column: Column, out: np.ndarray) -> None:
        """Write the columns of these samples into `out`, float32 [N, width]."""
        values = out[:, : len(self.kept)]
        if self.kind == "counts":
            values[:] = self._counts(column).toarray()
        else:
            source = _source(column, self.kind, self.levels)
            values[:] = (with_log(source) if self.logged else source)[:, self.kept]
            self._scale(values)
        values[~column.present] = self._gap()
        if self.present:
            centre, scale = self.present
            out[:, -1] = (column.present - centre) * scale

    def without_zeros(self, column: Column) -> sparse.csr_matrix:
        """Return what `apply` writes; of counts, no dense copy is made."""
        if self.kind != "counts":
            dense = np.empty((len(column), self.width), np.float32)
            self.apply(column, dense)
            return sparse.csr_matrix(dense)
        values, absent = self._counts(column), np.flatnonzero(~column.present)
        if self.present:
            centre, scale = self.present
            there = ((column.present - centre) * scale).astype(np.float32)
            indicator = sparse.csr_matrix(there[:, None])
            return sparse.csr_matrix(sparse.hstack([values, indicator], format="csr"))
        if not len(absent) or self.raw:
            return values
        gap = sparse.csr_matrix((self.centre * self.scale)[None])
        which = np.zeros((len(column), 1), np.float32)
        which[absent] = 1
        return (values + sparse.csr_matrix(which) @ gap).tocsr()

    def _counts(self, column: Column) -> sparse.csr_matrix:
        """Return counts of kept n-grams [N, K], weighed unless raw; a row with a gap is empty."""
        counts = counts_of(column)[:, self.kept]
        if self.raw:
            return counts
        values = normalised(counts, self.idf)
        values.data *= self.scale[values.indices]
        return values

    def _scale(self, values: np.ndarray) -> None:
        if self.raw:
            return
        values -= self.centre
        values *= self.scale
        if self.limit is not None:
            np.clip(values, -self.limit, self.limit, out=values)

    def _gap(self) -> np.ndarray | float:
        """Return what stands for a value that is not there: NaN, or the train mean.

        Counts with an indicator have 0 instead, as the indicator makes up for the difference and a
        matrix of rows that lack the feature stays as sparse as it is.
        """
        if self.raw:
            return np.nan
        if self.kind != "counts" or self.present:
            return 0.0
        mean: np.ndarray = self.centre * self.scale
        return mean

    def to_json(self) -> dict[str, Any]:
        return {
            "feature": self.spec.to_json(),
            "kind": self.kind,
            "raw": self.raw,
            "limit": self.limit,
            "levels": list(self.levels),
            "logged": self.logged,
            "present": list(self.present) if self.present else None,
        }

    def arrays(self) -> dict[str, np.ndarray]:
        return {"kept": self.kept, "centre": self.centre, "scale": self.scale, "idf": self.idf}

    @classmethod
    def from_json(cls, value: dict[str, Any], arrays: dict[str, np.ndarray]) -> Block:
        return cls(
            spec=FeatureSpec.from_json(value["feature"]),
            kind=value["kind"],
            raw=value["raw"],
            limit=value["limit"],
            levels=tuple(value["levels"]),
            logged=value["logged"],
            present=tuple(value["present"]) if value["present"] else None,
            **arrays,
        )


def kind_of(spec: FeatureSpec) -> str:
    """Return how a feature is treated: dense, number, counts or categories."""
    if spec.is_text:
        return "categories"
    if spec.is_counts:
        return "counts"
    return "number" if spec.name.startswith("meta:") and _width(spec) == 1 else "dense"


def fit_block(column: Column, *, raw: bool, balance: float, support: int = 1) -> Block:
    """Learn one feature's columns from the train rows; width 0 where nothing in it varies.

    `balance` 1 gives every block a variance of 1 in all, 0 gives every dense column a variance of
    1. Hashed n-grams that fewer than `support` rows have get no column.

    Raises:
        FitError: if a value that is there is not finite.
    """
    kind = kind_of(column.spec)
    if kind == "counts":
        return _fit_counts(column, raw=raw, support=support)
    levels = _levels(column) if kind == "categories" else ()
    values = _source(column, kind, levels)
    values = values if column.present.all() else values[column.present]
    if not np.isfinite(values).all():
        raise FitError(
            f"feature {column.spec.name!r} holds numbers that are not finite; "
            "find the samples: python cli.py cache check"
        )
    logged = kind == "number" and not raw and helped_by_log(values[:, 0])
    values = with_log(values) if logged else values
    kept, centre, spread = varying(values)
    limit = None
    if raw:
        centre, scale = np.zeros(len(kept)), np.ones(len(kept))
    elif kind in {"dense", "number"}:
        unit = max(len(kept), 1) ** (-balance / 2)
        scale, limit = unit / spread, unit * LIMIT
    else:
        scale = _one_scale(spread)
    return Block(
        column.spec,
        kind,
        raw,
        kept,
        centre.astype(np.float32),
        scale.astype(np.float32),
        np.zeros(0, np.float32),
        limit,
        levels,
        logged,
        None if raw or not len(kept) else _indicator(column.present),
    )


def _fit_counts(column: Column, *, raw: bool, support: int) -> Block:
    """Learn which n-grams of the train rows to look at, and how much each says."""
    counts = counts_of(column)[column.present]
    kept = frequent(counts, support=support, most=MOST_DENSE if raw else MOST)
    idf, centre, scale = np.zeros(0, np.float32), np.zeros(len(kept)), np.ones(len(kept))
    if not raw:
        idf = inverse_frequency(counts[:, kept])
        centre, spread = moments_of(normalised(counts[:, kept], idf))
        scale = _one_scale(spread)
    return Block(
        column.spec,
        "counts",
        raw,
        kept,
        centre.astype(np.float32),
        scale.astype(np.float32),
        idf,
        None,
        (),
        False,
        None if raw or not len(kept) else _indicator(column.present),
    )


def _one_scale(spread: np.ndarray) -> np.ndarray:
    """Return the scale that gives a block of such columns a variance of 1 in all, float64 [K]."""
    return np.full(len(spread), 1 / np.sqrt(max(float((spread**2).sum()), 1e-12)))


def _width(spec: FeatureSpec) -> int:
    return int(np.prod(spec.item_shape, dtype=np.int64))


def _source(column: Column, kind: str, levels: tuple[str, ...]) -> np.ndarray:
    """Return float32 [N, D]: pooled values, or one column per level and one for the rest."""
    if kind != "categories":
        return column.pooled()
    place = {level: index for index, level in enumerate(levels)}
    index = np.array([place.get(value, len(levels)) for value in column.values], np.int64)
    columns: np.ndarray = index[:, None] == np.arange(len(levels) + 1)
    return columns.astype(np.float32)


def _levels(column: Column) -> tuple[str, ...]:
    """Return the values that are not rare in train, the most frequent first."""
    counts = Counter(column.values[column.present].tolist())
    enough = max(2, int(np.ceil(_RARE_SHARE * column.present.sum())))
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(value for value, count in ranked if count >= enough)[:MAX_LEVELS]


def _indicator(present: np.ndarray) -> tuple[float, float] | None:
    """Return centre and scale of the column that says who has the feature; None without gaps.

    The scale is bounded, so that the one gap of a thousand rows does not weigh thirty times a
    number.
    """
    share = float(present.mean())
    if share == 1:
        return None
    return share, 1 / max(float(np.sqrt(share * (1 - share))), 0.1)
