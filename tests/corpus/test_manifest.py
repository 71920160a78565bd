import gc
import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from core.errors import TableError, UnknownName, UsageError
from corpus.columns import Columns
from corpus.manifest import read_manifest
from corpus.targets import TargetPlan

FULL = Columns.parse(
    "id=id,video=path,text=title,number=duration,category=kind,author=user,time=at,split=split"
)


@pytest.fixture
def full(write_table):
    return write_table(
        {
            "id": ["a", "b"],
            "path": ["v/a.mp4", ""],
            "title": ["A goal", ""],
            "duration": ["12.5", ""],
            "kind": ["NA", ""],
            "user": ["ann", ""],
            "at": ["1970-01-02", ""],
            "split": ["train", ""],
            "ECR": ["0.5", ""],
        }
    )


def test_a_row_becomes_a_sample(full):
    sample = read_manifest(full, columns=FULL, targets=["ECR"]).samples[0]
    assert (sample.id, sample.video, sample.image) == ("a", full.parent / "v/a.mp4", None)
    assert (sample.text, sample.meta) == ({"title": "A goal"}, {"duration": 12.5, "kind": "NA"})
    assert (sample.author, sample.posted_at, sample.split) == ("ann", 86400.0, "train")
    assert sample.targets == {"ECR": "0.5"}


def test_what_a_row_leaves_empty_is_absent(full):
    sample = read_manifest(full, columns=FULL, targets=["ECR"]).samples[1]
    assert (sample.video, sample.text, sample.meta) == (None, {}, {})
    assert (sample.author, sample.posted_at, sample.split) == (None, None, None)
    assert sample.targets == {"ECR": None}


def test_the_arrays_of_a_manifest_follow_its_samples(full):
    manifest = read_manifest(full, columns=FULL)
    assert manifest.ids.tolist() == ["a", "b"]
    assert manifest.author.tolist() == ["ann", ""]
    assert manifest.split.tolist() == ["train", ""]
    np.testing.assert_array_equal(manifest.posted_at, [86400.0, np.nan])


def test_a_table_without_such_columns_has_no_such_arrays(write_table):
    manifest = read_manifest(write_table({"id": ["a"]}))
    assert (manifest.author, manifest.posted_at, manifest.split) == (None, None, None)
    assert not manifest.has_author


def test_the_word_nan_in_a_csv_is_a_title(write_table):
    manifest = read_manifest(write_table({"id": ["a", "b"], "title": ["nan", "NA"]}))
    assert [sample.text["title"] for sample in manifest.samples] == ["nan", "NA"]


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_decimals_of_parquet_are_numbers_and_words(tmp_path, task):
    prices = pyarrow.array([Decimal("1.50"), None], pyarrow.decimal128(9, 2))
    content = {"id": ["a", "b"], "price": prices, "kind": prices}
    pyarrow.parquet.write_table(pyarrow.table(content), tmp_path / "v.parquet")
    columns = Columns.parse("category=kind")
    plan = TargetPlan("price", task)
    manifest = read_manifest(tmp_path / "v.parquet", columns=columns, targets=[plan])
    assert manifest.target("price") == [1.5, None]
    assert [sample.meta for sample in manifest.samples] == [{"kind": "1.50"}, {}]


def test_missing_values_of_parquet_and_json_lines_are_absent(tmp_path):
    content = {"id": ["a", "b"], "title": [None, "x"], "n": [float("nan"), 2.0]}
    pyarrow.parquet.write_table(pyarrow.table(content), tmp_path / "v.parquet")
    lines = ['{"id": "a", "title": null, "n": NaN}', '{"id": "b", "title": "x", "n": 2}']
    (tmp_path / "v.jsonl").write_text("\n".join(lines))
    columns = Columns.parse("id=id,text=title,number=n")
    for name in ("v.parquet", "v.jsonl"):
        first, second = read_manifest(tmp_path / name, columns=columns).samples
        assert (first.text, first.meta) == ({}, {})
        assert (second.text, second.meta) == ({"title": "x"}, {"n": 2.0})


def test_without_ids_the_relative_path_is_the_id(write_table, tmp_path):
    path = write_table({"video": ["v/a.mp4", "./v//b.mp4", str(tmp_path / "v/c.mp4")]})
    assert read_manifest(path).ids.tolist() == ["v/a.mp4", "v/b.mp4", "v/c.mp4"]


def test_a_cover_gives_the_id_where_there_is_no_video(write_table):
    assert read_manifest(write_table({"image": ["a.jpg"]})).samples[0].id == "a.jpg"


def test_a_root_says_where_files_lie(write_table, tmp_path):
    (tmp_path / "media").mkdir()
    path = write_table({"video": ["a.mp4", str(tmp_path / "media/b.mp4")]})
    manifest = read_manifest(path, root=tmp_path / "media")
    assert [sample.video for sample in manifest.samples] == [
        tmp_path / "media/a.mp4",
        tmp_path / "media/b.mp4",
    ]


def test_any_absolute_path_lies_in_the_root_of_everything(write_table):
    path = write_table({"id": ["a"], "video": ["/data/a.mp4"]})
    assert read_manifest(path, root=Path("/")).samples[0].video == Path("/data/a.mp4")


