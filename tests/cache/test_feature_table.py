"""The table that heads learn from."""

import numpy as np
import pytest

from cache.spec import Column
from cache.table import FeatureTable
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
