"""What a cache is worth on SMTPD: a training step from it, beside one with the encoders in it.

    python -m bench.smtpd [--rows 282400] [--folder DIR] [--part steps,fold]

`steps`: ResNet-101 and mBERT of their published sizes, random weights, frozen, run in the forward
pass as in the published code (one cover and five texts of 64 tokens a sample), then the published
network learns; beside it the published network and ours learning from cached features. The encoders
are what takes the time, so a few of their batches tell it.

`fold`: simulated features of so many rows, 11.8 KB each, are written into a cache by another
process; then one fold of five is fitted, predicted and scored against its baselines as `fit-head`
does it, with two epochs. Peak memory is that of the whole process.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from bench.machine import machine
from cache.known import IdIndex
from cache.reading import read_columns
from cache.spec import Column, FeatureSpec, Row
from cache.store import Store
from cache.table import FeatureTable
from cache.writer import Limits, ShardWriter
from core.fingerprint import digest_strings
from corpus.splits import SplitPlan
from corpus.targets import TargetPlan
from heads.catalog import make_head
from heads.contract import Problem
from heads.fit import divide
from heads.folding import run_fold
from heads.result import FitConfig
from heads.watch import watched

FIELDS = ("user_id", "category", "title", "keywords", "description")
IMAGE = FeatureSpec("resnet101@cover", (2048,), "float16", ("image",), {"version": 1})
TEXTS = tuple(
    FeatureSpec(f"mbert:{name}", (768,), "float16", (f"text:{name}",), {"version": 1})
    for name in FIELDS
)
NUMBERS = tuple(f"meta:f{index}" for index in range(5))
FIRST, DAYS = "meta:p1", 29
FAITHFUL, OURS = {"faithful": True}, {"faithful": False}
STEP_ROWS = 4096
_TOKENS, _MBERT_WORDS = 64, 119_547


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=282_400, help="of the fold (282400)")
    parser.add_argument("--batch", type=int, default=16, help="of the encoders (16)")
    parser.add_argument("--folder", help="where the cache lies while measuring (temporary)")
    parser.add_argument("--part", default="steps,fold")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.write:
        _write(asked.write, asked.rows)
        return
    print(f"{machine()}, {torch.get_num_threads()} threads of torch")
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        if "steps" in asked.part:
            _steps(Path(name) / "steps", asked.batch)
        if "fold" in asked.part:
            _fold(Path(name) / "fold", asked.rows)
    print(machine())


def _steps(folder: Path, batch: int) -> None:
    """Print samples a second of the three ways, and their ratios."""
    _write_apart(folder, STEP_ROWS)
    table = _table(folder, STEP_ROWS)
    spent = {
        "published": _step_s(table, FAITHFUL, rows=1024) / 1024,
        "ours": _step_s(table, OURS, rows=STEP_ROWS) / STEP_ROWS,
    }
    frozen = _encoders_s(batch) / batch + spent["published"]
    print(f"encoders in the forward pass: {1 / frozen:.2f} samples/s")
    for name, each_s in spent.items():
        times = f"{frozen / each_s:.0f} times as many"
        print(f"{name} from the cache: {1 / each_s:.0f} samples/s, {times}", flush=True)


def _step_s(table: FeatureTable, options: dict[str, bool], *, rows: int) -> float:
    """Return the seconds of one epoch over some rows: what more epochs take longer."""
    some = table.take(np.arange(rows))
    times = []
    for epochs in (1, 3):
        head = make_head("lstm", Problem("sequence", DAYS, (FIRST,)), options)
        fixed = {"epochs": float(epochs), "falls": 0.0, "penalty": 1e-3}
        started = time.perf_counter()
        head.fit(some, None, seed=0, fixed=fixed)
        times.append(time.perf_counter() - started)
    return (times[1] - times[0]) / 2


def _encoders_s(batch: int) -> float:
    """Return the seconds of frozen encoders on one batch, the better of three."""
    from transformers import BertConfig, BertModel, ResNetConfig, ResNetModel

    torch.manual_seed(0)
    resnet: torch.nn.Module = ResNetModel(ResNetConfig(depths=[3, 4, 23, 3]))
    mbert: torch.nn.Module = BertModel(BertConfig(vocab_size=_MBERT_WORDS))
    resnet.eval()
    mbert.eval()
    covers = torch.randn(batch, 3, 224, 224)
    words = torch.randint(0, _MBERT_WORDS, (len(FIELDS), batch, _TOKENS))

    def forward() -> None:
        with torch.no_grad():
            resnet(covers)
            for field in words:
                mbert(field)

    return _best(forward)


def _best(work: Callable[[], None], repeats: int = 3) -> float:
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def _fold(folder: Path, rows: int) -> None:
    """Print the time of an epoch and the peak memory of one fold, for both networks."""
    _write_apart(folder, rows)
    size = rows * 2 * sum(spec.item_shape[0] for spec in (IMAGE, *TEXTS))
    started = time.perf_counter()
    table = _table(folder, rows)
    read_s = time.perf_counter() - started
    print(f"{rows} rows, {size / 1e9:.2f} GB of features, read in {read_s:.1f} s")
    for name, networks in (("one network", 1), ("the default's four", 4)):
        config = FitConfig(
            head="lstm",
            target=TargetPlan("p2..p30", "sequence"),
            split=SplitPlan.parse("smtpd-5fold"),
            options={"epochs": 2, "networks": networks},
            features=tuple(table.columns),
            observed=(FIRST,),
        )
        epoch_s, whole_s = _fitted(table, config)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(
            f"{name}: an epoch with its validation {epoch_s:.0f} s, the fold {whole_s:.0f} s; "
            f"peak memory {peak / 1e9:.2f} GB, {peak / size:.2f} times the features",
            flush=True,
        )


def _fitted(table: FeatureTable, config: FitConfig) -> tuple[float, float]:
    """Fit the first fold; return the seconds of its second epoch and of all of it."""
    assert table.target is not None
    told: list[float] = []
    started = time.perf_counter()
    data, folds, _ = divide(table, [*table.target], config)
    with watched(lambda _, __: told.append(time.perf_counter())):
        run_fold(data, folds[0])
    return told[1] - told[0], time.perf_counter() - started


def _table(folder: Path, rows: int) -> FeatureTable:
    """Read the features of a cache; numbers, category, language and curves are made up."""
    ids, digests = _keys(rows)
    generator = np.random.default_rng(1)
    stored = dict.fromkeys((IMAGE, *TEXTS), digests)
    columns, _ = read_columns(Store(folder), IdIndex(ids), stored)
    for name in (*NUMBERS, FIRST):
        spec = FeatureSpec(name, (1,), "float32", (name,), {})
        values = np.abs(generator.normal(6, 4, (rows, 1))).astype(np.float32)
        columns[name] = Column(spec, values, None, np.ones(rows, bool))
    for name, words in (("meta:category", 15), ("language:title", 7)):
        spec = FeatureSpec(name, (), "text", (name,), {})
        drawn = generator.integers(0, words, rows).astype(str).astype(object)
        columns[name] = Column(spec, drawn, None, np.ones(rows, bool))
    drift = np.cumsum(generator.normal(0, 0.1, (rows, DAYS)), axis=1)
    target = np.abs(columns[FIRST].values + drift)
    return FeatureTable(np.array(ids), columns, target)


def _write_apart(folder: Path, rows: int) -> None:
    """Write the cache in another process, whose memory does not count here."""
    subprocess.run(
        [sys.executable, "-m", "bench.smtpd", "--write", folder, "--rows", str(rows)], check=True
    )


def _write(folder: Path, rows: int) -> None:
    ids, digests = _keys(rows)
    generator = np.random.default_rng(0)
    for spec in (IMAGE, *TEXTS):
        block = generator.standard_normal((1000, *spec.item_shape), np.float32).astype(np.float16)
        with ShardWriter(Store(folder), spec, limits=Limits(rows=20_000)) as writer:
            for row, (sample_id, digest) in enumerate(zip(ids, digests, strict=True)):
                value = np.roll(block[row % 1000], row // 1000)
                writer.add(Row.of(sample_id, digest, value))


def _keys(rows: int) -> tuple[Sequence[str], Sequence[bytes]]:
    ids = [f"video{row:07d}" for row in range(rows)]
    return ids, [digest_strings([sample_id]) for sample_id in ids]


if __name__ == "__main__":
    main()
