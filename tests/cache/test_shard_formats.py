"""The contract of every shard format."""

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cache.reading import read_known
from cache.shard import FORMATS, Segments
from cache.spec import FeatureSpec, Row
from cache.store import Store
from cache.values import stored_dtype
from cache.writer import ShardWriter
from core.errors import CacheError
from core.status import Status, absent, failed
from tests.cache.rows import (
    RAGGED,
    SPECS,
    VECTOR,
    WORDS,
    keys,
    read,
    row,
    rows,
    value_of,
    values_of,
    write,
)

EXAMPLES = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(params=list(FORMATS))
def shard_format(request):
    return FORMATS.load(request.param)


def stored(value):
    return value if isinstance(value, str) else value.tolist()


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
class TestShardFormat:
    @EXAMPLES
    @given(data=st.data())
    def test_what_is_written_is_read(self, shard_format, spec, data, tmp_path_factory):
        store, written = Store(tmp_path_factory.mktemp("cache")), data.draw(rows(spec))
        with ShardWriter(store, spec, format=shard_format.suffix) as writer:
            for one in written:
                writer.add(one)
        asked = data.draw(st.permutations(written))
        known = store.known(spec, [r.sample_id for r in asked], [r.inputs_digest for r in asked])
        assert known.found.all()
        assert known.status.tolist() == [r.status for r in asked]
        assert known.cause_texts().tolist() == [r.cause for r in asked]
        assert known.reasons().tolist() == [r.reason for r in asked]
        expected = [stored(r.value) if r.status is Status.OK else None for r in asked]
        assert values_of(read_known(known)) == expected

    def test_no_rows_make_an_empty_shard(self, shard_format, spec, tmp_path):
        path = tmp_path / "shard"
        path.write_bytes(shard_format.encode(spec, []))
        header = shard_format.read_header(path, spec)
        assert (len(header), header.digests.shape) == (0, (0, 16))

    def test_a_shard_may_hold_gaps_alone(self, shard_format, spec, store):
        gaps = [row(n, absent("no-audio"), spec=spec) for n in range(3)]
        write(store, gaps, spec=spec, format=shard_format.suffix)
        assert values_of(read(store, 0, 1, 2, spec=spec)) == [None, None, None]

    def test_a_cut_file_is_refused(self, shard_format, spec, tmp_path):
        content = shard_format.encode(spec, [row(n, spec=spec) for n in range(9)])
        path = tmp_path / "shard"
        for size in range(0, len(content), max(1, len(content) // 25)):
            path.write_bytes(content[:size])
            with pytest.raises(CacheError, match="cannot be used"):
                shard_format.read_header(path, spec)

    def test_a_file_of_another_feature_is_refused(self, shard_format, spec, tmp_path):
        path = tmp_path / "shard"
        path.write_bytes(shard_format.encode(spec, [row(0, spec=spec)]))
        other = FeatureSpec(spec.name, spec.dims, spec.dtype, spec.reads, {"version": 2})
        for reading in (shard_format.read_header, shard_format.read_reasons):
            with pytest.raises(CacheError, match=f"it is of {spec.name}"):
                reading(path, other)

    def test_a_file_of_another_kind_is_refused(self, shard_format, spec, tmp_path):
        (tmp_path / "shard").write_bytes(b"PK\3\4" + bytes(3000))
        with pytest.raises(CacheError, match="cannot be used"):
            shard_format.read_header(tmp_path / "shard", spec)

    def test_a_missing_file_is_named(self, shard_format, spec, tmp_path):
        with pytest.raises(CacheError, match="gone"):
            shard_format.read_header(tmp_path / "gone", spec)

    def test_equal_rows_give_equal_bytes(self, shard_format, spec):
        written = [row(n, spec=spec) for n in range(4)]
        assert shard_format.encode(spec, written) == shard_format.encode(spec, written)

    def test_a_file_that_shrank_after_its_header_was_read_is_refused(
        self, shard_format, spec, store, only
    ):
        write(store, [row(n, spec=spec) for n in (0, 1)], spec=spec, format=shard_format.suffix)
        known = store.known(spec, *keys(0, 1))
        path = only(shard_format.suffix)
        path.write_bytes(path.read_bytes()[:100])
        with pytest.raises(CacheError, match="cannot be used"):
            read_known(known)

    def test_rows_of_several_formats_are_read_as_one(self, shard_format, spec, store):
        write(store, [row(0, spec=spec), row(1, spec=spec)], spec=spec)
        write(store, [row(2, spec=spec), row(3, absent("no-audio"), spec=spec)], spec=spec,
              format=shard_format.suffix)  # fmt: skip
        assert values_of(read(store, 2, 0, 3, 1, spec=spec)) == [
            stored(value_of(spec, 2)), stored(value_of(spec, 0)), None, stored(value_of(spec, 1))
        ]  # fmt: skip


def test_reasons_survive_what_no_file_system_name_should_hold(store):
    reason = "bad\0name \udcff of a file\n" + "x" * 5000
    write(store, [row(0, failed("missing", reason)), row(1)])
    known = store.known(VECTOR, *keys(0, 1))
    assert known.reasons().tolist() == [
        reason.replace("\0", "\\x00").replace("\udcff", "\\udcff"),
        "",
    ]


@pytest.mark.parametrize("width", [1, 9000])
def test_values_are_copied_in_pieces_of_any_size(shard_format, tmp_path, width):
    wide = FeatureSpec("wide", (width,), "float32", ("video",), {})
    array = np.random.default_rng(0).standard_normal((600, width), np.float32)
    given_rows = [Row.of(f"clip-{n}", bytes(16), value) for n, value in enumerate(array)]
    (tmp_path / "shard").write_bytes(shard_format.encode(wide, given_rows))
    out, lengths = np.zeros_like(array), np.array([1, 0, 300, 2])
    wanted = Segments(np.array([599, 7, 100, 0]), np.array([0, 9, 3, 400]), lengths)
    shard_format.read_values(tmp_path / "shard", wide, wanted, out)
    assert np.array_equal(out[[0, *range(3, 303), 400, 401]], array[[599, *range(100, 400), 0, 1]])
    assert not out[[1, 2, *range(303, 400), *range(402, 600)]].any()


@pytest.mark.parametrize("spec", [RAGGED, WORDS], ids=lambda spec: spec.name)
def test_pieces_may_begin_and_end_inside_of_values(shard_format, tmp_path, spec):
    (tmp_path / "shard").write_bytes(
        shard_format.encode(spec, [row(n, spec=spec) for n in range(40)])
    )
    items = int(shard_format.read_offsets(tmp_path / "shard", spec)[-1])
    whole, parts = (np.zeros((items, *spec.item_shape), stored_dtype(spec)) for _ in range(2))
    for out, cuts in ((whole, [0, items]), (parts, [0, 1, 4, 6, items // 2, items])):
        at = np.array(cuts[:-1])
        wanted = Segments(at, at, np.diff(cuts))
        shard_format.read_values(tmp_path / "shard", spec, wanted, out)
    assert whole.any()
    assert np.array_equal(whole, parts)


def change(path, name, make):
    with h5py.File(path, "r+") as file:
        data = file[name][()]
        del file[name]
        make(file, data)


def test_a_link_to_another_file_is_refused(store, only, tmp_path):
    write(store, [row(0)])
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["values"] = np.zeros((1, 3), np.float16)
    link = h5py.ExternalLink(str(tmp_path / "secret.h5"), "values")
    change(only("h5"), "values", lambda file, data: file.__setitem__("values", link))
    with pytest.raises(CacheError, match="'values' is a link to another place"):
        read(store, 0)


def test_values_that_lie_in_another_file_are_refused(store, only, tmp_path):
    write(store, [row(0)])
    (tmp_path / "secret").write_bytes(bytes(6))
    make = {"shape": (1, 3), "dtype": "f2", "external": [(str(tmp_path / "secret"), 0, 6)]}
    change(only("h5"), "values", lambda file, data: file.create_dataset("values", **make))
    with pytest.raises(CacheError, match="'values' is not stored in one piece"):
        read(store, 0)


def test_a_size_that_the_file_does_not_have_is_refused(store, only):
    write(store, [row(0)])
    make = {"shape": (1 << 40,), "dtype": "S200"}
    change(only("h5"), "ids", lambda file, data: file.create_dataset("ids", **make))
    with pytest.raises(CacheError, match="'ids' is not whole"):
        read(store, 0)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        ({"dtype": h5py.string_dtype()}, "'ids' is not of plain numbers"),
        ({"chunks": (1,)}, "'ids' is not stored in one piece"),
    ],
)
def test_ids_that_do_not_lie_plain_in_the_file_are_refused(store, only, make, text):
    write(store, [row(0)])
    change(only("h5"), "ids", lambda file, data: file.create_dataset("ids", data=data, **make))
    with pytest.raises(CacheError, match=text):
        read(store, 0)


@pytest.mark.parametrize("value", [7, [1.5, 2.5], np.zeros(1000), h5py.Empty("f"), "é" * 9])
@pytest.mark.parametrize("name", ["fingerprint", "version", "feature"])
def test_a_shard_that_says_nothing_sensible_of_itself_is_refused(store, only, name, value):
    write(store, [row(0)])
    with h5py.File(only("h5"), "r+") as file:
        file.attrs["fingerprint"] = "0" * 16
        file.attrs[name] = value
    with pytest.raises(CacheError, match="cannot be used"):
        read(store, 0)


@pytest.mark.parametrize(
    ("name", "replace", "text"),
    [
        ("status", lambda data: data[:1], "differ in length"),
        ("status", lambda data: data.astype(np.int64), "other types"),
        ("status", lambda data: data + np.uint8(9), "does not exist"),
        ("cause", lambda data: data + np.int32(9), "does not exist"),
        ("values", lambda data: data[:1], "1 values for 2 rows"),
        ("values", lambda data: data[:, :2], "expected"),
        ("causes", lambda data: data + np.uint8(200), "cannot be used"),
    ],
)
def test_arrays_that_contradict_each_other_are_refused(store, only, name, replace, text):
    write(store, [row(0), row(1)])
    change(only("h5"), name, lambda file, data: file.__setitem__(name, replace(data)))
    with pytest.raises(CacheError, match=text):
        read(store, 0)


@pytest.mark.parametrize(
    ("name", "replace", "text"),
    [
        ("reason", lambda data: data + np.int32(99), "reason that does not exist"),
        ("reason", lambda data: data - np.int32(9), "reason that does not exist"),
        ("reason", lambda data: data[:1], "its rows have no reason each"),
        ("ids", lambda data: np.array([b"\xff", b"b"]), "cannot be used: 'utf-8'"),
    ],
)
def test_words_that_a_shard_does_not_have_are_refused(store, only, name, replace, text):
    write(store, [row(0, failed("crash", "why")), row(1)])
    change(only("h5"), name, lambda file, data: file.__setitem__(name, replace(data)))
    with pytest.raises(CacheError, match=text):
        FORMATS.load("h5").check(only("h5"), VECTOR)


@pytest.mark.parametrize(
    "offsets", [np.zeros(0, np.int64), np.zeros((3, 1), np.int64), [0.0, 1, 2]]
)
def test_offsets_of_another_form_are_refused(store, only, offsets):
    write(store, [row(0, spec=RAGGED), row(1, spec=RAGGED)], spec=RAGGED)
    change(only("h5"), "offsets", lambda file, data: file.__setitem__("offsets", offsets))
    with pytest.raises(CacheError, match="cannot be used: its offsets are"):
        FORMATS.load("h5").read_offsets(only("h5"), RAGGED)


@pytest.mark.parametrize("offsets", [[1, 2, 3], [0, 9, 3], [0, 1, 2]])
@pytest.mark.parametrize("spec", [RAGGED, WORDS], ids=lambda spec: spec.name)
def test_offsets_that_lead_outside_are_refused(store, only, spec, offsets):
    write(store, [row(0, spec=spec), row(1, spec=spec)], spec=spec)
    new = np.array(offsets, np.int64)
    change(only("h5"), "offsets", lambda file, data: file.__setitem__("offsets", new))
    with pytest.raises(CacheError, match="its offsets do not"):
        read(store, 0, 1, spec=spec)
