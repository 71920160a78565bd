"""Intervals: the level is met on new rows, and too few residuals give none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heads.conformal import Conformal, fit_conformal


def test_offsets_are_order_statistics_with_the_finite_sample_rank():
    found = fit_conformal(np.arange(1.0, 20.0))
    assert (found.low, found.high) == (1, 19)
    found = fit_conformal(np.arange(1.0, 40.0))
    assert (found.low, found.high) == (2, 38)


def test_fewer_than_19_residuals_give_no_interval_of_90_percent():
    found = fit_conformal(np.arange(18.0))
    assert not found.usable
    assert found.to_json() == {"level": 0.9, "low": None, "high": None, "rows": 18}


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_new_rows_are_covered_at_the_level(level):
    generator = np.random.default_rng(0)
    covered = []
    for _ in range(300):
        found = fit_conformal(generator.exponential(size=60), level)
        fresh = generator.exponential(size=50)
        covered.append(((fresh >= found.low) & (fresh <= found.high)).mean())
    assert level - 0.01 < np.mean(covered) < level + 0.05


def test_sides_differ_where_residuals_are_skewed():
    found = fit_conformal(np.random.default_rng(0).exponential(size=999) - 1)
    assert found.high > -2 * found.low > 0


def test_each_step_of_a_sequence_has_its_own_offsets_and_skips_gaps():
    residuals = np.random.default_rng(0).normal(size=(200, 3)) * [1, 2, 3]
    residuals[:100, 2] = np.nan
    found = fit_conformal(residuals)
    assert found.low.shape == found.high.shape == (3,)
    assert found.high[2] == fit_conformal(residuals[100:, 2]).high


@given(st.lists(st.floats(-1e6, 1e6), min_size=0, max_size=60))
def test_json_gives_the_same_offsets_back(residuals):
    found = fit_conformal(np.array(residuals))
    again = Conformal.from_json(found.to_json())
    np.testing.assert_array_equal([again.low, again.high], [found.low, found.high])
    assert not found.usable or found.low <= found.high
