import csv

import numpy as np
import pytest

from core.errors import TableError
from corpus.manifest import read_manifest
from corpus.sources.youtube import category_name
from corpus.targets import TargetPlan

P = TargetPlan("p", "sequence")
PUBLISHED = {
    "video_id": ["-a", "b"],
    **{f"extra{place}": ["x", "y"] for place in range(1, 5)},
    "user_id": ["ann", "nan"],
    "category": ["People  Blogs", "NA"],
    "title": ["one", "nan"],
    "keywords": ["k", ""],
    "description": ["d", "nan"],
    **{f"f{index}": ["0.5", "nan"] for index in range(5)},
    **{f"Day {day}": [f"{day / 10}", "nan"] for day in range(1, 31)},
}


def read(path, **options):
    return read_manifest(path, source="smtpd", **options)


def test_the_published_table_is_read_by_its_headers(write_table):
    path = write_table(PUBLISHED)
    first, second = read(path, targets=[P]).samples
    assert first.text == {"title": "one", "keywords": "k", "description": "d"}
    assert first.meta == {f"f{index}": 0.5 for index in range(5)} | {"category": "People & Blogs"}
    assert (first.author, first.image) == ("ann", path.parent / "-a.jpg")
    np.testing.assert_allclose(first.targets["p"], np.arange(1, 31) / 10)
    assert (second.text, second.meta, second.author) == ({}, {"category": "NA"}, None)
    assert np.isnan(second.targets["p"]).all()


def test_the_published_order_tells_what_headers_do_not(write_table):
    unnamed = {f"c{place}": cells for place, cells in enumerate(PUBLISHED.values())}
    by_place = read(write_table(unnamed, "places.csv"), targets=[P])
    assert by_place.digest == read(write_table(PUBLISHED), targets=[P]).digest


def test_numbers_of_columns_are_no_values_and_name_nothing(write_table):
    numbered = {str(place): cells for place, cells in enumerate(PUBLISHED.values())}
    by_place = read(write_table(numbered, "places.csv"), targets=[P])
    assert by_place.digest == read(write_table(PUBLISHED), targets=[P]).digest


@pytest.mark.parametrize("change", [str.upper, lambda name: name.replace("_", " ")])
def test_case_and_spaces_of_headers_do_not_matter(write_table, change):
    path = write_table({change(name): cells for name, cells in PUBLISHED.items()}, "other.csv")
    assert read(path, targets=[P]).digest == read(write_table(PUBLISHED), targets=[P]).digest


def test_days_with_headers_are_not_taken_by_position(write_table):
    names = list(PUBLISHED)
    names[37:] = [f"other{place}" for place in range(8)]
    path = write_table(dict(zip(names, PUBLISHED.values(), strict=True)))
    assert read(path, targets=[P]).samples[0].targets["p"].shape == (22,)


def test_known_headers_in_another_order_are_believed(write_table):
    turned = dict(reversed(PUBLISHED.items()))
    assert read(write_table(turned), targets=[P]).samples[0].text["title"] == "one"


@pytest.mark.parametrize("folder", ["img_yt", "covers"])
def test_covers_lie_in_a_folder_under_the_root(write_table, tmp_path, folder):
    (tmp_path / folder).mkdir()
    assert read(write_table(PUBLISHED)).samples[0].image == tmp_path / folder / "-a.jpg"


def unnamed(width):
    return {f"c{place}": ["7"] for place in range(width)}


@pytest.mark.parametrize("width", [44, 46])
def test_another_table_without_headers_is_refused_with_what_it_has(write_table, width):
    with pytest.raises(TableError, match=rf"it has {width} columns: 'c0', .* or exactly 45") as e:
        read(write_table(unnamed(width)))
    assert "--source generic --columns id=NAME" in str(e.value)


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("918175", "the popularity of day 3, at most 50, but holds 918175\nTurn counts of views"),
        ("El Chombo", "the popularity of day 3, but 'El Chombo' is not a number"),
    ],
)
def test_what_is_no_popularity_is_not_taken_for_one(write_table, cell, problem):
    with pytest.raises(TableError, match=problem):
        read(write_table(unnamed(45) | {"c17": [cell]}))


def test_a_first_line_of_values_is_no_header(write_table):
    names = [f"{place / 7}" for place in range(45)]
    with pytest.raises(TableError, match="the first line holds values\nWrite a line of headers"):
        read(write_table({name: ["1"] for name in names}))


def test_two_columns_for_one_day_are_refused(write_table):
    path = write_table(PUBLISHED | {"day_03": ["1", "2"]})
    with pytest.raises(TableError, match="the columns 'Day 3' and 'day_03' are both p3"):
        read(path)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("People  Blogs", "People & Blogs"),
        ("people and blogs", "People & Blogs"),
        ("Travel", "Travel & Events"),
        ("travel & events", "Travel & Events"),
        ("HOWTO  STYLE", "Howto & Style"),
        ("NA", "NA"),
        ("My  own", "My own"),
        ("动画", "动画"),
    ],
)
def test_a_category_has_one_spelling(text, name):
    assert category_name(text) == name


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "rows", "days"), [("yt_trending2021_22d", 6573, 22), ("active_yt_30d", 11222, 30)]
)
def test_real_curves_are_read_by_header(real_data, name, rows, days):
    manifest = read(real_data / f"timeseries/{name}.csv", targets=[P])
    categories = {sample.meta.get("category") for sample in manifest.samples}
    assert (len(manifest), manifest.samples[0].targets["p"].shape) == (rows, (days,))
    assert {"People & Blogs", "Travel & Events"} <= categories
    assert ("NA" in categories) == (days == 30)


@pytest.mark.real
def test_real_curves_without_headers_are_read_by_position(real_data, write_table):
    with (real_data / "timeseries/active_yt_30d.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row[:45] for row in csv.reader(stream)][1:]
    places = {f"c{place}": cells for place, cells in enumerate(zip(*rows, strict=True))}
    manifest = read(write_table(places), targets=[P])
    named = read(real_data / "timeseries/active_yt_30d.csv", targets=[P])
    np.testing.assert_array_equal(manifest.target("p"), named.target("p"))
