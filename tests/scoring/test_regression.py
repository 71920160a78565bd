"""Metrics of numbers and curves, against SciPy, scikit-learn and golden values."""

import math

import numpy as np
import pytest
from scipy import stats

from scoring import regression

TARGET = np.array([3.0, 1.0, 2.0, 2.0, 5.0, 4.0, 4.0])
GUESS = np.array([2.5, 1.0, 1.0, 3.0, 3.0, 6.0, 2.0])  # ties on both sides
CORRELATIONS = {
    regression.srocc: stats.spearmanr,
    regression.plcc: stats.pearsonr,
    regression.krcc: stats.kendalltau,
}
ALL = [*CORRELATIONS, regression.final, regression.rmse, regression.mae]


@pytest.mark.parametrize("metric", CORRELATIONS)
def test_a_correlation_with_ties_is_scipys(metric):
    assert metric(TARGET, GUESS) == pytest.approx(CORRELATIONS[metric](TARGET, GUESS)[0])


@pytest.mark.parametrize("metric", [*CORRELATIONS, regression.final])
@pytest.mark.parametrize("sides", [(TARGET, np.ones(7)), (np.ones(7), GUESS)])
def test_a_constant_side_leaves_a_correlation_undefined(metric, sides):
    assert math.isnan(metric(*sides))


@pytest.mark.parametrize("metric", CORRELATIONS)
def test_one_row_has_no_order(metric):
    assert math.isnan(metric(np.array([1.0]), np.array([2.0])))


def test_errors_are_in_the_unit_of_the_target():
    assert regression.mae(np.array([0.0, 4.0]), np.array([1.0, 1.0])) == 2.0
    assert regression.rmse(np.array([0.0, 4.0]), np.array([1.0, 1.0])) == math.sqrt(5)


def test_final_is_six_parts_rank_and_four_parts_line():
    expected = 0.6 * regression.srocc(TARGET, GUESS) + 0.4 * regression.plcc(TARGET, GUESS)
    assert regression.final(TARGET, GUESS) == pytest.approx(expected)


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_number_that_is_not_finite_is_refused_with_its_row(metric, wrong):
    with pytest.raises(ValueError, match=r"predicted holds 1 values .* first in row 1"):
        metric(np.array([1.0, 2.0, 3.0]), np.array([1.0, wrong, 2.0]))


@pytest.mark.parametrize("metric", ALL)
def test_lengths_must_match(metric):
    with pytest.raises(ValueError, match=r"target has shape \(3,\), predicted \(2,\); must match"):
        metric(np.arange(3.0), np.arange(2.0))


@pytest.mark.parametrize("metric", ALL)
def test_no_rows_is_an_error_and_not_a_score(metric):
    with pytest.raises(ValueError, match="there are no rows"):
        metric(np.array([]), np.array([]))


def test_a_near_constant_guess_gives_no_warning():
    assert -1 <= regression.plcc(TARGET, 1e9 + 1e-6 * GUESS) <= 1


def test_the_logistic_fit_finds_a_planted_curve():
    x = np.linspace(-3, 3, 200)
    y = regression.logistic(x, 4.0, 2.5, 0.5, 0.2, 1.0)
    fit = regression.logistic_fit(y, x)
    assert fit.plcc_fitted > 0.9999
    assert fit.rmse_fitted < 0.01 < regression.rmse(y, x)


def test_the_logistic_fit_is_at_least_as_good_as_a_line():
    rng = np.random.default_rng(0)
    for _ in range(5):
        x, y = rng.normal(size=(2, 30))
        slope, offset = np.polyfit(x, y, 1)
        line = regression.rmse(y, slope * x + offset)
        assert regression.logistic_fit(y, x).rmse_fitted <= line + 1e-12


def test_a_failed_search_falls_back_to_the_line(monkeypatch):
    monkeypatch.setattr(regression, "LOGISTIC_TRIES", 7)
    fit = regression.logistic_fit(TARGET, GUESS)
    assert fit.plcc_fitted == pytest.approx(regression.plcc(TARGET, GUESS))
    assert fit.b[0] == 0.0


def test_a_constant_or_tiny_input_has_no_logistic_fit():
    assert math.isnan(regression.logistic_fit(TARGET, np.ones(7)).plcc_fitted)
    assert math.isnan(regression.logistic_fit(TARGET[:4], GUESS[:4]).rmse_fitted)


CURVES = np.array([[1.0, 2], [2, 1], [3, 5], [4, 4]])
DRAWN = np.array([[1.5, 2], [1, 3], [3, 4], [5, 6]])


def test_the_golden_values_of_curves():
    days = regression.by_day(CURVES, DRAWN)
    assert days["mae"] == pytest.approx([0.625, 1.25])
    assert days["src"] == pytest.approx([0.8, 0.6])
    assert regression.amae(CURVES, DRAWN) == pytest.approx(0.9375)
    assert regression.asrc(CURVES, DRAWN) == pytest.approx(0.7)
    assert regression.amse(CURVES, DRAWN) == pytest.approx((2.25 / 4 + 9 / 4) / 2)


def test_an_unobserved_day_is_skipped_for_its_row_only():
    gappy = CURVES.copy()
    gappy[0, 0] = np.nan
    days = regression.by_day(gappy, DRAWN)
    assert days["mae"] == pytest.approx([2 / 3, 1.25])
    assert regression.amae(gappy, DRAWN) == pytest.approx((2 / 3 + 1.25) / 2)


def test_a_day_that_nobody_observed_counts_for_nothing():
    gappy = np.column_stack([CURVES, np.full(4, np.nan)])
    guess = np.column_stack([DRAWN, np.zeros(4)])
    assert math.isnan(regression.by_day(gappy, guess)["mae"][2])
    assert regression.amae(gappy, guess) == pytest.approx(0.9375)


def test_the_rank_correlation_of_constant_curves_is_undefined():
    assert math.isnan(regression.asrc(CURVES, np.zeros((4, 2))))


@pytest.mark.parametrize(
    ("target", "guess", "text"),
    [
        (CURVES, DRAWN * np.nan, "predicted holds 8 values"),
        (CURVES * np.inf, DRAWN, "must be NaN"),
        (CURVES * np.nan, DRAWN, "no observed day"),
        (CURVES[0], DRAWN[0], r"expected \[N, T\]"),
    ],
)
def test_wrong_curves_are_refused(target, guess, text):
    with pytest.raises(ValueError, match=text):
        regression.amae(target, guess)
