import json

import pyarrow
import pyarrow.parquet
import pytest

from core.errors import TableError, UsageError
from corpus.table import read_table


def test_cells_of_a_csv_stay_the_text_they_are(write_text):
    table = read_table(write_text('id,n,t\n0012,1e3,NA\nb,,"say ""hi"", nan"\n'))
    assert table.columns == {
        "id": ("0012", "b"),
        "n": ("1e3", ""),
        "t": ("NA", 'say "hi", nan'),
    }


def test_what_a_quoted_name_holds_separates_nothing(write_text):
    assert read_table(write_text('"views; of a day"\n7\n')).columns == {"views; of a day": ("7",)}


def test_a_row_knows_its_line_behind_cells_with_line_breaks(write_text):
    table = read_table(write_text('id,t\na,"one\ntwo\r\nthree"\n\nb,x\n'))
    assert [table.where(row) for row in range(2)] == ["line 2", "line 6"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_every_line_end_and_a_byte_order_mark_are_read(write_text, mark, end):
    table = read_table(write_text(mark + f"id,t{end}ä,1{end}".encode()))
    assert table.columns == {"id": ("ä",), "t": ("1",)}


def test_a_tsv_has_tabs_and_may_hold_commas(write_text):
    assert read_table(write_text("id\tt\na\tx, y\n", "v.TSV")).columns["t"] == ("x, y",)


def test_json_lines_keep_numbers_and_fill_what_a_line_lacks(write_text):
    table = read_table(write_text('{"id": 7, "n": 1.5}\n\n{"id": "b", "t": null}\n', "v.jsonl"))
    assert table.columns == {"id": [7, "b"], "n": [1.5, None], "t": [None, None]}
    assert table.where(1) == "line 3"


def test_parquet_rows_are_counted(tmp_path):
    path = tmp_path / "v.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"id": ["a", "b"], "n": [1, None]}), path)
    table = read_table(path)
    assert (table.columns["n"], table.where(1)) == ([1, None], "row 2")


def test_a_parquet_file_that_unpacks_to_more_than_memory_holds_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("corpus.table._LARGEST_TABLE", 1 << 20)
    rows, path = 100_000, tmp_path / "v.parquet"
    word = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * rows), ["x" * 20])
    pyarrow.parquet.write_table(pyarrow.table({"id": word}), path, store_schema=False)
    assert path.stat().st_size < 10_000
    with pytest.raises(TableError, match=r"it unpacks to more than 1,048,576 bytes\nLeave out"):
        read_table(path)


def test_a_column_that_parquet_has_twice_is_refused(tmp_path):
    path = tmp_path / "v.parquet"
    twice = pyarrow.Table.from_arrays([pyarrow.array(["a"])] * 2, names=["id", "id"])
    pyarrow.parquet.write_table(twice, path)
    with pytest.raises(TableError, match="the column 'id' is there twice"):
        read_table(path)


def test_a_row_of_another_width_is_a_fault_and_not_filled_up_silently(write_text):
    table = read_table(write_text("id,t\na\nb,1\nc,1,2\n"))
    assert table.faults == {
        0: "the row has 1 cells, the header 2",
        2: "the row has 3 cells, the header 2",
    }


def test_a_line_that_is_no_json_object_is_a_fault(write_text):
    table = read_table(write_text('{"id": 1}\n[2]\n{"id":\n', "v.jsonl"))
    assert sorted(table.faults) == [1, 2]
    assert "not JSON: " in table.faults[2]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"id,title\n", "it has no rows"),
        (b"id,a,a\n1,2,3\n", "line 1: the column 'a' is there 2 times"),
        (
            b"a,0,0\nb,1,0\n",
            "line 1: no header line, it holds values: '0' .*\nWrite a line",
        ),
        (b",\n1,2\n", "the header names no column"),
        (b"id,t\na,caf\xe9\n", "line 2: the byte 0xe9 is not UTF-8"),
        ("id,t\na,b\n".encode("utf-16"), "the file is in UTF-16"),
        (b'id,t\na,b\nc,"open\n', "line 3: unexpected end of data"),
        (b"id;title\na;b\n", "separated by semicolons"),
        (b"id\ttitle\na\tb\n", "separated by tabs"),
        (b'\n"id";"title, of it"\n"a";"b"\n', "separated by semicolons"),
        (b'"id"\t"title"\r"a"\t"b"\r', "separated by tabs"),
    ],
)
def test_what_is_no_table_is_refused_with_its_line(write_text, content, problem):
    with pytest.raises(TableError, match=problem) as caught:
        read_table(write_text(content))
    assert caught.value.exit_code == 2


def test_a_cell_may_hold_a_long_text(write_text):
    long = "x" * 140_000
    assert read_table(write_text(f"id,t\na,{long}\n")).columns["t"] == (long,)


def test_a_cell_without_end_is_refused_with_what_may_be_wrong(write_text):
    content = 'id,t\na,x\nb,"' + "y\n" * (9 << 20)
    with pytest.raises(TableError, match=r"(?s)line 3: a cell has more than 16,777,216.*closed"):
        read_table(write_text(content))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (pyarrow.timestamp("us"), "11476-08-15 05:20:00.000000"),
        (pyarrow.timestamp("us", "Mars/Base"), "unreadable timestamp[us, tz=Mars/Base]"),
    ],
)
def test_a_time_that_python_does_not_have_is_a_text(tmp_path, kind, text):
    path = tmp_path / "v.parquet"
    times = pyarrow.array([300_000_000_000_000_000, None], kind)
    pyarrow.parquet.write_table(pyarrow.table({"t": times}), path)
    assert read_table(path).columns["t"] == [text, None]


def test_a_line_that_is_nested_too_deep_is_a_fault(write_text):
    table = read_table(write_text('{"id": 1}\n' + "[" * 100_000 + "\n", "v.jsonl"))
    assert "not JSON: " in table.faults[1]


def test_a_file_of_another_kind_is_refused(write_text):
    with pytest.raises(UsageError, match=r"suffix '.xlsx'; expected one of .csv, .tsv"):
        read_table(write_text("x", "v.xlsx"))
    with pytest.raises(TableError, match="not a Parquet file"):
        read_table(write_text("x", "v.parquet"))
    with pytest.raises(TableError, match="line 1: the line is not JSON"):
        read_table(write_text("x", "v.jsonl"))


def test_a_table_that_is_not_there_gets_near_names(write_text, tmp_path):
    write_text("id\n1\n", "videos.csv")
    with pytest.raises(UsageError, match=r"does not exist; did you mean 'videos.csv'"):
        read_table(tmp_path / "vidoes.csv")
    with pytest.raises(UsageError, match="there is no folder"):
        read_table(tmp_path / "nowhere" / "videos.csv")


def test_a_folder_is_no_table(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        read_table(tmp_path / "folder.csv")


def test_formats_of_the_same_rows_agree(write_text, tmp_path):
    content = {"id": ["a", "b"], "t": ["x", "NA"]}
    pyarrow.parquet.write_table(pyarrow.table(content), tmp_path / "v.parquet")
    lines = [json.dumps({"id": a, "t": b}) for a, b in zip(*content.values(), strict=True)]
    write_text("\n".join(lines), "v.jsonl")
    write_text("id,t\na,x\nb,NA\n", "v.csv")
    tables = [read_table(tmp_path / f"v.{suffix}") for suffix in ("parquet", "jsonl", "csv")]
    assert all({k: list(v) for k, v in table.columns.items()} == content for table in tables)
