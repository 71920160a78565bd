"""What the head knn keeps to: the past, the train rows, choices without a look at validation."""

from dataclasses import replace

import numpy as np
import pytest

from core.errors import UsageError
from heads.catalog import make_head
from heads.contract import Problem
from heads.inner import authors_apart, left_out
from heads.knn import Knn
from heads.neighbours.metric import fit_metric
from tests.heads.tables import make_column, make_table, plant


def fit(table, valid=None, task="regression", outputs=1, **options):
    head = make_head("knn", Problem(task, outputs), options)
    head.fit(table, valid, seed=0, fixed={})
    return head


def timed(table, seed=0):
    """Return the table with times, every ninth unknown."""
    times = np.random.default_rng(seed).uniform(0, 1e6, len(table))
    times[::9] = np.nan
    return replace(table, posted_at=times)


@pytest.fixture(scope="module")
def planted():
    return timed(plant())


@pytest.fixture(scope="module")
def fitted(planted):
    return fit(planted.take(np.arange(160)), k=6)


def test_neighbours_are_train_rows(fitted, planted):
    rest = planted.take(np.arange(160, 240))
    near = fitted.nearest(rest)
    named = fitted.neighbour_ids[near.rows[near.rows >= 0]]
    assert set(named) <= set(planted.ids[:160])


def test_no_neighbour_of_the_head_is_posted_later(fitted, planted):
    rest = planted.take(np.arange(160, 240))
    when = dict(zip(planted.ids, planted.posted_at, strict=True))
    near = fitted.nearest(rest)
    for row in np.flatnonzero(np.isfinite(rest.posted_at)):
        names = fitted.neighbour_ids[near.rows[row][near.rows[row] >= 0]]
        assert all(when[name] < rest.posted_at[row] for name in names)


@pytest.mark.parametrize("with_times", [True, False])
def test_a_row_is_never_its_own_neighbour(planted, with_times):
    train = planted.take(np.arange(160))
    train = train if with_times else replace(train, posted_at=None)
    head = fit(train, k=6)
    near = head.nearest(train)
    names = np.where(near.rows >= 0, head.neighbour_ids[near.rows], "")
    assert not (names == train.ids[:, None]).any()
    assert with_times or (near.rows >= 0).all()


def test_a_label_of_the_future_changes_no_prediction(planted):
    train, asked = planted.take(np.arange(160)), planted.take(np.arange(160, 240))
    middle = np.nanmedian(train.posted_at)
    later = ~(train.posted_at < middle)
    others = np.where(later, -train.target, train.target)
    chosen = {"k": 5, "temperature": 0.3, "relevance": 0, "categories": 0, "author": 0}
    first = fit(train, **chosen).predict(asked)
    second = fit(train.with_target(others), **chosen).predict(asked)
    early = (asked.posted_at < middle) & (fit(train, **chosen).nearest(asked).rows[:, 0] >= 0)
    assert early.sum() > 10
    np.testing.assert_array_equal(first[early], second[early])


def test_validation_labels_choose_nothing(planted):
    train, valid = planted.take(np.arange(160)), planted.take(np.arange(160, 200))
    rest = planted.take(np.arange(200, 240))
    turned = valid.with_target(-valid.target)
    first, second = fit(train, valid), fit(train, turned)
    np.testing.assert_array_equal(first.predict(rest), second.predict(rest))


def test_what_says_nothing_weighs_little_and_nobody_asks_for_it():
    generator = np.random.default_rng(0)
    signal, noise = generator.normal(size=(400, 2)), generator.normal(size=(400, 30))
    table = make_table(
        make_column("signal", signal), make_column("noise", noise), target=signal.sum(axis=1)
    )
    train, rest = table.take(np.arange(300)), table.take(np.arange(300, 400))
    aware, plain = fit(train), fit(train, relevance=0, categories=0)
    assert aware.importances()["noise"] < 0.2 < plain.importances()["noise"]
    wrong = [np.abs(head.predict(rest) - rest.target).mean() for head in (aware, plain)]
    assert wrong[0] < 0.5 * wrong[1]


def test_authors_that_come_again_are_near():
    generator = np.random.default_rng(1)
    author = generator.integers(0, 60, 400)
    table = make_table(
        make_column("noise", generator.normal(size=(400, 5))),
        target=author + generator.normal(size=400),
        author=author.astype(np.str_),
    )
    parts = [table.take(np.arange(start, start + 100)) for start in (200, 300)]
    head = fit(table.take(np.arange(200)), parts[0])
    assert np.corrcoef(head.predict(parts[1]), parts[1].target)[0, 1] > 0.8
    head = fit(table.take(np.arange(200)), parts[0], author=0)
    assert np.corrcoef(head.predict(parts[1]), parts[1].target)[0, 1] < 0.5


