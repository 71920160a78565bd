"""How long an ablation of all subsets takes, beside fitting every arm on its own.

    python -m bench.ablate [--rows 20000] [--width 256] [--features 5] [--usual-folds 1]

The rows are planted: each feature shows, mixed at random and with noise, some of 64 hidden factors,
so that features overlap; the target is a sum of eight factors and noise. Ours is what `ablate` does
after reading: all arms and folds of the head `linear`, then scores, differences and Shapley values
with intervals. The usual ways fit the same arms on the same rows one after the other, penalties
chosen by leaving rows out: the head `linear` through the catalog, and scikit-learn's RidgeCV. They
are measured on some folds, and multiplied. The target is 60 s for 31 arms on two cores.
"""

from __future__ import annotations

import argparse
import functools
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bench.machine import machine
from cache.spec import Column, FeatureSpec
from cache.table import FeatureTable
from corpus.splits import SplitPlan
from corpus.targets import TargetPlan
from heads.ablation.fold import Selection, fit_arm, learnt_at_last
from heads.ablation.journal import Journal
from heads.ablation.plan import AblationPlan, arms_of, players_of
from heads.ablation.result import result_of
from heads.ablation.run import Setting, asked_of, run_ablation
from heads.fit import divide
from heads.folding import FoldTables, tables_of
from heads.penalised.ridge import PENALTIES
from heads.result import FitConfig
from scoring.ablation import Ablation

FACTORS, FOLDS = 64, 5


class Took(NamedTuple):
    """Seconds on the clock, and seconds of all cores together: others may have used them too."""

    clock: float
    cores: float


def main() -> None:
    """Print times, their ratio, the peak memory and what was found."""
    options = _options()
    print(machine())
    table, target = planted(options.rows, options.width, options.features)
    config = FitConfig(
        head="linear",
        target=TargetPlan("planted"),
        split=SplitPlan.parse(f"kfold:{FOLDS}"),
        features=tuple(table.columns),
        refit=True,
    )
    data, folds, _ = divide(table, target.tolist(), config)
    arms = arms_of("all", options.features, seed=0)
    plan = AblationPlan(config, {"linear": {}}, players_of(config.features, {}), (), arms, (0,))
    setting, count = Setting(data, folds, plan), len(arms.sets) - 1
    print(f"{count} arms of {options.features} x {options.width}, {options.rows} rows, 5 folds")
    with (
        tempfile.TemporaryDirectory() as folder,
        Journal(Path(folder), asked_of(setting)) as journal,
    ):
        fitting, _ = timed(lambda: run_ablation(setting, journal))
        costs = dict.fromkeys(config.features)
        judging, found = timed(lambda: result_of(setting, journal, metric="srocc", costs=costs))
    ours = Took(fitting.clock + judging.clock, fitting.cores + judging.cores)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    _line("ours", ours)
    _line("  fits", fitting)
    _line("  scores and intervals", judging)
    print(f"  peak memory {peak:.2f} GiB, features {_size_gib(table):.2f} GiB")
    some = [tables_of(data, fold) for fold in folds[: options.usual_folds]]
    selections = [plan.selection(players) for players in arms.sets if players]
    share = len(folds) / max(len(some), 1)
    for name, fit in (("head linear, arm by arm", by_head), ("RidgeCV, arm by arm", by_ridge_cv)):
        if some:
            took, _ = timed(functools.partial(fit, some, config, selections))
            _line(name, Took(took.clock * share, took.cores * share), ours)
    print(f"  those without intervals, measured on {len(some)} of {len(folds)} folds")
    _print_found(found)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=20_000, help="of the table (20000)")
    parser.add_argument("--width", type=int, default=256, help="columns of a feature (256)")
    parser.add_argument("--features", type=int, default=5, help="of the table (5)")
    parser.add_argument(
        "--usual-folds", type=int, default=1, help="folds fitted the usual ways (1); 0: none"
    )
    return parser.parse_args()


def timed(work: Callable[[], Ablation | None]) -> tuple[Took, Ablation | None]:
    """Return how long some work took, and what it gave."""
    start, busy = time.perf_counter(), time.process_time()
    found = work()
    return Took(time.perf_counter() - start, time.process_time() - busy), found


def planted(rows: int, width: int, features: int) -> tuple[FeatureTable, np.ndarray]:
    """Return a table of features that share factors, and its target, float64 [rows]."""
    generator = np.random.default_rng(0)
    factors = generator.normal(size=(rows, FACTORS)).astype(np.float32)
    columns = {}
    for place in range(features):
        seen = factors[:, generator.permutation(FACTORS)[: FACTORS // 2]]
        mixing = generator.normal(size=(seen.shape[1], width)).astype(np.float32)
        noise = generator.normal(scale=0.5, size=(rows, width)).astype(np.float32)
        spec = FeatureSpec(f"feature{place + 1}", (width,), "float32", ("video",), {})
        values = seen @ mixing / np.float32(np.sqrt(seen.shape[1])) + noise
        columns[spec.name] = Column(spec, values, None, np.ones(rows, bool))
    target = factors[:, :8].sum(axis=1) + generator.normal(scale=3, size=rows)
    ids = np.array([f"row{place:06d}" for place in range(rows)])
    return FeatureTable(ids, columns), target.astype(np.float64)


def by_head(
    folds: Sequence[FoldTables], config: FitConfig, selections: Sequence[Selection]
) -> None:
    """Fit each arm as `fit-head` does."""
    for given in folds:
        for selection in selections:
            fit_arm(given, config, selection)


def by_ridge_cv(
    folds: Sequence[FoldTables], config: FitConfig, selections: Sequence[Selection]
) -> None:
    """Fit each arm with scikit-learn, once: scaled columns, the same number of penalties."""
    del config
    for given in folds:
        rows = learnt_at_last(given)
        table, tested = given.table.take(rows), given.table.take(given.test)
        for selection in selections:
            matrix = np.hstack([table.columns[name].pooled() for name in selection])
            alphas = np.array(PENALTIES) * matrix.size
            model = make_pipeline(StandardScaler(), RidgeCV(alphas=alphas))
            model.fit(matrix, table.target)
            model.predict(np.hstack([tested.columns[name].pooled() for name in selection]))


def _line(name: str, took: Took, beside: Took | None = None) -> None:
    times = ""
    if beside is not None:
        times = f"{took.clock / beside.clock:6.1f} times ours ({took.cores / beside.cores:.1f})"
    print(f"  {name:26} {took.clock:8.1f} s, {took.cores:8.1f} s of cores  {times}", flush=True)


def _size_gib(table: FeatureTable) -> float:
    return sum(column.values.nbytes for column in table.columns.values()) / 2**30


def _print_found(found: Ablation | None) -> None:
    assert found is not None
    everybody = found.everybody["linear"]
    print(f"  srocc of all {everybody.value:.4f} [{everybody.low:.4f}, {everybody.high:.4f}]")
    for line in found.players:
        value = line.shapley
        assert value is not None
        print(
            f"  Shapley value of {line.name} {value.value:.4f} [{value.low:.4f}, {value.high:.4f}]"
        )


if __name__ == "__main__":
    main()
