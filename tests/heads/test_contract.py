"""Every head of the catalog, for every task it declares: registering is being tested."""

import functools

import numpy as np
import pytest

from core.errors import FitError
from heads.catalog import HEADS, make_head
from heads.contract import TASKS, Problem
from tests.heads.tables import make_column, make_table, plant

PAIRS = [(name, task) for name in HEADS for task in HEADS.load(name).tasks]
LEARNERS = [(name, task) for name, task in PAIRS if name != "mean"]
every = pytest.mark.parametrize(("name", "task"), PAIRS)
every_learner = pytest.mark.parametrize(("name", "task"), LEARNERS)


def with_task(table, task):
    """Return the table with its target as the task wants it, and the problem."""
    target = table.target
    if task == "classification":
        classes = np.digitize(target, np.quantile(target, [1 / 3, 2 / 3]))
        return table.with_target(classes), Problem(task, 3)
    if task == "sequence":
        steps = np.stack([target, 2 * target, target + 1], axis=1)
        steps[::9, 1] = np.nan
        return table.with_target(steps), Problem(task, 3)
    return table, Problem(task)


@functools.cache
def fit(name, task, again=0):
    """Return a head fitted on 200 rows, which no test changes, and 40 other rows."""
    del again
    table, problem = with_task(plant(), task)
    head = make_head(name, problem)
    rows = np.arange(len(table))
    head.fit(table.take(rows[:160]), table.take(rows[160:200]), seed=3, fixed={})
    return head, table.take(rows[200:])


def loss(task, target, predicted):
    if task == "classification":
        return -np.log(predicted[np.arange(len(target)), target] + 1e-9).mean()
    return np.nanmean((target - predicted) ** 2)


def test_tasks_and_layouts_are_known_words():
    for name in HEADS:
        head = HEADS.load(name)
        assert head.name == name
        assert set(head.tasks) <= set(TASKS)
        assert set(head.accepts) <= {"pooled", "sequence"}


@every_learner
def test_a_head_beats_the_constant_on_a_planted_signal(name, task):
    head, rest = fit(name, task)
    constant, _ = fit("mean", task)
    learnt = loss(task, rest.target, head.predict(rest))
    assert learnt < 0.7 * loss(task, rest.target, constant.predict(rest))


@every
def test_predictions_have_the_declared_shape(name, task):
    head, rest = fit(name, task)
    predicted = head.predict(rest)
    assert predicted.dtype == np.float64
    assert predicted.shape == ((40,) if task == "regression" else (40, 3))
    assert np.isfinite(predicted).all()
    if task == "classification":
        np.testing.assert_allclose(predicted.sum(axis=1), 1)


@every
def test_no_rows_are_no_predictions(name, task):
    head, rest = fit(name, task)
    predicted = head.predict(rest.take(np.zeros(0, np.int64)))
    assert predicted.shape == ((0,) if task == "regression" else (0, 3))


@every
def test_a_saved_head_predicts_the_same(name, task, tmp_path):
    head, rest = fit(name, task)
    head.save(tmp_path)
    loaded = HEADS.load(name).load(tmp_path)
    np.testing.assert_array_equal(loaded.predict(rest), head.predict(rest))
    assert loaded.importances() == head.importances()
    assert loaded.describe() == head.describe()


@every
def test_no_pickle_is_on_disk(name, task, tmp_path):
    fit(name, task)[0].save(tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert path.suffix in {".json", ".safetensors", ".txt"}
        start = 8 if path.suffix == ".safetensors" else 0  # the length of its JSON may begin so too
        assert path.read_bytes()[start : start + 1] != b"\x80"


@every
def test_permuted_rows_permute_predictions(name, task):
    head, rest = fit(name, task)
    order = np.random.default_rng(0).permutation(len(rest))
    permuted = head.predict(rest.take(order))
    np.testing.assert_allclose(permuted, head.predict(rest)[order], rtol=1e-12)


@every
def test_one_row_is_predicted_as_among_many(name, task):
    head, rest = fit(name, task)
    alone = np.concatenate([head.predict(rest.take(np.array([row]))) for row in range(len(rest))])
    np.testing.assert_allclose(alone, head.predict(rest), rtol=1e-10)


@every
def test_the_same_seed_gives_the_same_head_bit_for_bit(name, task):
    first, rest = fit(name, task)
    second, _ = fit(name, task, again=1)
    np.testing.assert_array_equal(first.predict(rest), second.predict(rest))


@every
def test_features_that_are_all_absent_are_accepted(name, task):
    head, rest = fit(name, task)
    nothing = np.zeros(len(rest), bool)
    motion = make_column("motion", np.zeros((len(rest), 12)), nothing)
    columns = {**rest.columns, "motion": motion, "meta:category": gap(rest)}
    empty = make_table(*columns.values())
    assert np.isfinite(head.predict(empty)).all()


def gap(table):
    return make_column("meta:category", np.array([""] * len(table)))


@every
def test_what_is_fixed_is_not_chosen_again(name, task):
    table, problem = with_task(plant(100), task)
    chosen = make_head(name, problem).fit(table, None, seed=0, fixed={}).chosen
    fixed = dict.fromkeys(chosen, 3.0)
    report = make_head(name, problem).fit(table, None, seed=0, fixed=fixed)
    assert dict(report.chosen) == fixed
    assert not report.history


@every_learner
def test_importances_are_shares_of_features(name, task):
    shares = fit(name, task)[0].importances()
    assert set(shares) <= set(plant(10).columns)
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["words:title"] < shares["motion"]


@every_learner
def test_nothing_that_varies_cannot_be_learnt_from(name, task):
    table = make_table(make_column("motion", np.ones((50, 3))), target=np.arange(50.0))
    table, problem = with_task(table, task)
    with pytest.raises(FitError, match=r"no feature has two different values in the 50 train rows"):
        make_head(name, problem).fit(table, None, seed=0, fixed={})
