"""The design matrix: learnt on train rows, the same for one row as for many, gaps never zeros."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cache.spec import Column, FeatureSpec
from core.errors import FitError
from heads.columns.blocks import LIMIT
from heads.columns.design import Design, fit_design
from tests.heads.tables import make_column, make_counts, make_table, plant

GAPS = np.array([True, False, True, True, True, False, True, True])


def numbers(rows=8, columns=1, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, columns))


def test_a_feature_weighs_the_same_whatever_its_width():
    table = make_table(make_column("wide", numbers(50, 30)), make_column("narrow", numbers(50, 2)))
    matrix = fit_design(table).apply(table)
    assert matrix[:, :30].var(axis=0).sum() == pytest.approx(1, abs=1e-5)
    assert matrix[:, 30:].var(axis=0).sum() == pytest.approx(1, abs=1e-5)


def test_without_balance_every_column_weighs_the_same():
    table = make_table(make_column("wide", numbers(50, 30)))
    matrix = fit_design(table, balance=0).apply(table)
    np.testing.assert_allclose(matrix.std(axis=0), 1, atol=1e-5)


def test_a_gap_takes_the_train_mean_and_an_indicator_tells_of_it():
    column = make_column("mfcc", numbers(8, 2) + 5, GAPS)
    design = fit_design(make_table(column))
    matrix = design.apply(make_table(column))
    assert design.names() == ["mfcc[0]", "mfcc[1]", "present(mfcc)"]
    assert (matrix[~GAPS, :2] == 0).all()
    assert len(np.unique(matrix[~GAPS, 2])) == len(np.unique(matrix[GAPS, 2])) == 1
    assert matrix[:, 2].mean() == pytest.approx(0, abs=1e-6)


def test_the_one_gap_of_a_thousand_rows_does_not_outweigh_a_number():
    there = np.arange(1000) > 0
    table = make_table(make_column("mfcc", numbers(1000), there))
    assert np.abs(fit_design(table).apply(table)[:, 1]).max() < LIMIT


def test_raw_values_stay_as_they_are_and_a_gap_is_nan():
    column = make_column("mfcc", numbers(8, 2), GAPS)
    matrix = fit_design(make_table(column), raw=True).apply(make_table(column))
    np.testing.assert_array_equal(matrix[GAPS], column.values[GAPS])
    assert np.isnan(matrix[~GAPS]).all()


def test_constant_columns_go():
    values = np.column_stack([np.full(8, 3.3), numbers(8)[:, 0], np.zeros(8)])
    assert fit_design(make_table(make_column("motion", values))).names() == ["motion[1]"]


def test_a_feature_without_any_value_in_train_has_no_column():
    nothing = make_column("mfcc", numbers(8, 2), np.zeros(8, bool))
    design = fit_design(make_table(nothing, make_column("motion", numbers(8))))
    assert design.names() == ["motion"]


def test_scales_are_those_of_train_rows():
    table = make_table(make_column("motion", np.arange(10.0)))
    design = fit_design(table.take(np.arange(5)))
    np.testing.assert_allclose(design.apply(table)[:, 0], (np.arange(10) - 2) / np.sqrt(2), 1e-5)


def test_what_lies_far_outside_of_train_is_cut():
    design = fit_design(make_table(make_column("motion", numbers(50))))
    strange = make_table(make_column("motion", [1e30, -1e30]))
    np.testing.assert_array_equal(design.apply(strange)[:, 0], [LIMIT, -LIMIT])


def test_a_skewed_number_of_the_table_has_its_logarithm_beside_it():
    likes = np.exp(numbers(200)[:, 0] * 3)
    names = fit_design(make_table(make_column("meta:likes", likes))).names()
    assert names == ["meta:likes", "log(meta:likes)"]
    assert fit_design(make_table(make_column("loudness", likes))).names() == ["loudness"]
    assert fit_design(make_table(make_column("meta:day", np.arange(9)))).names() == ["meta:day"]


def test_categories_have_a_column_each_and_rare_ones_share_one():
    words = ["Music"] * 5 + ["News"] * 3 + ["Chess", "Go"]
    design = fit_design(make_table(make_column("meta:category", words)))
    assert design.names() == [f"meta:category={name}" for name in ("Music", "News", "other")]
    unseen = design.apply(make_table(make_column("meta:category", ["Opera", "Chess", "Music"])))
    np.testing.assert_array_equal(unseen[0], unseen[1])
    assert (unseen[0] != unseen[2]).any()


def test_a_missing_category_is_not_one_of_the_others():
    words = ["Music", "News", "Music", "News", "", "Chess"]
    table = make_table(make_column("meta:category", words))
    matrix = fit_design(table).apply(table)
    assert (matrix[4, :3] == 0).all()
    assert (matrix[5, :3] != 0).all()


def test_counts_have_rows_of_equal_length_and_one_scale():
    counts = np.random.default_rng(0).poisson(0.5, (60, 20))
    table = make_table(make_counts("words:title", counts))
    matrix = fit_design(table).apply(table)
    lengths = np.linalg.norm(matrix[counts.sum(axis=1) > 0], axis=1)
    assert lengths.std() < 1e-5
    assert matrix.var(axis=0).sum() == pytest.approx(1, abs=1e-5)
    assert ((matrix == 0) == (counts == 0)).all()


def test_a_rare_word_weighs_more_than_a_common_one():
    counts = np.array([[1, 1]] * 2 + [[1, 0]] * 8 + [[0, 0]])
    table = make_table(make_counts("words:title", counts))
    first = fit_design(table).apply(table)[0]
    assert first[1] > 1.5 * first[0]


def test_words_of_few_train_rows_go_where_so_many_are_asked_for():
    counts = np.array([[1, 1, 0], [1, 0, 2], [0, 0, 1]])
    table = make_table(make_counts("words:title", counts))
    most = ["words:title[0]", "words:title[2]"]
    assert fit_design(table, raw=True, support=2).names() == most
    assert fit_design(table, raw=True, support=9).names() == most
    assert len(fit_design(table).names()) == 3


def test_missing_words_are_the_mean_where_train_has_no_gap():
    counts = np.random.default_rng(0).poisson(0.5, (60, 20))
    design = fit_design(make_table(make_counts("words:title", counts)))
    seen = design.apply(make_table(make_counts("words:title", counts)))
    gap = make_counts("words:title", counts[:1], [False])
    np.testing.assert_allclose(design.apply(make_table(gap))[0], seen.mean(axis=0), atol=1e-5)


@pytest.mark.parametrize("gaps", [False, True])
def test_leaving_out_zeros_changes_no_value(gaps):
    counts = np.random.default_rng(0).poisson(0.5, (60, 20))
    there = np.arange(60) % 5 > 0
    words = make_counts("words:title", counts, there if gaps else None)
    design = fit_design(make_table(words, make_column("motion", numbers(60, 3))))
    seen = make_table(
        make_counts("words:title", counts, there), make_column("motion", numbers(60, 3))
    )
    np.testing.assert_array_equal(design.without_zeros(seen).toarray(), design.apply(seen))


def test_a_sequence_is_averaged():
    spec = FeatureSpec("tokens", ("token", 2), "float16", ("video",), {})
    values = np.arange(12).reshape(6, 2).astype(np.float16)
    column = Column(spec, values, np.array([0, 2, 2, 6]), np.array([True, False, True]))
    matrix = fit_design(make_table(column), raw=True).apply(make_table(column))
    np.testing.assert_array_equal(matrix[[0, 2]], [[1, 2], [7, 8]])
    assert np.isnan(matrix[1]).all()


def test_a_number_that_is_not_finite_is_refused():
    column = make_column("motion", [1, np.inf, 2])
    with pytest.raises(FitError, match=r"feature 'motion' holds numbers that are not finite; .*ch"):
        fit_design(make_table(column))


def test_no_feature_at_all_is_refused():
    table = make_table(make_column("motion", [1, 2])).select([])
    with pytest.raises(FitError, match="there is no feature to learn from"):
        fit_design(table)


def test_features_that_are_all_absent_are_named():
    nothing = make_column("mfcc", numbers(), np.zeros(8, bool))
    with pytest.raises(FitError, match=r"1 of 1 have none at all: mfcc\); see .*cache status"):
        fit_design(make_table(nothing))


def test_shares_sum_weights_by_feature():
    design = fit_design(plant())
    shares = design.shares(np.ones(design.width))
    assert list(shares) == ["motion", "meta:likes", "meta:category", "words:title"]
    assert sum(shares.values()) == pytest.approx(1)
    assert design.shares(np.zeros(design.width)) == {}


@pytest.mark.parametrize("raw", [True, False])
def test_a_saved_design_gives_the_same_matrix(raw, tmp_path):
    table = plant()
    design = fit_design(table, raw=raw)
    design.save(tmp_path)
    loaded = Design.load(tmp_path)
    np.testing.assert_array_equal(loaded.apply(table), design.apply(table))
    assert loaded.names() == design.names()


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.float32, (12, 3), elements=st.floats(-(2**60), 2**60, width=32)),
    arrays(np.bool_, 12),
)
def test_whatever_is_learnt_from_stays_finite_and_bounded(values, there):
    table = make_table(make_column("motion", values, there), make_column("meta:x", np.arange(12)))
    matrix = fit_design(table).apply(table)
    assert np.isfinite(matrix).all()
    assert np.abs(matrix).max() <= LIMIT + 1e-3
