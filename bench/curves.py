"""What heads reach on real popularity curves, beside persistence and ridge regression.

    python -m bench.curves [--data DIR] [--cache DIR] [--cases NAMES] [--heads HEAD,HEAD:NAME=VALUE]

Cases: `days0` and `days1` are 6,545 curves of 22 days without and with their first day known, with
title, numbers, category and age, folds by channel; `active1`, `active3` and `active7` are 11,222
curves of 30 days, category and so many known days, 5 folds. Ridge sees what the published baseline
of these data sees (no title). Every score is of rows that neither learnt nor chose; a head learns
from train and validation rows once validation rows have chosen, the published network from train
rows alone. Intervals are 95 %, of a bootstrap that draws channels whole; differences to ridge are
paired.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench.machine import DATA, ROOT, machine
from cache.gather import META, category_spec, number_spec, table_of
from cache.spec import FeatureSpec
from cache.table import FeatureTable
from commands import loading
from corpus.splits import SplitPlan
from corpus.targets import TargetPlan
from extract.catalog import resolve
from extract.ensure import OpenCache, ensure
from extract.pipeline import Settings
from heads.fit import divide
from heads.folding import run_fold
from heads.result import FitConfig
from scoring.bootstrap import score_sequence
from scoring.compare import compare

TRENDING, ACTIVE = "yt_trending2021_22d.csv", "active_yt_30d.csv"
NUMBERS = ("duration_s", "channel_subscribers", "channel_videos", "channel_views", "title_len")
TEXT = ("words", "characters", "textstats", "language")
HEADS = ("knn", "gbm", "mlp", "lstm", "blend:of=linear;knn;lstm")
FAITHFUL = "lstm:faithful=true"  # half an hour a case on two cores


@dataclass(frozen=True)
class Case:
    """A table, how many of its days are known, and the ridge baseline that its README states."""

    table: str
    days: int
    known: int
    columns: str
    split: str
    stated: float
    text: bool


_TRENDING = f"id=video_id,text=title,category=category,author=user_id,number={'+'.join(NUMBERS)}"
CASES = {
    name: Case(TRENDING, 22, known, f"{_TRENDING}+first_day", "author-kfold:5", stated, text=True)
    for name, known, stated in (("days0", 0, 1.118), ("days1", 1, 0.231))
} | {
    f"active{known}": Case(
        ACTIVE, 30, known, "id=video_id,category=category", "kfold:5", stated, text=False
    )
    for known, stated in ((1, 1.137), (3, 0.676), (7, 0.386))
}


@dataclass(frozen=True, eq=False)
class Loaded:
    """The rows whose curves are complete: features and days, float64 [N, T]."""

    case: Case
    table: FeatureTable
    curves: np.ndarray

    @property
    def known(self) -> tuple[str, ...]:
        return tuple(f"{META}p{day}" for day in range(1, self.case.known + 1))

    @property
    def ridge(self) -> tuple[str, ...]:
        """What the baseline sees."""
        names = self.table.columns
        return tuple(name for name in names if name.startswith(META))


def load(case: Case, data: Path, cache: Path) -> Loaded:
    """Read a table; features of titles that the cache lacks are computed first."""
    days = "+".join(f"p{day}" for day in range(1, case.days + 1))
    both = (
        f"{case.columns}+{days}" if "number=" in case.columns else f"{case.columns},number={days}"
    )
    reading = loading.TableOptions(data / "timeseries" / case.table, "generic", both, None, False)
    manifest = loading.load_manifest(reading)
    opened = OpenCache.at(cache, manifest.samples)
    specs: list[FeatureSpec] = []
    if case.text:
        request = resolve(list(TEXT), parts=loading.parts_of(manifest))
        ensure(manifest.samples, request, opened, settings=Settings(workers=loading.cpu_count()))
        specs = [*request.specs]
    own = [number_spec(name) for name in manifest.columns.number]
    own += [category_spec(name) for name in manifest.columns.category]
    table, _ = table_of(manifest.samples, [*specs, *own], store=opened.store, keys=opened.keys)
    steps = [f"{META}p{day}" for day in range(1, case.days + 1)]
    values = [
        np.where(table.columns[n].present, table.columns[n].values[:, 0], np.nan) for n in steps
    ]
    curves = np.stack(values, axis=1).astype(np.float64)
    kept = [name for name in table.columns if name not in steps[case.known :]]
    rows = np.flatnonzero(np.isfinite(curves).all(axis=1))
    table = replace(table, author=manifest.author).select(kept).take(rows)
    return Loaded(case, table, curves[rows])


def predict(
    loaded: Loaded, head: str, features: Sequence[str], folds: int
) -> tuple[np.ndarray, Mapping[str, np.ndarray]]:
    """Return the rows that were tested, int64, and what the head and its baselines predict."""
    case = loaded.case
    name, _, options = head.partition(":")
    config = FitConfig(
        head=name,
        target=TargetPlan(f"p{case.known + 1}..p{case.days}", "sequence"),
        split=SplitPlan.parse(case.split, seed=0),
        options=dict(item.split("=", 1) for item in options.split("+") if item),
        features=tuple(features),
        observed=loaded.known,
        refit=head != FAITHFUL,
    )
    data, parts, _ = divide(loaded.table, [*loaded.curves[:, case.known :]], config)
    outcomes = [run_fold(data, part) for part in parts[:folds]]
    rows = np.concatenate([outcome.test for outcome in outcomes])
    names = outcomes[0].predicted
    found = {each: np.concatenate([one.predicted[each] for one in outcomes]) for each in names}
    return rows, found


def run_case(name: str, loaded: Loaded, heads: Sequence[str], folds: int) -> None:
    """Print a line for each head and baseline."""
    case = loaded.case
    shape = f"{len(loaded.table)} curves, days {case.known + 1} to {case.days}, {case.split}"
    print(f"\n{name}: {shape}; stated ridge baseline: AMAE {case.stated}", flush=True)
    started = time.perf_counter()
    rows, found = predict(loaded, "linear", loaded.ridge, folds)
    ridge = found["head"]
    if "persistence" in found:
        _line(loaded, rows, "persistence", found["persistence"], ridge, None)
    _line(loaded, rows, "ridge", ridge, None, time.perf_counter() - started)
    for head in heads:
        started = time.perf_counter()
        rows, found = predict(loaded, head, tuple(loaded.table.columns), folds)
        took = time.perf_counter() - started
        _line(loaded, rows, head, found["head"], ridge, took)


def _line(
    loaded: Loaded,
    rows: np.ndarray,
    name: str,
    predicted: np.ndarray,
    ridge: np.ndarray | None,
    took_s: float | None,
) -> None:
    truth = loaded.curves[rows, loaded.case.known :]
    groups = None if loaded.table.author is None else loaded.table.author[rows]
    scores = score_sequence(truth, predicted, seed=0, groups=groups)
    words = [
        f"{metric.upper()} {scores[metric].value:.4f} "
        f"[{scores[metric].low:.4f}, {scores[metric].high:.4f}]"
        for metric in ("amae", "asrc")
    ]
    if ridge is not None:
        gap = compare("amae", truth, (predicted, ridge), seed=0, groups=groups).difference
        words.append(f"to ridge {gap.value:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}]")
    if took_s is not None:
        words.append(f"{took_s:.0f} s")
    print(f"  {name:20} {'  '.join(words)}", flush=True)


def main() -> None:
    """Run the cases."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--cache", type=Path, default=ROOT / "var" / "bench-cache")
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--heads", help="  [default: all that the table has]")
    parser.add_argument("--folds", type=int, default=5, help="of five, to look quickly")
    asked = parser.parse_args()
    print(machine())
    for name in asked.cases.split(","):
        loaded = load(CASES[name], asked.data, asked.cache)
        usual = (*HEADS, FAITHFUL) if loaded.case.text else HEADS
        run_case(name, loaded, asked.heads.split(",") if asked.heads else usual, asked.folds)
    print(machine())


if __name__ == "__main__":
    main()
