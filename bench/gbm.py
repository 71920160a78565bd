"""How fast the head `gbm` fits wide embeddings, beside LightGBM's defaults, at what score.

    python -m bench.gbm [--rows 20000] [--columns 768] [--rounds 100]

The rows are planted: columns are 64 hidden factors mixed at random and noise, as neighbouring
columns of an embedding say much the same; the target is a sum of eight factors, four of them bent,
and noise, of which a perfect model would explain 80 %. Both fits get the same rows, the same number
of trees and the same learning rate, and are scored on rows that neither has seen. The target is a
third of the time at equal score.
"""

from __future__ import annotations

import argparse
import time

import lightgbm
import numpy as np
from scipy import stats

from bench.machine import machine
from cache.spec import Column, FeatureSpec
from cache.table import FeatureTable
from heads.contract import Problem
from heads.gbm import Gbm, GbmOptions

FACTORS = 64
TESTED = 5000


def main() -> None:
    """Print both times and scores."""
    options = _options()
    print(machine())
    rows = options.rows + TESTED
    table = planted(rows, options.columns)
    train = table.take(np.arange(options.rows))
    test = table.take(np.arange(options.rows, rows))
    print(f"{options.rows} x {options.columns}, {options.rounds} trees, {TESTED} test rows")
    ours_s, ours = fit_head(train, test, options.rounds)
    theirs_s, theirs = fit_defaults(train, test, options.rounds)
    print(f"  LightGBM's defaults  {theirs_s:8.2f} s   {scores(test, theirs)}")
    print(f"  head gbm             {ours_s:8.2f} s   {scores(test, ours)}")
    print(f"  times faster         {theirs_s / ours_s:8.1f}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=20_000, help="train rows (20000)")
    parser.add_argument("--columns", type=int, default=768, help="of the embedding (768)")
    parser.add_argument("--rounds", type=int, default=100, help="trees (100)")
    return parser.parse_args()


def planted(rows: int, columns: int, seed: int = 0) -> FeatureTable:
    """Return a table of one embedding, float32 [rows, columns], and its target."""
    generator = np.random.default_rng(seed)
    factors = generator.normal(size=(rows, FACTORS)).astype(np.float32)
    mixing = generator.normal(size=(FACTORS, columns)).astype(np.float32) / np.sqrt(FACTORS)
    noise = generator.normal(scale=0.5, size=(rows, columns)).astype(np.float32)
    signal = factors[:, :4].sum(axis=1) + np.abs(factors[:, 4:8]).sum(axis=1)
    target = signal + generator.normal(scale=0.5 * signal.std(), size=rows)
    spec = FeatureSpec("planted", (columns,), "float32", ("video",), {})
    column = Column(spec, factors @ mixing + noise, None, np.ones(rows, bool))
    ids = np.arange(rows).astype(str)
    return FeatureTable(ids, {"planted": column}, target.astype(np.float64))


def fit_head(train: FeatureTable, test: FeatureTable, rounds: int) -> tuple[float, np.ndarray]:
    """Return seconds of fitting, design matrix included, and predictions of test rows."""
    head = Gbm(Problem("regression"), GbmOptions(rate=0.1))
    start = time.perf_counter()
    head.fit(train, None, seed=0, fixed={"iterations": rounds})
    return time.perf_counter() - start, head.predict(test)


def fit_defaults(train: FeatureTable, test: FeatureTable, rounds: int) -> tuple[float, np.ndarray]:
    """Return the same of LightGBM as it comes, which learns at the rate 0.1."""
    matrix = train.columns["planted"].pooled()
    start = time.perf_counter()
    data = lightgbm.Dataset(matrix, train.target)
    booster = lightgbm.train({"objective": "regression", "verbosity": -1}, data, rounds)
    seconds = time.perf_counter() - start
    return seconds, np.asarray(booster.predict(test.columns["planted"].pooled()))


def scores(test: FeatureTable, predicted: np.ndarray) -> str:
    """Return R² and rank correlation as text."""
    target = test.target
    assert target is not None
    explained = 1 - ((target - predicted) ** 2).mean() / target.var()
    return f"R2 {explained:.3f}   srocc {stats.spearmanr(target, predicted).statistic:.3f}"


if __name__ == "__main__":
    main()
