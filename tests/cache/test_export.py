"""What is exported is what was stored, and comes back as it was."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from cache.doctor import check
from cache.export import chosen, plan_export
from cache.parquet import read_parquet
from cache.spec import FeatureSpec
from cache.store import Store
from core.errors import StorageError, UnknownName, UsageError
from core.status import failed
from tests.cache.exports import GAPS, WAYS, export, import_all, told
from tests.cache.foreign import samples
from tests.cache.rows import RAGGED, SPECS, VECTOR, row, write


@pytest.mark.parametrize(("format", "joined"), WAYS)
def test_what_was_exported_comes_back_value_for_value(full, tmp_path, format, joined):
    files = export(full, tmp_path / "out", format, joined)
    assert all((tmp_path / "out" / name).stat().st_size == size for name, size in files.items())
    other = Store(tmp_path / "other")
    done = import_all(tmp_path / "out", other)
    assert told(other) == told(full)
    assert sum(sum(one.new.values()) for one in done) == sum(map(len, told(full).values()))


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_a_group_of_many_rows_is_read_in_parts(store, tmp_path, spec):
    written = [row(n, spec=spec) if n % 7 else row(n, GAPS[1], spec=spec) for n in range(1500)]
    export(write(store, written, spec=spec), tmp_path / "out", "parquet")
    parts = list(read_parquet(Store(tmp_path / "out").folder_of(spec), spec))
    assert [len(part) for part in parts] == [1000, 500]
    assert [each.sample_id for part in parts for each in part] == [r.sample_id for r in written]


@pytest.mark.parametrize(("format", "joined"), WAYS)
def test_importing_twice_changes_nothing(full, tmp_path, format, joined):
    export(full, tmp_path / "out", format, joined)
    before = sorted(full.folder.rglob("*"))
    assert all(one.there and not one.new for one in import_all(tmp_path / "out", full))
    assert sorted(full.folder.rglob("*")) == before


@pytest.mark.parametrize(("format", "joined"), WAYS)
def test_a_feature_of_gaps_alone_comes_back(store, tmp_path, format, joined):
    for spec in SPECS:
        write(store, [row(n, GAPS[1], spec=spec) for n in range(2)], spec=spec)
    export(store, tmp_path / "out", format, joined)
    import_all(tmp_path / "out", Store(tmp_path / "other"))
    assert told(Store(tmp_path / "other")) == told(store)


@pytest.mark.parametrize(("format", "joined"), WAYS)
def test_many_rows_go_out_in_pieces(store, tmp_path, format, joined, monkeypatch):
    monkeypatch.setattr("cache.rows._CHUNK_ROWS", 7)
    write(store, [row(n, GAPS.get(n), spec=RAGGED) for n in range(40)], spec=RAGGED)
    write(store, [row(n) for n in range(39, -1, -3)])
    export(store, tmp_path / "out", format, joined)
    import_all(tmp_path / "out", Store(tmp_path / "other"))
    assert told(Store(tmp_path / "other")) == told(store)


def test_a_cache_is_imported_into_another(full, tmp_path):
    other = write(Store(tmp_path / "other"), [row(0), row(1, failed("timeout"))])
    done = {one.spec.name: one for one in import_all(full.folder, other)}
    assert told(other) == told(full)  # its clip-1 FAILED, and the better row counts
    assert (done["net@small"].there, done["net@small"].new["ABSENT"]) == (1, 1)


def test_rows_come_back_as_the_shards_that_were_asked_for(full, tmp_path):
    export(full, tmp_path / "out", "npy")
    other = Store(tmp_path / "other")
    import_all(tmp_path / "out", other, format="tar")
    assert {path.suffix for path in other.folder.rglob("shard-*")} == {".tar", ".json"}
    assert told(other) == told(full)


def test_a_dry_run_counts_the_same_and_writes_nothing(full, tmp_path):
    export(full, tmp_path / "out", "npy")
    other = Store(tmp_path / "other")
    said = import_all(tmp_path / "out", other, dry_run=True)
    assert not other.folder.exists()
    assert said == import_all(tmp_path / "out", other)


@pytest.mark.parametrize("format", ["h5", "tar"])
def test_an_export_of_shards_is_a_sound_cache(full, tmp_path, format):
    export(full, tmp_path / "out", format)
    assert check(tmp_path / "out") == []


def test_webdataset_reads_all_features_of_a_sample_side_by_side(full, tmp_path):
    export(full, tmp_path / "out", "tar", joined=True)
    found = samples(*(tmp_path / "out").glob("samples-*.tar"))
    by_id = {sample["json"]["id"]: sample for sample in found}
    assert len(by_id) == len(found) == len({r[0] for rows in told(full).values() for r in rows})
    assert np.array_equal(by_id["clip-2"]["net@small.npy"], np.full(3, 2, "f2"))
    assert by_id["clip-2"]["net%2ftokens.npy"].shape == (3, 2)
    assert by_id["clip-2"]["caption%3atitle.txt"] == "text 2"
    assert by_id["c"]["ngrams%3a%54itle%2ex.npy"].tolist() == [[7, 2], [9, 1]]
    gap = by_id["clip-4"]["json"]["features"]["net@small"]
    assert gap == {"status": "FAILED", "cause": "corrupt", "reason": "3 of 9 frames"}
    assert "net@small.npy" not in by_id["clip-4"]
    assert by_id["clip-2"]["json"]["features"]["net@small"] == "OK"


def test_webdataset_reads_an_exported_shard(full, tmp_path):
    export(full, tmp_path / "out", "tar", names=["net@small"])
    (shard,) = (tmp_path / "out").rglob("*.tar")
    assert sum("npy" in sample for sample in samples(shard)) == 8


def test_arrays_are_plain_files_beside_a_table(full, tmp_path):
    export(full, tmp_path / "out", "npy", names=["net"])
    folder = Store(tmp_path / "out").folder_of(RAGGED)
    rows = pq.read_table(folder / "rows.parquet").to_pandas().set_index("id")
    values, offsets = np.load(folder / "values.npy"), np.load(folder / "offsets.npy")
    assert (values.dtype, values.shape[1], len(offsets)) == (np.float32, 2, 6)
    number = int(rows.loc["clip-5", "value"])
    assert (values[offsets[number] : offsets[number + 1]] == 5).all()
    assert rows.loc["clip-1", ["status", "cause"]].tolist() == ["ABSENT", "no-audio"]
    assert np.isnan(rows.loc["clip-1", "value"])


def test_a_table_has_the_values_in_it(full, tmp_path):
    export(full, tmp_path / "out", "parquet", names=["net"])
    path = Store(tmp_path / "out").folder_of(VECTOR) / "values.parquet"
    rows = {r["id"]: r for r in pq.read_table(path).to_pylist()}
    assert rows["clip-3"]["value"] == [3.0, 3.0, 3.0]
    assert (rows["clip-4"]["value"], rows["clip-4"]["reason"]) == (None, "3 of 9 frames")


@pytest.mark.parametrize(
    "names", [["net"], ["net@small", "net/tokens"], [RAGGED.fingerprint, "net"]]
)
def test_features_are_chosen_by_name_family_or_fingerprint(full, names):
    assert {spec.name for spec in chosen(full.features(), names)} == {"net@small", "net/tokens"}


def test_a_name_that_no_feature_has_is_refused(full):
    with pytest.raises(UnknownName, match=r"'net@smal' is unknown; did you mean 'net@small'"):
        chosen(full.features(), ["net@smal"])


def test_two_recipes_of_a_name_do_not_fit_into_one_sample(full):
    write(full, [], spec=VECTOR)
    newer = FeatureSpec("net@small", (3,), "float16", ("video",), {"version": 2})
    write(full, [row(0, spec=newer)], spec=newer)
    with pytest.raises(UsageError, match="'net@small' by 2 recipes"):
        plan_export(full, chosen(full.features(), ["net"]), joined=True)
    assert len(plan_export(full, chosen(full.features(), [newer.fingerprint]), joined=True)) == 1


def test_of_an_edited_sample_the_younger_row_is_joined(store):
    write(store, [row(0, 5, key="old"), row(1)])
    write(store, [row(0, 6, key="new")])
    (part,) = plan_export(store, [VECTOR], joined=True)
    assert (part.older, [r.value[0] for r in part.selection.read()]) == (1, [1, 6])


@pytest.mark.parametrize("there", ["file", "full", "link"])
def test_nothing_is_overwritten(full, tmp_path, there):
    out = tmp_path / "out"
    {"file": out.touch, "full": lambda: (out.mkdir(), (out / "x").touch()),
     "link": lambda: out.symlink_to(tmp_path / "gone")}[there]()  # fmt: skip
    with pytest.raises(UsageError, match="is there already and nothing is overwritten"):
        export(full, out, "npy")


@pytest.mark.parametrize(("format", "joined"), WAYS)
def test_an_export_that_fails_leaves_nothing(full, tmp_path, format, joined, monkeypatch):
    def full_disk(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cache.export.write_exported", full_disk)
    with pytest.raises(StorageError, match="is full"):
        export(full, tmp_path / "deep" / "out", format, joined)
    assert list((tmp_path / "deep").iterdir()) == []
