"""Tables on disk, and rows to split."""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from corpus.folds import SplitRows

WriteTable = Callable[..., Path]


@pytest.fixture
def write_table(tmp_path: Path) -> WriteTable:
    """Return a function that writes a CSV of columns, and gives its path."""

    def write(columns: Mapping[str, Sequence[object]], name: str = "videos.csv") -> Path:
        path = tmp_path / name
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
        return path

    return write


@pytest.fixture
def write_text(tmp_path: Path) -> WriteTable:
    """Return a function that writes text or bytes as a file, and gives its path."""

    def write(content: str | bytes, name: str = "videos.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def rows() -> SplitRows:
    """Return 200 rows of 2 classes, 60 authors, rising times and some near-duplicates."""
    rng = np.random.default_rng(3)
    groups = np.full(200, -1)
    groups[rng.choice(200, 20, replace=False)] = np.arange(20) // 2
    return SplitRows(
        ids=np.array([f"clip{row:03d}" for row in range(200)]),
        labels=np.arange(200) % 2,
        author=np.array([f"user{number}" for number in rng.integers(0, 60, 200)]),
        posted_at=np.arange(200, dtype=np.float64),
        split=np.array(["train", "val", "test", "train"] * 50),
        groups=groups,
    )
