"""From a table's samples and a cache to the table that heads learn from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cache.keys import Keys
from cache.known import Coverage
from cache.reading import read_columns
from cache.spec import TEXT, Column, FeatureSpec
from cache.store import Store
from cache.table import FeatureTable
from corpus.sample import Sample

META = "meta:"


def table_of(
    samples: Sequence[Sample], specs: Sequence[FeatureSpec], *, store: Store, keys: Keys
) -> tuple[FeatureTable, dict[str, Coverage]]:
    """Read features of all samples; numbers and categories of the table are columns like others.

    What the cache lacks is not `present`; the coverage, by feature, counts it.

    Raises:
        CacheError: if the cache is not what it says it is.
    """
    stored = {spec: keys.digests(spec.reads) for spec in specs if not is_meta(spec.name)}
    columns, coverage = read_columns(store, keys.index, stored)
    columns |= {spec.name: meta_column(samples, spec) for spec in specs if is_meta(spec.name)}
    ids = np.array([sample.id for sample in samples], dtype=np.str_)
    return FeatureTable(ids, {spec.name: columns[spec.name] for spec in specs}), coverage


def is_meta(name: str) -> bool:
    """Say whether a feature is a column of the table rather than of the cache."""
    return name.startswith(META)


def number_spec(field: str) -> FeatureSpec:
    """Describe a number of the table; nothing but its name decides its values."""
    return FeatureSpec(META + field, (1,), "float32", reads=(META + field,), recipe={})


def category_spec(field: str) -> FeatureSpec:
    """Describe a category of the table."""
    return FeatureSpec(META + field, (), TEXT, reads=(META + field,), recipe={})


def meta_column(samples: Sequence[Sample], spec: FeatureSpec) -> Column:
    """Return a number (float32 [N, 1]) or a category (object [N]) of the table as a column."""
    cells = [sample.meta.get(spec.name.removeprefix(META)) for sample in samples]
    present = np.array([cell is not None for cell in cells], bool)
    if spec.is_text:
        texts = np.array(["" if cell is None else str(cell) for cell in cells], object)
        return Column(spec, texts, None, present)
    numbers = [[cell if isinstance(cell, float) else 0.0] for cell in cells]
    return Column(spec, np.array(numbers, np.float32).reshape(-1, 1), None, present)
