"""Fixtures of the heads' tests."""

import pytest

from cache.table import FeatureTable
from tests.heads.tables import plant


@pytest.fixture(scope="session")
def planted() -> FeatureTable:
    return plant()