def test_the_same_category_is_as_much_nearer_as_is_asked(planted):
    train, rest = planted.take(np.arange(160)), planted.take(np.arange(160, 240))
    head = fit(replace(train, posted_at=None), k=8, categories=1000)
    near = head.nearest(replace(rest, posted_at=None))
    kinds = dict(zip(planted.ids, planted.columns["meta:category"].values, strict=True))
    theirs = np.vectorize(kinds.get)(head.neighbour_ids[near.rows])
    assert (theirs == rest.columns["meta:category"].values[:, None]).all()


def test_who_has_nothing_in_common_with_anybody_gets_the_mean(planted):
    train = planted.take(np.arange(160)).select(["motion"])
    nothing = make_column("motion", np.zeros((3, 12)), np.zeros(3, bool))
    found = fit(train).predict(make_table(nothing))
    np.testing.assert_allclose(found, train.target.mean())


def test_no_class_is_impossible(planted):
    classes = (planted.target > 1).astype(np.int64)
    table = planted.with_target(classes)
    head = fit(table.take(np.arange(160)), task="classification", outputs=2, k=1)
    assert head.predict(table).min() > 0


def test_curves_are_told_from_their_last_known_day():
    generator = np.random.default_rng(2)
    day = generator.uniform(0, 1000, 300)
    rise = generator.integers(1, 5, 300)
    table = make_table(
        make_column("meta:p1", day),
        make_column("rise", rise[:, None] + generator.normal(scale=0.1, size=(300, 1))),
        target=day[:, None] + rise[:, None] * np.arange(1, 4),
    )
    head = make_head("knn", Problem("sequence", 3, ("meta:p1",)))
    head.fit(table.take(np.arange(200)), None, seed=0, fixed={})
    rest = table.take(np.arange(200, 300))
    assert np.abs(head.predict(rest) - rest.target).mean() < 1


def test_columns_say_what_neighbours_say_how_they_differ_and_how_far_they_are(fitted, planted):
    rest = planted.take(np.arange(160, 240))
    columns, present = fitted.told(rest)
    near = fitted.nearest(rest)
    np.testing.assert_array_equal(present, near.rows[:, 0] >= 0)
    np.testing.assert_allclose(columns[present, 0], fitted.predict(rest)[present], rtol=1e-5)
    assert (columns[:, 1] >= 0).all()
    assert (columns[present, 2] >= near.distance[present, 0].astype(np.float32) * 0.999).all()


def test_inner_folds_keep_authors_apart_as_the_split_does(planted):
    train = planted.take(np.arange(160))
    new = replace(planted.take(np.arange(200, 240)), author=np.full(40, "z"))
    known = planted.take(np.arange(200, 240))
    assert authors_apart(train, None)
    assert authors_apart(train, new)
    assert not authors_apart(train, known)
    folds = left_out(train, apart=True, seed=0)
    assert all(len(np.unique(folds[train.author == name])) == 1 for name in "abcdefgh")
    mixed = left_out(train, apart=False, seed=0)
    assert any(len(np.unique(mixed[train.author == name])) > 1 for name in "abcdefgh")


def test_the_order_of_train_rows_is_no_matter(planted):
    train, rest = planted.take(np.arange(160)), planted.take(np.arange(160, 240))
    turned = train.take(np.random.default_rng(0).permutation(160))
    np.testing.assert_allclose(fit(train).predict(rest), fit(turned).predict(rest), rtol=1e-4)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"k": 0}, "k 0 is not 1 or more"),
        ({"temperature": 0}, "temperature 0.0 is not above 0"),
        ({"relevance": -1}, "relevance -1.0 is not 0 or more"),
        ({"author": "nan"}, "author nan is not 0 or more"),
    ],
)
def test_wrong_options_are_refused(options, text):
    with pytest.raises(UsageError, match=text):
        make_head("knn", Problem("regression"), options)


def test_few_rows_are_enough():
    table = make_table(make_column("motion", np.arange(6.0)), target=np.arange(6.0))
    head = fit(table)
    assert isinstance(head, Knn)
    assert np.isfinite(head.predict(table)).all()


def test_where_a_ridge_leans_on_no_column_all_weigh_alike(planted):
    metric, _ = fit_metric(planted, np.zeros((len(planted), 1)), None, 1.0, seed=0)
    np.testing.assert_array_equal(metric.weights(1.0, 0.0), metric.weights(0.0, 0.0))


@pytest.mark.parametrize("units", [2, 3])
def test_a_few_authors_are_kept_apart_in_fewer_folds(planted, units):
    author = np.array([f"a{row % units}" for row in range(160)])
    train = replace(planted.take(np.arange(160)), author=author)
    folds = left_out(train, apart=True, seed=0)
    assert [len(np.unique(folds[author == name])) for name in np.unique(author)] == [1] * units
    assert len(np.unique(folds)) == units
    alone = replace(train, author=np.full(160, "me"))
    assert len(np.unique(left_out(alone, apart=True, seed=0))) == 5
