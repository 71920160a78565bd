import pytest

from core.errors import TableError, UnknownName
from corpus.columns import Columns
from corpus.manifest import read_manifest
from corpus.sources.catalog import SOURCES


@pytest.mark.parametrize("name", list(SOURCES))
def test_a_source_loads_under_its_own_name(name):
    assert SOURCES.load(name).name == name


def test_an_unknown_source_gets_near_names(write_table):
    with pytest.raises(UnknownName, match="source 'snapucg' is unknown; did you mean 'snapugc'"):
        read_manifest(write_table({"id": ["a"]}), source="snapucg")


@pytest.mark.parametrize("change", [str, str.lower, str.upper])
def test_snapugc_headers_are_read_in_any_case(write_table, change):
    columns = {"Id": ["a"], "Title": ["t"], "Description": [""], "ECR": ["0.5"]}
    path = write_table({change(name): values for name, values in columns.items()})
    manifest = read_manifest(path, source="snapugc", targets=["ECR"])
    (sample,) = manifest.samples
    assert (sample.id, sample.text, sample.targets) == ("a", {"title": "t"}, {"ECR": "0.5"})
    assert (sample.video, manifest.source) == (path.parent / "a.mp4", "snapugc")


def test_snapugc_without_titles_and_targets_is_read(write_table):
    path = write_table({"Id": ["a"], "Download_link": ["https://example.org"]})
    assert read_manifest(path, source="snapugc").samples[0].text == {}


def test_given_columns_come_on_top_of_the_source(write_table):
    path = write_table({"Id": ["a"], "Title": ["t"], "Duration": ["5"], "file": ["x.mp4"]})
    columns = Columns.parse("number=duration,video=file")
    (sample,) = read_manifest(path, source="snapugc", columns=columns).samples
    assert (sample.text, sample.meta) == ({"title": "t"}, {"duration": 5.0})
    assert sample.video == path.parent / "x.mp4"


def test_snapugc_needs_ids(write_table):
    with pytest.raises(TableError, match="id column 'id' is unknown"):
        read_manifest(write_table({"Title": ["t"]}), source="snapugc")


def test_an_id_cannot_lead_out_of_the_root(write_table):
    with pytest.raises(TableError, match=r"the video of id '../a': the path '../a.mp4' leaves"):
        read_manifest(write_table({"Id": ["../a"]}), source="snapugc")
