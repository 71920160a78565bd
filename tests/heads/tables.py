"""Small tables with a planted signal."""

import numpy as np

from cache.spec import Column, FeatureSpec
from cache.table import FeatureTable
from corpus.splits import SplitPlan
from corpus.targets import TargetPlan
from heads.result import FitConfig


def make_column(name, values, present=None, **recipe):
    """Return a column of vectors [N, D], or of texts, where "" is a gap."""
    values = np.asarray(values)
    if values.dtype.kind in "UO":
        there = np.array([value != "" for value in values])
        spec = FeatureSpec(name, (), "text", (name,), recipe)
        return Column(spec, values.astype(object), None, there)
    values = values.astype(np.float32).reshape(len(values), -1)
    there = np.ones(len(values), bool) if present is None else np.asarray(present)
    spec = FeatureSpec(name, (values.shape[1],), "float32", ("video",), recipe)
    return Column(spec, np.where(there[:, None], values, 0), None, there)


def make_counts(name, counts, present=None):
    """Return a column of hashed n-grams of counts [N, buckets], as the cache holds them."""
    counts = np.asarray(counts, np.float32)
    there = counts.any(axis=1) if present is None else np.asarray(present)
    rows, buckets = np.nonzero(counts * there[:, None])
    offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(counts)))])
    recipe = {"layout": "counts", "buckets": counts.shape[1]}
    spec = FeatureSpec(name, ("gram", 2), "float32", (name.replace("words", "text"),), recipe)
    pairs = np.stack([buckets, counts[rows, buckets]], axis=1).astype(np.float32)
    return Column(spec, pairs, offsets.astype(np.int64), there)


def make_table(*columns, target=None, author=None):
    """Return a table of these columns, its ids v0000, v0001, ..."""
    ids = np.array([f"v{index:04d}" for index in range(len(columns[0]))])
    return FeatureTable(ids, {column.spec.name: column for column in columns}, target, author)


def plant(rows=240, seed=7):
    """Return a table whose target is a sum of an embedding (with gaps), a count and a category."""
    generator = np.random.default_rng(seed)
    motion = generator.normal(size=(rows, 12))
    likes = np.exp(generator.normal(3, 2, rows))
    category = generator.choice(["Music", "News", "Sport"], rows)
    signal = motion[:, 0] + motion[:, 1] + 0.5 * np.log(likes) + (category == "News")
    return make_table(
        make_column("motion", motion, generator.random(rows) > 0.1),
        make_column("meta:likes", likes),
        make_column("meta:category", category),
        make_counts("words:title", generator.poisson(0.3, (rows, 40))),
        target=signal + generator.normal(scale=0.3, size=rows),
        author=generator.choice(list("abcdefgh"), rows),
    )


def raw(table):
    """Return the table's target as raw cells, every 40th without a label."""
    cells = [float(value) for value in table.target]
    return [None if row % 40 == 0 else cell for row, cell in enumerate(cells)]


def config(head="linear", task="regression", split="author-kfold:4", *, scale=None, **others):
    """Return what to fit; `scale` holds options of the target."""
    target = TargetPlan("ecr", task, **(scale or {}))
    return FitConfig(head, target, SplitPlan.parse(split, seed=1), **others)
