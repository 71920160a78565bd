"""Tar shards: what webdataset sees of them, and the tricks of tars that are refused."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from cache.doctor import check
from cache.indexed_tar import encode_tar, read_index
from cache.spec import FeatureSpec, Row
from cache.tar import TAR
from cache.ustar import BLOCK, headers, id_of_key
from core.errors import CacheError
from core.fingerprint import digest_file
from core.status import absent, failed
from tests.cache.foreign import samples
from tests.cache.rows import (
    SPECS,
    VECTOR,
    WORDS,
    digest,
    read,
    row,
    stored_rows,
    value_of,
    write,
)

ODD_IDS = ["a.b", "a.c", "..", "../x", "/etc/passwd", "__meta__", "长" * 200, "é+2", "%2E", "A a~b"]


def put(tmp_path: Path, rows: list[Row], spec: FeatureSpec = VECTOR) -> Path:
    path = tmp_path / "shard.tar"
    path.write_bytes(TAR.encode(spec, rows))
    return path


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_webdataset_iterates_a_shard(tmp_path, spec):
    path = put(tmp_path, [row(n, spec=spec) for n in range(5)], spec)
    found = samples(path)
    assert [id_of_key(sample["__key__"]) for sample in found] == [f"clip-{n}" for n in range(5)]
    for number, sample in enumerate(found):
        value = sample["txt" if spec.is_text else "npy"]
        assert np.array_equal(value, value_of(spec, number))
        assert spec.is_text or value.dtype == spec.dtype


def test_webdataset_reads_a_gap_with_its_cause(tmp_path):
    reason = "3 of 9 frames\0\udcff"
    path = put(tmp_path, [row(0), row(1, failed("corrupt", reason)), row(2, absent("no-audio"))])
    told = [sample["json"] for sample in samples(path)[1:]]
    assert told[0] == {"id": "clip-1", "status": "FAILED", "cause": "corrupt", "reason": reason}
    assert (told[1]["status"], told[1]["cause"]) == ("ABSENT", "no-audio")


def test_ids_that_no_file_may_have_are_samples_of_their_own(tmp_path):
    path = put(tmp_path, [Row.of(name, digest(name), np.full(3, 1, "f2")) for name in ODD_IDS])
    assert [id_of_key(sample["__key__"]) for sample in samples(path)] == ODD_IDS
    with tarfile.open(path) as archive:
        assert not [name for name in archive.getnames()[3:] if "/" in name or name[0] == "."]
    TAR.check(path, VECTOR)


def test_an_id_with_other_inputs_is_another_sample(tmp_path):
    path = put(tmp_path, [row(0, 5, key="old"), row(0, 6, key="new")])
    assert [(s["__key__"], s["npy"][0]) for s in samples(path)] == [("clip-0", 5), ("clip-0+2", 6)]


def test_a_text_that_is_no_unicode_does_not_stop_webdataset(tmp_path):
    rows = [Row.of("a", digest(0), "half \ud800"), Row.of("b", digest(1), "")]
    path = put(tmp_path, rows, WORDS)
    assert [sample.get("txt", sample.get("bin")) for sample in samples(path)] == [
        b"half \xed\xa0\x80", "",
    ]  # fmt: skip
    assert stored_rows(TAR, path, WORDS) == [("a", "half \ud800"), ("b", "")]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64", "uint8", "bool"])
@pytest.mark.parametrize("dims", [(), (1,), (2, 3), ("token", 2, 3), ("token",)], ids=str)
def test_every_dtype_and_shape_is_an_array_of_its_own(tmp_path, dtype, dims):
    spec = FeatureSpec("any", dims, dtype, ("video",), {})
    shapes = [tuple(n if isinstance(axis, str) else axis for axis in dims) for n in (1, 1000)]
    values = [np.arange(np.prod(shape)).reshape(shape).astype(dtype) for shape in shapes]
    path = put(tmp_path, [Row.of(f"c{n}", digest(n), v) for n, v in enumerate(values)], spec)
    for value, sample, (_, stored) in zip(
        values, samples(path), stored_rows(TAR, path, spec), strict=True
    ):
        assert (sample["npy"].dtype, sample["npy"].shape) == (value.dtype, value.shape)
        assert np.array_equal(sample["npy"], value)
        assert stored == value.tolist()


def test_a_tar_says_nothing_of_when_and_by_whom(tmp_path):
    with tarfile.open(put(tmp_path, [row(0), row(1, absent("no-audio"))])) as archive:
        members = archive.getmembers()
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, 0, "", "")}
    assert {(member.mode, member.type) for member in members} == {(0o644, tarfile.REGTYPE)}


def member(name: str, **changes: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for field, value in changes.items():
        setattr(info, field, value)
    return info


TRICKS = {
    "absolute path": (member("/etc/cron.d/x"), "'/etc/cron.d/x'"),
    "path that leaves": (member("../../x.npy"), r"'\.\./\.\./x\.npy'"),
    "link": (member("x.npy", type=b"2", linkname="/etc/passwd"), "'x.npy', a link"),
    "hard link": (member("x.npy", type=b"1", linkname="clip-0.npy"), "'x.npy', a hard link"),
    "device": (member("x.npy", type=b"3"), "'x.npy', a device"),
    "pipe": (member("x.npy", type=b"6"), "'x.npy', a pipe"),
    "folder": (member("x", type=b"5"), "'x/', a folder"),
    "sparse file": (member("x.npy", type=b"S"), "'x.npy', a sparse file"),
    "name twice": (member("clip-0.npy"), "'clip-0.npy'"),
    "attributes": (member("x", type=b"g"), "'x', attributes of all members"),
}


@pytest.mark.parametrize(("info", "text"), TRICKS.values(), ids=TRICKS)
def test_a_member_that_no_row_names_is_refused(tmp_path, info, text):
    path = put(tmp_path, [row(0), row(1)])
    path.write_bytes(path.read_bytes()[:-1024] + info.tobuf(tarfile.USTAR_FORMAT) + bytes(1024))
    with pytest.raises(CacheError, match=f"after its last row is {text}, which no row names"):
        TAR.read_header(path, VECTOR)


@pytest.mark.parametrize(("info", "text"), TRICKS.values(), ids=TRICKS)
def test_a_foreign_tar_is_refused_by_what_it_begins_with(tmp_path, info, text):
    (tmp_path / "x.tar").write_bytes(info.tobuf(tarfile.USTAR_FORMAT) + bytes(10240))
    with pytest.raises(CacheError, match=f"at byte 0 is {text}, where __shortcast__/index.json"):
        TAR.read_header(tmp_path / "x.tar", VECTOR)


@pytest.mark.parametrize(("info", "text"), TRICKS.values(), ids=TRICKS)
def test_a_member_that_is_not_what_its_row_says_is_refused(tmp_path, info, text):
    path = put(tmp_path, [row(0), row(1)])
    info = member(info.name, type=info.type, linkname=info.linkname, size=134)
    replace_header(path, "clip-1.npy", info.tobuf(tarfile.USTAR_FORMAT))
    expected = rf"is {text}, where a file 'clip-1\.npy' of 134 bytes was expected"
    with pytest.raises(CacheError, match=expected):
        stored_rows(TAR, path, VECTOR)
    with pytest.raises(CacheError, match=f"is {text}"):
        TAR.check(path, VECTOR)


def replace_header(path: Path, name: str, block: bytes) -> None:
    content, place = path.read_bytes(), path.read_bytes().rindex(name.encode())
    path.write_bytes(content[:place] + block + content[place + BLOCK :])


@pytest.mark.parametrize("size", [0, 133, 135, 8**11 - 1])
def test_a_size_that_lies_is_refused(tmp_path, size):
    path = put(tmp_path, [row(0), row(1)])
    block = headers(np.array([b"clip-1.npy"]), np.array([size])).tobytes()
    replace_header(path, "clip-1.npy", block)
    with pytest.raises(CacheError, match="of 134 bytes was expected"):
        stored_rows(TAR, path, VECTOR)


def test_a_size_of_the_index_that_lies_is_refused(tmp_path):
    path = put(tmp_path, [row(0)])
    name = b"__shortcast__/index.json"
    replace_header(path, name.decode(), headers(np.array([name]), np.array([8**11 - 1])).tobytes())
    with pytest.raises(CacheError, match=r"it ends before its index\.json does"):
        TAR.read_header(path, VECTOR)


def rewrite(path: Path, change) -> None:
    """Write a shard anew after its index was changed, whole and consistent with itself."""
    with path.open("rb") as stream:
        index = read_index(stream.fileno())
        content = path.read_bytes()
    members = [
        (name.decode(), (content[start : start + size],))
        for name, start, size in zip(index.names.tolist(), index.starts, index.sizes, strict=True)
    ]
    about, rows = dict(index.about), index.rows.copy()
    change(about, rows, members)
    for name in ("rows", "id_bytes", "members", "name_bytes", "version"):
        about.pop(name)
    path.write_bytes(encode_tar(about, rows, members))


def rename(number: int, name: str):
    return lambda about, rows, members: members.__setitem__(number, (name, members[number][1]))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (rename(1, "../clip-1.npy"), r"leads elsewhere: '\.\./clip-1\.npy'"),
        (rename(1, ".."), r"leads elsewhere: '\.\.'"),
        (rename(1, "/x.npy"), "leads elsewhere"),
        (rename(1, "clip-0.npy"), r"two members have the name 'clip-0\.npy'"),
        (lambda about, rows, _: rows["status"].fill(9), "status that does not exist"),
        (lambda about, rows, _: rows["cause"].fill(7), "cause that does not exist"),
        (lambda about, rows, _: rows["reason"].fill(-1), "reason that does not exist"),
        (lambda a, rows, _: rows["member"].__setitem__(1, 2), "row whose value is not there"),
        (lambda about, rows, _: rows["member"].fill(1), "two rows name one value"),
        (lambda about, rows, _: rows["status"].fill(1), "value for a row that has none"),
        (lambda about, rows, _: about.update(causes="abc"), "table of texts is none"),
        (lambda about, rows, _: about.update(kind="x"), "it is a tar of 'x', not a shard"),
        (lambda a, r, members: members.__setitem__(0, ("a.npy", (b"x",))), "no value of net@small"),
    ],
)
def test_an_index_that_contradicts_itself_is_refused(tmp_path, change, text):
    path = put(tmp_path, [row(0), row(1)])
    rewrite(path, change)
    with pytest.raises(CacheError, match=text):
        TAR.read_header(path, VECTOR)


@pytest.mark.parametrize(
    ("name", "value"), [("members", 1 << 40), ("rows", -1), ("id_bytes", 1 << 30), ("version", 2)]
)
def test_a_number_of_the_index_that_lies_is_refused(tmp_path, name, value):
    path = put(tmp_path, [row(0), row(1)])
    with path.open("rb") as stream:
        index = read_index(stream.fileno())
    about = json.dumps({**index.about, name: value}).encode()
    block = headers(np.array([b"__shortcast__/index.json"]), np.array([len(about)])).tobytes()
    rest = path.read_bytes()[path.read_bytes().index(b"__shortcast__/members.npy") :]
    path.write_bytes(block + about + bytes(-len(about) % BLOCK) + rest)
    with pytest.raises(CacheError, match="cannot be used"):
        TAR.read_header(path, VECTOR)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_a_look_at_all_of_it_finds_any_changed_byte(tmp_path, spec):
    path = put(tmp_path, [row(0, spec=spec), row(1, failed("crash"), spec=spec)], spec)
    whole = path.read_bytes()
    TAR.check(path, spec)
    for place in range(0, len(whole), 89):
        changed = bytearray(whole)
        changed[place] ^= 1
        path.write_bytes(changed)
        with pytest.raises(CacheError):
            TAR.check(path, spec)


def test_the_doctor_finds_a_shard_that_a_marker_vouches_for(store):
    write(store, [row(0), row(1)], format="tar")
    (shard,) = store.shards(VECTOR)
    block = headers(np.array([b"../../x.npy"]), np.array([134])).tobytes()
    replace_header(shard.path, "clip-1.npy", block)
    marker = {**shard.marker.to_json(), "digest": digest_file(shard.path).hex()}
    shard.marker_path.write_text(json.dumps(marker))
    (finding,) = check(store.folder)
    assert finding.kind == "broken shard"
    assert "at byte 4096 is '../../x.npy'" in finding.text
    with pytest.raises(CacheError, match=r"is '\.\./\.\./x\.npy', where a file 'clip-1\.npy'"):
        read(store, 0, 1)
