"""Which of several rows of one key counts: the same one that reading takes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cache.best import best_rows
from cache.shard import Header

KEYS = [(name, bytes([end]) * 16) for name in (b"a", b"b", b"ab") for end in (0, 1)]
ROWS = st.tuples(st.sampled_from(KEYS), st.integers(0, 2))


def header(rows) -> Header:
    return Header(
        ids=np.array([name for (name, _), _ in rows], "S2"),
        digests=np.frombuffer(b"".join(d for (_, d), _ in rows), np.uint8).reshape(-1, 16),
        status=np.array([status for _, status in rows], np.uint8),
        cause=np.zeros(len(rows), np.int32),
        causes=("",),
    )


@given(st.lists(st.lists(ROWS, max_size=6), max_size=4))
def test_of_each_key_the_best_row_is_kept_and_of_equals_the_youngest(shards):
    best: dict = {}
    for place, (key, status) in enumerate(row for rows in shards for row in rows):
        if key not in best or status <= best[key][0]:
            best[key] = (status, place)
    kept = best_rows([header(rows) for rows in shards])
    assert [len(rows) for rows in kept] == [len(rows) for rows in shards]
    flat = np.concatenate([np.zeros(0, bool), *kept])
    assert np.flatnonzero(flat).tolist() == sorted(place for _, place in best.values())
