"""The digest of a table that heads learn from: whether two fits have learnt from the same.

A feature's fingerprint tells how it is computed; what came out of it, which samples have gaps, and
the table's own numbers are told by nothing but the values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from cache.spec import Column
from cache.table import FeatureTable
from cache.taking import source_of
from core.fingerprint import digest_bytes, digest_strings

_AT_A_TIME = 4096  # rows that are copied and digested


def digest_table(table: FeatureTable) -> str:
    """Return the digest of all that a table says, 32 hexadecimal digits; its order matters."""
    features = digest_features(table.columns)
    return digest_strings([digest_rows(table), *features, *features.values()]).hex()


def digest_rows(table: FeatureTable) -> str:
    """Return the digest of all but the features: ids, authors, times, groups and targets."""
    authors = [] if table.author is None else table.author.tolist()
    words = [digest_strings(each).hex() for each in (table.ids.tolist(), authors)]
    beside = (table.posted_at, table.groups, table.target)
    return digest_strings(
        [*words, *("" if values is None else _digest_array(values) for values in beside)]
    ).hex()


def digest_features(columns: Mapping[str, Column]) -> dict[str, str]:
    """Return the digest of each feature by name: its recipe, its values, its gaps."""
    return {name: digest_strings(_pieces(*source_of(columns, name))).hex() for name in columns}


def _pieces(column: Column, rows: np.ndarray | None) -> Iterator[str]:
    """Yield what tells the values of some rows of a column, of which few are copied at a time."""
    yield column.spec.fingerprint
    rows = np.arange(len(column)) if rows is None else rows
    for start in range(0, len(rows), _AT_A_TIME):
        piece = column.take(rows[start : start + _AT_A_TIME])
        if column.spec.is_text:
            yield from (str(text) for text in piece.values)
        else:
            yield _digest_array(piece.values)
        edges = b"" if piece.offsets is None else piece.offsets.tobytes()
        yield digest_bytes(edges + piece.present.tobytes()).hex()


def _digest_array(values: np.ndarray) -> str:
    return digest_bytes(np.ascontiguousarray(values).tobytes()).hex()
