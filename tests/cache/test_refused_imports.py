"""What was changed, or is of another feature, is refused before a row is written."""

import json
import tarfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cache.export import FORMATS
from cache.importing import open_import
from cache.spec import FeatureSpec
from cache.store import Store
from core.errors import CacheError, UsageError
from tests.cache.exports import WAYS, export, import_all, retell
from tests.cache.rows import RAGGED, VECTOR
from tests.cache.test_tar_shards import rewrite


@pytest.mark.parametrize(("format", "joined"), WAYS)
def test_any_changed_file_is_refused_before_a_row_is_written(full, tmp_path, format, joined):
    files = export(full, tmp_path / "out", format, joined)
    other = Store(tmp_path / "other")
    for name in files:
        place = tmp_path / "out" / name
        whole = place.read_bytes()
        place.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(CacheError, match=r"its bytes are not those that export\.json tells"):
            import_all(tmp_path / "out", other)
        place.write_bytes(whole)
    assert not other.folder.exists()
    import_all(tmp_path / "out", other)


def test_a_file_that_is_gone_or_too_much_is_named(full, tmp_path):
    files = export(full, tmp_path / "out", "npy")
    (tmp_path / "out" / "mine.txt").touch()
    with pytest.raises(CacheError, match=r"mine\.txt is not among the files of export\.json"):
        open_import(tmp_path / "out")
    (tmp_path / "out" / "mine.txt").unlink()
    (tmp_path / "out" / min(files)).unlink()
    with pytest.raises(CacheError, match="is not there"):
        open_import(tmp_path / "out")


@pytest.mark.parametrize("name", ["values.npy", "spec.json"])
def test_a_link_out_of_the_folder_is_refused(full, tmp_path, name):
    export(full, tmp_path / "out", "npy", names=["net@small"])
    place = Store(tmp_path / "out").folder_of(VECTOR) / name
    place.rename(tmp_path / "moved")
    place.symlink_to(tmp_path / "moved")
    with pytest.raises(CacheError, match="cannot be imported"):
        open_import(tmp_path / "out")


@pytest.mark.parametrize("format", FORMATS)
def test_a_feature_of_another_fingerprint_is_refused(full, tmp_path, format):
    export(full, tmp_path / "out", format, names=["net@small"])
    folder = Store(tmp_path / "out").folder_of(VECTOR)
    spec = json.loads((folder / "spec.json").read_text())
    (folder / "spec.json").write_text(json.dumps({**spec, "recipe": {"version": 2}}))
    retell(tmp_path / "out")
    with pytest.raises(CacheError, match="does not belong in this folder"):
        open_import(tmp_path / "out")


def test_shards_of_another_fingerprint_are_refused(full, tmp_path):
    export(full, tmp_path / "out", "tar", names=["net@small"])
    other = FeatureSpec("net@small", (3,), "float16", ("video",), {"version": 2})
    source, target = (Store(tmp_path / "out").folder_of(spec) for spec in (VECTOR, other))
    Store(tmp_path / "out").create(other)
    for place in source.glob("shard-*"):
        text = place.read_bytes().replace(VECTOR.fingerprint.encode(), other.fingerprint.encode())
        (target / place.name).write_bytes(text if place.suffix == ".json" else place.read_bytes())
    (tmp_path / "out" / "export.json").unlink()
    with pytest.raises(CacheError, match=f"it is of net@small {VECTOR.fingerprint}, not of"):
        open_import(tmp_path / "out")


def test_a_shard_that_its_marker_does_not_know_is_refused(full, tmp_path):
    shard = next(full.folder.rglob("shard-*.tar"))
    shard.write_bytes(shard.read_bytes() + bytes(512))
    with pytest.raises(CacheError, match="its digest differs"):
        open_import(full.folder)


def test_a_tar_of_samples_with_a_path_that_leaves_is_refused(full, tmp_path):
    export(full, tmp_path / "out", "tar", joined=True)
    path = tmp_path / "out" / "samples-00000.tar"
    info = tarfile.TarInfo("../../evil.npy")
    path.write_bytes(path.read_bytes()[:-1024] + info.tobuf(tarfile.USTAR_FORMAT) + bytes(1024))
    retell(tmp_path / "out")
    with pytest.raises(CacheError, match=r"after its last row is '\.\./\.\./evil\.npy'"):
        open_import(tmp_path / "out")


@pytest.mark.parametrize("way", ["samples", "npy", "parquet"])
def test_an_export_that_tells_of_other_features_is_refused(full, tmp_path, way):
    export(full, tmp_path / "out", "tar" if way == "samples" else way, way == "samples")
    told = json.loads((tmp_path / "out" / "export.json").read_text())
    told["features"][0]["fingerprint"] = "0" * 16
    (tmp_path / "out" / "export.json").write_text(json.dumps(told))
    with pytest.raises(CacheError, match=r"tells of .* 0000000000000000"):
        open_import(tmp_path / "out")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2}', '{"version": 1, "files": 3}'])
