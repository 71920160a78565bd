import pyarrow
import pyarrow.parquet
import pytest

from core.errors import TableError
from corpus.columns import Columns
from corpus.manifest import read_manifest
from corpus.targets import TargetPlan


def problems(path, **options):
    with pytest.raises(TableError) as caught:
        read_manifest(path, **options)
    assert caught.value.exit_code == 2
    return caught.value.problems


def test_all_bad_rows_are_said_at_once_with_their_lines(write_table):
    path = write_table(
        {
            "id": ["a", "a", "b\x07", "x" * 10_000, "", "c", "d"],
            "video": ["1.mp4", "2.mp4", "3.mp4", "4.mp4", "5.mp4", "../6.mp4", "/etc/7.mp4"],
            "n": ["1", "12,5", "1", "1", "1", "1", "many"],
        }
    )
    found = problems(path, columns=Columns.parse("id=id,video=video,number=n"))
    assert [text.partition(": ")[0] for text in found] == [
        f"line {line}" for line in (3, 3, 4, 5, 6, 7, 8, 8)
    ]
    assert "the id 'a' is already that of line 2" in "\n".join(found)
    assert found[-1] == "line 8: column 'n': 'many' is not a number; write it like 12.5"


def test_the_remedy_names_the_option_and_the_count(write_table):
    with pytest.raises(TableError, match="go on with the other 1 rows: --skip-bad-rows"):
        read_manifest(write_table({"id": ["a", "a"]}))


def test_skipped_rows_are_left_out_and_told(write_table):
    path = write_table({"id": ["a", "b", "a"], "title": ["x", "y", "z"]})
    manifest = read_manifest(path, skip_bad_rows=True)
    assert manifest.ids.tolist() == ["a", "b"]
    assert manifest.bad_rows == ("line 4: the id 'a' is already that of line 2",)


def test_a_table_of_bad_rows_alone_is_refused_even_so(write_table):
    with pytest.raises(TableError, match="No row is left"):
        read_manifest(write_table({"id": ["", ""]}), skip_bad_rows=True)


def test_a_table_of_good_rows_has_no_bad_ones(write_table):
    assert read_manifest(write_table({"id": ["a"]})).bad_rows == ()


@pytest.mark.parametrize("name", ["../a.mp4", "v/../../a.mp4", "/etc/passwd", "..", "v/../.."])
def test_a_path_that_leaves_the_folder_is_a_bad_row(write_table, name):
    (found,) = problems(write_table({"id": ["a"], "video": [name]}))
    assert f"the path {name!r} leaves the folder of the table" in found
    assert ("--root /" if name.startswith("/") else "--root DIR") in found


def test_a_path_that_leaves_the_root_is_a_bad_row(write_table, tmp_path):
    (tmp_path / "media").mkdir()
    path = write_table({"id": ["a"], "video": [str(tmp_path / "media2/a.mp4")]})
    (found,) = problems(path, root=tmp_path / "media")
    assert f"leaves --root {tmp_path / 'media'}" in found


@pytest.mark.parametrize("name", [".", "v/.."])
def test_the_folder_itself_is_no_file(write_table, name):
    (found,) = problems(write_table({"id": ["a"], "video": [name]}))
    assert "is the folder itself; name a file" in found


def test_a_nul_in_a_path_is_a_bad_row(write_table):
    (found,) = problems(write_table({"id": ["a"], "video": ["a\0.mp4"]}))
    assert r"'a\x00.mp4' is not a path" in found


def test_a_name_with_two_dots_inside_stays_inside(write_table):
    manifest = read_manifest(write_table({"id": ["a"], "video": ["..a/b..mp4"]}))
    assert manifest.samples[0].video.name == "b..mp4"


def test_a_row_without_path_and_id_is_a_bad_row(write_table):
    (found,) = problems(write_table({"video": ["a.mp4", ""], "title": ["x", "y"]}))
    assert "line 3: there is neither a path nor an id" in found


def test_a_path_too_long_for_an_id_asks_for_an_id_column(write_table):
    (found,) = problems(write_table({"video": [f"{'x' * 300}.mp4"]}))
    assert "has 304 characters" in found
    assert "--columns id=NAME" in found


def test_a_row_of_the_wrong_width_is_one_problem(write_text):
    path = write_text("id,n\na,1\nb\nc,x,y\n")
    found = problems(path, columns=Columns.parse("id=id,number=n"))
    assert found == [
        "line 3: the row has 1 cells, the header 2",
        "line 4: the row has 3 cells, the header 2",
    ]


def test_a_time_that_is_none_is_a_bad_row(write_table):
    (found,) = problems(write_table({"id": ["a"], "time": ["soon"]}))
    assert found.startswith("line 2: column 'time': 'soon' is not a time")


def test_a_text_target_is_a_bad_row_where_a_number_is_needed(write_table):
    path = write_table({"id": ["a", "b"], "ECR": ["0.5", "high"]})
    (found,) = problems(path, targets=[TargetPlan("ECR")])
    assert found == "line 3: column 'ECR': 'high' is not a number; write it like 12.5"


@pytest.mark.parametrize("target", ["ECR", TargetPlan("ECR", "classification")])
def test_a_text_target_is_a_label_elsewhere(write_table, target):
    path = write_table({"id": ["a", "b"], "ECR": ["0.5", "high"]})
    assert read_manifest(path, targets=[target]).target("ECR") == ["0.5", "high"]


def test_a_word_among_the_steps_is_a_bad_row(write_table):
    path = write_table({"id": ["a"], "p1": ["1"], "p2": ["x"]})
    (found,) = problems(path, targets=["p"])
    assert found.startswith("line 2: column 'p2': 'x' is not a number")


def test_twenty_problems_are_shown_and_the_others_counted(write_table):
    with pytest.raises(TableError, match="49 problems") as caught:
        read_manifest(write_table({"id": ["a"] * 50}))
    assert "… and 29 more" in str(caught.value)


def test_a_time_after_the_year_9999_is_a_bad_row(tmp_path):
    path = tmp_path / "v.parquet"
    times = pyarrow.array([300_000_000_000_000_000, 0], pyarrow.timestamp("us"))
    pyarrow.parquet.write_table(pyarrow.table({"id": ["a", "b"], "t": times}), path)
    (found,) = problems(path, columns=Columns.parse("id=id,time=t"))
    assert found.startswith("row 1: column 't': '11476-08-15 05:20:00.000000' is not a time")
