"""Fixtures of the cache's tests."""

import shutil

import pytest

from cache.store import Store
from tests.cache.exports import fill


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


@pytest.fixture(scope="session")
def filled(tmp_path_factory):
    """Return a cache of several features and both shard formats, with gaps and odd ids."""
    return fill(Store(tmp_path_factory.mktemp("filled") / "cache"))


@pytest.fixture
def full(filled, store):
    """Return a copy of that cache."""
    shutil.copytree(filled.folder, store.folder)
    return store
