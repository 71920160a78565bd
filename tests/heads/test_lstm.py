"""The LSTM: the published network's size, gaps, zero, batches, and going on after a kill."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import UsageError
from heads.catalog import make_head
from heads.contract import Problem
from heads.networks.epoch_files import epoch_file, keeping, read_epochs
from heads.networks.sequence_network import above_zero
from heads.networks.smtpd_model import SmtpdModel, fit_words
from heads.networks.smtpd_network import Shape, SmtpdNetwork
from heads.networks.stored import Stored, fit_on_some
from tests.heads.tables import make_column, make_table, plant

QUICK = {"networks": 2, "epochs": 4, "hidden": 16, "cells": 8}
FAITHFUL = {"faithful": True, "epochs": 2}
KINDS = [QUICK, FAITHFUL]
FIELDS = ("user_id", "category", "title", "keywords", "description")


def curves(rows=120, days=4, seed=5):
    """Return a table of an embedding, numbers, a category, a first day, and curves after it."""
    generator = np.random.default_rng(seed)
    table = plant(rows, seed)
    first = np.abs(table.target) + 5
    steps = first[:, None] - np.arange(1, days + 1) * 0.3 + generator.normal(0, 0.1, (rows, days))
    column = make_column("meta:p1", first, generator.random(rows) > 0.1)
    columns = {**table.columns, "meta:p1": column}
    return make_table(*columns.values(), target=steps, author=table.author)


def fitted(options, table=None, observed=("meta:p1",), **others):
    table = curves() if table is None else table
    head = make_head("lstm", Problem("sequence", table.target.shape[1], observed), options)
    rows = np.arange(len(table))
    report = head.fit(
        table.take(rows[:80]), table.take(rows[80:100]), seed=2, **{"fixed": {}} | others
    )
    return head, report, table.take(rows[100:])


def smtpd_table(rows=4):
    """Return features of the shapes that the published network reads."""
    generator = np.random.default_rng(0)
    texts = [make_column(f"mbert:{name}", generator.normal(size=(rows, 768))) for name in FIELDS]
    for column in texts:
        object.__setattr__(column.spec, "reads", (column.spec.name.replace("mbert", "text"),))
    image = make_column("resnet101@cover", generator.normal(size=(rows, 2048)))
    numbers = [make_column(f"meta:f{index}", generator.normal(size=rows)) for index in range(6)]
    return make_table(image, *texts, *numbers, target=generator.normal(size=(rows, 29)))


@pytest.mark.parametrize(("days", "weights"), [(29, 23_000_611), (30, 23_666_340)])
def test_the_published_network_has_as_many_weights_as_published(days, weights):
    network = SmtpdNetwork(Shape(image=2048, texts=5, text=768, numbers=6, days=days))
    assert sum(each.numel() for each in network.parameters()) == weights


def test_features_of_smtpd_make_the_published_network():
    table = smtpd_table()
    inputs = fit_on_some(table, balance=0.0, topics=8, seed=0)
    model = SmtpdModel(inputs, fit_words(table), ("meta:f5",), 29)
    assert sum(each.numel() for each in model.network.parameters()) == 23_000_611
    curves = model.curves(model.reading(table)(torch.arange(len(table))))
    assert curves.shape == (1, 4, 29)


@pytest.mark.parametrize("options", KINDS)
def test_a_row_alone_is_predicted_as_among_many(options):
    head, _, rest = fitted(options)
    alone = [head.predict(rest.take(np.array([row])))[0] for row in range(len(rest))]
    np.testing.assert_allclose(alone, head.predict(rest), rtol=1e-9)


@pytest.mark.parametrize("options", KINDS)
def test_the_same_seed_gives_the_same_curves_bit_for_bit(options):
    (first, _, rest), (second, _, _) = fitted(options), fitted(options)
    np.testing.assert_array_equal(first.predict(rest), second.predict(rest))


@pytest.mark.parametrize("options", KINDS)
def test_a_saved_head_predicts_the_same(options, tmp_path):
    head, _, rest = fitted(options)
    head.save(tmp_path)
    loaded = type(head).load(tmp_path)
    np.testing.assert_array_equal(loaded.predict(rest), head.predict(rest))
    assert loaded.describe() == head.describe()


@pytest.mark.parametrize("options", KINDS)
def test_days_that_were_not_observed_are_learnt_without(options):
    table = curves()
    table.target[::3, 1] = np.nan
    head, report, rest = fitted(options, table)
    assert np.isfinite(head.predict(rest)).all()
    assert all(np.isfinite(row["valid_loss"]) for row in report.history)


def test_an_unknown_day_before_is_a_gap_and_no_zero():
    head, _, rest = fitted(QUICK)
    known = np.zeros(len(rest), bool)
    gone = make_column("meta:p1", np.full(len(rest), 3.0), known)
    other = make_column("meta:p1", np.full(len(rest), 9.0), known)
    tables = [make_table(*{**rest.columns, "meta:p1": column}.values()) for column in (gone, other)]
    np.testing.assert_array_equal(*(head.predict(table) for table in tables))
    zero = make_column("meta:p1", np.zeros(len(rest)))
    table = make_table(*{**rest.columns, "meta:p1": zero}.values())
    assert (head.predict(table) != head.predict(tables[0])).any()


def test_curves_that_are_never_below_zero_are_predicted_above_it():
    table = curves()
    low = table.with_target(np.maximum(table.target - 6, 0))
    head, _, rest = fitted(QUICK, low)
    assert head.predict(rest).min() > 0


def test_what_keeps_curves_above_zero_has_a_gradient_at_zero_and_below():
    x = torch.tensor([-3.0, 0.0, 3.0], requires_grad=True)
    y = above_zero(x, 0.05)
    y.sum().backward()
    assert (y > 0).all()
    assert x.grad[1] == 0.5
    assert x.grad[0] > 1e-4
    assert y[2].item() == pytest.approx(3, abs=1e-3)


def test_epochs_are_kept_and_the_best_is_what_validation_chose(tmp_path):
    with keeping(tmp_path):
        head, report, _ = fitted(QUICK)
    target, found = read_epochs(tmp_path)
    losses = {epoch: np.abs(each - target).mean() for epoch, each in found.items()}
    assert min(losses, key=losses.get) == report.chosen["epochs"]
    valid = curves().take(np.arange(80, 100))
    best = found[int(report.chosen["epochs"])]
    np.testing.assert_allclose(head.predict(valid), best, atol=1e-4)


class Killed(Exception):
    pass


@pytest.mark.parametrize("options", KINDS)
def test_a_killed_training_goes_on_from_its_last_epoch_to_the_same_end(
    options, tmp_path, monkeypatch
):
    whole, report, rest = fitted(options)
    with monkeypatch.context() as patch, keeping(tmp_path), pytest.raises(Killed):
        patch.setattr("heads.networks.training.tell", _after(1))
        fitted(options)
    assert epoch_file(tmp_path, 1).exists()
    with keeping(tmp_path):
        second, again, _ = fitted(options)
    assert again == report
    np.testing.assert_array_equal(second.predict(rest), whole.predict(rest))


def _after(epochs):
    def tell(epoch, _):
        if epoch > epochs:
            raise Killed

    return tell


def test_epochs_of_another_training_are_not_gone_on_from(tmp_path):
    with keeping(tmp_path):
        fitted({**QUICK, "epochs": 6})
        head, _, rest = fitted({**QUICK, "hidden": 8})
    np.testing.assert_array_equal(
        head.predict(rest), fitted({**QUICK, "hidden": 8})[0].predict(rest)
    )
    assert len(read_epochs(tmp_path)[1]) == 4


def test_a_large_table_is_read_as_a_small_one_is(monkeypatch):
    table = smtpd_table(50)
    some = copy.copy(table)
    some.columns["resnet101@cover"].present[::7] = False
    inputs = fit_on_some(some, balance=1.0, topics=8, seed=0)
    rows = torch.tensor([3, 0, 14, 49])
    small = Stored(inputs, some).rows(rows)
    monkeypatch.setattr("heads.networks.stored.SMALL", 0)
    large = Stored(inputs, some).rows(rows)
    assert all(map(torch.equal, small, large))


def test_options_that_are_no_truth_are_refused():
    with pytest.raises(UsageError, match="faithful: 'maybe' is neither true nor false"):
        make_head("lstm", Problem("sequence", 3), {"faithful": "maybe"})


@pytest.mark.parametrize("options", KINDS)
def test_rows_that_are_not_yet_copied_are_learnt_from_alike(options, monkeypatch):
    usual, _, rest = fitted(options)
    monkeypatch.setattr("cache.taking.LARGE", 4)
    monkeypatch.setattr("heads.networks.stored.SMALL", 0)
    monkeypatch.setattr("heads.networks.stored._NARROW", 4)
    later, _, last = fitted(options)
    np.testing.assert_array_equal(later.predict(last), usual.predict(rest))


@pytest.mark.parametrize("changed", ["features", "labels of validation rows"])
def test_epochs_that_learnt_from_other_values_are_not_gone_on_from(tmp_path, changed):
    table = curves()
    other = table.with_target(table.target + 1 * (np.arange(len(table)) == 90)[:, None])
    if changed == "features":
        columns = {
            name: replace(column, values=column.values * 2) if name == "motion" else column
            for name, column in table.columns.items()
        }
        other = replace(table, columns=columns)
    with keeping(tmp_path):
        fitted({**QUICK, "epochs": 6}, table)
        head, _, rest = fitted({**QUICK, "epochs": 6}, other)
    expected, _, _ = fitted({**QUICK, "epochs": 6}, other)
    np.testing.assert_array_equal(head.predict(rest), expected.predict(rest))
