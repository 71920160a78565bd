import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import TableError, UnknownName, UsageError
from corpus.popularity import ViewColumns, convert_views, popularity_of, views_of
from corpus.table import read_table


@pytest.mark.parametrize(("days", "popularity"), [(1, 9.967226), (30, 5.101538)])
def test_the_golden_values(days, popularity):
    assert popularity_of(np.array(1000.0), np.array(days)) == pytest.approx(popularity, abs=1e-6)


@given(st.floats(0, 1e12), st.integers(1, 3650))
def test_views_come_back(views, days):
    back = views_of(popularity_of(np.array(views), np.array(days)), np.array(days))
    assert back == pytest.approx(views, rel=1e-9, abs=1e-6)


def converted(path, views="v", counts="cumulative", first_day="1"):
    table = read_table(path)
    return convert_views(table, ViewColumns.parse(views, counts, first_day, table))


def numbers(found, *names):
    return [[float(cell or "nan") for cell in found.columns[name]] for name in names]


def test_days_take_the_place_of_their_views(write_table):
    found = converted(write_table({"id": ["a"], "v1": ["1000"], "v2": ["3000"], "t": ["x"]}))
    assert list(found.columns) == ["id", "p1", "p2", "t"]
    np.testing.assert_allclose(numbers(found, "p1", "p2"), [[9.967226], [np.log2(1501)]], rtol=1e-6)


def test_daily_counts_add_up_until_one_is_lacking(write_table):
    path = write_table({"v1": ["5", "5"], "v2": ["7", ""], "v3": ["0", "1"]})
    found = converted(path, counts="daily")
    expected = np.log2([[6, 6], [7, np.nan], [5, np.nan]])
    np.testing.assert_allclose(numbers(found, "p1", "p2", "p3"), expected, rtol=1e-5)
    assert found.gaps == 2


def test_a_gap_of_cumulative_counts_is_one_gap(write_table):
    found = converted(write_table({"v1": ["5"], "v2": [""], "v3": ["9"]}))
    assert (found.columns["p2"], found.columns["p3"], found.gaps) == ([""], ["2.000000"], 1)


def test_the_first_day_may_be_a_column_and_day_0_counts_as_1(write_table):
    path = write_table({"age": ["0", "3"], "v1": ["8", "8"], "v2": ["8", "8"]})
    found = converted(path, first_day="age")
    expected = np.log2([[9, 8 / 3 + 1], [9, 3]])
    np.testing.assert_allclose(numbers(found, "p1", "p2"), expected, rtol=1e-5)


def test_rows_whose_counts_fall_are_counted(write_table):
    path = write_table({"v1": ["5", "5"], "v2": ["", ""], "v3": ["4", "5"]})
    assert converted(path).falling == 1


def test_all_bad_counts_are_said_with_their_lines(write_table):
    path = write_table({"v1": ["-1", "1"], "v2": ["1", "many"]})
    with pytest.raises(TableError, match=r"line 2: column 'v1': -1 is below 0\n.*line 3: .*'many'"):
        converted(path)


def test_rows_of_another_width_are_refused(write_text):
    with pytest.raises(TableError, match="line 2: the row has 1 cells, the header 2"):
        converted(write_text("v1,v2\n1\n"))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"counts": "total"}, "counts 'total' is unknown; known: cumulative, daily"),
        ({"views": "w"}, "column of views 'w' is unknown"),
        ({"views": "age"}, "--views 'age' is one column; name those of days, as v1..v30"),
        ({"first_day": "aeg"}, "first day 'aeg' is unknown; did you mean 'age'"),
        ({"counts": "daily", "first_day": "2"}, "the first day is '2'; what came before"),
        ({"counts": "daily", "first_day": "age"}, "daily counts add up from day 1 on"),
        ({"views": "v1..v3"}, "no column for step 3"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused(write_table, options, problem):
    path = write_table({"age": ["1"], "v1": ["1"], "v2": ["1"]})
    with pytest.raises(UsageError, match=problem):
        converted(path, **options)


def test_columns_of_popularity_are_not_replaced(write_table):
    with pytest.raises(UsageError, match="already has a column 'p2'"):
        converted(write_table({"v1": ["1"], "v2": ["1"], "p2": ["1"]}))


def test_a_name_of_nothing_near_is_unknown(write_table):
    with pytest.raises(UnknownName):
        converted(write_table({"v1": ["1"], "v2": ["2"]}), counts="")


@pytest.mark.real
def test_the_real_counts_give_the_real_curves(real_data, tmp_path):
    whole = real_data / "timeseries/yt_trending2021_22d.csv"
    with whole.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    kept = [{k: v for k, v in row.items() if not k[1:].isdecimal()} for row in rows]
    with (tmp_path / "views.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, kept[0])
        writer.writeheader()
        writer.writerows(kept)
    found = converted(tmp_path / "views.csv", "views_obs1..views_obs22", first_day="first_day")
    days = [f"p{day}" for day in range(1, 23)]
    truth = [[float(row[day] or "nan") for row in rows] for day in days]
    np.testing.assert_allclose(numbers(found, *days), truth, atol=1.1e-5)
