import pytest

from core.errors import TableError, UnknownName, UsageError
from corpus.columns import Columns
from corpus.manifest import read_manifest
from corpus.sources.catalog import SOURCES, SUMMARIES


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


def test_every_source_has_its_line_of_help():
    assert list(SUMMARIES) == list(SOURCES)
    assert all(summary and len(summary) <= 48 for summary in SUMMARIES.values())


PARTS = {"train_out_sanitized.txt": "a\tx\t1", "test_out_sanitized.txt": "b\t\t0"}


def write_parts(folder, parts):
    for name, row in parts.items():
        (folder / name).write_text(f"Id\tTitle\tECR\n{row}\n")
    (folder / "readme.txt").write_text("Nothing")


def test_a_folder_of_snapugc_is_one_table_with_its_split(tmp_path):
    write_parts(tmp_path, PARTS)
    manifest = read_manifest(tmp_path, source="snapugc", targets=["ECR"])
    rows = [(sample.id, sample.split, sample.text) for sample in manifest.samples]
    assert rows == [("a", "train", {"title": "x"}), ("b", "test", {})]
    assert manifest.samples[0].video == tmp_path / "a.mp4"
    assert manifest.target("ECR") == ["1", "0"]


def test_a_column_that_one_part_lacks_is_empty_there(tmp_path):
    write_parts(tmp_path, PARTS)
    (tmp_path / "val.csv").write_text("id,title\nc,z\n")
    manifest = read_manifest(tmp_path, source="snapugc", targets=["ECR"])
    assert [(s.id, s.split, s.targets["ECR"]) for s in manifest.samples][1:] == [
        ("c", "valid", None),
        ("b", "test", "0"),
    ]


def test_bad_rows_of_a_folder_are_told_with_their_file(tmp_path):
    write_parts(tmp_path, PARTS | {"train_out_sanitized.txt": "b\tx"})
    with pytest.raises(TableError, match=r"line 2 of train_out_sanitized.txt: the row has 2 cells"):
        read_manifest(tmp_path, source="snapugc")


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ((), "has no table of a part, such as train.csv"),
        (("train.txt", "train_2.txt"), "two train tables, train.txt and train_2.txt"),
    ],
)
def test_a_folder_without_one_table_for_a_part_is_refused(tmp_path, names, problem):
    write_parts(tmp_path, dict.fromkeys(names, "a\tx\t1"))
    with pytest.raises(UsageError, match=problem):
        read_manifest(tmp_path, source="snapugc")


def test_a_part_with_its_own_split_is_refused(tmp_path):
    (tmp_path / "train.csv").write_text("Id,Split\na,test\n")
    with pytest.raises(TableError, match="it has a column 'split', and so has"):
        read_manifest(tmp_path, source="snapugc")


def test_a_folder_is_no_table_of_the_generic_source(tmp_path):
    with pytest.raises(UsageError, match=r"is a folder: name a table in it, or say .* --source"):
        read_manifest(tmp_path)
