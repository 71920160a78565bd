"""How fast the rows most like another are found, and how many of them, by three searches.

    python -m bench.knn [--rows 200000] [--columns 256] [--queries 1000] [--threads 2]

The rows are simulated embeddings: 64 hidden factors around 2,000 middles, mixed into more columns.
Every search answers the same queries in this one run: scikit-learn's brute force, all rows compared
by faiss (what the head `knn` does, and `cache index` up to 100,000 rows), and the inverted file of
`cache index` beyond. Recall is the share of the ten nearest that an inverted file finds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import faiss
import numpy as np
from sklearn.neighbors import NearestNeighbors

from bench.machine import machine
from cache.index import searchable
from cache.neighbours import nearest

WANTED = 10
FACTORS, MIDDLES = 64, 2000


def main() -> None:
    """Print a line for each search."""
    given = _options()
    faiss.omp_set_num_threads(given.threads)
    print(machine())
    vectors, queries = simulated(given.rows, given.columns, given.queries)
    size = f"{len(vectors)} x {vectors.shape[1]} float32"
    print(f"{size}, {len(queries)} queries, {WANTED} nearest, {given.threads} threads")
    started = time.perf_counter()
    index = searchable(vectors)
    made = time.perf_counter() - started
    brute = NearestNeighbors(n_neighbors=WANTED, algorithm="brute", n_jobs=given.threads)
    brute.fit(vectors)
    searches: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "scikit-learn, brute": lambda asked: brute.kneighbors(asked, return_distance=False),
        "all compared (faiss)": lambda asked: nearest(vectors, asked, WANTED)[0],
        f"{_kind(index)}, made in {made:.1f} s": lambda asked: index.search(asked, WANTED)[1],
    }
    exact = searches["all compared (faiss)"](queries)
    slowest = 0.0
    for name, search in searches.items():
        together_s, found = _timed(search, queries)
        alone_s = np.median([_timed(search, queries[row : row + 1])[0] for row in range(50)])
        slowest = slowest or together_s
        print(
            f"  {name:28} {1e3 * together_s / len(queries):8.3f} ms a query together, "
            f"{1e3 * alone_s:8.2f} ms alone, {slowest / together_s:6.1f} times scikit-learn's "
            f"speed, recall {recall(exact, found):.4f}",
            flush=True,
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=200_000, help="rows that are searched (200000)")
    parser.add_argument("--columns", type=int, default=256, help="of the embedding (256)")
    parser.add_argument("--queries", type=int, default=1000, help="asked together (1000)")
    parser.add_argument("--threads", type=int, default=2, help="of every search (2)")
    return parser.parse_args()


def simulated(rows: int, columns: int, queries: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and queries drawn alike, float32 [rows, columns] and [queries, columns]."""
    generator = np.random.default_rng(0)
    middles = generator.normal(size=(MIDDLES, FACTORS)).astype(np.float32)
    mixing = generator.normal(size=(FACTORS, columns)).astype(np.float32) / np.sqrt(FACTORS)
    which = generator.integers(0, MIDDLES, rows + queries)
    factors = middles[which] + 0.5 * generator.normal(size=(len(which), FACTORS)).astype(np.float32)
    noise = generator.normal(scale=0.2, size=(len(which), columns)).astype(np.float32)
    vectors = factors @ mixing + noise
    return np.ascontiguousarray(vectors[:rows]), np.ascontiguousarray(vectors[rows:])


def _kind(index: faiss.Index) -> str:
    if not isinstance(index, faiss.IndexIVF):
        return "flat index"
    return f"ivf {index.nlist}/{index.nprobe}"


def _timed(
    search: Callable[[np.ndarray], np.ndarray], queries: np.ndarray
) -> tuple[float, np.ndarray]:
    started = time.perf_counter()
    found = search(queries)
    return time.perf_counter() - started, found


def recall(exact: np.ndarray, found: np.ndarray) -> float:
    """Return the share of the nearest rows that were found."""
    pairs = zip(exact.tolist(), found.tolist(), strict=True)
    return float(np.mean([len(set(a) & set(b)) / len(a) for a, b in pairs]))


if __name__ == "__main__":
    main()
