"""Columns of neighbours: out of fold, so that no train row is told its own label."""

import numpy as np
import pytest

from core.errors import UsageError
from heads.bundle import load_bundle
from heads.catalog import make_head
from heads.contract import Problem
from heads.fit import fit_head
from heads.inner import left_out
from heads.neighbours.columns import column_name, source_of, with_neighbours
from tests.heads.tables import config, make_column, make_table, plant, raw

NUMBERS = Problem("regression")
K4 = {"k": 4.0, "temperature": 1.0, "relevance": 0.0, "categories": 0.0, "author": 0.0}
CHOSEN = {f"knn(motion).{name}": value for name, value in {**K4, "penalty": 0.1}.items()}


@pytest.fixture(scope="module")
def planted():
    return plant()


def columns(table, folds):
    """Return the out-of-fold columns of train rows, float32 [N, 3], by the feature motion."""
    head = make_head("retrieval", NUMBERS, {"of": "motion"})
    (column,) = head.unseen(table, folds, CHOSEN, seed=0)
    assert 0 < column.present.sum() < len(table)
    return column.values


def test_out_of_fold_columns_do_not_know_their_own_label(planted):
    folds = left_out(planted, apart=True, seed=0)
    usual = columns(planted, folds)
    some = np.flatnonzero(folds == 2)
    target = planted.target.copy()
    target[some] = np.random.default_rng(0).permutation(target[some]) + 100
    turned = columns(planted.with_target(target), folds)
    np.testing.assert_array_equal(turned[some], usual[some])
    assert (turned[folds != 2] != usual[folds != 2]).any()


@pytest.mark.parametrize("row", [0, 17, 239])
def test_one_label_moves_other_rows_only(planted, row):
    folds = left_out(planted, apart=True, seed=0)
    target = planted.target.copy()
    target[row] += 1000
    moved = columns(planted.with_target(target), folds)[:, 0] != columns(planted, folds)[:, 0]
    assert not moved[row]
    assert not moved[folds == folds[row]].any()


def test_labels_at_random_teach_a_head_nothing(planted):
    noise = np.random.default_rng(1).permutation(planted.target)
    table = planted.with_target(noise)
    train, rest = table.take(np.arange(160)), table.take(np.arange(160, 240))
    head = make_head("retrieval", NUMBERS, {"of": "motion", "only": "motion", "knn.k": 1})
    head.fit(train, None, seed=0, fixed={})
    spread = head.predict(train).std()
    assert spread < 0.5 * noise.std()
    assert np.abs(head.predict(rest) - noise.mean()).mean() < noise.std()


def test_neighbours_help_where_a_line_does_not():
    generator = np.random.default_rng(0)
    place = generator.uniform(-1, 1, size=(400, 2))
    table = make_table(
        make_column("place", place),
        make_column("meta:likes", generator.normal(size=400)),
        target=np.sin(5 * place[:, 0]) * np.cos(5 * place[:, 1]),
    )
    train, rest = table.take(np.arange(300)), table.take(np.arange(300, 400))
    errors = {}
    for name, options in (("linear", {}), ("retrieval", {"of": "place"})):
        head = make_head(name, NUMBERS, options)
        head.fit(train, None, seed=0, fixed={})
        errors[name] = np.abs(head.predict(rest) - rest.target).mean()
    assert errors["retrieval"] < 0.5 * errors["linear"]


def test_features_named_knn_ask_for_columns_of_neighbours():
    asked = config(features=("meta:likes", "motion", "knn(motion)", "knn(words:title)"))
    found = with_neighbours(asked)
    assert found.head == "retrieval"
    assert found.features == ("meta:likes", "motion", "words:title")
    assert found.options["of"] == ("motion", "words:title")
    assert found.options["only"] == ("words:title",)
    assert with_neighbours(config(features=("motion",))) == config(features=("motion",))


def test_options_go_to_the_head_that_was_named():
    asked = config("gbm", features=("knn(motion)",), options={"rounds": "5", "knn.k": "3"})
    head = make_head("retrieval", NUMBERS, with_neighbours(asked).options)
    assert head.describe()["members"] == {"gbm": {"rounds": "5"}, "knn": {"k": "3"}}


@pytest.mark.parametrize("name", ["knn", "knn()", "motion", "knn(motion", "xknn(motion)"])
def test_other_names_ask_for_no_neighbours(name):
    assert source_of(name) is None


def test_the_name_of_columns_tells_their_source():
    assert source_of(column_name("words:title")) == "words:title"


def test_a_head_with_neighbours_is_fitted_scored_and_saved(planted, tmp_path):
    asked = config(features=("meta:likes", "knn(motion)"), split="kfold:3")
    result = fit_head(planted, raw(planted), with_neighbours(asked))
    result.bundle.save(tmp_path)
    loaded = load_bundle(tmp_path).predict(planted)
    np.testing.assert_array_equal(loaded.value, result.bundle.predict(planted).value)
    assert result.metrics["rmse"].value < result.baselines["metadata"]["rmse"].value
    assert set(result.importances) == {"meta:likes", "motion"}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"head": "knn"}, "head 'knn' looks for neighbours itself"),
        ({"of": "motion", "only": "words"}, "only 'words' is none of the features of `of`"),
        ({"head": "linear", "gbm.rounds": 3}, r"gbm\.\* are options of a head that is not used"),
    ],
)
def test_wrong_requests_are_refused(options, text):
    with pytest.raises(UsageError, match=text):
        make_head("retrieval", NUMBERS, options)


def test_neighbours_by_one_feature_do_not_ask_for_the_known_days(planted):
    days = np.stack([planted.target, planted.target + 1], axis=1)
    first = make_column("meta:p1", planted.target - 1)
    table = make_table(planted.columns["motion"], first, target=days)
    head = make_head("retrieval", Problem("sequence", 2, ("meta:p1",)), {"of": "motion"})
    head.fit(table.take(np.arange(160)), None, seed=0, fixed={})
    predicted = head.predict(table.take(np.arange(160, 240)))
    assert np.abs(predicted - days[160:]).mean() < 0.1  # a day is the one before and 1
