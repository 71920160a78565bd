"""Hold what an extraction says it did against what its cache then has."""

from collections import Counter

from cache.doctor import check
from cache.ledger import distinct, entry
from cache.store import Store

_OF_KILLS = {"temporary file", "shard without marker"}  # what a kill leaves, and nobody reads


def stored_rows(store, spec):
    """Return (id, cause) of every row of a feature, "" for values, those written twice too."""
    return [
        (name.decode(), header.causes[cause])
        for _, header in store.headers(spec)
        for name, cause in zip(header.ids.tolist(), header.cause.tolist(), strict=True)
    ]


def assert_accounts_agree(cache, ids, features):
    """Each feature has a row of each id; rows, markers and the printed counts say the same.

    An id has one row, beside those that say that a worker was killed at it.
    """
    store = Store(cache)
    assert {feature.name for feature in store.features()} == features.keys()
    for name, _, spec in store.features():
        rows = stored_rows(store, spec)
        settled = [row for row, cause in rows if cause != "crash"]
        assert len(settled) == len(set(settled)), name
        assert {row for row, _ in rows} == set(ids), name
        assert_ledger_agrees(store, spec, rows, features[name])
        said = features[name]
        counts = [said["ok"], *said["absent"].values(), *said["failed"].values()]
        assert (sum(counts), said["never"]) == (len(ids), 0)
    assert {finding.kind for finding in check(cache)} <= _OF_KILLS


def assert_ledger_agrees(store, spec, rows, said):
    """The markers count the rows that are there, and the printed counts are those of the keys."""
    written, keys = entry(store, spec), distinct(store, spec)
    gaps = {kind.partition(" ")[2]: count for kind, count in written.causes.items()}
    assert gaps == Counter(cause for _, cause in rows if cause)
    assert written.rows == sum(written.statuses.values()) == len(rows)
    assert written.statuses["OK"] == len(rows) - sum(gaps.values())
    counts = {"ok": keys.ok, "absent": dict(keys.absent), "failed": dict(keys.failed), "never": 0}
    assert counts == said
