"""Which values and rows may be stored."""

import numpy as np
import pytest

from cache.spec import Row
from cache.values import check_row, check_value
from core.status import Status
from corpus.cells import id_of
from tests.cache.rows import RAGGED, VECTOR, WORDS, row, value_of

FINE = np.zeros(3, np.float32)


@pytest.mark.parametrize("spec", [VECTOR, RAGGED, WORDS], ids=lambda spec: spec.name)
def test_a_value_of_its_spec_is_stored(spec):
    assert check_value(spec, value_of(spec, 1)) is None


@pytest.mark.parametrize("dtype", ["float64", "float32", "int32", "uint8", "bool", "float16"])
def test_any_real_numbers_that_fit_are_stored(dtype):
    assert check_value(VECTOR, np.ones(3, dtype)) is None


@pytest.mark.parametrize(
    ("spec", "value", "text"),
    [
        (VECTOR, [1, 2, 3], "an array was expected, not list"),
        (VECTOR, "text", "an array was expected, not str"),
        (VECTOR, np.zeros(3, complex), "dtype complex128 has no place in float16"),
        (VECTOR, np.array(["a", "b", "c"]), "dtype <U1 has no place in float16"),
        (VECTOR, np.zeros((1, 3)), "shape [1, 3] is not [3]"),
        (RAGGED, np.zeros(2), "shape [2] is not [token, 2]"),
        (RAGGED, np.zeros((4, 3)), "shape [4, 3] is not [token, 2]"),
        (RAGGED, np.zeros((0, 2)), "it has no token; a gap was expected instead"),
        (VECTOR, np.array([0, np.nan, np.inf]), "2 of 3 numbers are not finite"),
        (VECTOR, np.array([0, -70_000.0, 1]), "70000 does not fit float16, which ends at 65504"),
        (
            VECTOR,
            np.array([0, 1 << 40, 1]),
            "1.09951e+12 does not fit float16, which ends at 65504",
        ),
        (RAGGED, np.full((1, 2), 1e39), "1e+39 does not fit float32, which ends at 3.40282e+38"),
        (WORDS, np.zeros(3), "a text was expected, not float64 [3]"),
        (WORDS, None, "a text was expected, not NoneType"),
    ],
)
def test_a_value_that_does_not_fit_says_why(spec, value, text):
    assert check_value(spec, value) == text


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        (Row("", bytes(16), Status.OK, FINE), "an id of 1 to 200 printable characters"),
        (Row("x" * 201, bytes(16), Status.OK, FINE), "an id of 1 to 200 printable characters"),
        (Row("a\0", bytes(16), Status.OK, FINE), "an id of 1 to 200 printable characters"),
        (Row("a\udcff", bytes(16), Status.OK, FINE), "an id of 1 to 200 printable characters"),
        (Row("a", bytes(8), Status.OK, FINE), "a digest of 16 bytes was expected, not 8"),
        (Row("a", bytes(16), Status.OK, None), "an array was expected, not NoneType"),
        (
            Row("a", bytes(16), Status.FAILED, FINE, "model"),
            "FAILED has no value, yet one was given",
        ),
        (Row("a", bytes(16), Status.ABSENT, None), "ABSENT needs a cause"),
    ],
)
def test_a_row_that_contradicts_itself_says_why(bad, text):
    assert check_row(VECTOR, bad).startswith(text)


@pytest.mark.parametrize("name", ["at 3.00\u202fPM.mp4", "a\u00a0b", "\u0645\u06cc\u200c\u062e"])
def test_an_id_that_a_table_may_have_is_stored(name):
    assert id_of(name) == name
    assert check_row(VECTOR, Row(name, bytes(16), Status.OK, FINE)) is None


def test_a_row_of_its_spec_is_stored():
    assert check_row(VECTOR, row(1)) is None
