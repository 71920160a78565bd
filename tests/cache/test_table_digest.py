"""Whether two tables are the same to learn from."""

from dataclasses import replace

import numpy as np
import pytest

from cache.table_digest import digest_features, digest_table
from tests.heads.tables import make_column, plant


@pytest.fixture(scope="module")
def table():
    return plant(rows=60)


def test_the_same_rows_have_the_same_digest_wherever_they_lie(table):
    rows = np.arange(5, 45)
    taken = table.take(rows)
    assert digest_table(taken) == digest_table(plant(rows=60).take(rows))
    assert digest_table(taken) != digest_table(table.take(rows[::-1]))


@pytest.mark.parametrize("part", ["ids", "target", "author", "posted_at", "groups"])
def test_every_part_of_a_table_counts(table, part):
    values = getattr(table, part)
    numbers = np.zeros(60, np.int64 if part == "groups" else float)
    other = numbers if values is None else np.roll(values, 1)
    assert digest_table(replace(table, **{part: other})) != digest_table(table)


def test_values_gaps_and_texts_of_a_feature_count(table):
    usual = digest_features(table.columns)
    for name, column in table.columns.items():
        other = make_column("meta:category", np.roll(column.values, 1))
        if not column.spec.is_text:
            other = replace(column, values=column.values * 2)
        assert digest_features({name: other})[name] != usual[name]
    gap = replace(table.columns["meta:likes"], present=np.arange(60) > 0)
    assert digest_features({"meta:likes": gap})["meta:likes"] != usual["meta:likes"]
