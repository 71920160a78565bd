import numpy as np
import pytest

from cache.duplicates import Likeness, equal_rows, groups_by_id, groups_of
from cache.spec import Column, FeatureSpec
from core.errors import UsageError


def vectors(values, present=None, name="clip"):
    values = np.asarray(values, np.float32)
    there = np.ones(len(values), bool) if present is None else np.asarray(present)
    spec = FeatureSpec(name, (values.shape[1],), "float32", ("video",), {})
    return Column(spec, np.where(there[:, None], values, 0), None, there)


def texts(values):
    spec = FeatureSpec("caption", (), "text", ("video",), {})
    return Column(spec, np.array(values, object), None, np.array([text != "" for text in values]))


def grams(rows, buckets=500):
    """Return hashed n-grams of rows of buckets."""
    pairs = [[bucket, 1] for row in rows for bucket in row]
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    recipe = {"layout": "counts", "buckets": buckets}
    spec = FeatureSpec("words:title", ("gram", 2), "float32", ("text:title",), recipe)
    values = np.array(pairs, np.float32).reshape(-1, 2)
    return Column(spec, values, offsets.astype(np.int64), np.diff(offsets) > 0)


def members(groups):
    """Return the groups of two or more rows."""
    found = {}
    for row, group in enumerate(groups.tolist()):
        found.setdefault(group, []).append(row)
    return sorted(rows for rows in found.values() if len(rows) > 1)


@pytest.fixture
def clips():
    """Return 300 rows of 60 numbers of unlike size; 0 and 1, 5, 7 and 9 are nearly the same."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=(300, 12)) @ rng.normal(size=(12, 60)) + rng.normal(size=(300, 60))
    for copy, original in ((1, 0), (7, 5), (9, 5)):
        values[copy] = values[original] + 0.1 * rng.normal(size=60)
    return values * 10.0 ** rng.integers(-3, 4, 60)


def test_near_duplicates_are_found_whatever_the_unit_of_a_column(clips):
    assert members(groups_of(vectors(clips))) == [[0, 1], [5, 7, 9]]


@pytest.mark.parametrize("width", [60, 8])
def test_the_groups_are_those_of_measuring_every_pair(clips, width):
    values = clips[:, :width] / clips[:, :width].std(axis=0)
    apart = ((values[:, None] - values[None]) ** 2).sum(axis=2)
    rng = np.random.default_rng(0).integers(0, 300, (2, 20_000))
    limit = 0.4 * np.median(apart[tuple(rng[:, rng[0] != rng[1]])])
    groups = groups_of(vectors(clips[:, :width]), 0.6)
    one, other = np.nonzero(apart <= limit * 0.999)
    assert (groups[one] == groups[other]).all()
    reach = apart <= limit * 1.001
    for rows in members(groups):
        assert all((reach[row, rows].sum() > 1) for row in rows)


def test_a_chain_is_one_group():
    values = np.concatenate([np.zeros((4, 2)), np.random.default_rng(0).normal(size=(96, 2)) * 9])
    values[:4, 0] = 500 + np.arange(4)
    assert [0, 1, 2, 3] in members(groups_of(vectors(values), 0.98))


def test_rows_without_a_value_are_alone(clips):
    present = np.arange(300) > 4
    assert members(groups_of(vectors(clips, present))) == [[5, 7, 9]]


def test_a_sequence_is_known_by_its_mean(clips):
    spec = FeatureSpec("clip/frames", ("frame", 60), "float32", ("video",), {})
    twice = np.repeat(clips, 2, axis=0).astype(np.float32)
    column = Column(spec, twice, np.arange(0, 601, 2), np.ones(300, bool))
    assert members(groups_of(column)) == [[0, 1], [5, 7, 9]]


def test_titles_with_the_same_rare_words_are_near_duplicates():
    rng = np.random.default_rng(1)
    rows = [[1, 2, *rng.choice(np.arange(3, 500), 12, replace=False)] for _ in range(50)]
    rows[10] = [*rows[3], 499] if 499 not in rows[3] else rows[3][:-1]
    rows[20] = []
    assert members(groups_of(grams(rows), 0.8)) == [[3, 10]]


def test_texts_that_differ_in_case_and_spaces_are_the_same():
    found = groups_of(texts(["A cat", "a  CAT ", "a dog", "", ""]))
    assert members(found) == [[0, 1]]


def test_groups_do_not_depend_on_the_order_of_the_rows():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(1000, 8))
    nearly = values + rng.normal(size=(1000, 8)) * rng.uniform(0.25, 0.35, (1000, 1))
    values = np.concatenate([values, nearly])
    ids, order = np.array([f"clip-{n}" for n in range(2000)]), rng.permutation(2000)
    found = members(groups_by_id(ids, vectors(values)))
    moved = members(groups_by_id(ids[order], vectors(values[order])))
    assert sorted(sorted(order[rows].tolist()) for rows in moved) == found


def test_one_row_or_none_is_no_group():
    assert groups_of(vectors([[1.0, 2.0]])).tolist() == [0]
    assert groups_of(vectors(np.zeros((0, 2)))).tolist() == []


def test_thousands_of_equal_rows_are_one_group():
    values = np.random.default_rng(0).normal(size=(6000, 8))
    values[:2000] = values[0]
    assert members(groups_of(vectors(values), 0.999))[0] == list(range(2000))


def test_equal_rows_are_equal_in_every_feature(clips):
    clips[[20, 30]] = clips[10]
    grouped = grams([[row] if row != 30 else [3] for row in [10] * 300])
    assert members(equal_rows([vectors(clips)])) == [[10, 20, 30]]
    assert members(equal_rows([vectors(clips), grouped])) == [[10, 20, 30]]
    other = grams([[3] if row == 30 else [4] for row in range(300)])
    assert members(equal_rows([vectors(clips), other])) == [[10, 20]]


def test_rows_without_any_feature_have_no_twin(clips):
    assert members(equal_rows([vectors(clips, np.arange(300) > 4)])) == []


def test_features_that_tell_no_rows_apart_know_no_twins():
    assert equal_rows([vectors(np.arange(100)[:, None] // 2)]) is None
    assert equal_rows([texts(["a", "a"])]) is None


@pytest.mark.parametrize(
    ("text", "feature", "threshold"),
    [
        ("colour", "colour", 0.95),
        ("textstats:title", "textstats:title", 0.95),
        ("textstats:title:0.9", "textstats:title", 0.9),
        ("colour:1", "colour", 1.0),
    ],
)
def test_a_likeness_is_a_feature_and_perhaps_a_threshold(text, feature, threshold):
    assert Likeness.parse(text) == Likeness(feature, threshold)
    assert Likeness.parse(str(Likeness(feature, threshold))) == Likeness(feature, threshold)


@pytest.mark.parametrize("text", ["colour:0", "colour:1.5", "colour:nan", ":0.9"])
def test_a_threshold_that_means_nothing_is_refused(text):
    with pytest.raises(UsageError, match="is not FEATURE:THRESHOLD with a threshold above 0"):
        Likeness.parse(text)
