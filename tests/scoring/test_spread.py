import numpy as np
import pytest

from scoring.spread import Spread, spread_of

ERROR = np.array([1.0] * 6 + [3.0] * 5 + [10.0] * 2 + [99.0])
GROUPS = np.array(["a"] * 6 + ["b"] * 5 + ["c"] * 2 + [""])


def test_groups_weigh_the_same_however_many_rows_they_have():
    spread = spread_of(ERROR, GROUPS)
    assert (spread.groups, spread.macro, spread.median) == (3, pytest.approx(14 / 3), 3.0)


def test_the_worst_groups_are_named_if_they_have_rows_enough():
    worst = spread_of(ERROR, GROUPS).worst
    assert [(each.name, each.error, each.rows) for each in worst] == [("b", 3.0, 5), ("a", 1.0, 6)]


@pytest.mark.parametrize("groups", [["a"] * 14, [""] * 14, ["a", *[""] * 13]])
def test_one_group_has_no_spread(groups):
    assert spread_of(ERROR, np.array(groups)) is None


def test_a_spread_is_written_as_it_is_read():
    spread = spread_of(ERROR, GROUPS)
    assert Spread.from_json(spread.to_json()) == spread
