import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UsageError
from corpus.targets import TargetPlan
from corpus.transforms import Transform

shares = st.lists(st.floats(0.001, 0.999), min_size=2, max_size=30, unique=True)


def fitted(name, numbers, scale=1.0):
    return Transform.fit(name, np.array(numbers, dtype=np.float64), scale=scale)


@pytest.mark.parametrize("name", ["none", "log1p", "rank", "logit"])
@given(numbers=shares)
def test_decoding_undoes_encoding_of_train_values(name, numbers):
    transform = fitted(name, numbers)
    there = transform.encode(np.array(numbers))
    np.testing.assert_allclose(transform.decode(there), numbers, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["none", "log1p", "rank", "logit"])
@given(numbers=shares)
def test_every_transform_keeps_the_order(name, numbers):
    there = fitted(name, numbers).encode(np.sort(numbers))
    assert (np.diff(there) >= 0).all()


def test_ranks_are_shares_of_the_train_rows_with_ties_in_the_middle():
    transform = fitted("rank", [10, 20, 20, 40])
    np.testing.assert_allclose(transform.encode(np.array([10, 20, 40])), [0.125, 0.5, 0.875])


def test_ranks_are_interpolated_between_train_values_and_end_beyond_them():
    transform = fitted("rank", [10, 20])
    np.testing.assert_allclose(transform.encode(np.array([0, 15, 99])), [0.25, 0.5, 0.75])
    np.testing.assert_allclose(transform.decode(np.array([-1, 0.5, 2])), [10, 15, 20])


def test_a_long_rank_curve_is_thinned_and_stays_close():
    numbers = np.random.default_rng(0).normal(size=30_000)
    transform = fitted("rank", numbers)
    assert len(transform.values) == 10_000
    whole = (np.argsort(np.argsort(numbers)) + 0.5) / len(numbers)
    np.testing.assert_allclose(transform.encode(numbers), whole, atol=1e-4)


def test_the_logit_of_a_percentage_is_that_of_its_share():
    percent, share = Transform("logit", 100.0), Transform("logit")
    np.testing.assert_allclose(percent.encode(np.array([75.0])), share.encode(np.array([0.75])))
    np.testing.assert_allclose(share.encode(np.array([0.75])), np.log(3))


def test_zero_and_one_have_finite_logits():
    assert np.isfinite(Transform("logit").encode(np.array([0.0, 1.0]))).all()


@pytest.mark.parametrize("name", ["none", "log1p", "logit"])
def test_gaps_stay_gaps(name):
    assert np.isnan(Transform(name).encode(np.array([np.nan]))).all()


def test_ranks_leave_gaps_gaps():
    assert np.isnan(fitted("rank", [1, 2]).encode(np.array([np.nan]))).all()


@pytest.mark.parametrize("name", ["log1p", "logit"])
def test_far_predictions_decode_without_overflow(name):
    assert np.isfinite(Transform(name).decode(np.array([-1e6, 1e6]))).all()


@pytest.mark.parametrize("name", ["none", "log1p", "rank", "logit"])
def test_a_transform_survives_json(name):
    transform = fitted(name, [0.1, 0.2, 0.7])
    again = Transform.from_json(json.loads(json.dumps(transform.to_json())))
    numbers = np.array([0.1, 0.15, 0.6])
    np.testing.assert_array_equal(again.encode(numbers), transform.encode(numbers))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"transform": "log"}, "transform 'log' is unknown; known: none, log1p, rank, logit"),
        ({"transform": "rank", "task": "sequence"}, "use none or log1p"),
        ({"transform": "log1p", "task": "classification"}, "needs numbers, not classes"),
        ({"scale": 100.0}, "goes with transform logit, not with 'none'"),
        ({"scale": -1.0, "transform": "logit"}, "it must be positive"),
    ],
)
def test_a_transform_that_does_not_fit_the_task_is_refused(options, problem):
    with pytest.raises(UsageError, match=problem):
        TargetPlan("ECR", **options)
