"""Equal things have equal digests, and nothing else has."""

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.digests import FileDigests
from core.fingerprint import canonical_json, digest_file, digest_strings, fingerprint


def test_the_order_of_keys_does_not_matter():
    assert fingerprint({"a": 1, "b": (2, 3)}) == fingerprint({"b": [2, 3], "a": 1})


def test_a_value_that_changes_changes_the_fingerprint():
    assert fingerprint({"frames": 8}) != fingerprint({"frames": 16})


def test_the_fingerprint_is_the_one_that_caches_hold():
    assert fingerprint({"code": "x", "version": 1}) == "92a7d3a5a84cdeaa"


def test_nan_has_no_canonical_form():
    with pytest.raises(ValueError, match="Out of range"):
        canonical_json({"x": float("nan")})


@given(st.lists(st.text()), st.lists(st.text()))
def test_only_equal_lists_have_equal_digests(one, other):
    assert (digest_strings(one) == digest_strings(other)) == (one == other)


def test_a_file_is_digested_by_its_content(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    expected = hashlib.blake2b(b"x" * 3_000_000, digest_size=16).digest()
    assert digest_file(tmp_path / "a") == expected


def test_a_file_is_digested_once_and_again_when_it_changes(tmp_path):
    video, memory = tmp_path / "a.mp4", tmp_path / "memory.sqlite"
    video.write_bytes(b"one")
    os.utime(video, (1e9, 1e9))
    digests = FileDigests(memory)
    first = digests(video)
    digests.save()
    remembered = FileDigests(memory)
    remembered._known[str(video)] = (*remembered._known[str(video)][:2], b"remembered")
    assert remembered(video) == b"remembered"
    video.write_bytes(b"another")
    assert remembered(video) == digest_file(video) != first


def test_a_change_that_the_clock_of_the_disk_does_not_show_is_seen(tmp_path):
    video, memory = tmp_path / "a.mp4", tmp_path / "memory.sqlite"
    video.write_bytes(b"one")
    written = video.stat()
    digests = FileDigests(memory)
    digests(video)
    digests.save()
    video.write_bytes(b"two")
    os.utime(video, ns=(written.st_atime_ns, written.st_mtime_ns))
    assert FileDigests(memory)(video) == digest_file(video)


def test_digests_are_kept_while_more_are_computed(tmp_path, monkeypatch):
    monkeypatch.setattr("core.digests._SAVE_EVERY_S", -1.0)
    (tmp_path / "a").write_bytes(b"x")
    os.utime(tmp_path / "a", (1e9, 1e9))
    FileDigests(tmp_path / "memory")(tmp_path / "a")
    assert str(tmp_path / "a") in FileDigests(tmp_path / "memory")._known


def test_a_memory_may_be_named_by_a_relative_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").write_bytes(b"x")
    for _ in range(2):
        digests = FileDigests(Path("cache/memory.sqlite"))
        assert digests(tmp_path / "a") == digest_file(tmp_path / "a")
        digests.save()


def test_a_file_that_is_not_there_has_no_digest(tmp_path):
    assert FileDigests()(tmp_path / "nothing") is None
    assert FileDigests()(tmp_path) is None


def test_many_files_are_digested_once_each(tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "b").write_bytes(b"y")
    paths = [tmp_path / name for name in ("a", "b", "a", "nothing")]
    digests = FileDigests()
    first = digests.all_of(paths)
    assert first == {str(path): digests(path) for path in paths}
    assert list(first.values()).count(None) == 1
    assert digests.all_of(paths) == first


def test_digesting_that_takes_long_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("core.digests._PATIENCE_S", 0.0)
    monkeypatch.setattr("core.progress._LINE_EVERY_S", -1.0)
    (tmp_path / "a").write_bytes(b"x")
    digests = FileDigests()
    for _ in range(2):
        digests.all_of([tmp_path / "a"])
    assert capsys.readouterr().err.count("digest files: 1 of 1") == 1


def test_a_memory_that_is_no_database_is_computed_anew(tmp_path):
    (tmp_path / "memory").write_bytes(b"not sqlite at all, not even close")
    (tmp_path / "a").write_bytes(b"x")
    assert FileDigests(tmp_path / "memory")(tmp_path / "a") == digest_file(tmp_path / "a")


def test_a_memory_that_cannot_be_written_costs_nothing_else(tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    digests = FileDigests(tmp_path / "a" / "memory")
    digests(tmp_path / "a")
    digests.save()
    assert digests(tmp_path / "a") == digest_file(tmp_path / "a")
