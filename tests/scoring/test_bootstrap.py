"""Weighted forms against repeated rows, and what intervals promise."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring import bootstrap, kendall, weighted
from scoring.bootstrap import CLASSIFICATION_METRICS, REGRESSION_METRICS, SEQUENCE_METRICS, Score

ROWS = st.integers(2, 12)


@st.composite
def drawn_rows(draw, task: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows, classes = draw(ROWS), draw(st.integers(2, 7))
    times = rng.multinomial(rows, np.full(rows, 1 / rows))
    if task == "classification":
        return rng.integers(0, classes, rows), rng.dirichlet(np.ones(classes), rows), times
    shape = rows if task == "regression" else (rows, 3)
    target, predicted = rng.integers(0, 5, (2, *np.atleast_1d(shape))).astype(float)
    if task == "sequence":
        target[rng.random(shape) < 0.2] = np.nan
        target[:, 0] = 1.0 + np.arange(rows)
    return target, predicted, times


def check_against_repeated(metrics, target, predicted, times):
    for name, metric in metrics.items():
        repeated = metric.function(np.repeat(target, times, 0), np.repeat(predicted, times, 0))
        weights = np.column_stack([times, times]).astype(float)
        found = metric.weighted(target, predicted)(weights)
        assert found == pytest.approx([repeated] * 2, abs=1e-9, nan_ok=True), name


@settings(max_examples=60, deadline=None)
@given(drawn_rows("regression"))
def test_weights_of_numbers_are_repeated_rows(case):
    check_against_repeated(REGRESSION_METRICS, *case)


@settings(max_examples=40, deadline=None)
@given(drawn_rows("sequence"))
def test_weights_of_curves_are_repeated_rows(case):
    check_against_repeated(SEQUENCE_METRICS, *case)


@settings(max_examples=60, deadline=None)
@given(drawn_rows("classification"))
def test_weights_of_classes_are_repeated_rows(case):
    check_against_repeated(CLASSIFICATION_METRICS, *case)


def noisy(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    target, noise = np.random.default_rng(seed).normal(size=(2, rows))
    return target, target + noise


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    truth = 6 / math.pi * math.asin(1 / math.sqrt(2) / 2)  # Spearman of this normal pair
    metric = REGRESSION_METRICS["srocc"]
    scores = [
        bootstrap.bootstrap(metric, *noisy(100, seed), seed=seed, resamples=300)
        for seed in range(200)
    ]
    covered = np.mean([score.low <= truth <= score.high for score in scores])
    assert 0.89 <= covered <= 0.99


def test_the_interval_of_a_mean_is_the_textbooks():
    errors = np.random.default_rng(0).exponential(size=5000)
    score = bootstrap.bootstrap(REGRESSION_METRICS["mae"], errors, np.zeros(5000), seed=1)
    half = 1.96 * errors.std() / math.sqrt(5000)
    assert score.low == pytest.approx(errors.mean() - half, abs=0.1 * half)
    assert score.high == pytest.approx(errors.mean() + half, abs=0.1 * half)


def test_the_same_seed_gives_the_same_interval_and_block_size_does_not_matter(monkeypatch):
    first = bootstrap.score_regression(*noisy(300), seed=7)
    assert bootstrap.score_regression(*noisy(300), seed=7) == first
    monkeypatch.setattr(bootstrap, "_BLOCK_CELLS", 1500)
    assert bootstrap.score_regression(*noisy(300), seed=7) == pytest.approx(first)
    assert bootstrap.score_regression(*noisy(300), seed=8) != first


@pytest.mark.parametrize("name", REGRESSION_METRICS)
def test_the_value_lies_in_its_interval_and_is_the_plain_metric(name):
    score = bootstrap.score_regression(*noisy(500), seed=0)[name]
    assert score.low < score.value < score.high
    assert score.value == REGRESSION_METRICS[name].function(*noisy(500))


def test_whole_groups_are_drawn_together_and_widen_the_interval():
    groups = np.repeat(np.arange(20), 50)
    shift = np.random.default_rng(0).normal(size=20)[groups]
    target, predicted = np.zeros(1000), shift
    metric = REGRESSION_METRICS["mae"]
    alone = bootstrap.bootstrap(metric, target, predicted, seed=0)
    grouped = bootstrap.bootstrap(metric, target, predicted, seed=0, groups=groups)
    assert grouped.value == alone.value
    assert grouped.high - grouped.low > 4 * (alone.high - alone.low)


def test_rows_without_an_author_stand_alone():
    authors = np.array(["a", "a", "", "", "b"])
    member = bootstrap._members(5, authors)
    assert member[0] == member[1]
    assert len(set(member.tolist())) == 4


def test_few_rows_or_groups_have_no_interval_however_well_they_fit():
    rows = np.arange(bootstrap.FEWEST - 1.0)
    few = bootstrap.score_regression(rows, rows, seed=0)["srocc"]
    assert (few.value, math.isnan(few.low), math.isnan(few.high)) == (1.0, True, True)
    groups = np.repeat(rows, 30).astype(str)
    grouped = bootstrap.score_regression(*noisy(len(groups)), seed=0, groups=groups)
    assert all(math.isnan(score.low) for score in grouped.values())
    assert math.isfinite(bootstrap.score_regression(*noisy(len(rows) + 1), seed=0)["mae"].low)


def test_too_few_rows_or_groups_are_said():
    assert bootstrap.too_few(2).startswith("rows scored: 2; so few are not a measurement")
    assert "rows scored: 60, of 2 groups;" in bootstrap.too_few(60, np.array(["a", "b"] * 30))
    assert bootstrap.too_few(60, np.array(["a", "", *"bcdefg"] * 8)[:60]) == ""
    assert bootstrap.too_few(bootstrap.FEWEST) == ""


def test_one_row_or_one_group_has_no_interval():
    one = bootstrap.score_regression(np.array([1.0]), np.array([2.0]), seed=0)["mae"]
    assert (one.value, one.n) == (1.0, 1)
    assert math.isnan(one.low)
    grouped = bootstrap.score_regression(*noisy(9), seed=0, groups=np.array(["x"] * 9))
    assert math.isnan(grouped["srocc"].high)


def test_groups_must_be_one_for_each_row():
    with pytest.raises(ValueError, match=r"groups have shape \(2,\); expected one for each of 9"):
        bootstrap.score_regression(*noisy(9), seed=0, groups=np.array(["x", "y"]))


def test_undefined_is_null_in_json_and_comes_back():
    score = bootstrap.score_regression(np.arange(4.0), np.ones(4), seed=0)["srocc"]
    stored = score.to_json()
    assert stored == {"value": None, "low": None, "high": None, "n": 4}
    assert math.isnan(Score.from_json(stored).value)
    assert Score.from_json(Score(0.0, -1.0, 2.0, 3).to_json()) == Score(0.0, -1.0, 2.0, 3)


def test_five_classes_have_no_top_five_and_names_must_match():
    labels, given = np.arange(5), np.eye(5)
    scores = bootstrap.score_classification(labels, given, list("abcde"), seed=0)
    assert "top5_accuracy" not in scores
    assert scores["accuracy"].value == 1.0
    with pytest.raises(ValueError, match="2 class names"):
        bootstrap.score_classification(labels, given, ["a", "b"], seed=0)


def test_six_classes_have_a_top_five():
    labels, given = np.arange(6), np.eye(6)
    scores = bootstrap.score_classification(labels, given, list("abcdef"), seed=0)
    assert scores["top5_accuracy"].value == 1.0


def test_a_single_class_in_the_labels_is_scored_without_an_area():
    given = np.array([[0.9, 0.1], [0.4, 0.6], [0.7, 0.3]])
    scores = bootstrap.score_classification(np.zeros(3, int), given, ["a", "b"], seed=0)
    assert math.isnan(scores["auc"].value)
    assert scores["accuracy"].value == pytest.approx(2 / 3)


def test_fitted_scores_stand_apart_and_are_undefined_for_a_constant():
    scores = bootstrap.score_fitted(*noisy(200), seed=0)
    assert set(scores) == {"plcc_fitted", "rmse_fitted"}
    assert scores["plcc_fitted"].low < scores["plcc_fitted"].value
    constant = bootstrap.score_fitted(noisy(9)[0], np.ones(9), seed=0)
    assert math.isnan(constant["plcc_fitted"].value)


def test_curves_have_intervals_too():
    target = np.cumsum(np.random.default_rng(0).normal(size=(50, 4)), axis=1)
    scores = bootstrap.score_sequence(target, target + 0.5, seed=0)
    assert scores["amae"].value == pytest.approx(0.5)
    assert scores["asrc"].low == pytest.approx(1.0)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_concordances_are_counted_as_by_hand(rows, seed):
    x, y = np.random.default_rng(seed).integers(0, 8, (2, rows))
    signs = np.sign(x[:, None] - x) * np.sign(y[:, None] - y)
    assert (kendall.concordant_minus_discordant(x, y) == signs.sum(axis=1)).all()


def spread(form: weighted.Form, rows: int) -> np.ndarray:
    return np.percentile(bootstrap.resample({"it": form}, rows, seed=3)["it"], (2.5, 50, 97.5))


@pytest.mark.parametrize("decimals", [0, 6])
def test_the_linear_interval_of_kendall_is_the_exact_one(decimals):
    target, predicted = (values.round(decimals) for values in noisy(400))
    exact = spread(kendall.krcc_form(target, predicted), 400)
    linear = spread(kendall.krcc_form(target, predicted, exact_rows=0), 400)
    assert linear == pytest.approx(exact, abs=0.03 * (exact[2] - exact[0]))


@pytest.mark.parametrize("classes", [2, 6])
def test_the_linear_interval_of_the_area_is_the_exact_one(classes):
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, classes, 400), rng.dirichlet(np.ones(classes), 400).round(2)
    scores[np.arange(400), labels] += 0.2
    scores /= scores.sum(axis=1, keepdims=True)
    exact = spread(weighted.auc_form(labels, scores), 400)
    linear = spread(weighted.auc_form(labels, scores, exact_cells=0), 400)
    assert linear == pytest.approx(exact, abs=0.03 * (exact[2] - exact[0]))


def test_the_linear_interval_of_curves_is_the_exact_one():
    rng = np.random.default_rng(0)
    target = np.cumsum(rng.normal(size=(400, 6)), axis=1).round(1)
    predicted = (target + rng.normal(size=(400, 6)) * 2).round()
    target[rng.random((400, 6)) < 0.3] = np.nan
    exact = spread(weighted.asrc_form(target, predicted), 400)
    linear = spread(weighted.asrc_form(target, predicted, exact_cells=0), 400)
    assert linear == pytest.approx(exact, abs=0.05 * (exact[2] - exact[0]))


def test_constant_and_unobserved_days_leave_the_linear_mean_too():
    target = np.random.default_rng(0).normal(size=(50, 3))
    predicted = target + 0.0
    predicted[:, 1], target[:, 2] = 1.0, np.nan
    weights = np.ones((50, 2))
    assert weighted.asrc_form(target, predicted, exact_cells=0)(weights) == pytest.approx([1, 1])
    assert weighted.asrc_form(target, predicted)(weights) == pytest.approx([1, 1])
