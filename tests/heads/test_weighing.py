"""How much each feature weighs, chosen inside the train rows."""

import numpy as np
import pytest
from scipy import sparse

from core.errors import UsageError
from heads.catalog import make_head
from heads.contract import Problem
from heads.linear import Linear
from heads.penalised.weighing import WEIGHTS, choose_weights, weighed
from tests.heads.tables import make_column, make_table

TWO = Problem("classification", 2)
ONE = Problem("regression", 1)


def table(task, rows=100, seed=0):
    """Return rows whose first feature of four says what is to be learnt."""
    generator = np.random.default_rng(seed)
    blocks = [generator.normal(size=(rows, 5 if place == 0 else 40)) for place in range(4)]
    signal = blocks[0].sum(axis=1) + generator.normal(scale=0.5, size=rows)
    target = (signal > 0).astype(np.int64) if task == "classification" else signal
    columns = [make_column(f"f{place}", block) for place, block in enumerate(blocks)]
    return make_table(*columns, target=target, author=np.arange(rows).astype(str))


def fitted(problem, options, fixed=None):
    head = make_head("linear", problem, options)
    return head, head.fit(table(problem.task), None, seed=0, fixed=fixed or {})


@pytest.mark.parametrize("problem", [ONE, TWO], ids=lambda problem: problem.task)
def test_a_feature_of_use_weighs_more_and_new_rows_are_met_better(problem):
    plain, _ = fitted(problem, {})
    weighing, report = fitted(problem, {"weigh": 1})
    weights = [report.chosen[f"weight(f{place})"] for place in range(4)]
    assert weights[0] == max(weights) > max(weights[1:])
    later = table(problem.task, rows=400, seed=1)
    truth = later.target
    assert error(weighing.predict(later), truth) < 0.9 * error(plain.predict(later), truth)


def error(predicted, truth):
    if predicted.ndim == 2:
        return -np.log(predicted[np.arange(len(truth)), truth]).mean()
    return ((predicted - truth) ** 2).mean()


def test_choices_made_before_are_kept():
    first, report = fitted(ONE, {"weigh": 2})
    again, second = fitted(ONE, {"weigh": 2}, fixed=report.chosen)
    assert second.chosen == report.chosen
    later = table("regression", seed=1)
    np.testing.assert_allclose(again.predict(later), first.predict(later), atol=1e-6)


def test_choices_that_would_leave_every_feature_out_leave_none_out():
    fixed = {"penalty": 0.1} | {f"weight(f{place})": 0.0 for place in range(4)}
    head, _ = fitted(ONE, {"weigh": 1}, fixed=fixed)
    assert head.importances()


def test_without_weighing_nothing_is_chosen_but_the_penalty():
    _, report = fitted(ONE, {})
    assert set(report.chosen) == {"penalty"}


def test_a_head_that_weighs_is_read_back(tmp_path):
    head, _ = fitted(ONE, {"weigh": "1"})
    head.save(tmp_path)
    later = table("regression", seed=1)
    np.testing.assert_array_equal(Linear.load(tmp_path).predict(later), head.predict(later))


@pytest.mark.parametrize("options", [{"weigh": 11}, {"weigh": -1}, {"weigh": 2, "penalty": 0.1}])
def test_options_that_cannot_be_met_are_refused(options):
    with pytest.raises(UsageError, match="weigh"):
        make_head("linear", ONE, options)


def test_weights_are_gone_through_until_nothing_gains():
    asked = []

    def loss(weights):
        asked.append(weights)
        return float(np.abs(weights - [2, 0, 1]).sum())

    assert choose_weights(3, loss, passes=9).tolist() == [2, 0, 1]
    assert len(asked) <= 1 + 2 * 3 * len(WEIGHTS)


def test_the_last_feature_is_never_left_out():
    assert choose_weights(1, lambda weights: float(weights.sum()), passes=3).tolist() == [0.5]


def test_sparse_columns_are_weighed_as_dense_ones():
    dense = np.arange(6, dtype=np.float32).reshape(2, 3)
    scale = np.array([1.0, 0.0, 0.5])
    thin = weighed(sparse.csr_array(dense), scale)
    assert thin.dtype == np.float32
    np.testing.assert_array_equal(thin.toarray(), weighed(dense, scale))


def test_a_feature_that_is_constant_in_a_fold_has_a_weight_all_the_same():
    rows = table("regression")
    flag = make_column("flag", np.zeros(100))
    wider = make_table(*rows.columns.values(), flag, target=rows.target, author=rows.author)
    head = make_head("linear", ONE, {"weigh": 1})
    report = head.fit(wider, None, seed=0, fixed={})
    assert report.chosen["weight(flag)"] == 1
    assert report.chosen.keys() == {"penalty", *(f"weight({name})" for name in wider.columns)}


@pytest.mark.parametrize("weigh", [0, 1])
def test_one_row_of_each_class_is_learnt_with_the_strongest_penalty(weigh):
    head = make_head("linear", TWO, {"weigh": weigh})
    pair = table("classification").take(np.array([0, 1]))
    report = head.fit(pair.with_target(np.array([0, 1])), None, seed=0, fixed={})
    assert report.chosen["penalty"] == 1.0
    assert head.predict(pair).argmax(axis=1).tolist() == [0, 1]
