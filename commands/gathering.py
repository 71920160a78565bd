"""From a table and a cache to the table that heads learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from commands import loading
from commands import options as o
from core.errors import FitError, UnknownName
from core.log import logger

if TYPE_CHECKING:
    from cache.duplicates import Duplicates, Likeness
    from cache.known import Coverage
    from cache.spec import FeatureSpec
    from cache.table import FeatureTable
    from corpus.manifest import Manifest
    from corpus.splits import SplitPlan
    from extract.encoders.encoding import Encoding
    from extract.ensure import OpenCache


_ALL_OWN = "meta"


def features_of(
    table: Manifest, asked: str | None, decoder: str, encoding: Encoding
) -> tuple[tuple[FeatureSpec, ...], tuple[str, ...]]:
    """Return all columns to read, and which of them the head is to learn from.

    The table's own numbers and categories are always read, for the baseline that knows nothing
    else, and `meta` asks for them. A family stands for its vectors; a sequence is taken where it is
    named. `knn(NAME)` reads what NAME does, and asks for the columns of its neighbours.
    """
    from cache.gather import category_spec, is_meta, number_spec
    from extract.catalog import resolve
    from extract.families import DEFAULT_PRESET
    from heads.neighbours.columns import column_name, source_of

    own = [number_spec(name) for name in table.columns.number]
    own += [category_spec(name) for name in table.columns.category]
    every = [spec.name for spec in own]
    named = o.names(asked) or [DEFAULT_PRESET, _ALL_OWN]
    names = [each for name in named for each in (every if name == _ALL_OWN else [name])]
    sources = [source for name in names if (source := source_of(name))]
    names = [name for name in names if source_of(name) is None]
    for name in names:
        if is_meta(name) and name not in {spec.name for spec in own}:
            raise UnknownName(
                "feature", name, [s.name for s in own], "Declare it: --columns number=NAME"
            )
    cached = [name for name in names if not is_meta(name)]
    vectors: list[FeatureSpec] = []
    if cached:
        parts = loading.parts_of(table)
        request = resolve(cached, parts=parts, decoder=decoder, encoding=encoding)
        vectors = [
            spec
            for spec in request.specs
            if spec.is_counts or not spec.is_ragged or spec.name in names
        ]
    chosen = [spec.name for spec in vectors] + [s.name for s in own if s.name in names]
    specs = {spec.name: spec for spec in (*vectors, *own)}
    for source in sources:
        theirs, members = features_of(table, source, decoder, encoding)
        specs = {spec.name: spec for spec in theirs} | specs
        chosen += [column_name(name) for name in members]
    return tuple(specs.values()), tuple(chosen)


def likeness_of(
    table: Manifest, asked: str | None, decoder: str, encoding: Encoding
) -> tuple[Likeness, FeatureSpec] | None:
    """Return what tells near-duplicates, and the feature that it is asked of.

    Raises:
        UnknownName, UsageError: if the feature or the threshold is none.
    """
    from cache.duplicates import Likeness

    if asked is None:
        return None
    likeness = Likeness.parse(asked)
    specs, _ = features_of(table, likeness.feature, decoder, encoding)
    by_name = {spec.name: spec for spec in specs}
    if likeness.feature not in by_name:
        raise UnknownName("feature", likeness.feature, by_name, "Name one, not a family.")
    return likeness, by_name[likeness.feature]


def duplicates_in(table: FeatureTable, likeness: Likeness, split: SplitPlan) -> Duplicates:
    """Find the near-duplicates of a table, say how many there are, and what the split does."""
    from cache.duplicates import Duplicates, groups_by_id

    groups = groups_by_id(table.ids, table.columns[likeness.feature], likeness.threshold)
    found = Duplicates(groups, str(likeness), keep=split.keeps_groups)
    sizes = found.sizes
    logger.info(
        "near-duplicates by %s: %d rows in %d groups, the largest of %d; %s",
        likeness,
        sum(sizes),
        len(sizes),
        max(sizes, default=0),
        f"split {split.text} keeps each on one side"
        if found.keep
        else f"split {split.text} is given as it is, so they are counted only",
    )
    return found


def bare_rows(table: Manifest) -> FeatureTable:
    """Return the table's rows as heads take them, without a feature yet."""
    import numpy as np

    from cache.table import FeatureTable

    ids = np.array([sample.id for sample in table.samples], dtype=np.str_)
    return FeatureTable(ids, {}, author=table.author, posted_at=table.posted_at)


def gathered_table(
    table: Manifest, specs: Sequence[FeatureSpec], opened: OpenCache
) -> tuple[FeatureTable, dict[str, Coverage]]:
    """Read the features; those that were never extracted are an error with its remedy."""
    from cache.gather import table_of

    gathered, coverage = table_of(table.samples, specs, store=opened.store, keys=opened.keys)
    never = {name: c.never for name, c in coverage.items() if c.never}
    opened.digests.save()
    if any(count == len(table) for count in never.values()):
        lacking = ", ".join(name for name, count in never.items() if count == len(table))
        raise FitError(
            f"the cache has nothing of {lacking} for this table; run `python cli.py extract` with "
            "the same table, --cache, --decoder and --weights first, or name other --features"
        )
    for name, count in never.items():
        logger.warning("%s: %d of %d rows were never extracted", name, count, len(table))
    return replace(gathered, author=table.author, posted_at=table.posted_at), coverage
