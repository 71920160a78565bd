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
from corpus.manifest import Manifest
from corpus.sample import Sample


def gather(
    manifest: Manifest,
    specs: Sequence[FeatureSpec],
    meta: Sequence[str],
    *,
    store: Store,
    keys: Keys,
) -> tuple[FeatureTable, dict[str, Coverage]]:
    """Read features of all samples, with numbers and categories of the table as columns beside them.

    `meta` names columns as `meta:duration`. What the cache lacks is not `present`; the coverage, by
    feature, counts it.

    Raises:
        CacheError: if the cache is not what it says it is.
    """
    wanted = {spec: keys.digests(spec.reads) for spec in specs}
    columns, coverage = read_columns(store, keys.index, wanted)
    for name in meta:
        columns[name] = meta_column(manifest.samples, name)
    table = FeatureTable(
        manifest.ids, columns, author=manifest.author, posted_at=manifest.posted_at
    )
    return table, coverage


def meta_column(samples: Sequence[Sample], name: str) -> Column:
    """Return a number (float32 [N, 1]) or category (text) of the table as a column."""
    field = name.removeprefix("meta:")
    cells = [sample.meta.get(field) for sample in samples]
    present = np.array([cell is not None for cell in cells], bool)
    if any(isinstance(cell, str) for cell in cells):
        texts = np.array([cell if isinstance(cell, str) else "" for cell in cells], object)
        return Column(_meta_spec(name, (), TEXT), texts, None, present)
    numbers = [[0.0 if cell is None else cell] for cell in cells]
    values = np.array(numbers, np.float32).reshape(-1, 1)
    return Column(_meta_spec(name, (1,), "float32"), values, None, present)


def _meta_spec(name: str, dims: tuple[int, ...], dtype: str) -> FeatureSpec:
    """Describe a column of the table: nothing but its name decides its values."""
    return FeatureSpec(name, dims, dtype, reads=(name,), recipe={})


def meta_names(manifest: Manifest) -> tuple[list[str], list[str]]:
    """Return the table's numbers and its categories, each as `meta:name`."""
    columns = manifest.columns
    return [f"meta:{n}" for n in columns.number], [f"meta:{c}" for c in columns.category]
