"""Compaction keeps every row that counts and every second that was spent, whenever it is killed."""

import os
import shutil
from functools import partial

import pytest

from cache.compaction import compact, plan_merges, sweep
from cache.doctor import check
from cache.export import chosen, plan_export, write_export
from cache.index import rows_of
from cache.known import IdIndex
from cache.ledger import distinct, entry
from cache.marker import Costs
from cache.reading import read_column, read_columns, settled
from cache.rows import select_best
from cache.shard import FORMATS
from cache.spec import UNKNOWN_INPUTS, Row
from cache.store import Store
from cache.writer import Limits, ShardWriter
from core.errors import CacheError
from core.status import absent, failed
from tests.cache.exports import WAYS, import_all, told
from tests.cache.rows import SPECS, VECTOR, digest, keys, read, row, values_of, write
from tests.cache.test_killed_writers import die_at, every_step

SMALL, TINY = Limits(rows=6), Limits(rows=3)


def compact_all(store: Store, spec=VECTOR, limits: Limits = SMALL) -> int:
    """Do what is worth doing, and return how many shards were made."""
    sweep(store, spec)
    return sum(compact(store, merge) is not None for merge in plan_merges(store, spec, limits))


def sizes(store: Store, spec=VECTOR) -> list[int]:
    return [shard.marker.rows for shard in store.shards(spec)]


def files(store: Store) -> list[str]:
    return sorted(place.name for place in store.folder.rglob("shard-*"))


@pytest.mark.parametrize("form", list(FORMATS))
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_small_shards_become_full_ones_with_the_same_rows(store, spec, form):
    for n in range(9):
        with ShardWriter(store, spec, format=form) as writer:
            writer.add(row(n, failed("corrupt", f"why {n}") if n == 4 else None, spec=spec))
    asked = [f"clip-{n}" for n in range(9)], [digest(n) for n in range(9)]
    before = values_of(read(store, *range(9), spec=spec))
    assert compact_all(store, spec) == 2
    known = store.known(spec, *asked)
    assert (sizes(store, spec), len(files(store))) == ([6, 3], 4)
    assert values_of(read(store, *range(9), spec=spec)) == before
    assert known.reasons()[4] == "why 4"
    assert {shard.marker.format for shard in store.shards(spec)} == {form}
    assert check(store.folder) == []


def test_after_a_compaction_there_is_nothing_to_do(store):
    write(store, [row(n) for n in range(20)], rows_per_shard=1)
    compact_all(store)
    before = files(store)
    assert (compact_all(store), files(store)) == (0, before)


def test_full_shards_are_left_alone(store):
    write(store, [row(n) for n in range(18)], rows_per_shard=6)
    assert plan_merges(store, VECTOR, SMALL) == []


def test_of_each_key_the_row_that_counts_is_kept(store):
    write(store, [row(0, failed("timeout")), row(1, absent("no-audio")), row(2, 7), row(3)])
    write(store, [row(0), row(1, failed("crash")), row(2, 8), row(3, 5, key="edited")])
    before = distinct(store, VECTOR)
    (merge,) = plan_merges(store, VECTOR)
    assert (merge.rows, merge.dropped) == (5, 3)
    compact(store, merge)
    assert (sizes(store), distinct(store, VECTOR)) == ([5], before)
    assert values_of(read(store, 0, 1, 2, 3)) == [[0.0] * 3, None, [8.0] * 3, [3.0] * 3]


def test_a_full_shard_of_rows_that_do_not_count_is_written_again(store):
    write(store, [row(n, failed("memory")) for n in range(6)], rows_per_shard=6)
    write(store, [row(n) for n in range(6)], rows_per_shard=6)
    assert compact_all(store) == 1
    assert sum(sizes(store)) == 6
    assert distinct(store, VECTOR).ok == 6


def test_the_ledger_still_adds_up(store):
    for n in range(4):
        with ShardWriter(store, VECTOR) as writer:
            costs = Costs(rows=1, decode_s=0.1, read_s=0.3, prepare_s=n, forward_s=2)
            writer.add(row(n % 3), costs)
    before = entry(store, VECTOR)
    compact_all(store)
    after = entry(store, VECTOR)
    assert (after.costs, after.newest) == (before.costs, before.newest)
    assert (after.costs.rows, after.rows) == (4, 3)


def test_of_rows_found_by_id_alone_the_youngest_still_counts(store):
    write(store, [row(0, 1, key="first")])
    write(store, [row(9 + n) for n in range(6)], rows_per_shard=6)
    write(store, [row(0, 2, key="second")])
    write(store, [row(0, 3, key="third"), Row.of("clip-0", UNKNOWN_INPUTS, failed("missing"))])
    assert compact_all(store) == 1
    assert sizes(store) == [1, 6, 3]
    assert values_of(read_column(store, VECTOR, ["clip-0"], [None])) == [[3.0] * 3]


def test_a_changed_shard_is_not_made_a_new_one(store, only):
    write(store, [row(0), row(1)])
    write(store, [row(2)])
    path = min(store.folder.rglob("*.h5"))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CacheError, match=r"is not what was written.*check --fix"):
        compact_all(store)
    assert len(files(store)) == 4


