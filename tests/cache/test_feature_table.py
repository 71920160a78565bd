"""The table that heads learn from."""

import numpy as np
import pytest

from cache.spec import Column
from cache.table import FeatureTable
from cache.taking import source_of, specs_of
from core.errors import UnknownName
from tests.cache.rows import RAGGED, VECTOR

IDS = np.array(["a", "b", "c"], dtype=object)
COLUMN = Column(VECTOR, np.eye(3, dtype=np.float16), None, np.ones(3, bool))
OTHER = Column(RAGGED, np.ones((3, 2), np.float32), np.arange(4), np.ones(3, bool))
TABLE = FeatureTable(
    IDS,
    {"net@small": COLUMN, "net/tokens": OTHER},
    target=np.array([1.0, 2.0, 3.0]),
    groups=np.array([0, 0, 1]),
)


@pytest.mark.parametrize("rows", [np.array([2, 0]), np.array([True, False, True])])
def test_taking_rows_takes_all_that_belongs_to_them(rows):
    taken, order = TABLE.take(rows), np.arange(3)[rows]
    assert (len(taken), taken.ids.tolist()) == (2, IDS[order].tolist())
    assert taken.target.tolist() == TABLE.target[order].tolist()
    assert taken.groups.tolist() == TABLE.groups[order].tolist()
    assert np.array_equal(taken.columns["net@small"].values, COLUMN.values[order])
    assert (taken.author, taken.posted_at) == (None, None)


def test_selecting_keeps_the_order_asked_for():
    assert list(TABLE.select(["net/tokens", "net@small"]).columns) == ["net/tokens", "net@small"]
    assert list(TABLE.select(["net/tokens"]).columns) == ["net/tokens"]


def test_selecting_a_feature_that_is_not_there_offers_a_near_one():
    with pytest.raises(UnknownName, match="'net@smal' is unknown; did you mean 'net@small'"):
        TABLE.select(["net@smal"])


def test_a_table_is_given_another_target():
    changed = TABLE.with_target(np.zeros(3))
    assert (changed.target.tolist(), TABLE.target.tolist()) == ([0, 0, 0], [1, 2, 3])


def test_all_rows_in_their_order_are_the_table_itself():
    assert TABLE.take(np.arange(3)) is TABLE
    assert TABLE.take(np.ones(3, bool)) is TABLE
    assert TABLE.take(np.array([0, 2, 1])) is not TABLE


def test_rows_of_large_columns_are_copied_when_they_are_looked_at(monkeypatch):
    monkeypatch.setattr("cache.taking.LARGE", 4)
    later = TABLE.take(np.array([2, 0, 1])).take(np.array([1, 2])).select(["net@small"])
    source, rows = source_of(later.columns, "net@small")
    assert source is COLUMN
    assert rows.tolist() == [0, 1]
    assert later.columns["net@small"].values.tolist() == COLUMN.values[:2].tolist()
    assert later.columns["net@small"] is later.columns["net@small"]
    assert specs_of(later.columns) == [VECTOR]
