import json

import numpy as np
import pytest

from core.errors import FitError, UsageError
from corpus.labels import task_of
from corpus.targets import FittedTarget, TargetPlan

THIRDS = TargetPlan("ECR", "classification", quantiles=(0.33, 0.67))
CLASSES = TargetPlan("label", "classification")
NAN = float("nan")


def all_rows(values):
    return np.ones(len(values), dtype=bool)


def fit(plan, values, **options):
    return plan.fit(values, all_rows(values), **options)


def test_numbers_of_text_cells_are_encoded_and_gaps_are_unlabelled():
    values = ["0.5", "", None, "1e1", 2.0, NAN]
    encoded, labelled = fit(TargetPlan("ECR"), values).encode(values)
    np.testing.assert_array_equal(encoded, [0.5, NAN, NAN, 10.0, 2.0, NAN])
    assert labelled.tolist() == [True, False, False, True, True, False]


def test_golden_thirds_of_0_to_9():
    values = [str(number) for number in range(10)]
    fitted = fit(THIRDS, values)
    encoded, labelled = fitted.encode(values)
    assert fitted.thresholds == pytest.approx((2.97, 6.03))
    assert encoded[labelled].tolist() == [0, 0, 0, 1, 1, 1]
    assert (~labelled).sum() == 4


def test_minimum_and_maximum_do_not_change_quantile_classes():
    values = np.random.default_rng(0).normal(size=200)
    scaled = (values - values.min()) / np.ptp(values)
    plain, normalised = (
        fit(THIRDS, list(numbers)).encode(list(numbers)) for numbers in (values, scaled)
    )
    np.testing.assert_array_equal(plain, normalised)


def test_the_middle_may_be_a_class():
    plan = TargetPlan("ECR", "classification", quantiles=(0.33, 0.67), middle="keep")
    values = [float(number) for number in range(10)]
    fitted = fit(plan, values)
    assert fitted.classes == ("low", "middle", "high")
    assert fitted.encode(values)[0].tolist() == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2]


def test_a_gap_is_in_no_third():
    plan = TargetPlan("ECR", "classification", quantiles=(0.33, 0.67), middle="keep")
    values = [*map(float, range(10)), None]
    assert not fit(plan, values).encode(values)[1][-1]


def test_thresholds_come_from_train_rows_only():
    values = [float(number) for number in range(10)] + [1000.0] * 10
    train = np.arange(20) < 10
    assert THIRDS.fit(values, train).thresholds == pytest.approx((2.97, 6.03))


def test_ranks_come_from_train_rows_only():
    values = [1.0, 2.0, 1000.0]
    fitted = TargetPlan("n", transform="rank").fit(values, np.array([True, True, False]))
    assert fitted.transform.values.tolist() == [1.0, 2.0]


def test_text_classes_are_sorted_as_text_and_numbers_as_numbers():
    assert fit(CLASSES, ["b", "a", "b", "a"]).classes == ("a", "b")
    assert fit(CLASSES, ["10", "9", "10", "9"]).classes == ("9", "10")
    assert fit(CLASSES, ["10", "9", "x", "10", "9", "x"]).classes == ("10", "9", "x")


def test_a_class_read_as_a_number_is_the_same_class():
    assert fit(CLASSES, [1.0, "1", 0.0, "0"]).classes == ("0", "1")


def test_classes_decode_from_indices_and_probabilities():
    fitted = fit(CLASSES, ["b", "a", "b", "a"])
    assert fitted.decode(np.array([1, 0])).tolist() == ["b", "a"]
    assert fitted.decode(np.array([[0.2, 0.8], [0.9, 0.1]])).tolist() == ["b", "a"]


