"""Errors by decade of views."""

import numpy as np
import pytest

from scoring.decades import Decade, mae_by_decade


def test_errors_are_told_by_power_of_ten_of_true_views():
    target = np.array([[1.0, 2.0], [3.0, np.nan]])
    predicted = np.array([[1.5, 2.25], [2.0, 9.0]])
    views = np.array([[3.0, 10.0], [99.0, np.nan]])
    assert list(mae_by_decade(target, predicted, views)) == [
        Decade(0, 10, 0.5, 1),
        Decade(10, 100, pytest.approx(0.625), 2),
    ]


def test_days_below_one_view_are_in_the_first_decade():
    (only,) = mae_by_decade(np.zeros((1, 2)), np.ones((1, 2)), np.array([[0.0, -3.0]]))
    assert (only.low, only.high, only.n) == (0, 10, 2)
