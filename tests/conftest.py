"""Fixtures for every room: the real data, where it is present."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real clips and tables, or skip."""
    folder = Path(os.environ.get("SHORTCAST_DATA", DEFAULT_DATA))
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} is not a folder; set SHORTCAST_DATA to one")
    return folder
