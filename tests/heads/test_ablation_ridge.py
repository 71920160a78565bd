"""Arms that share their products have the scores of the head on its own."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from core.errors import FitError
from heads.ablation.fold import fit_arm
from heads.ablation.ridge_arms import fit_ridge_arms, shares_products
from heads.fit import divide, fit_head
from heads.folding import tables_of
from tests.heads.tables import config, make_column, make_counts, make_table, plant, raw


def selections(table):
    names = tuple(table.columns)
    return [one for size in range(1, len(names) + 1) for one in combinations(names, size)]


def both_ways(table, values, **asked):
    """Return each arm as the head fits it and as it is fitted from shared products."""
    fit = config(features=tuple(table.columns), **asked)
    data, folds, _ = divide(table, values, fit)
    given = tables_of(data, folds[0])
    alone = [fit_arm(given, fit, selection) for selection in selections(table)]
    return list(zip(alone, fit_ridge_arms(given, fit, selections(table)), strict=True))


def same(alone, shared):
    assert shared.chosen == alone.chosen
    np.testing.assert_allclose(shared.valid, alone.valid, atol=1e-5)
    np.testing.assert_allclose(shared.test, alone.test, atol=1e-5)


@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize("split", ["author-kfold:4", "kfold:5"])
def test_every_arm_is_that_of_the_linear_head(refit, split):
    table = plant()
    for alone, shared in both_ways(table, raw(table), refit=refit, split=split):
        same(alone, shared)


def test_so_it_is_with_more_columns_than_rows():
    generator = np.random.default_rng(0)
    wide = make_column("wide", generator.normal(size=(90, 120)))
    words = make_counts("words:title", generator.poisson(0.02, (90, 400)))
    narrow = make_column("narrow", generator.normal(size=(90, 4)), np.arange(90) % 7 > 0)
    target = wide.values[:, :3].sum(axis=1) + narrow.values[:, 0]
    table = make_table(wide, words, narrow, target=target.astype(np.float64))
    for alone, shared in both_ways(table, list(table.target), split="kfold:3", refit=True):
        same(alone, shared)


def test_so_it_is_for_curves_with_gaps():
    table = plant()
    steps = np.stack([table.target, table.target * 2 + 1, -table.target], axis=1)
    steps[::11, 2] = np.nan
    for alone, shared in both_ways(table, list(steps), task="sequence", refit=True):
        same(alone, shared)


def test_so_it_is_where_a_step_is_known_only_where_a_feature_is_constant():
    table = plant(60)
    seldom = make_column("seldom", np.arange(60) % 3 == 0)
    steps = np.stack([table.target, np.where(seldom.values[:, 0], np.nan, table.target)], axis=1)
    given = make_table(seldom, table.columns["motion"])
    for alone, shared in both_ways(given, list(steps), task="sequence", split="kfold:3"):
        same(alone, shared)


def test_so_it_is_where_leverages_are_rounded():
    generator = np.random.default_rng(0)
    column = make_column("wide", generator.normal(size=(14_000, 250)))
    signal = column.values[:, :5].sum(axis=1)
    table = make_table(column, target=signal + generator.normal(scale=5, size=14_000))
    for alone, shared in both_ways(table, list(table.target), split="kfold:4", refit=True):
        same(alone, shared)


def test_options_of_the_head_hold():
    table = plant()
    options = {"penalty": "0.1", "balance": "0"}
    for alone, shared in both_ways(table, raw(table), options=options, refit=True):
        same(alone, shared)
        assert shared.chosen == {"penalty": 0.1}


def test_only_what_is_a_plain_ridge_shares_products():
    assert shares_products("linear", "regression", {"penalty", "balance"})
    assert not shares_products("linear", "regression", {"weigh"})
    assert not shares_products("linear", "classification", ())
    assert not shares_products("gbm", "sequence", ())


def test_a_feature_that_never_varies_is_named_with_the_remedy():
    table = make_table(
        make_column("flat", np.ones((60, 2))),
        make_column("good", np.arange(120).reshape(60, 2)),
        target=np.arange(60.0),
    )
    fit = config(features=("flat", "good"), split="kfold:3")
    data, folds, _ = divide(table, list(table.target), fit)
    with pytest.raises(FitError, match=r"nothing of flat .* --features"):
        list(fit_ridge_arms(tables_of(data, folds[0]), fit, [("flat",), ("flat", "good")]))


def test_the_arm_of_everybody_is_the_fit_of_the_command():
    table = plant()
    fit = config(features=tuple(table.columns), refit=True)
    result = fit_head(table, raw(table), fit)
    data, folds, _ = divide(table, raw(table), replace(fit))
    for fold in folds:
        (found,) = fit_ridge_arms(tables_of(data, fold), fit, [fit.features])
        rows = result.scored.fold == fold.name
        np.testing.assert_allclose(found.test, result.scored.predicted[rows], atol=1e-6)
