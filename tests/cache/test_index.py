"""An index: what it finds, when it has grown or is stale, and that nobody trusts a broken one."""

import json
from dataclasses import replace

import numpy as np
import pytest

from cache.compaction import compact, plan_merges
from cache.doctor import check
from cache.index import load_index, make_index, rows_of, save_index, searchable, state_of
from cache.neighbours import nearest
from cache.similar import most_like, row_of
from cache.spec import FeatureSpec, Row
from cache.store import Store
from core.errors import CacheError, StorageError, UsageError
from core.status import absent
from tests.cache.mounts import as_root, read_only
from tests.cache.rows import VECTOR, WORDS, digest, write

SPEC = FeatureSpec("net", (8,), "float32", ("video",), {"version": 1})
GRAMS = FeatureSpec(
    "grams:title", ("gram", 2), "float32", ("text:title",), {"layout": "counts", "buckets": 50}
)


def rows(numbers, *, seed=0, key=None):
    """Return rows whose values hang together: neighbours in number are near."""
    noise = np.random.default_rng(seed).normal(scale=0.01, size=(1000, 8))
    return [
        Row.of(
            f"clip-{n}",
            digest(n if key is None else key),
            ((1 + np.arange(8) % 3) * n + noise[n]).astype(np.float32),
        )
        for n in numbers
    ]


@pytest.fixture
def store(tmp_path):
    return write(Store(tmp_path), rows(range(60)), spec=SPEC)


def like(store, number, count=2, spec=SPEC):
    asked = row_of(rows_of(store, spec), f"clip-{number}")
    return most_like(store, spec, asked, count, without=f"clip-{number}")


def test_the_rows_most_like_one_come_with_distances(store):
    found = like(store, 30, count=3)
    assert {name for name, _ in found[:2]} == {"clip-29", "clip-31"}
    assert 0 < found[0][1] <= found[1][1] <= found[2][1] < 1
    assert np.median([d for _, d in like(store, 30, count=59)]) == pytest.approx(1, abs=0.9)


def test_an_index_changes_nothing_but_time(store):
    before = like(store, 7)
    save_index(store, make_index(store, SPEC))
    assert state_of(store, SPEC) == "fresh"
    assert like(store, 7) == before


def test_rows_that_are_added_are_compared_beside_the_index(store):
    save_index(store, make_index(store, SPEC))
    write(store, rows([60, 61]), spec=SPEC)
    assert state_of(store, SPEC) == "grown"
    assert {name for name, _ in like(store, 60)} == {"clip-59", "clip-61"}


def test_a_younger_value_takes_the_place_of_the_index_s(store):
    save_index(store, make_index(store, SPEC))
    moved = replace(rows([3])[0], inputs_digest=digest("new"), value=rows([900])[0].value)
    write(store, [moved], spec=SPEC)
    assert "clip-3" not in {name for name, _ in like(store, 4)}
    assert like(store, 3, count=1)[0][0] == "clip-59"


def test_an_index_is_stale_when_its_shards_were_compacted(tmp_path):
    store = write(Store(tmp_path), rows(range(30)), spec=SPEC, rows_per_shard=10)
    save_index(store, make_index(store, SPEC))
    (merge,) = plan_merges(store, SPEC)
    compact(store, merge)
    assert state_of(store, SPEC) == "stale"
    assert load_index(store, SPEC) is None
    assert len(like(store, 7)) == 2


def test_an_index_is_stale_when_its_feature_is_computed_again(store):
    save_index(store, make_index(store, SPEC))
    folder = store.folder_of(SPEC)
    kept = {name: (folder / name).read_bytes() for name in ("index.json", "index.faiss")}
    store.drop(SPEC)
    assert not folder.exists()
    write(store, rows(range(60), seed=1), spec=SPEC)
    assert state_of(store, SPEC) == "none"
    for name, content in kept.items():
        (folder / name).write_bytes(content)
    assert state_of(store, SPEC) == "stale"


def test_another_recipe_has_no_index(store):
    save_index(store, make_index(store, SPEC))
    other = replace(SPEC, recipe={"version": 2})
    write(store, rows(range(5)), spec=other)
    assert state_of(store, other) == "none"


@pytest.mark.parametrize("name", ["index.json", "index.faiss"])
def test_a_broken_index_is_not_used(store, name):
    save_index(store, make_index(store, SPEC))
    path = store.folder_of(SPEC) / name
    path.write_bytes(path.read_bytes()[:-9] + b"123456789")
    assert load_index(store, SPEC) is None
    assert len(like(store, 7)) == 2


