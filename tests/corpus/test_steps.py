import random

import pytest

from core.errors import UsageError
from corpus.steps import divided, earlier_steps, first_step, step_columns, step_names


def test_steps_go_by_number_wherever_the_columns_stand():
    headers = [*(f"p{day}" for day in range(1, 31)), "id", "p", "price", "p1x", "views_d1"]
    random.Random(1).shuffle(headers)
    assert step_columns("p", headers) == [f"p{day}" for day in range(1, 31)]


@pytest.mark.parametrize("headers", [["Day 1", "Day 2"], ["Day_1", "Day_2"], ["Day01", "Day02"]])
def test_a_space_a_dash_or_zeros_may_stand_before_the_number(headers):
    assert step_columns("Day", headers) == headers


def test_a_range_takes_some_of_the_steps():
    headers = [f"p{day}" for day in (1, 2, 3, 4, 7)]
    assert step_columns("p2..p4", headers) == ["p2", "p3", "p4"]


def test_steps_may_begin_at_another_number():
    assert step_columns("p", ["p3", "p2"]) == ["p2", "p3"]


@pytest.mark.parametrize("headers", [[], ["p"], ["p1"], ["q1", "q2"]])
def test_one_column_is_no_sequence(headers):
    assert step_columns("p", headers) == []


@pytest.mark.parametrize(
    ("target", "headers", "problem"),
    [
        ("p", ["p1", "p2", "p4"], "no column for step 3 of 1 to 4"),
        ("p1..p3", ["p1", "p2"], "no column for step 3"),
        ("p", ["p1", "p01", "p2"], "'p1' and 'p01' are both step 1"),
        ("p3..p1", ["p1", "p2", "p3"], "fewer than two steps"),
    ],
)
def test_gaps_and_doubles_are_refused(target, headers, problem):
    with pytest.raises(UsageError, match=problem):
        step_columns(target, headers)


@pytest.mark.parametrize(
    ("target", "names", "first"),
    [("p", ["p1", "p2"], 1), ("p2..p22", ["p2", "p3"], 2), ("a..b", ["a..b1", "a..b2"], 1)],
)
def test_steps_have_the_names_that_the_target_says(target, names, first):
    assert step_names(target, 2) == names
    assert first_step(target) == first


@pytest.mark.parametrize(
    ("target", "earlier"),
    [
        ("p3..p22", ["p1", "p_2"]),
        ("p22", ["p1", "p_2", "p5"]),
        ("p1", []),
        ("p", []),
        ("q3", []),
        ("ecr", []),
    ],
)
def test_the_steps_before_a_target_are_found_by_their_numbers(target, earlier):
    assert earlier_steps(target, ["p5", "p_2", "duration", "p1", "pq1"]) == earlier


@pytest.mark.parametrize(
    ("target", "known", "expected"),
    [
        ("p", 0, ([], "p1..p6")),
        ("p", 2, (["p1", "p_2"], "p3..p6")),
        ("p2..p5", 1, (["p1"], "p2..p5")),
        ("p4..p6", 1, (["p1"], "p4..p6")),
    ],
)
def test_known_days_are_taken_out_of_a_target(target, known, expected):
    headers = ["p6", "p1", "p_2", "p3", "p4", "p5"]
    assert divided(target, known, headers) == expected


@pytest.mark.parametrize(("target", "known"), [("p", 5), ("p", 9), ("p1..p2", 1), ("likes", 1)])
def test_two_days_at_least_must_be_left(target, known):
    with pytest.raises(UsageError, match=r"two must be left|no curve"):
        divided(target, known, ["p1", "p2", "p3", "p4", "p5", "p6", "likes"])
