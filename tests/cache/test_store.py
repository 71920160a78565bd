"""What the store says of keys, and what it refuses to read."""

import json
import shutil

import numpy as np
import pytest

from cache.known import IdIndex
from cache.reading import read_column, read_columns
from cache.spec import UNKNOWN_INPUTS, FeatureSpec, Row
from cache.store import Store
from core.errors import CacheError
from core.status import Status, absent, failed
from tests.cache.rows import RAGGED, SPECS, VECTOR, digest, keys, read, row, values_of, write

CORRUPT, SILENT = failed("corrupt"), absent("no-audio")


def test_asking_an_absent_cache_touches_nothing(store):
    assert not store.known(VECTOR, *keys(0, 1)).found.any()
    assert read(store, 0, 1).present.tolist() == [False, False]
    assert (store.features(), store.shards(VECTOR)) == ([], [])
    assert not store.folder.exists()


def test_no_ids_give_an_empty_column(store):
    write(store, [row(0)])
    assert read(store).values.shape == (0, 3)


def test_features_are_listed_by_name(store):
    for spec in SPECS:
        write(store, [row(0, spec=spec)], spec=spec)
    (store.folder / "digests.sqlite").touch()
    assert [feature.name for feature in store.features()] == [
        "caption:title", "net/tokens", "net@small",
    ]  # fmt: skip
    assert all(feature.fingerprint == feature.spec.fingerprint for feature in store.features())


@pytest.mark.parametrize(
    ("older", "younger", "wins"),
    [
        (row(0), row(0, CORRUPT), Status.OK),
        (row(0, CORRUPT), row(0), Status.OK),
        (row(0), row(0, SILENT), Status.OK),
        (row(0, SILENT), row(0, CORRUPT), Status.ABSENT),
        (row(0, CORRUPT), row(0, SILENT), Status.ABSENT),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_the_better_row_of_a_key_is_never_hidden(store, older, younger, wins, together):
    for batch in [[older, younger]] if together else [[older], [younger]]:
        write(store, batch)
    known = store.known(VECTOR, *keys(0))
    assert known.status.tolist() == [wins]
    assert values_of(read(store, 0)) == [[0.0] * 3 if wins == Status.OK else None]


def test_of_two_failures_the_younger_counts(store):
    write(store, [row(0, failed("timeout"))])
    write(store, [row(0, failed("memory"))])
    known = store.known(VECTOR, *keys(0))
    assert known.cause_texts().tolist() == ["memory"]
    assert (known.failed("memory").tolist(), known.failed("timeout").tolist()) == ([True], [False])


def test_a_changed_input_is_another_key(store):
    write(store, [row(0), row(1)])
    known = store.known(VECTOR, ["clip-0", "clip-1"], [digest("edited"), digest(1)])
    assert known.found.tolist() == [False, True]


def test_both_versions_of_an_input_are_kept(store):
    write(store, [row(0, 5, key="old"), row(0, 6, key="new")])
    for key, value in (("old", 5.0), ("new", 6.0)):
        column = read_column(store, VECTOR, ["clip-0"], [digest(key)])
        assert values_of(column) == [[value] * 3]


def test_a_sample_whose_file_is_not_here_is_found_by_id_alone(store):
    write(store, [row(0, 5, key="old"), row(1)])
    write(store, [Row.of("clip-0", UNKNOWN_INPUTS, failed("missing"))])
    known = store.known(VECTOR, ["clip-0", "clip-1", "clip-2"], [None, digest(1), None])
    assert known.found.tolist() == [True, True, False]
    assert known.by_id.tolist() == [True, False, False]
    assert known.ok.tolist() == [True, True, False]


def test_a_row_without_a_file_is_not_that_of_a_file_which_is_not_here(store):
    write(store, [Row.of("clip-0", digest("absent"), absent("not-given"))])
    assert not store.known(VECTOR, ["clip-0"], [None]).found.any()
    assert store.known(VECTOR, ["clip-0"], [digest("absent")]).found.all()


def test_a_missing_file_does_not_count_as_found_by_id(store):
    write(store, [row(1), Row.of("clip-0", UNKNOWN_INPUTS, failed("missing"))])
    assert store.known(VECTOR, ["clip-0", "clip-1"], [None, None]).coverage().by_id == 1


def test_a_file_that_came_back_is_not_the_missing_one(store):
    write(store, [Row.of("clip-0", UNKNOWN_INPUTS, failed("missing"))])
    assert not store.known(VECTOR, *keys(0)).found.any()


def test_ids_of_any_language_and_length_differ_in_full(store):
    ids = ["é", "e", "长" * 200, "长" * 199, "a.b", "a.c", "x/../y", "🎬"]
    write(store, [Row.of(name, digest(name), np.full(3, n)) for n, name in enumerate(ids)])
    column = read_column(store, VECTOR, ids[::-1], [digest(name) for name in ids[::-1]])
    assert [value[0] for value in values_of(column)] == [7, 6, 5, 4, 3, 2, 1, 0]


def test_an_id_asked_for_twice_is_refused():
    with pytest.raises(ValueError, match="'b' is asked for twice"):
        IdIndex(["a", "b", "b"])


def test_digests_that_do_not_fit_the_ids_are_refused(store):
    with pytest.raises(ValueError, match="1 digests were given for 2 ids"):
        store.known(VECTOR, ["a", "b"], [bytes(16)])
    with pytest.raises(ValueError, match="other than 16 bytes"):
        store.known(VECTOR, ["a"], [bytes(8)])


def test_several_features_are_read_with_their_coverage(store):
    write(store, [row(0), row(1, CORRUPT), row(2, SILENT)])
    write(store, [row(1, spec=RAGGED)], spec=RAGGED)
    ids, digests = keys(0, 1, 2, 3)
    columns, coverage = read_columns(store, ids, {VECTOR: digests, RAGGED: digests})
    assert columns["net/tokens"].present.tolist() == [False, True, False, False]
    counted = coverage["net@small"]
    assert (counted.ok, counted.absent, counted.failed) == (1, {"no-audio": 1}, {"corrupt": 1})
    assert (counted.never, counted.by_id) == (1, 0)


def test_one_name_with_two_recipes_is_refused(store):
    other = FeatureSpec("net@small", (3,), "float16", ("video",), {"version": 2})
    with pytest.raises(ValueError, match="'net@small' is asked for with two recipes"):
        read_columns(store, ["a"], {VECTOR: [None], other: [None]})


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
@pytest.mark.parametrize("step", [1, 2, 7])
def test_rows_come_in_the_order_asked_from_many_shards(store, spec, step):
    gaps = dict.fromkeys(range(0, 60, 11), CORRUPT)
    write(store, [row(n, gaps.get(n), spec=spec) for n in range(60)], spec=spec, rows_per_shard=9)
    straight = values_of(read(store, *range(60), spec=spec))
    order = np.random.default_rng(step).permutation(60)[::step].tolist()
    assert values_of(read(store, *order, spec=spec)) == [straight[n] for n in order]
    assert [value is None for value in straight] == [n in gaps for n in range(60)]


def test_another_writers_leftovers_are_not_seen(store, only):
    write(store, [row(0)])
    folder = store.folder_of(VECTOR)
    (folder / ".writing-0123456789ab.h5").write_bytes(b"half")
    (folder / "shard-00000000000000ff.h5").write_bytes(b"no marker")
    (folder / "shard-1.json").write_text("not a shard's name")
    (folder / "notes.txt").write_text("mine")
    assert values_of(read(store, 0)) == [[0.0] * 3]


@pytest.mark.parametrize("name", ["", ".", "..", "../../etc", "x" * 201, "é" * 34])
def test_a_name_that_is_no_folders_is_refused(store, name):
    with pytest.raises(CacheError, match=r"cannot be a folder's; a name has 1 to 200 bytes"):
        store.folder_of(FeatureSpec(name, (3,), "float16", (), {}))


@pytest.mark.parametrize("name", ["/etc/x", "a/../../b", "a\\..\\b", "net:a/b@c", "%2e%2e"])
def test_a_feature_stays_in_the_cache_whatever_its_name(store, name):
    spec = FeatureSpec(name, (3,), "float16", ("video",), {})
    write(store, [row(0)], spec=spec)
    assert store.folder_of(spec).resolve().parent.parent == store.folder.resolve()
    assert [feature.name for feature in store.features()] == [name]
    assert [place.name for place in store.folder.parent.iterdir()] == ["cache"]


def edit(file, **changes):
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


@pytest.mark.parametrize("format_name", ["../../x/h5", "h5/../..", "", "tar\0", ["h5"], None])
def test_a_marker_cannot_point_elsewhere(store, only, format_name):
    write(store, [row(0)])
    edit(only("json"), format=format_name, path="/etc/passwd", name="../x")
    with pytest.raises(CacheError, match="is not the marker of a shard"):
        read(store, 0)


@pytest.mark.parametrize(
    "changes",
    [{"version": 9}, {"rows": -1}, {"rows": "1"}, {"costs": {"x": 1}}, {"created": float("nan")},
     {"statuses": None}, {"created": "never"}],
)  # fmt: skip
def test_a_marker_that_says_nonsense_is_refused(store, only, changes):
    write(store, [row(0)])
    edit(only("json"), **changes)
    with pytest.raises(CacheError, match="is not the marker of a shard"):
        read(store, 0)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 100_000, "\udcff"])