def test_an_export_that_tells_nonsense_is_refused(full, tmp_path, text):
    export(full, tmp_path / "out", "npy")
    (tmp_path / "out" / "export.json").write_text(text)
    with pytest.raises(CacheError, match=r"export\.json cannot be imported"):
        open_import(tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "array", "text"),
    [
        ("values.npy", np.zeros((3, 4), "f2"), r"its values are float16 \(3, 4\)"),
        ("values.npy", np.zeros((8, 3), "f4"), "its values are float32"),
        ("values.npy", np.zeros((2, 3), "f2"), "number of a value that is not there"),
        ("values.npy", np.full((9, 3), np.nan, "f2"), "numbers are not finite"),
    ],
)
def test_arrays_that_do_not_fit_their_table_are_refused(full, tmp_path, name, array, text):
    export(full, tmp_path / "out", "npy", names=["net@small"])
    np.save(Store(tmp_path / "out").folder_of(VECTOR) / name, array)
    retell(tmp_path / "out")
    with pytest.raises(CacheError, match=text):
        import_all(tmp_path / "out", Store(tmp_path / "other"), dry_run=True)


@pytest.mark.parametrize("offsets", [[0, 9, 3], [1, 2, 3], [0], [0.0, 1.0]])
def test_offsets_that_do_not_fit_their_values_are_refused(full, tmp_path, offsets):
    export(full, tmp_path / "out", "npy", names=["net/tokens"])
    np.save(Store(tmp_path / "out").folder_of(RAGGED) / "offsets.npy", np.array(offsets))
    retell(tmp_path / "out")
    with pytest.raises(CacheError, match=r"offsets\.npy cannot be imported"):
        import_all(tmp_path / "out", Store(tmp_path / "other"), dry_run=True)


def test_an_array_of_objects_is_never_loaded(full, tmp_path):
    export(full, tmp_path / "out", "npy", names=["net@small"])
    objects = np.array([{}], dtype=object)
    np.save(Store(tmp_path / "out").folder_of(VECTOR) / "values.npy", objects, allow_pickle=True)
    retell(tmp_path / "out")
    with pytest.raises(CacheError, match="cannot be imported"):
        import_all(tmp_path / "out", Store(tmp_path / "other"), dry_run=True)


def test_a_table_of_other_columns_is_refused(full, tmp_path):
    export(full, tmp_path / "out", "parquet", names=["net@small"])
    path = Store(tmp_path / "out").folder_of(VECTOR) / "values.parquet"
    pq.write_table(pq.read_table(path).drop(["cause"]), path)
    retell(tmp_path / "out")
    with pytest.raises(CacheError, match="its columns are"):
        import_all(tmp_path / "out", Store(tmp_path / "other"), dry_run=True)


@pytest.mark.parametrize("word", ["id", "digest", "status", "cause", "reason"])
def test_a_table_with_a_word_missing_is_refused(full, tmp_path, word):
    export(full, tmp_path / "out", "parquet", names=["net@small"])
    path = Store(tmp_path / "out").folder_of(VECTOR) / "values.parquet"
    table = pq.read_table(path)
    gaps = pa.array([None] * len(table), pa.string())
    pq.write_table(table.set_column(table.schema.get_field_index(word), word, gaps), path)
    retell(tmp_path / "out")
    with pytest.raises(CacheError, match=f"a row has no {word}"):
        import_all(tmp_path / "out", Store(tmp_path / "other"), dry_run=True)


def test_a_table_with_a_vector_of_another_length_is_refused(full, tmp_path):
    export(full, tmp_path / "out", "parquet", names=["net@small"])
    path = Store(tmp_path / "out").folder_of(VECTOR) / "values.parquet"
    table = pq.read_table(path)
    longer = [None if v is None else [*v, np.float16(0)] for v in table["value"].to_pylist()]
    values = pa.array(longer, table.schema.field("value").type)
    pq.write_table(table.set_column(len(table.schema) - 1, "value", values), path)
    retell(tmp_path / "out")
    with pytest.raises(CacheError, match="a value has not 3 numbers"):
        import_all(tmp_path / "out", Store(tmp_path / "other"), dry_run=True)


def test_arrays_of_which_rows_share_a_value_are_refused(full, tmp_path):
    export(full, tmp_path / "out", "npy", names=["net@small"])
    path = Store(tmp_path / "out").folder_of(VECTOR) / "rows.parquet"
    table = pq.read_table(path)
    ones = pa.array([None if n is None else 1 for n in table["value"].to_pylist()], pa.int64())
    pq.write_table(table.set_column(len(table.schema) - 1, "value", ones), path)
    retell(tmp_path / "out")
    with pytest.raises(CacheError, match="the numbers of its values do not count up"):
        import_all(tmp_path / "out", Store(tmp_path / "other"), dry_run=True)


def test_a_tar_of_samples_whose_features_overlap_is_refused(full, tmp_path):
    export(full, tmp_path / "out", "tar", joined=True)
    path = tmp_path / "out" / "samples-00000.tar"

    def overlap(about, rows, members):
        about["features"] = [*about["features"], {**about["features"][0], "rows": -3}]

    rewrite(path, overlap)
    retell(tmp_path / "out")
    with pytest.raises(CacheError, match="a feature has -3 rows"):
        open_import(tmp_path / "out")


def test_a_folder_that_is_neither_is_refused(tmp_path):
    (tmp_path / "x").mkdir()
    with pytest.raises(UsageError, match="is neither an exported folder"):
        open_import(tmp_path / "x")
