"""A stream gives every sample once, in an order that a seed decides, and reads as it goes."""

import itertools

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from cache.reading import read_known
from cache.spec import FeatureSpec, Row
from cache.stream import SequenceStream, pad
from core.errors import CacheError, UsageError
from core.status import absent
from tests.cache.rows import RAGGED, VECTOR, WORDS, digest, keys, row, write

N = 200
GAPS = range(0, N, 9)
FILLED = [n for n in range(N) if n not in GAPS]
LONG = FeatureSpec("long", ("token", 2), "float16", ("video",), {})


@pytest.fixture
def known(store):
    """Return what a cache of 12 shards of both formats knows of 200 sequences, 23 being gaps."""
    rows = [row(n, absent("no-audio") if n in GAPS else None, spec=RAGGED) for n in range(N)]
    write(store, rows[:100], spec=RAGGED, rows_per_shard=20, format="tar")
    write(store, rows[100:], spec=RAGGED, rows_per_shard=15)
    return store.known(RAGGED, *keys(*range(N)))


def rows_of(stream, **options) -> list[int]:
    """Return the rows of a stream in the order in which a DataLoader gives them."""
    loader = DataLoader(stream, batch_size=None, **options)
    return [n for batch in loader for n in np.atleast_1d(batch[0]).tolist()]


@pytest.mark.parametrize("batch_size", [None, 8])
@pytest.mark.parametrize("workers", [0, 1, 2])
def test_the_workers_of_a_loader_give_every_sample_once(known, workers, batch_size):
    stream = SequenceStream(known, buffer=32, batch_size=batch_size)
    assert sorted(rows_of(stream, num_workers=workers)) == FILLED


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("world", [2, 5])
def test_processes_that_train_together_share_samples_and_batches_evenly(known, world, workers):
    counts = []
    for batch_size in (None, 8):
        streams = [
            SequenceStream(known, buffer=32, batch_size=batch_size, share=(rank, world))
            for rank in range(world)
        ]
        shares = [list(DataLoader(s, batch_size=None, num_workers=workers)) for s in streams]
        rows = [n for share in shares for item in share for n in np.atleast_1d(item[0]).tolist()]
        assert sorted(rows) == FILLED
        counts.append({len(share) for share in shares})
    assert all(max(lengths) - min(lengths) <= 1 for lengths in counts)


def test_one_small_shard_is_shared_too_and_not_always_alike(store):
    write(store, [row(n, spec=RAGGED) for n in range(16)], spec=RAGGED)
    small = store.known(RAGGED, *keys(*range(16)))
    shares = [rows_of(SequenceStream(small, share=(rank, 3), seed=1)) for rank in range(3)]
    assert sorted(itertools.chain(*shares)) == list(range(16))
    assert sorted(map(len, shares)) == [5, 5, 6]
    other = rows_of(SequenceStream(small, share=(0, 3), seed=2))
    assert set(other) != set(shares[0])


@pytest.mark.parametrize("batch_size", [None, 8])
def test_seed_and_epoch_decide_the_order(known, batch_size):
    def order(seed: int, epoch: int) -> list[int]:
        stream = SequenceStream(known, buffer=64, seed=seed, batch_size=batch_size)
        stream.set_epoch(epoch)
        return rows_of(stream)

    assert order(1, 0) == order(1, 0)
    assert len({tuple(order(seed, epoch)) for seed in (1, 2) for epoch in (0, 1)}) == 4


def test_workers_that_live_on_see_the_epoch_change(known):
    stream = SequenceStream(known, buffer=64)
    loader = DataLoader(stream, batch_size=None, num_workers=1, persistent_workers=True)
    seen = []
    for epoch in (0, 1, 0):
        stream.set_epoch(epoch)
        seen.append([item.row for item in loader])
    assert seen[0] == seen[2] != seen[1]