def test_sequences_keep_their_gaps_and_a_row_without_values_is_unlabelled():
    values = [np.array([1.0, NAN]), np.array([3.0, 7.0]), np.array([NAN, NAN]), None]
    fitted = fit(TargetPlan("p", "sequence", "log1p"), values)
    encoded, labelled = fitted.encode(values)
    np.testing.assert_allclose(encoded[:2], np.log1p([[1.0, NAN], [3.0, 7.0]]))
    assert (fitted.steps, labelled.tolist()) == (2, [True, True, False, False])
    np.testing.assert_allclose(fitted.decode(encoded[1:2]), [[3.0, 7.0]])


def test_a_fitted_sequence_encodes_rows_without_any_label():
    fitted = fit(TargetPlan("p", "sequence"), [np.array([1.0, 2.0])] * 2)
    encoded, labelled = fitted.encode([None, None])
    assert (encoded.shape, labelled.any()) == ((2, 2), False)


def test_a_sequence_of_another_length_is_refused():
    fitted = fit(TargetPlan("p", "sequence"), [np.array([1.0, 2.0])] * 2)
    with pytest.raises(UsageError, match="has 3 steps, the run 2"):
        fitted.encode([np.array([1.0, 2.0, 3.0])])


@pytest.mark.parametrize(
    ("plan", "values"),
    [
        (TargetPlan("n", transform="rank"), ["1", "2", "4"]),
        (TargetPlan("n", transform="logit", scale=100.0), ["1", "2", "99"]),
        (THIRDS, [float(number) for number in range(10)]),
        (CLASSES, ["a", "b", "a", "b"]),
        (TargetPlan("p", "sequence", "log1p"), [np.array([1.0, 2.0]), np.array([3.0, NAN])]),
    ],
)
def test_a_fitted_target_survives_json(plan, values):
    fitted = fit(plan, values)
    again = FittedTarget.from_json(json.loads(json.dumps(fitted.to_json())))
    assert (again.plan, again.classes) == (plan, fitted.classes)
    for first, second in zip(fitted.encode(values), again.encode(values), strict=True):
        np.testing.assert_array_equal(first, second)


def test_strata_balance_classes_and_thirds():
    assert CLASSES.strata(["b", "a", None, "b"]).tolist() == [1, 0, -1, 1]
    thirds = THIRDS.strata([*map(str, range(10)), ""])
    assert thirds.tolist() == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, -1]
    assert THIRDS.strata([None, None]).tolist() == [-1, -1]


def test_a_number_has_no_strata():
    with pytest.raises(UsageError, match="a stratified split needs classes"):
        TargetPlan("ECR").strata(["1", "2"])


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["1", "2.5", ""], "regression"),
        (["1", "fight"], "classification"),
        ([None, np.zeros(2)], "sequence"),
    ],
)
def test_labels_suggest_their_task(values, task):
    assert task_of(values) == task


def test_a_text_target_is_refused_with_its_first_values_and_ids():
    with pytest.raises(UsageError, match="2 of 3 rows") as caught:
        fit(TargetPlan("ECR"), ["high", "0.5", "low"], ids=["a", "b", "c"])
    assert "id 'a': 'high', id 'c': 'low'" in str(caught.value)
    assert "--task classification" in str(caught.value)


@pytest.mark.parametrize("values", [["nan", "NaN", "1"], ["inf", "1", "2"]])
def test_a_word_for_no_number_is_refused(values):
    with pytest.raises(UsageError, match="must be a number"):
        fit(TargetPlan("ECR"), values)


@pytest.mark.parametrize("plan", [TargetPlan("ECR"), THIRDS, CLASSES])
@pytest.mark.parametrize("values", [[None, None], ["", " "], [NAN, NAN]])
def test_a_target_without_any_label_is_refused(plan, values):
    with pytest.raises(FitError, match="has no label in any of 2 rows; choose another column"):
        fit(plan, values)


@pytest.mark.parametrize("plan", [TargetPlan("ECR"), THIRDS, TargetPlan("p", "sequence")])
def test_a_constant_target_is_refused(plan):
    values = ["3"] * 5 if plan.task != "sequence" else [np.full(2, 3.0)] * 5
    with pytest.raises(FitError, match=r"is 3 in all \d+ labelled train rows"):
        fit(plan, values)


