"""What the cache says that it holds."""

from cache.ledger import distinct, entries, entry
from cache.marker import Costs
from cache.spec import Row
from cache.writer import ShardWriter
from core.status import absent, failed
from tests.cache.rows import RAGGED, VECTOR, digest, row, write


def test_an_empty_cache_holds_nothing(store):
    assert entries(store) == []
    assert (entry(store, VECTOR).shards, entry(store, VECTOR).newest) == (0, None)
    assert distinct(store, VECTOR).ok == 0


def test_markers_are_summed_without_opening_shards(store):
    for number in range(2):
        with ShardWriter(store, VECTOR) as writer:
            writer.add(row(number), Costs(decode_s=2.0))
            writer.add(row(5, failed("timeout")))
    for path in store.folder.rglob("*.h5"):
        path.write_bytes(b"never opened")
    (found,) = entries(store)
    assert (found.spec, found.shards, found.rows) == (VECTOR, 2, 4)
    assert found.statuses == {"OK": 2, "ABSENT": 0, "FAILED": 2}
    assert found.causes == {"FAILED timeout": 2}
    assert (found.costs.decode_s, found.size_bytes > 0) == (4.0, True)


def test_features_are_told_apart(store):
    write(store, [row(0)])
    write(store, [row(0, spec=RAGGED), row(1, spec=RAGGED)], spec=RAGGED)
    assert [(one.spec.name, one.rows) for one in entries(store)] == [
        ("net/tokens", 2),
        ("net@small", 1),
    ]


def test_a_row_computed_again_counts_once(store):
    write(store, [row(0, failed("timeout")), row(1, failed("timeout")), row(2, absent("no-audio"))])
    write(
        store,
        [row(0), row(1, failed("memory")), Row.of("clip-0", digest("edited"), failed("crash"))],
    )
    write(store, [row(2, failed("timeout"))])
    counted = distinct(store, VECTOR)
    assert (counted.ok, counted.absent) == (1, {"no-audio": 1})
    assert counted.failed == {"memory": 1, "crash": 1}