def test_a_shuffle_reaches_over_shards(known):
    rows = rows_of(SequenceStream(known, buffer=128))
    assert len({known.shard[n] for n in rows[:20]}) > 5
    assert rows_of(SequenceStream(known, shuffle=False)) != rows


def test_without_a_shuffle_samples_come_as_they_were_stored(known):
    stored = sorted(FILLED, key=lambda n: (known.shard[n], known.place[n]))
    assert rows_of(SequenceStream(known, shuffle=False, buffer=10)) == stored
    batches = list(SequenceStream(known, shuffle=False, buffer=10, batch_size=25))
    assert [len(batch.rows) for batch in batches] == [25] * 7 + [2]


@pytest.mark.parametrize("batch_size", [None, 16])
def test_values_and_mask_are_those_of_the_column(known, batch_size):
    values, mask = read_known(known).padded()
    stream = SequenceStream(known, batch_size=batch_size)
    options = {"batch_size": None} if batch_size else {"batch_size": 16, "collate_fn": pad}
    for batch in DataLoader(stream, **options):
        longest = batch.values.shape[1]
        rows = batch.rows.numpy()
        assert np.array_equal(batch.values, values[rows, :longest])
        assert np.array_equal(batch.mask, mask[rows, :longest])
        assert (batch.mask.any(0).all(), batch.values.dtype) == (True, torch.float32)


@pytest.fixture
def lengths():
    """Give 300 lengths, each of many samples."""
    return np.random.default_rng(0).integers(1, 60, 300)


@pytest.fixture
def uneven(store, lengths):
    """Give what is known of samples of these lengths."""
    write(store, [Row.of(f"clip-{n}", digest(n), np.ones((size, 2))) for n, size in
                  enumerate(lengths)], spec=LONG)  # fmt: skip
    return store.known(LONG, *keys(*range(300)))


def test_batches_of_similar_length_have_less_padding(uneven, lengths):
    filled = []
    for options in ({"batch_size": 16}, {"batch_size": 16, "shuffle": False}):
        batches = list(SequenceStream(uneven, **options))
        assert sum(int(batch.mask.sum()) for batch in batches) == lengths.sum()
        filled.append(lengths.sum() / sum(batch.mask.numel() for batch in batches))
    assert filled[0] > 0.85 > 0.6 > filled[1]


def test_a_sample_has_other_companions_in_the_next_epoch(uneven):
    stream, pairs = SequenceStream(uneven, batch_size=16), []
    for epoch in (0, 1):
        stream.set_epoch(epoch)
        batches = [batch.rows.tolist() for batch in stream]
        pairs.append({(a, b) for rows in batches for a in rows for b in rows if a < b})
    assert len(pairs[0] & pairs[1]) < 0.6 * len(pairs[0])


def test_a_stream_reads_only_what_comes_next(known):
    last = known.shards[-1].path
    last.write_bytes(b"")
    stream = iter(SequenceStream(known, shuffle=False, buffer=16))
    assert next(stream).row == 1
    with pytest.raises(CacheError, match=last.name):
        list(stream)


def test_a_vector_is_a_sequence_of_one(store):
    write(store, [row(n) for n in range(5)])
    (batch,) = SequenceStream(store.known(VECTOR, *keys(*range(5))), batch_size=9, shuffle=False)
    assert batch.values.tolist() == [[[float(n)] * 3] for n in range(5)]


def test_no_samples_give_an_empty_stream(store):
    assert list(SequenceStream(store.known(RAGGED, *keys(0, 1)), batch_size=4)) == []


def test_what_is_no_sequence_is_refused(store):
    counts = FeatureSpec("ngrams", ("gram", 2), "float32", (), {"layout": "counts"})
    for spec in (WORDS, counts):
        with pytest.raises(UsageError, match="is no sequence of numbers"):
            SequenceStream(store.known(spec, *keys(0)))
    with pytest.raises(UsageError, match=r"share \(2, 2\) is not \(rank, world\)"):
        SequenceStream(store.known(RAGGED, *keys(0)), share=(2, 2))