def test_one_class_is_refused():
    with pytest.raises(FitError, match="has only the class 'a'; at least two are needed"):
        fit(CLASSES, ["a", "a"])


def test_a_class_with_one_row_is_refused():
    with pytest.raises(FitError, match="class 'b' has one row; at least two are needed"):
        fit(CLASSES, ["a", "a", "b"])


def test_quantiles_that_leave_a_class_empty_are_refused():
    with pytest.raises(FitError, match="class 'low' has no rows"):
        fit(THIRDS, ["0"] * 8 + ["1", "2", "3"])


def test_a_class_without_train_rows_is_refused():
    values, train = ["a", "a", "b", "b"], np.array([True, True, False, False])
    with pytest.raises(FitError, match="class 'b' has 2 rows, but none of them to train on"):
        CLASSES.fit(values, train)


def test_train_rows_without_labels_are_refused():
    with pytest.raises(FitError, match="no label in the train rows; take another --split"):
        TargetPlan("ECR").fit(["", "1", "2"], np.array([True, False, False]))


def test_a_step_without_any_value_is_refused():
    with pytest.raises(FitError, match="no value at place 2 of 2"):
        fit(TargetPlan("p", "sequence"), [np.array([1.0, NAN]), np.array([2.0, NAN])])


def test_an_unknown_class_is_refused():
    fitted = fit(CLASSES, ["a", "a", "b", "b"])
    with pytest.raises(UsageError, match="classes that the run does not know: 'c'; it knows: a, b"):
        fitted.encode(["c"])


@pytest.mark.parametrize(
    ("transform", "values", "problem"),
    [
        ("log1p", ["1", "-1"], "takes values greater than -1, but 1 rows have others: id 'b': -1"),
        ("logit", ["0.5", "40"], "takes values in 0..1, .* id 'b': 40.0; .* --target-scale 100"),
    ],
)
def test_a_value_outside_the_transform_is_refused(transform, values, problem):
    with pytest.raises(UsageError, match=problem):
        fit(TargetPlan("n", transform=transform), values, ids=["a", "b"])


@pytest.mark.parametrize(
    ("plan", "values", "problem"),
    [
        (TargetPlan("p"), [np.zeros(2)], "is a sequence; use task sequence"),
        (CLASSES, [np.zeros(2)], "is a sequence; use task sequence"),
        (TargetPlan("p", "sequence"), ["1", "2"], "is not a sequence of one length"),
        (TargetPlan("p", "sequence"), [np.zeros(2), np.zeros(3)], "not a sequence of one length"),
    ],
)
def test_a_label_of_another_task_is_refused(plan, values, problem):
    with pytest.raises(UsageError, match=problem):
        fit(plan, values)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"task": "ranking"}, "task 'ranking' is unknown; known: regression"),
        ({"task": "classification", "middle": "lose"}, "expected 'drop' or 'keep'"),
        ({"quantiles": (0.3, 0.7)}, "use task classification, not regression"),
        ({"task": "classification", "quantiles": (0.7, 0.3)}, "two rising shares"),
        ({"task": "classification", "quantiles": (0.0, 0.5)}, "two rising shares"),
    ],
)
def test_a_plan_that_means_nothing_is_refused(options, problem):
    with pytest.raises(UsageError, match=problem):
        TargetPlan("ECR", **options)


def test_words_among_numbers_are_no_classes_unless_somebody_says_so():
    values = ["1", "2", "NA", "4", "1,200", ""]
    with pytest.raises(UsageError, match="3 cells are numbers and 2 are not") as caught:
        task_of(values, column="rating", ids=[*"abcdef"])
    assert "id 'c': 'NA', id 'e': '1,200'; leave a cell empty" in str(caught.value)