def test_a_relative_root_is_made_whole(write_table, tmp_path, monkeypatch):
    (tmp_path / "media").mkdir()
    monkeypatch.chdir(tmp_path)
    manifest = read_manifest(write_table({"video": ["a.mp4"]}), root=Path("media/../media"))
    assert manifest.samples[0].video == tmp_path / "media/a.mp4"


def test_a_root_that_is_no_folder_is_refused(write_table, tmp_path):
    with pytest.raises(UsageError, match="nowhere is not a folder"):
        read_manifest(write_table({"video": ["a.mp4"]}), root=tmp_path / "nowhere")


def test_the_digest_ignores_row_order_format_and_place(write_table, tmp_path):
    content = {"id": ["a", "b"], "title": ["x", "y"]}
    first = read_manifest(write_table(content))
    turned = {name: values[::-1] for name, values in content.items()}
    second = read_manifest(write_table(turned, "other.csv"))
    lines = [json.dumps({"id": a, "title": b}) for a, b in zip(*content.values(), strict=True)]
    (tmp_path / "v.jsonl").write_text("\n".join(lines))
    assert first.digest == second.digest == read_manifest(tmp_path / "v.jsonl").digest


@pytest.mark.parametrize(
    "column", ["id", "title", "duration", "kind", "user", "at", "split", "ECR"]
)
def test_the_digest_moves_with_every_content(write_table, column):
    content = {name: ["x"] for name in ("id", "title", "kind", "user", "split")}
    content |= {"path": ["a.mp4"], "duration": ["1"], "at": ["1970-01-02"], "ECR": ["1"]}
    changed = content | {column: ["1970-01-03" if column == "at" else "2"]}
    digests = {
        read_manifest(write_table(table), columns=FULL, targets=["ECR"]).digest
        for table in (content, changed)
    }
    assert len(digests) == 2


def test_where_files_lie_is_not_in_the_digest(write_table):
    tables = [{"id": ["a"], "video": [name]} for name in ("a.mp4", "v/a.mp4")]
    assert len({read_manifest(write_table(table)).digest for table in tables}) == 1


def test_steps_become_one_array_with_gaps(write_table):
    path = write_table({"id": ["a", "b"], "p2": ["2", ""], "p1": ["1", "5"]})
    manifest = read_manifest(path, targets=["p"])
    np.testing.assert_array_equal(manifest.target("p"), [[1, 2], [5, np.nan]])


def test_a_list_in_json_lines_is_a_sequence(write_text):
    path = write_text('{"id": "a", "p": [1, null]}\n{"id": "b"}\n', "v.jsonl")
    first, second = read_manifest(path, targets=["p"]).target("p")
    np.testing.assert_array_equal(first, [1.0, np.nan])
    assert second is None


def test_a_number_or_a_truth_in_json_lines_is_a_label(write_text):
    path = write_text('{"id": "a", "l": 1}\n{"id": "b", "l": true}\n', "v.jsonl")
    assert read_manifest(path, targets=["l"]).target("l") == [1.0, "True"]


def test_a_target_that_was_not_read_is_unknown(write_table):
    manifest = read_manifest(write_table({"id": ["a"], "ECR": ["1"]}), targets=["ECR"])
    with pytest.raises(UnknownName, match="did you mean 'ECR'"):
        manifest.target("ECRR")


def test_a_target_among_the_inputs_is_refused(write_table):
    path = write_table({"id": ["a"], "p1": ["1"], "p2": ["2"]})
    columns = Columns.parse("id=id,number=p1")
    with pytest.raises(UsageError, match="'p1' is both an input and the target 'p'"):
        read_manifest(path, columns=columns, targets=["p"])


def test_a_target_among_the_inputs_is_refused_however_it_is_spelt(write_table):
    path = write_table({"id": ["a"], "title": ["x"], "description": ["y"], "ECR": ["1"]})
    columns = Columns.parse("number=ECR")
    with pytest.raises(UsageError, match="'ecr' is both an input and the target 'ecr'"):
        read_manifest(path, columns=columns, source="snapugc", targets=["ecr"])


def test_a_lacking_column_gets_near_names(write_table):
    path = write_table({"id": ["a"], "title": ["x"], "duration": ["1"]})
    columns = Columns.parse("id=Id,text=titel,number=duration")
    with pytest.raises(TableError) as caught:
        read_manifest(path, columns=columns)
    assert [problem.partition(";")[0] for problem in caught.value.problems] == [
        "id column 'Id' is unknown",
        "text column 'titel' is unknown",
    ]
    assert "did you mean 'title'?" in str(caught.value)


def test_a_lacking_target_gets_near_names(write_table):
    with pytest.raises(TableError, match="target column 'ecr' is unknown; known: ECR, id"):
        read_manifest(write_table({"id": ["a"], "ECR": ["1"]}), targets=["ecr"])


def test_a_table_that_gives_no_ids_is_refused(write_table):
    with pytest.raises(TableError, match="no column gives ids; the table has: path") as caught:
        read_manifest(write_table({"path": ["a.mp4"]}))
    assert "--columns id=NAME, or video=NAME" in str(caught.value)


@pytest.mark.parametrize("switch", [gc.enable, gc.disable])
def test_reading_leaves_the_garbage_collector_as_it_was(write_table, switch):
    path = write_table({"id": ["a"]})
    try:
        switch()
        before = gc.isenabled()
        read_manifest(path)
        assert gc.isenabled() == before
    finally:
        gc.enable()