def test_shards_that_another_process_compacted_are_left_to_it(store):
    write(store, [row(n) for n in range(4)], rows_per_shard=1)
    (merge,) = plan_merges(store, VECTOR)
    compact(store, merge)
    before = files(store)
    assert compact(store, merge) is None
    assert files(store) == before


def killed_at(step: int, store: Store) -> int:
    """Compact in a child that dies before its step-th change; return its wait status."""
    child = os.fork()
    if child == 0:
        die_at(step, store.folder)
        compact_all(store, limits=TINY)
        os._exit(0)
    return os.waitpid(child, 0)[1]


@pytest.fixture
def retried(store):
    """Give a cache of five shards, of which some rows failed at first, with what each cost."""
    for n in range(5):
        with ShardWriter(store, VECTOR) as writer:
            writer.add(row(n, failed("crash")) if n % 2 else row(n), Costs(rows=1, prepare_s=1))
            writer.add(row(n), Costs(rows=1, prepare_s=1))
    return store


def assert_nothing_is_lost(store: Store, before: Costs) -> None:
    assert values_of(read(store, *range(5))) == [[float(n)] * 3 for n in range(5)]
    assert entry(store, VECTOR).costs == before


@every_step
def test_a_kill_at_any_step_loses_nothing_and_counts_nothing_twice(retried, tmp_path, stride):
    status, killed, before = -1, 0, entry(retried, VECTOR).costs
    while status != 0:
        store = Store(shutil.copytree(retried.folder, tmp_path / str(killed)))
        status = killed_at(1 + stride * killed, store)
        assert_nothing_is_lost(store, before)
        kinds = {finding.kind for finding in check(store.folder)}
        assert kinds <= {"temporary file", "shard without marker", "replaced shard"}
        compact_all(store, limits=TINY)
        assert_nothing_is_lost(store, before)
        assert sizes(store) == [3, 2]
        killed += status != 0
    assert killed * stride > 40


def test_readers_that_listed_before_a_compaction_read_again(store):
    write(store, [row(n) for n in range(4)], rows_per_shard=1)
    index, asked = IdIndex(keys(0, 1, 2, 3)[0]), keys(0, 1, 2, 3)[1]
    ask = partial(store.known, VECTOR, index, asked)
    listed = ask()
    compact_all(store)
    known, reasons = settled(ask, lambda found: (found.reasons(), read(store, 0))[0], listed)
    assert (reasons.tolist(), known.found.all()) == ([""] * 4, True)


@pytest.mark.parametrize(("format", "joined"), WAYS)
def test_what_was_chosen_before_a_compaction_is_exported_all_the_same(
    full, tmp_path, format, joined, monkeypatch
):
    monkeypatch.setattr("cache.rows._CHUNK_ROWS", 2)
    for spec in SPECS:
        write(full, [row(n, spec=spec) for n in (7, 8)], spec=spec, rows_per_shard=1)
    parts, before = plan_export(full, chosen(full.features(), ()), joined=joined), told(full)
    assert [compact_all(full, part.spec) for part in parts].count(0) < len(parts)
    write_export(parts, tmp_path / "out", format=format, joined=joined)
    import_all(tmp_path / "out", Store(tmp_path / "other"))
    assert told(Store(tmp_path / "other")) == before


def test_rows_that_a_compaction_moves_while_they_are_read_are_read_on(store, monkeypatch):
    monkeypatch.setattr("cache.rows._CHUNK_ROWS", 2)
    write(store, [row(n) for n in range(5)], rows_per_shard=1)
    chunks = select_best(store, VECTOR).chunks()
    first = next(chunks)
    compact_all(store)
    read_on = [*first, *(each for chunk in chunks for each in chunk)]
    assert [each.sample_id for each in read_on] == keys(*range(5))[0]


def test_rows_that_were_dropped_while_they_are_read_are_missed(store):
    chosen_rows = select_best(write(store, [row(n) for n in range(5)]), VECTOR)
    store.drop(VECTOR)
    with pytest.raises(CacheError, match=r"rows of net@small were removed while they were read"):
        chosen_rows.read()


class CompactedOnce(Store):
    """A cache that another process compacts as soon as its headers were read."""

    def headers(self, spec):
        found = super().headers(spec)
        compact_all(Store(self.folder), spec)
        return found


def test_an_index_is_made_of_rows_that_a_compaction_moves(store):
    write(store, [row(n) for n in range(5)], rows_per_shard=1)
    rows = rows_of(CompactedOnce(store.folder), VECTOR)
    assert rows.ids.tolist() == keys(*range(5))[0]
    assert rows.shards == (store.shards(VECTOR)[0].path.stem,)


def test_readers_writers_and_compactions_at_once_lose_nothing(store):
    write(store, [row(n) for n in range(60)], rows_per_shard=2)
    done, works = [], [partial(compact_all, store, VECTOR, Limits(rows=5))] * 2
    works += [partial(write, store, [row(n) for n in range(60, 120)], rows_per_shard=3)]
    for work in works:
        child = os.fork()
        if child == 0:
            work()
            work()
            os._exit(0)
        done.append(child)
    ids, digests = keys(*range(60))
    for _ in range(20):
        columns, _ = read_columns(store, ids, {VECTOR: digests})
        assert columns[VECTOR.name].present.all()
    assert [os.waitpid(child, 0)[1] for child in done] == [0, 0, 0]
    assert values_of(read(store, *range(120))) == [[float(n)] * 3 for n in range(120)]
