"""What stands beside every result: each baseline on rows where its answer is known."""

import numpy as np
import pytest

from corpus.targets import TargetPlan
from heads.baselines import Asked, baselines, observed_days
from heads.contract import Problem
from tests.heads.tables import make_column, make_table

TRAIN, ROWS = np.arange(6), np.arange(6, 9)


def predicted(columns, target, *, task="regression", plan=None, observed=(), head="gbm"):
    """Return the baselines of three rows by name, with six rows to learn from."""
    values = np.asarray(target)
    plan = plan or TargetPlan("p2..p4" if task == "sequence" else "ecr", task)
    fitted = plan.fit([v if values.ndim == 2 else str(v) for v in values], np.ones(9, bool))
    encoded = fitted.encode(list(values) if values.ndim == 2 else [str(v) for v in values])[0]
    table = make_table(*columns, target=encoded)
    problem = Problem(task, len(fitted.classes) or fitted.steps or 1)
    names = tuple(table.columns)
    asked = Asked(head, problem, fitted, names, observed_days(plan.column, observed, names), 0)
    return baselines(asked, table.take(TRAIN), table.take(ROWS))


KIND = make_column("meta:kind", ["a", "a", "b", "b", "", "a", "b", "a", "new"])


def test_a_category_has_its_own_mean_and_a_new_one_that_of_all():
    found = predicted([KIND], [1, 2, 10, 12, 0, 3, 7, 7, 7])
    np.testing.assert_allclose(found["category"], [11, 2, 28 / 6])
    np.testing.assert_allclose(found["mean"], 28 / 6)


def test_no_class_is_impossible_in_a_category():
    found = predicted([KIND], [*"xxyyxx", *"xyx"], task="classification")
    np.testing.assert_allclose(found["category"].sum(axis=1), 1)
    np.testing.assert_allclose(found["category"][1], [(3 + 4 / 6) / 4, (2 / 6) / 4])


def test_a_day_that_a_category_lacks_is_that_of_all_rows():
    curves = np.arange(27.0).reshape(9, 3)
    curves[:2, 0] = curves[5, 0] = np.nan
    found = predicted([KIND], curves, task="sequence")
    np.testing.assert_allclose(found["category"][1], [9, 7, 8])


def test_one_category_for_all_is_no_baseline():
    same = make_column("meta:kind", ["a"] * 9)
    assert list(predicted([same], range(9))) == ["mean"]


DAYS = (
    make_column("meta:p1", [5, 6, 7, 8, 9, 9, 1, 2, 0], [1, 1, 1, 1, 1, 1, 1, 1, 0]),
    make_column("meta:p2", [6, 7, 8, 9, 9, 9, 3, 0, 0], [1, 1, 1, 1, 1, 1, 1, 0, 0]),
)


def test_the_last_known_day_goes_on():
    plan = TargetPlan("p3..p5", "sequence")
    curves = np.arange(27.0).reshape(9, 3)
    found = predicted(DAYS, curves, task="sequence", plan=plan)
    np.testing.assert_allclose(found["persistence"], np.repeat([[3], [2], [8]], 3, axis=1))
    assert list(found) == ["mean", "persistence", "observed", "metadata"]


def test_one_later_day_has_the_days_before_it_too():
    plan = TargetPlan("p5", transform="log1p")
    found = predicted(DAYS, range(9), plan=plan)
    np.testing.assert_allclose(found["persistence"], np.log1p([3, 2, 8]))


def test_a_curve_without_earlier_days_has_no_persistence():
    curves = np.arange(18.0).reshape(9, 2)
    found = predicted(DAYS, curves, task="sequence", plan=TargetPlan("p1..p2", "sequence"))
    assert list(found) == ["mean", "metadata"]


def test_days_that_are_told_are_believed():
    found = predicted(DAYS, range(9), observed=["meta:p1"])
    np.testing.assert_allclose(found["persistence"], [1, 2, 44 / 6])


def test_days_that_the_scale_has_no_place_for_do_not_go_on():
    below = make_column("meta:p1", -np.arange(9.0))
    assert "persistence" not in predicted(
        [below], range(9), plan=TargetPlan("p2", transform="log1p")
    )


def test_the_head_itself_is_no_baseline_of_its_own():
    plan = TargetPlan("p3", "regression")
    assert list(predicted(DAYS, range(9), plan=plan, head="linear")) == ["mean", "persistence"]


@pytest.mark.parametrize("name", ["observed", "metadata"])
def test_a_linear_baseline_follows_a_line(name):
    line = make_column("meta:p1", np.arange(9.0))
    found = predicted([line], 2 * np.arange(9.0), plan=TargetPlan("p2"))
    np.testing.assert_allclose(found[name], [12, 14, 16], atol=0.2)


def test_a_number_that_never_changes_teaches_nothing():
    found = predicted([make_column("meta:n", np.ones(9))], range(9))
    assert list(found) == ["mean"]
