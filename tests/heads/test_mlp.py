"""The perceptron: what is missing is said to it, and few of many n-grams are no burden."""

import numpy as np
import pytest
import torch

from core.errors import UsageError
from heads.catalog import make_head
from heads.contract import Problem
from heads.networks.inputs import Inputs, fit_inputs
from tests.heads.tables import make_column, make_counts, make_table, plant

QUICK = {"hidden": 32, "epochs": 40, "rate": 0.01}


def fit(table, task="regression", outputs=1, valid=None, **options):
    head = make_head("mlp", Problem(task, outputs), QUICK | options)
    report = head.fit(table, valid, seed=1, fixed={})
    return head, report


def halves(table):
    return table.take(np.arange(160)), table.take(np.arange(160, 240))


def test_a_feature_that_is_missing_is_not_one_that_is_average():
    table = plant()
    motion = table.columns["motion"]
    target = np.where(motion.present, 0.0, 5.0)
    head, _ = fit(table.with_target(target), epochs=100, patience=100, feature_dropout=0)
    mean = motion.values[motion.present].mean(axis=0)
    there = make_column("motion", np.tile(mean, (240, 1)))
    average = make_table(*{**table.columns, "motion": there}.values())
    gaps = ~motion.present
    assert head.predict(table)[gaps].mean() > head.predict(average)[gaps].mean() + 1


def test_features_are_lost_in_training_only():
    head, _ = fit(plant(), feature_dropout=0.9)
    np.testing.assert_array_equal(head.predict(plant()), head.predict(plant()))
    assert not head._network.training


def test_validation_rows_stop_it_and_a_curve_tells_how():
    train, valid = halves(plant())
    _, report = fit(train, valid=valid, epochs=60, patience=3)
    losses = [row["valid_loss"] for row in report.history]
    assert len(losses) < 60
    assert report.chosen["epochs"] == 1 + np.argmin(losses)


def test_class_weights_find_more_of_a_rare_class():
    table = plant()
    rare = (table.target > np.quantile(table.target, 0.9)).astype(np.int64)
    train, rest = halves(table.with_target(rare))
    found = [
        fit(train, "classification", 2, class_weights=weight)[0].predict(rest)[:, 1].mean()
        for weight in (0, 1)
    ]
    assert found[1] > 1.2 * found[0]


def test_smoothed_labels_make_it_less_sure():
    table = plant()
    train, rest = halves(table.with_target((table.target > 2).astype(np.int64)))
    sure = [
        fit(train, "classification", 2, smoothing=value)[0].predict(rest).max(axis=1).mean()
        for value in (0, 0.5)
    ]
    assert sure[1] < sure[0] - 0.05


def test_days_that_were_not_observed_are_not_learnt_as_anything():
    table = plant()
    steps = np.stack([table.target, table.target + 3], axis=1)
    steps[::2, 1] = np.nan
    head, _ = fit(table.with_target(steps), "sequence", 2, epochs=100, patience=100)
    assert np.diff(head.predict(table), axis=1).mean() == pytest.approx(3, abs=0.5)


def wide_words(rows=300, buckets=2**18):
    """Return n-grams of which one in twenty tells the target."""
    generator = np.random.default_rng(0)
    words = generator.integers(0, 20, (rows, 6))
    counts = np.zeros((rows, 20))
    np.add.at(counts, (np.arange(rows)[:, None], words), 1)
    column = make_counts("words:title", counts)
    column.spec.recipe["buckets"] = buckets
    return make_table(column, target=counts[:, 3] + generator.normal(scale=0.1, size=rows))


def test_n_grams_of_many_buckets_become_few_columns():
    table = wide_words()
    head, _ = fit(table, epochs=100, patience=100, dropout=0)
    assert head._network.layers[0].weight.shape == (8, 20 + 1, 32)
    assert np.corrcoef(head.predict(table), table.target)[0, 1] > 0.9


def test_topics_of_a_row_are_its_own(tmp_path):
    table = wide_words()
    inputs = fit_inputs(table, balance=1, topics=8, seed=0)
    values, flags = inputs.apply(table)
    assert inputs.widths == [8]
    assert flags.all()
    torch.testing.assert_close(inputs.apply(table.take(np.array([7])))[0][0], values[7])
    inputs.save(tmp_path)
    np.testing.assert_array_equal(Inputs.load(tmp_path).apply(table)[0], values)


def test_networks_side_by_side_answer_with_their_mean():
    table = plant()
    head, _ = fit(table.with_target((table.target > 2).astype(np.int64)), "classification", 2)
    values, flags = head._inputs.apply(table)
    with torch.inference_mode():
        shares = torch.softmax(head._network(values, flags), dim=2)
    assert shares.std(dim=0).max() > 0.01
    np.testing.assert_allclose(head.predict(table), shares.mean(dim=0), atol=1e-5)


@pytest.mark.parametrize(
    ("option", "value", "text"),
    [
        ("hidden", 0, "hidden 0 is not 1 or more"),
        ("batch", 1, "batch 1 is not 2 or more"),
        ("dropout", 1, "dropout 1.0 is not in 0..1, below 1"),
        ("class_weights", 2, "class_weights 2.0 is not in 0..1"),
        ("rate", 0, "rate 0.0 is not above 0"),
        ("decay", -1, "decay -1.0 is not 0 or more"),
    ],
)
def test_a_wrong_option_is_refused(option, value, text):
    with pytest.raises(UsageError) as raised:
        make_head("mlp", Problem("regression"), {option: value})
    assert str(raised.value) == f"head 'mlp': {text}"


def test_a_curve_is_told_from_its_last_known_day():
    table = plant(120)
    first = make_column("meta:p1", np.linspace(0, 900, 120))
    curves = first.values + np.array([[1.0, 2.0, 3.0]])
    table = make_table(*table.columns.values(), first, target=curves)
    head = make_head("mlp", Problem("sequence", 3, ("meta:p1",)), {"networks": 1, "epochs": 2})
    head.fit(table, None, seed=0, fixed={})
    np.testing.assert_allclose(head.predict(table), curves, atol=5)  # of 0 to 900
