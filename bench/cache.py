"""How fast the cache reads and resumes, beside the fastest there is: `np.load` of the same array.

    python -m bench.cache [--rows 120000] [--width 768] [--folder DIR]

Prints the machine and its load, both times side by side and their ratio. The two take turns; each
time is the best of nine, in one process, with the files in memory (page cache).
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import h5py
import numpy as np

from cache.known import IdIndex
from cache.reading import read_column, read_known
from cache.shard import FORMATS
from cache.spec import FeatureSpec, Row
from cache.store import Store
from cache.stream import SequenceStream
from cache.writer import Limits, ShardWriter
from core.fingerprint import digest_strings

REPEATS = 9
RESUME_ROWS, RESUME_FEATURES, RESUME_SHARDS = 100_000, 12, 20
STREAMED = 10_000
LIMITS = Limits(rows=5_000)


def main() -> None:
    """Measure and print."""
    options = _options()
    print(_machine())
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        _reading(folder, options.rows, options.width)
        _resume(folder)
        _formats(folder, options.rows, options.width)
        _streaming(folder)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=120_000, help="samples (120000)")
    parser.add_argument("--width", type=int, default=768, help="numbers per sample (768)")
    parser.add_argument("--folder", help="where to put the files while measuring (temporary)")
    return parser.parse_args()


def _machine() -> str:
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}; "
        f"Python {platform.python_version()}, numpy {np.__version__}, h5py {h5py.__version__}; "
        f"load average {os.getloadavg()[0]:.1f}"
    )


def _reading(folder: Path, rows: int, width: int) -> None:
    """Compare reading a column, in order, shuffled and with gaps, with `np.load`."""
    ids, digests = _keys(rows)
    array = np.random.default_rng(0).standard_normal((rows, width), np.float32).astype(np.float16)
    np.save(folder / "array.npy", array)
    store, spec = Store(folder / "cache"), _spec("video", width)
    _write(store, spec, ids, digests, values=array)
    order = np.random.default_rng(1).permutation(rows).tolist()
    shuffled = [ids[row] for row in order], [digests[row] for row in order]
    half = ids[::2], digests[::2]
    index = IdIndex(ids)
    assert np.array_equal(read_column(store, spec, index, digests).values, array)

    known = store.known(spec, index, digests)

    def load() -> np.ndarray:
        loaded: np.ndarray = np.load(folder / "array.npy")
        return loaded

    print(f"[{rows}, {width}] float16, {array.nbytes / 1e6:.0f} MB, np.load beside the cache:")
    for name, work in {
        "values, keys matched before": lambda: read_known(known),
        "keys and values": lambda: read_column(store, spec, index, digests),
        "keys and values, ids indexed anew": lambda: read_column(store, spec, ids, digests),
        "shuffled": lambda: read_column(store, spec, *shuffled),
        "every other sample": lambda: read_column(store, spec, *half),
        "ids, digests, statuses only": lambda: store.headers(spec),
    }.items():
        plain_s, cache_s = _best(load, work)
        times = f"np.load {plain_s:.3f} s, cache {cache_s:.3f} s, ratio {cache_s / plain_s:.2f}"
        print(f"  {name} ({len(store.shards(spec))} shards): {times}")


def _resume(folder: Path) -> None:
    """Measure what a run costs that finds nothing missing."""
    ids, digests = _keys(RESUME_ROWS)
    store = Store(folder / "resume")
    specs = [_spec(f"feature-{number}", 4) for number in range(RESUME_FEATURES)]
    values = np.zeros((RESUME_ROWS, 4), np.float16)
    for spec in specs:
        limits = Limits(rows=RESUME_ROWS // RESUME_SHARDS)
        _write(store, spec, ids, digests, values=values, limits=limits)

    def resume() -> int:
        index = IdIndex(ids)
        return sum(int((~store.known(spec, index, digests).found).sum()) for spec in specs)

    index = IdIndex(ids)
    one, every = _best(lambda: store.known(specs[0], index, digests), resume)
    keys = f"{RESUME_ROWS} rows, {RESUME_SHARDS} shards"
    print(f"known, {keys}, 1 feature: {one:.3f} s (target 0.150)")
    print(f"known, {keys}, {RESUME_FEATURES} features: {every:.3f} s (target 1.000)")


def _formats(folder: Path, rows: int, width: int) -> None:
    """Compare the other shard formats with HDF5: writing, matching, reading."""
    ids, digests = _keys(rows)
    array = np.random.default_rng(0).standard_normal((rows, width), np.float32).astype(np.float16)
    spec, index = _spec("format", width), IdIndex(ids)
    stores = {name: Store(folder / f"as-{name}") for name in FORMATS}
    for name, store in stores.items():
        started = time.perf_counter()
        _write(store, spec, ids, digests, values=array, format=name)
        size = sum(shard.marker.size_bytes for shard in store.shards(spec)) / 1e6
        print(
            f"{name}: {rows} rows written in {time.perf_counter() - started:.1f} s, {size:.0f} MB"
        )
    order = np.random.default_rng(1).permutation(rows).tolist()
    shuffled = [ids[row] for row in order], [digests[row] for row in order]
    half = ids[::2], digests[::2]
    known = {name: store.known(spec, index, digests) for name, store in stores.items()}
    for what, work in {
        "ids and digests matched": lambda name: stores[name].known(spec, index, digests),
        "values, keys matched before": lambda name: read_known(known[name]),
        "keys and values": lambda name: read_column(stores[name], spec, index, digests),
        "shuffled": lambda name: read_column(stores[name], spec, *shuffled),
        "every other sample": lambda name: read_column(stores[name], spec, *half),
    }.items():
        h5_s, tar_s = _best(partial(work, "h5"), partial(work, "tar"))
        print(f"  {what}: h5 {h5_s:.3f} s, tar {tar_s:.3f} s, ratio {tar_s / h5_s:.2f}")


def _streaming(folder: Path) -> None:
    """Measure sequences that go by in batches, in one process."""
    ids, digests = _keys(STREAMED)
    spec = FeatureSpec("tokens", ("token", 256), "float16", ("video",), {"version": 1})
    lengths = np.random.default_rng(0).integers(10, 110, STREAMED).tolist()
    values = [np.ones((length, 256), np.float16) for length in lengths]
    for name in FORMATS:
        store = Store(folder / f"stream-{name}")
        _write(store, spec, ids, digests, values=values, format=name)
        stream = SequenceStream(store.known(spec, ids, digests), batch_size=32)
        (spent,) = _best(lambda stream=stream: sum(len(batch.rows) for batch in stream))
        size = sum(lengths) * 512 / 1e6
        print(f"streaming, {name}: {STREAMED / spent:.0f} sequences/s, {size / spent:.0f} MB/s")


def _keys(rows: int) -> tuple[list[str], list[bytes]]:
    ids = [f"user{row % 977:04d}/clip-{row:07d}.mp4" for row in range(rows)]
    return ids, [digest_strings([sample_id]) for sample_id in ids]


def _spec(name: str, width: int) -> FeatureSpec:
    return FeatureSpec(name, (width,), "float16", ("video",), {"version": 1})


def _write(
    store: Store,
    spec: FeatureSpec,
    ids: list[str],
    digests: list[bytes],
    *,
    values: Sequence[np.ndarray] | np.ndarray,
    limits: Limits = LIMITS,
    format: str = "h5",
) -> None:
    started = time.perf_counter()
    with ShardWriter(store, spec, limits=limits, format=format) as writer:
        for sample_id, digest, value in zip(ids, digests, values, strict=True):
            writer.add(Row.of(sample_id, digest, value))
    if spec.name == "video":
        print(f"written {len(ids)} rows in {time.perf_counter() - started:.1f} s, synced")


def _best(*works: Callable[[], object]) -> list[float]:
    """Return the least seconds of each; they take turns, so that other load meets all of them."""
    rounds = [[_seconds(work) for work in works] for _ in range(REPEATS)]
    return [min(times) for times in zip(*rounds, strict=True)]


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
