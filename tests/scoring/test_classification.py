"""Metrics of classes, against scikit-learn."""

import math
import warnings

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from scoring import classification
from scoring.calibration import ece, interval_coverage, reliability


def drawn(rows: int, classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(classes), rows)
    labels = rng.integers(0, classes, rows)
    probabilities[np.arange(rows), labels] += 0.2
    return labels, probabilities / probabilities.sum(axis=1, keepdims=True)


SCORES = [
    classification.accuracy,
    classification.auc,
    classification.log_loss,
    classification.brier,
    classification.confusion,
    ece,
]


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_scores_are_scikit_learns(classes):
    labels, given = drawn(100, classes)
    guess, names = given.argmax(axis=1), range(classes)
    assert classification.accuracy(labels, given) == (guess == labels).mean()
    expected = sklearn_metrics.log_loss(labels, given, labels=names)
    assert classification.log_loss(labels, given) == pytest.approx(expected)
    assert classification.log_loss_rows(labels, given).mean() == pytest.approx(expected)
    expected = sklearn_metrics.brier_score_loss(labels, given, labels=list(names))
    assert classification.brier(labels, given) == pytest.approx(expected)
    scores = given[:, 1] if classes == 2 else given
    expected = sklearn_metrics.roc_auc_score(labels, scores, multi_class="ovr")
    assert classification.auc(labels, given) == pytest.approx(expected)


def test_ties_are_scikit_learns_where_sums_are_rounded():
    labels, given = drawn(200, 7)
    given = np.round(given, 1) + 0.05
    given /= given.sum(axis=1, keepdims=True)
    expected = sklearn_metrics.roc_auc_score(labels, given, multi_class="ovr")
    assert classification.auc(labels, given) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("average", ["weighted", "macro"])
def test_averages_are_scikit_learns_with_zero_division_0(average):
    labels, given = drawn(12, 7)
    expected = sklearn_metrics.precision_recall_fscore_support(
        labels, given.argmax(axis=1), average=average, zero_division=0
    )
    assert classification.averaged(labels, given, average) == pytest.approx(expected[:3])


def test_top_five_is_scikit_learns_and_undefined_for_five_classes():
    labels, given = drawn(100, 8)
    expected = sklearn_metrics.top_k_accuracy_score(labels, given, k=5, labels=range(8))
    assert classification.top_accuracy(labels, given) == pytest.approx(expected)
    assert math.isnan(classification.top_accuracy(*drawn(10, 5)))


def test_equal_probabilities_put_the_first_class_on_top_everywhere():
    labels, even = np.arange(8), np.full((8, 8), 1 / 8)
    assert classification.accuracy(labels, even) == 1 / 8
    assert classification.top_accuracy(labels, even) == 5 / 8


def test_the_confusion_matrix_keeps_classes_that_never_occur():
    labels, given = np.array([0, 2]), np.eye(4)[[0, 1]]
    matrix = classification.confusion(labels, given)
    assert matrix.shape == (4, 4)
    assert matrix[0, 0] == matrix[2, 1] == 1
    assert matrix.sum() == 2


def test_an_absent_class_has_an_undefined_area_and_leaves_the_mean():
    labels, given = drawn(60, 3)
    labels[labels == 2] = 1
    areas = classification.auc_by_class(labels, given)
    assert math.isnan(areas[2])
    assert classification.auc(labels, given) == pytest.approx(areas[:2].mean())


@pytest.mark.parametrize("classes", [2, 3])
def test_a_single_class_in_the_labels_gives_scores_but_no_area(classes):
    given = drawn(20, classes)[1]
    labels = np.zeros(20, np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert math.isnan(classification.auc(labels, given))
        assert classification.averaged(labels, given, "weighted")[0] == 1.0
        assert math.isfinite(classification.log_loss(labels, given))


def test_each_class_has_its_row_even_without_rows():
    labels, given = np.array([0, 0, 1]), np.eye(3)[[0, 1, 1]]
    cat, dog, cow = classification.by_class(labels, given, ["cat", "dog", "cow"])
    assert (cat.precision, cat.recall, cat.support) == (1.0, 0.5, 2)
    assert (dog.precision, dog.recall, dog.f1) == pytest.approx((0.5, 1.0, 2 / 3))
    assert (cow.f1, cow.support) == (0.0, 0)
    assert math.isnan(cow.auc)


def test_class_names_must_be_as_many_as_columns():
    with pytest.raises(ValueError, match="2 class names for 3 columns"):
        classification.by_class(*drawn(5, 3), ["a", "b"])


@pytest.mark.parametrize("metric", SCORES)
@pytest.mark.parametrize(
    ("labels", "given", "text"),
    [
        ([0, 1], [[0.5, np.nan], [0, 1]], "probabilities holds 1 values that are NaN"),
        ([0, 1], [[0.5, 0.6], [0, 1]], "row 0 .* no distribution: .* sum 1.1"),
        ([0, 1], [[1, 0], [-0.5, 1.5]], "row 1 .* no distribution: smallest -0.5"),
        ([0, 2], [[0.5, 0.5], [0, 1]], "labels run from 0 to 2; expected 0 to 1"),
        ([0.0, 1.0], [[0.5, 0.5], [0, 1]], "labels have dtype float64"),
        ([0], [[0.5, 0.5], [0, 1]], "N differs"),
        ([0, 1], [[1.0], [1.0]], "C >= 2"),
        (np.zeros(0, int), np.zeros((0, 2)), "there are no rows"),
    ],
)
def test_wrong_input_is_refused_with_a_text_that_says_where(metric, labels, given, text):
    with pytest.raises(ValueError, match=text):
        metric(np.array(labels), np.array(given))


def test_the_calibration_error_of_a_known_case():
    labels = np.array([0, 0, 1, 1])
    given = np.array([[0.9, 0.1]] * 4)  # confidence 0.9, right half of the time
    assert ece(labels, given) == pytest.approx(0.4)
    curve = reliability(labels, given, bins=10)
    assert curve.count.tolist() == [0] * 8 + [4, 0]
    assert curve.accuracy[8] == 0.5
    assert math.isnan(curve.accuracy[0])


def test_a_perfect_head_has_no_calibration_error():
    assert ece(np.array([0, 1]), np.eye(2)) == 0.0


def test_coverage_counts_the_ends_as_inside():
    found = interval_coverage(np.array([1.0, 2, 3]), np.array([1.0, 0, 4]), np.array([2.0, 2, 6]))
    assert found.covered == pytest.approx(2 / 3)
    assert found.mean_width == pytest.approx(5 / 3)
    assert found.n == 3


def test_an_interval_upside_down_is_refused():
    with pytest.raises(ValueError, match="row 0 has low 2 above high 1"):
        interval_coverage(np.array([1.0]), np.array([2.0]), np.array([1.0]))
