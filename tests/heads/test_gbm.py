"""What trees look at; curves whose days have gaps: each day learns from its own rows alone."""

import numpy as np
import pytest

from heads.catalog import make_head
from heads.columns.design import Design
from heads.contract import Problem
from tests.heads.tables import make_column, make_counts, make_table


@pytest.fixture(scope="module")
def curves():
    """Return 300 rows of three days, each another sum of the same columns."""
    generator = np.random.default_rng(3)
    values = generator.normal(size=(300, 6))
    days = np.stack([values[:, 0], values[:, 1] + values[:, 2], 3 * values[:, 3]], axis=1)
    return make_table(make_column("motion", values), target=days)


def with_gaps(table, day, rows):
    target = table.target.copy()
    target[rows, day] = np.nan
    return table.with_target(target)


def fitted(train, valid=None, **fixed):
    head = make_head("gbm", Problem("sequence", 3), {"rounds": 60})
    return head, head.fit(train, valid, seed=0, fixed=fixed)


def test_gaps_of_one_day_change_nothing_for_the_next(curves):
    train, valid = curves.take(np.arange(220)), curves.take(np.arange(220, 300))
    gappy = with_gaps(train, 0, np.arange(100, 220)), with_gaps(valid, 0, np.arange(40))
    whole, _ = fitted(train, valid)
    other, _ = fitted(*gappy)
    assert (whole.predict(valid)[:, 1:] == other.predict(valid)[:, 1:]).all()
    assert (whole.predict(valid)[:, 0] != other.predict(valid)[:, 0]).any()


def test_a_day_that_no_validation_row_knows_takes_as_many_trees_as_the_others(curves):
    train = curves.take(np.arange(220))
    valid = with_gaps(curves.take(np.arange(220, 300)), 1, np.arange(80))
    head, report = fitted(train, valid)
    assert report.chosen["iterations"] > 20
    same, _ = fitted(train, iterations=report.chosen["iterations"])
    assert (head.predict(valid)[:, 1] == same.predict(valid)[:, 1]).all()
    assert all(np.isfinite(row["loss"]) for row in report.history)


def test_without_any_known_validation_label_the_trees_are_those_of_no_validation(curves):
    train = curves.take(np.arange(220))
    valid = curves.take(np.arange(220, 300))
    blank = valid.with_target(np.full((80, 3), np.nan))
    judged, plain = fitted(train, blank)[0], fitted(train)[0]
    assert (judged.predict(valid) == plain.predict(valid)).all()


def test_a_day_that_no_train_row_knows_is_finite(curves):
    blank = with_gaps(curves, 2, np.arange(300))
    assert np.isfinite(fitted(blank)[0].predict(curves)).all()


@pytest.mark.parametrize(("options", "kept"), [({}, 2), ({"leaf_rows": 2}, 3)])
def test_words_that_no_leaf_could_hold_get_no_column(options, kept, tmp_path):
    rows = np.arange(250)
    counts = np.stack([rows % 2, rows < 5, rows < 4], axis=1)
    table = make_table(make_counts("words:title", counts), target=rows % 2 + 0.1 * (rows < 3))
    head = make_head("gbm", Problem("regression"), options)
    head.fit(table, None, seed=0, fixed={})
    head.save(tmp_path)
    assert len(Design.load(tmp_path).names()) == kept


@pytest.mark.parametrize(("others", "share"), [([], 0.2), (["meta:likes"], 0.8)])
def test_a_number_beside_a_wide_embedding_is_seen_by_most_trees(others, share):
    values = np.random.default_rng(0).normal(size=(120, 220))
    narrow = [make_column(name, values[:, 0]) for name in others]
    table = make_table(make_column("wide", values), *narrow, target=values[:, 0] + values[:, 1])
    usual, told = (
        make_head("gbm", Problem("regression"), {"rounds": 20, **given})
        for given in ({}, {"columns": share})
    )
    for head in (usual, told):
        head.fit(table, None, seed=0, fixed={})
    assert (usual.predict(table) == told.predict(table)).all()
