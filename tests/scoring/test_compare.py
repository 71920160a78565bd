"""Paired comparisons of two predictions."""

import json
import math

import numpy as np
import pytest

from core.errors import UnknownName
from scoring.bootstrap import score_regression
from scoring.compare import compare, compare_all

RNG = np.random.default_rng(0)
TARGET = RNG.normal(size=400)
SHARED = TARGET + RNG.normal(size=400)
BETTER = SHARED - 0.1 * (SHARED - TARGET)


def test_a_small_steady_gain_is_seen_though_the_intervals_overlap():
    found = compare("srocc", TARGET, (BETTER, SHARED), seed=0)
    own = [score_regression(TARGET, guess, seed=0)["srocc"] for guess in (BETTER, SHARED)]
    assert own[0].low < own[1].high
    assert (found.better, found.wins) == ("first", 1.0)
    assert found.difference.low > 0
    assert found.p == pytest.approx(2 / 1001)


def test_a_smaller_error_is_better_and_sides_may_be_swapped():
    first = compare("mae", TARGET, (BETTER, SHARED), seed=0)
    second = compare("mae", TARGET, (SHARED, BETTER), seed=0)
    assert (first.better, second.better) == ("first", "second")
    assert first.difference.value == -second.difference.value < 0
    assert first.wins == 1 - second.wins == 1.0


def test_the_same_prediction_twice_wins_half_and_proves_nothing():
    found = compare("rmse", TARGET, (SHARED, SHARED), seed=0)
    assert (found.better, found.wins, found.p) == ("neither", 0.5, 1.0)
    assert found.difference.low == found.difference.high == 0.0


def test_equally_good_predictions_seldom_differ():
    guesses = [np.split(np.random.default_rng(seed).normal(size=200), 2) for seed in range(60)]
    target = TARGET[:100]
    sure = [compare("mae", target, tuple(pair), seed=0).better != "neither" for pair in guesses]
    assert np.mean(sure) <= 0.15


def test_an_undefined_metric_has_no_verdict():
    found = compare("srocc", TARGET, (BETTER, np.zeros(400)), seed=0)
    assert found.better == "neither"
    assert math.isnan(found.p)
    stored = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert stored["second"] is None
    assert stored["difference"]["low"] is None


def test_classes_and_curves_are_compared_too():
    labels = np.arange(60) % 3
    sure, even = np.eye(3)[labels], np.full((60, 3), 1 / 3)
    assert compare("accuracy", labels, (sure, even), seed=0).better == "first"
    curves = np.cumsum(RNG.normal(size=(60, 5)), axis=1)
    assert compare("amae", curves, (curves + 1, curves), seed=0).better == "second"


def test_groups_make_a_comparison_less_sure():
    groups = np.repeat(np.arange(8), 50)
    first = TARGET + 0.5 + np.where(groups < 3, 0.8, -0.4)
    alone = compare("mae", TARGET, (first, TARGET + 0.5), seed=0)
    whole = compare("mae", TARGET, (first, TARGET + 0.5), seed=0, groups=groups)
    assert whole.p > 5 * alone.p


def test_several_metrics_at_once_and_unknown_ones():
    assert set(compare_all(("mae", "krcc"), TARGET, (BETTER, SHARED), seed=0)) == {"mae", "krcc"}
    with pytest.raises(UnknownName, match="metric 'srcc' is unknown; did you mean 'srocc'"):
        compare("srcc", TARGET, (BETTER, SHARED), seed=0)