def test_a_marker_that_is_no_json_object_is_refused(store, only, text):
    write(store, [row(0)])
    only("json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(CacheError, match="is not the marker of a shard"):
        read(store, 0)


def test_a_marker_of_another_feature_is_refused(store, only):
    write(store, [row(0)])
    edit(only("json"), fingerprint="0" * 16)
    with pytest.raises(CacheError, match="belongs to net@small 0000000000000000"):
        read(store, 0)


def test_a_marker_with_another_number_of_rows_is_refused(store, only):
    write(store, [row(0)])
    edit(only("json"), rows=2)
    with pytest.raises(CacheError, match="has 1 rows, but its marker says 2"):
        read(store, 0)


def test_a_spec_changed_by_hand_is_refused(store):
    write(store, [row(0)])
    edit(store.folder_of(VECTOR) / "spec.json", dims=[4])
    for asking in (lambda: read(store, 0), store.features):
        with pytest.raises(CacheError, match="does not belong in this folder"):
            asking()


def test_a_folder_of_another_feature_is_refused(store):
    write(store, [row(0)])
    other = FeatureSpec("net@small", (3,), "float16", ("video",), {"version": 2})
    shutil.copytree(store.folder_of(VECTOR), store.folder_of(other))
    with pytest.raises(CacheError, match=f"the spec of net@small {VECTOR.fingerprint}"):
        read_column(store, other, *keys(0))


def test_shards_without_a_spec_are_refused(store):
    write(store, [row(0)])
    (store.folder_of(VECTOR) / "spec.json").unlink()
    with pytest.raises(CacheError, match=r"has shards but no spec\.json"):
        read(store, 0)
    assert store.features() == []


def test_a_cut_spec_is_refused(store):
    write(store, [row(0)])
    (store.folder_of(VECTOR) / "spec.json").write_text('{"name": "net@sm')
    with pytest.raises(CacheError, match="is not the spec of a feature"):
        read(store, 0)


def test_a_store_takes_a_path_as_text(tmp_path):
    assert Store(str(tmp_path)).folder == tmp_path
