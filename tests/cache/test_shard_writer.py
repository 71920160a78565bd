"""When shards close, what is kept when something goes wrong, and what is refused."""

import json
import os
import subprocess

import numpy as np
import pytest

from cache.marker import Costs, versions
from cache.spec import FeatureSpec, Row
from cache.store import Store
from cache.writer import Limits, ShardWriter
from core.errors import CacheError, ProjectError, StorageError
from core.fingerprint import digest_file
from core.status import absent, failed
from tests.cache.rows import (
    VECTOR,
    digest,
    read,
    row,
    values_of,
    write,
)


def sizes(store: Store, spec: FeatureSpec = VECTOR) -> list[int]:
    return [shard.marker.rows for shard in store.shards(spec)]


def test_a_shard_closes_at_its_number_of_rows(store):
    write(store, [row(n) for n in range(7)], rows_per_shard=3)
    assert sizes(store) == [3, 3, 1]


def test_a_shard_closes_at_its_size(store):
    wide = FeatureSpec("wide", (1000,), "float16", ("video",), {})
    with ShardWriter(store, wide, limits=Limits(size_bytes=5000)) as writer:
        for n in range(5):
            writer.add(Row.of(f"clip-{n}", digest(n), np.zeros(1000)))
    assert sizes(store, wide) == [3, 2]


def test_a_shard_closes_at_its_age(store):
    now = [0.0]
    with ShardWriter(store, VECTOR, clock=lambda: now[0]) as writer:
        for n, now[0] in enumerate([100.0, 159.0, 160.0, 161.0]):
            writer.add(row(n))
        assert sizes(store) == [3]
        now[0] = 221.0
        writer.flush_if_due()
        assert sizes(store) == [3, 1]


def test_no_rows_write_nothing(store):
    with ShardWriter(store, VECTOR) as writer:
        writer.flush()
    writer.close()
    assert not store.folder.exists()


@pytest.mark.parametrize("error", [ProjectError, KeyboardInterrupt, ValueError, SystemExit])
def test_rows_before_an_error_are_kept(store, error):
    with pytest.raises(error), ShardWriter(store, VECTOR) as writer:
        writer.add(row(0))
        raise error
    assert values_of(read(store, 0)) == [[0.0] * 3]


@pytest.mark.parametrize("calls", range(1, 8))
def test_an_interrupt_while_writing_loses_nothing_and_repeats_nothing(store, monkeypatch, calls):
    left, real = [calls], os.open

    def interrupted(*arguments, **options):
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    monkeypatch.setattr(os, "open", interrupted)
    try:
        with ShardWriter(store, VECTOR) as writer:
            writer.add(row(0))
            writer.flush()
    except KeyboardInterrupt:
        pass
    assert (values_of(read(store, 0)), sizes(store)) == ([[0.0] * 3], [1])


def test_a_refused_row_does_not_cost_the_others(store):
    with ShardWriter(store, VECTOR) as writer:
        writer.add(row(0))
        with pytest.raises(
            CacheError, match=r"net@small of sample 'clip-1': shape \[2\] is not \[3\]"
        ):
            writer.add(Row.of("clip-1", digest(1), np.zeros(2)))
        writer.add(row(2))
    assert read(store, 0, 1, 2).present.tolist() == [True, False, True]


def test_the_caller_may_reuse_its_batch(store):
    batch = np.ones((2, 3), np.float32)
    with ShardWriter(store, VECTOR) as writer:
        writer.add(Row.of("clip-0", digest(0), batch[0]))
        batch[:] = 9
    assert values_of(read(store, 0)) == [[1.0] * 3]


def test_the_marker_tells_what_the_shard_holds(store, only):
    costs = Costs(decode_s=1, prepare_s=2, forward_s=3)
    with ShardWriter(store, VECTOR) as writer:
        for one in [row(0), row(1, absent("no-audio")), row(2, failed("model")), row(3)]:
            writer.add(one, costs)
    marker = json.loads(only("json").read_text())
    assert (marker["feature"], marker["fingerprint"]) == ("net@small", VECTOR.fingerprint)
    assert marker["statuses"] == {"OK": 2, "ABSENT": 1, "FAILED": 1}
    assert marker["causes"] == {"ABSENT no-audio": 1, "FAILED model": 1}
    assert [marker["costs"][name] for name in ("decode_s", "prepare_s", "forward_s")] == [4, 8, 12]
    assert marker["costs"]["write_s"] > 0
    assert marker["digest"] == digest_file(only("h5")).hex()
    assert (marker["size_bytes"], marker["versions"]) == (only("h5").stat().st_size, versions())
    assert {"python", "numpy", "h5py"} <= set(versions())


def test_a_read_only_cache_is_named_with_its_remedy(store):
    store.folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", store.folder], check=False)
    if not store.folder.is_mount():
        pytest.skip("mounting needs root")
    try:
        with pytest.raises(StorageError, match="make it writable"):
            write(store, [row(0)])
    finally:
        subprocess.run(["umount", store.folder], check=True)


def test_a_full_disk_costs_no_rows_that_were_whole(store):
    store.folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", store.folder], check=False)
    if not store.folder.is_mount():
        pytest.skip("mounting needs root")
    wide = FeatureSpec("wide", (10_000,), "float32", ("video",), {})
    try:
        with (
            pytest.raises(StorageError, match="is full; free some space"),
            ShardWriter(store, wide, limits=Limits(rows=2)) as writer,
        ):
            for n in range(9):
                writer.add(Row.of(f"clip-{n}", digest(n), np.full(10_000, n)))
        assert read(store, *range(9), spec=wide).present.tolist() == [True] * 2 + [False] * 7
        assert not [place for place in store.folder.rglob("*") if place.name.startswith(".")]
    finally:
        subprocess.run(["umount", store.folder], check=True)


def test_rows_wait_for_the_next_flush_when_the_disk_was_full(store, monkeypatch):
    writer, real = ShardWriter(store, VECTOR), os.fsync
    writer.add(row(0))
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(StorageError, match="is full"):
        writer.flush()
    monkeypatch.setattr(os, "fsync", real)
    writer.add(row(1))
    writer.close()
    assert (values_of(read(store, 0, 1)), sizes(store)) == ([[0.0] * 3, [1.0] * 3], [1, 1])


def test_a_folder_of_another_feature_is_not_written_to(store):
    write(store, [row(0)])
    spec_file = store.folder_of(VECTOR) / "spec.json"
    spec_file.write_text(spec_file.read_text().replace('"video"', '"audio"'))
    with pytest.raises(CacheError, match="does not belong in this folder"):
        write(store, [row(1)])
