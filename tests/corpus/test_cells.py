import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.cells import BadCell, id_of, number_of, text_of, time_of

NAN = float("nan")


@pytest.mark.parametrize("cell", ["", "  ", "\n", None, NAN])
def test_an_empty_cell_is_no_text_no_number_and_no_time(cell):
    assert (text_of(cell), number_of(cell), time_of(cell)) == (None, None, None)


@pytest.mark.parametrize("cell", ["nan", "NA", "None", "null", " x "])
def test_a_word_is_a_word(cell):
    assert text_of(cell) == cell


@pytest.mark.parametrize(("cell", "text"), [(7, "7"), (7.0, "7"), (7.5, "7.5"), (True, "True")])
def test_a_number_in_a_column_of_texts_is_written_out(cell, text):
    assert text_of(cell) == text


def test_a_list_is_no_text():
    with pytest.raises(BadCell, match=r"\['a'\] is not text"):
        text_of(["a"])


@pytest.mark.parametrize(
    ("cell", "number"), [("12.5", 12.5), (" -1e3 ", -1000.0), (".5", 0.5), (3, 3.0), ("007", 7.0)]
)
def test_numbers_are_read(cell, number):
    assert number_of(cell) == number


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("12,5", "'12,5' is not a number; write 12.5 with a point"),
        ("nan", "'nan' is not a finite number; leave the cell empty"),
        ("1,117", "write 1117 without thousands separators, or 1.117 if the comma is decimal"),
        ("1,117,203.5", "write 1117203.5 without thousands separators"),
        ("N/A", "'N/A' is not a number; leave the cell empty"),
        ("inf", "not a finite number"),
        ("1e999", "not a finite number"),
        ("1_000", "'1_000' is not a number"),
        ("١٢", "is not a number"),
        ("many", "'many' is not a number; write it like 12.5"),
        ([1], r"\[1\] is not a number"),
        (10**400, "is not a number"),
    ],
)
def test_what_is_no_number_is_refused_with_the_remedy(cell, problem):
    with pytest.raises(BadCell, match=problem):
        number_of(cell)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_written_number_is_read_back_exactly(number):
    assert number_of(repr(number)) == number


@pytest.mark.parametrize(
    "cell",
    [
        "2021-04-18T23:00:12Z",
        "2021-04-18 23:00:12",
        "2021-04-19T01:00:12+02:00",
        "1618786812",
        1618786812.0,
        datetime.datetime(2021, 4, 18, 23, 0, 12),
        datetime.datetime(2021, 4, 18, 23, 0, 12, tzinfo=datetime.UTC),
    ],
)
def test_a_time_is_seconds_in_utc(cell):
    assert time_of(cell) == 1618786812.0


def test_a_date_is_its_midnight_in_utc():
    assert time_of("1970-01-02") == time_of(datetime.date(1970, 1, 2)) == 86400.0


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("yesterday", "'yesterday' is not a time; expected 2021-04-18T23:00:12Z"),
        ("18.04.2021", "is not a time"),
        ("2021-13-40", "is not a time"),
        ("20210418", "may be a date or seconds; write the date as 2021-04-18"),
        ("2021", "may be a date or seconds"),
        ("1618786812000", "divide milliseconds by 1000"),
        (20210418, "may be a date or seconds; write the date as 2021-04-18"),
        (202104.0, "may be a date or seconds"),
        (["2021"], "is not a time"),
    ],
)
def test_what_is_no_time_is_refused(cell, problem):
    with pytest.raises(BadCell, match=problem):
        time_of(cell)


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "x" * 200,
        "日本",
        "a b",
        "Bildschirm\u202f12.mp4",
        "क्\u200dष",
        "👩\u200d🎤",
        "0012",
    ],
)
def test_printable_text_is_an_id_unchanged(name):
    assert id_of(name) == name


def test_a_whole_number_is_an_id():
    assert id_of(12) == "12"


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("", "the id is empty"),
        (None, "the id is empty"),
        ("   ", "the id is empty"),
        ("x" * 201, "has 201 characters; it may have 200"),
        ("x" * 10_000, "has 10,000 characters; it may have 200"),
        ("a\tb", r"'a\\tb' holds the unprintable character U\+0009"),
        ("a\nb", r"U\+000A"),
        ("a\0b", r"U\+0000"),
        ("\x1b[31m", r"'\\x1b\[31m' holds the unprintable character U\+001B"),
        ("\ufeffa", r"U\+FEFF"),
        ("a\u2028b", r"U\+2028"),
        ("a\ud800", r"U\+D800"),
        (1.5, "the id 1.5 is not text"),
        (True, "the id True is not text"),
    ],
)
def test_what_is_no_id_is_refused_and_shown_escaped(cell, problem):
    with pytest.raises(BadCell, match=problem) as caught:
        id_of(cell)
    assert len(str(caught.value)) < 200
    assert str(caught.value).isprintable()


@given(st.text())
def test_an_id_is_taken_unchanged_or_refused_in_printable_words(text):
    try:
        taken = id_of(text)
    except BadCell as error:
        taken, problem = text, str(error)
        assert problem.isprintable()
    assert taken == text
