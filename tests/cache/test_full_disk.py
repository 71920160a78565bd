"""Wherever a disk is full, what was whole stays, and nothing else is left on it."""

import pytest

from cache.doctor import check
from cache.shard import FORMATS
from cache.store import Store
from cache.writer import ShardWriter
from core.errors import StorageError
from tests.cache.mounts import as_root, small_disk
from tests.cache.rows import VECTOR, read, row, values_of

PAGE = 4096  # of which a disk in memory is made


def fill(store, format):
    """Write one shard after another until the disk is full; return how many rows were taken."""
    taken = []
    with pytest.raises(StorageError, match="is full; free some space"):
        for number in range(100):
            with ShardWriter(store, VECTOR, format=format) as writer:
                writer.add(row(number))
            taken.append(number)
    return len(taken)


@as_root
@pytest.mark.parametrize("format", list(FORMATS))
@pytest.mark.parametrize("pages", range(2, 14))
def test_a_disk_that_fills_up_holds_whole_shards_only(tmp_path, pages, format):
    with small_disk(tmp_path / "disk", pages * PAGE) as disk:
        store = Store(disk / "cache")
        kept = fill(store, format)
        assert values_of(read(store, *range(kept))) == [[float(n)] * 3 for n in range(kept)]
        assert not store.folder.is_dir() or check(store.folder) == []
        assert kept or pages < 12
