"""Specs, rows and columns."""

import json

import numpy as np
import pytest

from cache.spec import Column, FeatureSpec, Row
from core.status import Status, failed
from tests.cache.rows import RAGGED, SPECS, VECTOR, WORDS

VECTORS = Column(
    VECTOR, np.arange(9, dtype=np.float16).reshape(3, 3), None, np.array([1, 0, 1], bool)
)
TOKENS = Column(
    RAGGED,
    np.array([[1, 2], [3, 4], [5, 6], [7, 8]], np.float32),
    np.array([0, 3, 3, 4]),
    np.array([True, False, True]),
)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_a_spec_survives_json(spec):
    again = FeatureSpec.from_json(json.loads(json.dumps(spec.to_json())))
    assert (again, again.fingerprint) == (spec, spec.fingerprint)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "b"},
        {"dims": (4,)},
        {"dtype": "float32"},
        {"reads": ("audio",)},
        {"recipe": {"v": 2}},
    ],
)
def test_all_that_decides_a_value_decides_the_fingerprint(change):
    base = {"name": "a", "dims": (3,), "dtype": "float16", "reads": ("video",), "recipe": {"v": 1}}
    assert FeatureSpec(**base).fingerprint != FeatureSpec(**{**base, **change}).fingerprint


def test_the_order_of_a_recipe_does_not_matter():
    one, two = {"a": 1, "b": (2, 3)}, {"b": [2, 3], "a": 1}
    specs = [FeatureSpec("a", (3,), "float16", (), recipe) for recipe in (one, two)]
    assert specs[0].fingerprint == specs[1].fingerprint


def test_a_spec_knows_its_layout():
    assert [
        (spec.is_ragged, spec.is_text, spec.item_shape) for spec in (VECTOR, RAGGED, WORDS)
    ] == [
        (False, False, (3,)),
        (True, False, (2,)),
        (False, True, ()),
    ]


def test_a_row_is_a_value_or_a_gap():
    value, gap = Row.of("a", bytes(16), np.zeros(3)), Row.of("a", bytes(16), failed("model", "why"))
    assert (value.status, value.cause) == (Status.OK, "")
    assert (gap.status, gap.value, gap.cause, gap.reason) == (Status.FAILED, None, "model", "why")


def test_a_vector_is_pooled_as_it_is():
    assert VECTORS.pooled().dtype == np.float32
    assert np.array_equal(VECTORS.pooled(), VECTORS.values)


def test_a_sequence_is_pooled_by_its_mean():
    assert TOKENS.pooled().tolist() == [[3, 4], [0, 0], [7, 8]]


def test_a_column_without_tokens_pools_to_zeros():
    empty = Column(RAGGED, np.zeros((0, 2), np.float32), np.zeros(3, np.int64), np.zeros(2, bool))
    assert empty.pooled().tolist() == [[0, 0], [0, 0]]
    assert [part.shape for part in empty.padded()] == [(2, 0, 2), (2, 0)]


def test_a_sequence_is_padded_with_its_mask():
    padded, mask = TOKENS.padded()
    assert padded.tolist() == [[[1, 2], [3, 4], [5, 6]], [[0, 0]] * 3, [[7, 8], [0, 0], [0, 0]]]
    assert mask.tolist() == [[True] * 3, [False] * 3, [True, False, False]]


def test_a_sequence_is_cut_to_the_longest_wanted():
    padded, mask = TOKENS.padded(2)
    assert padded.tolist() == [[[1, 2], [3, 4]], [[0, 0]] * 2, [[7, 8], [0, 0]]]
    assert mask.tolist() == [[True, True], [False, False], [True, False]]


def test_a_vector_is_padded_to_one_step():
    padded, mask = VECTORS.padded()
    assert (padded.shape, mask.tolist()) == ((3, 1, 3), [[True], [False], [True]])


@pytest.mark.parametrize("rows", [np.array([2, 0, 0]), np.array([True, False, True])])
@pytest.mark.parametrize("column", [VECTORS, TOKENS], ids=["vectors", "tokens"])
def test_taking_rows_takes_their_values(column, rows):
    taken, order = column.take(rows), np.arange(3)[rows]
    assert len(taken) == len(order)
    assert np.array_equal(taken.pooled(), column.pooled()[order])
    assert np.array_equal(taken.present, column.present[order])
