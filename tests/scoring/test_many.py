"""Many predictions under the same draws are scored as one alone."""

import numpy as np
import pytest

from core.errors import UnknownName
from scoring.bootstrap import METRICS, bootstrap
from scoring.compare import compare
from scoring.many import draw


def rows(count, predictions=3):
    generator = np.random.default_rng(0)
    target = generator.normal(size=count)
    noise = generator.normal(size=(predictions, count))
    return target, [target + (2 + index) * each for index, each in enumerate(noise)]


@pytest.mark.parametrize("metric", ["srocc", "mae"])
def test_a_score_is_that_of_the_prediction_alone(metric):
    target, predictions = rows(300)
    drawn = draw(metric, target, predictions, seed=4)
    alone = bootstrap(METRICS[metric], target, predictions[1], seed=4)
    assert drawn.total(np.array([0.0, 1.0, 0.0])) == alone


def test_a_difference_is_the_paired_one():
    target, predictions = rows(300)
    groups = np.arange(300) // 3
    drawn = draw("plcc", target, predictions, seed=1, groups=groups)
    paired = compare("plcc", target, (predictions[0], predictions[2]), seed=1, groups=groups)
    found = drawn.total(np.array([1.0, 0.0, -1.0]))
    assert found.value == pytest.approx(paired.difference.value)
    assert (found.low, found.high) == pytest.approx((paired.difference.low, paired.difference.high))


def test_the_rank_correlation_of_many_rows_is_near_the_exact_one():
    target, predictions = rows(3000)
    drawn = draw("srocc", target, predictions, seed=4).total(np.array([1.0, 0.0, 0.0]))
    alone = bootstrap(METRICS["srocc"], target, predictions[0], seed=4)
    assert drawn.value == alone.value
    assert (drawn.low, drawn.high) == pytest.approx((alone.low, alone.high), abs=1e-3)


def test_a_constant_orders_nothing_and_its_errors_count():
    target, _ = rows(50)
    constant = [np.full(50, 0.5)]
    ranked = draw("srocc", target, constant, seed=0)
    assert ranked.value.tolist() == [0.0]
    assert not ranked.draws.any()
    wrong = draw("mae", target, constant, seed=0).at_chance([0], "mae")
    assert wrong.value == pytest.approx(np.abs(target - 0.5).mean())


def test_too_few_groups_have_no_interval_rather_than_one_at_chance():
    target, predictions = rows(60)
    drawn = draw("srocc", target, predictions, seed=0, groups=np.arange(60) % 3)
    found = drawn.total(np.array([1.0, 0.0, 0.0]))
    assert found.value > 0.2
    assert np.isnan([found.low, found.high]).all()


def test_an_unknown_metric_is_refused():
    with pytest.raises(UnknownName, match="'mea'"):
        draw("mea", np.zeros(3), [np.zeros(3)], seed=0)
