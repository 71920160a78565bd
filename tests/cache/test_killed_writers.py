"""A writer that dies at any moment leaves a cache that reads cleanly and lacks one shard."""

import os
import resource
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from cache.doctor import check
from cache.shard import FORMATS
from cache.store import Store
from cache.writer import ShardWriter
from tests.cache.rows import VECTOR, keys, read, row, values_of, write

STEPS = {"open", "os.rename", "os.mkdir", "os.remove"}
every_step = pytest.mark.parametrize("stride", [pytest.param(1, marks=pytest.mark.slow), 3])


def die_at(step: int, folder: Path) -> None:
    """End this process as `kill -9` does before its step-th change or sync below a folder."""
    left = [step]

    def count(event: str, arguments: tuple[object, ...]) -> None:
        if event in STEPS and str(folder) in str(arguments[0]):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


@pytest.fixture(params=list(FORMATS))
def shard_format(request):
    return request.param


def write_in_child(store: Store, prepare: Callable[[], None], shard_format: str) -> tuple[int, int]:
    """Write rows 0, 1, then 2, 3 in a child; return its wait status and the rows it confirmed."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        prepare()
        with ShardWriter(store, VECTOR, format=shard_format) as writer:
            for first in (0, 2):
                writer.add(row(first))
                writer.add(row(first + 1))
                writer.flush()
                os.write(tell, b"..")
        os._exit(0)
    os.close(tell)
    _, status = os.waitpid(child, 0)
    with os.fdopen(told, "rb") as confirmed:
        return status, len(confirmed.read())


def assert_whole(store: Store, confirmed: int) -> None:
    """Check that a cache has whole shards, at least those confirmed, and can be completed."""
    found = store.known(VECTOR, *keys(0, 1, 2, 3)).found.tolist()
    assert found in ([False] * 4, [True, True, False, False], [True] * 4)
    assert sum(found) >= confirmed
    if store.folder.is_dir():
        kinds = {finding.kind for finding in check(store.folder)}
        assert kinds <= {"temporary file", "shard without marker"}
    write(store, [row(n) for n, there in enumerate(found) if not there])
    assert values_of(read(store, 0, 1, 2, 3)) == [[float(n)] * 3 for n in range(4)]


@every_step
def test_a_kill_at_any_step_leaves_whole_shards(tmp_path, shard_format, stride):
    killed, status = 0, -1
    while status != 0:
        store = Store(tmp_path / str(killed))
        status, confirmed = write_in_child(
            store, partial(die_at, 1 + stride * killed, store.folder), shard_format
        )
        assert_whole(store, confirmed)
        killed += status != 0
    assert killed * stride >= 20  # the folder, the spec, and file and marker of two shards


@pytest.mark.parametrize("size", [0, 1, 100, 700, 2000, 5000])
def test_a_kill_in_the_middle_of_a_write_leaves_whole_shards(store, size, shard_format):
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it: it would be an error
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    status, confirmed = write_in_child(store, limit, shard_format)
    assert (os.WIFSIGNALED(status), confirmed) == (True, 0)
    assert_whole(store, confirmed)


def test_two_writers_at_once_lose_nothing(store, shard_format):
    children = []
    for start in (0, 40):
        child = os.fork()
        if child == 0:
            write(
                store,
                [row(n) for n in range(start, start + 60)],
                rows_per_shard=7,
                format=shard_format,
            )
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    assert values_of(read(store, *range(100))) == [[float(n)] * 3 for n in range(100)]
    assert check(store.folder) == []
