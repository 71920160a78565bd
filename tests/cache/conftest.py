"""Fixtures of the cache's tests."""

import pytest

from cache.store import Store


@pytest.fixture
def store(tmp_path) -> Store:
    """Return an empty cache."""
    return Store(tmp_path / "cache")


@pytest.fixture
def only(store):
    """Return a function that finds the one file of a suffix in the cache."""

    def find(suffix: str):
        (found,) = store.folder.rglob(f"shard-*.{suffix}")
        return found

    return find
