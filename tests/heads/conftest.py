"""Small tables with a planted signal."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from cache.spec import Column, FeatureSpec
from cache.table import FeatureTable

MakeColumn = Callable[..., Column]


def make_column(name, values, present=None, **recipe):
    """Return a column of vectors [N, D], or of texts where `values` holds str; "" and NaN rows are gaps."""
    values = np.asarray(values)
    if values.dtype.kind in "UO":
        spec = FeatureSpec(name, (), "text", (name,), recipe)
        there = np.array([value != "" for value in values]) if present is None else present
        return Column(spec, values.astype(object), None, there)
    values = values.astype(np.float32).reshape(len(values), -1)
    there = np.ones(len(values), bool) if present is None else np.asarray(present)
    spec = FeatureSpec(name, (values.shape[1],), "float32", ("video",), recipe)
    return Column(spec, np.where(there[:, None], values, 0), None, there)


def make_table(columns: Mapping[str, Column], target=None, author=None) -> FeatureTable:
    """Return a table of these columns."""
    count = len(next(iter(columns.values())))
    ids = np.array([f"v{index:04d}" for index in range(count)])
    return FeatureTable(ids, columns, target, author)


def table_of(*columns: Column, target=None, author=None) -> FeatureTable:
    """Return a table of these columns."""
    return make_table({column.spec.name: column for column in columns}, target, author)


@pytest.fixture(scope="session")
def planted() -> FeatureTable:
    """240 rows whose target is a sum of an embedding, a number, a category and noise; with gaps."""
    generator = np.random.default_rng(7)
    embedding = generator.normal(size=(240, 12))
    likes = np.exp(generator.normal(3, 2, 240))
    category = generator.choice(["Music", "News", "Sport"], 240)
    noise = generator.normal(scale=0.3, size=240)
    signal = embedding[:, 0] + embedding[:, 1] + 0.5 * np.log(likes) + (category == "News")
    there = generator.random(240) > 0.1
    counts = generator.poisson(0.3, (240, 40))
    return table_of(
        make_column("motion", embedding, there),
        make_column("meta:likes", likes),
        make_column("meta:category", category),
        make_column("words:title", counts, scale="block"),
        target=signal + noise,
        author=generator.choice(["a", "b", "c", "d", "e", "f", "g", "h"], 240),
    )