def test_an_index_that_lacks_its_file_is_not_used(store):
    save_index(store, make_index(store, SPEC))
    (store.folder_of(SPEC) / "index.faiss").unlink()
    assert load_index(store, SPEC) is None


def test_a_marker_that_lies_about_rows_is_not_used(store):
    save_index(store, make_index(store, SPEC))
    path = store.folder_of(SPEC) / "index.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"ids": ["one"]}))
    assert load_index(store, SPEC) is None


def test_an_index_is_at_home_in_its_folder(store, tmp_path):
    save_index(store, make_index(store, SPEC))
    assert check(tmp_path) == []


@as_root
def test_a_read_only_cache_is_named_with_its_remedy(store, tmp_path):
    index = make_index(store, SPEC)
    with read_only(tmp_path), pytest.raises(StorageError, match="make it writable"):
        save_index(store, index)


def test_no_pickle_is_written(store):
    save_index(store, make_index(store, SPEC))
    folder = store.folder_of(SPEC)
    assert (folder / "index.faiss").read_bytes()[:2] == b"Ix"
    assert json.loads((folder / "index.json").read_text())["kind"] == "flat"


def test_gaps_are_in_no_index(tmp_path):
    gap = Row.of("clip-9", digest(9), absent("no-audio"))
    store = write(Store(tmp_path), [*rows(range(5)), gap], spec=SPEC)
    assert len(make_index(store, SPEC).ids) == 5


@pytest.mark.parametrize("spec", [WORDS, GRAMS])
def test_texts_and_n_grams_have_no_index(store, spec):
    with pytest.raises(UsageError, match="an index is of vectors"):
        make_index(store, spec)


def test_a_feature_without_values_has_no_index(tmp_path):
    with pytest.raises(CacheError, match=r"the cache has no value of net@small"):
        make_index(Store(tmp_path), VECTOR)


def test_values_that_are_all_the_same_have_no_index(tmp_path):
    same = [replace(row, value=np.ones(8, np.float32)) for row in rows(range(5))]
    store = write(Store(tmp_path), same, spec=SPEC)
    with pytest.raises(CacheError, match="the 5 values of net are all the same"):
        make_index(store, SPEC)


def test_n_grams_are_compared_by_what_they_have_in_common(tmp_path):
    grams = {0: [1, 2, 3], 1: [1, 2, 4], 2: [7, 8], 3: [1, 9]}
    store = write(
        Store(tmp_path),
        [
            Row.of(f"clip-{n}", digest(n), np.array([[b, 1] for b in buckets], np.float32))
            for n, buckets in grams.items()
        ],
        spec=GRAMS,
    )
    found = like(store, 0, count=3, spec=GRAMS)
    assert [name for name, _ in found] == ["clip-1", "clip-3", "clip-2"]
    assert found[2][1] == pytest.approx(1)


def test_neighbours_are_those_of_a_full_comparison():
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(700, 5)).astype(np.float32)
    queries = generator.normal(size=(40, 5)).astype(np.float32)
    rows, distances = nearest(vectors, queries, 4)
    full = ((queries[:, None].astype(float) - vectors) ** 2).sum(axis=2)
    np.testing.assert_array_equal(rows, np.argsort(full, axis=1)[:, :4])
    np.testing.assert_allclose(distances, np.sort(full, axis=1)[:, :4], rtol=1e-4)


@pytest.mark.slow
def test_an_inverted_file_finds_what_comparing_all_rows_does():
    generator = np.random.default_rng(0)
    middles = generator.normal(size=(2000, 64))
    vectors = middles[generator.integers(0, 2000, 120_000)] + 0.5 * generator.normal(
        size=(120_000, 64)
    )
    vectors = vectors.astype(np.float32)
    queries = vectors[:500] + 0.05 * generator.normal(size=(500, 64)).astype(np.float32)
    index = searchable(vectors)
    assert index.nlist > 1000
    found = index.search(queries, 10)[1]
    exact = nearest(vectors, queries, 10)[0]
    recall = np.mean(
        [len(set(a) & set(b)) / 10 for a, b in zip(found.tolist(), exact.tolist(), strict=True)]
    )
    assert recall > 0.95
    np.testing.assert_array_equal(found, searchable(vectors).search(queries, 10)[1])
