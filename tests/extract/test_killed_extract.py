"""`extract` is killed at random moments and goes on: the cache ends as if nothing had happened."""

import csv
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from cache.reading import read_column
from cache.store import Store
from corpus.columns import Columns
from corpus.manifest import read_manifest
from extract.ensure import OpenCache
from tests.media.painted import paint, tone

ROOT = Path(__file__).resolve().parents[2]


def command(table, cache, out, *more):
    return [
        *(sys.executable, "cli.py", "extract", str(table), "--cache", str(cache)),
        *("--out", str(out), "--shard-seconds", "0.5", *more),
    ]


def run_and_kill(table, cache, out, seconds, *more):
    """Start an extraction, kill it after some seconds; say whether it was still running."""
    process = subprocess.Popen(
        command(table, cache, out, *more),
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


def run_whole(table, cache, out, *more):
    done = subprocess.run(
        command(table, cache, out, *more), cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def assert_equal_caches(one, other, samples):
    """Every feature has one value for each sample, equal bit for bit in both caches."""
    features = Store(one).features()
    assert [f.fingerprint for f in features] == [f.fingerprint for f in Store(other).features()]
    opened = [OpenCache.at(folder, samples) for folder in (one, other)]
    for _, _, spec in features:
        a, b = (
            read_column(o.store, spec, o.keys.index, o.keys.digests(spec.reads)) for o in opened
        )
        assert np.array_equal(a.present, b.present), spec.name
        assert np.array_equal(a.values, b.values), spec.name


def stored_ids(cache, spec):
    return [name for _, header in Store(cache).headers(spec) for name in header.ids.tolist()]


def torture(table, samples, tmp_path, *, kills, longest, more=()):
    run_whole(table, tmp_path / "whole", tmp_path / "run", *more)
    generator = random.Random(1)
    killed = sum(
        run_and_kill(
            table, tmp_path / "killed", tmp_path / f"k{n}", generator.uniform(0.2, longest), *more
        )
        for n in range(kills)
    )
    run_whole(table, tmp_path / "killed", tmp_path / "last", *more)
    assert_equal_caches(tmp_path / "whole", tmp_path / "killed", samples)
    for _, _, spec in Store(tmp_path / "killed").features():
        ids = stored_ids(tmp_path / "killed", spec)
        assert len(ids) == len(set(ids)) == len(samples), spec.name
    return killed


@pytest.fixture
def table(tmp_path):
    """Write a table of 40 small clips with sound."""
    folder = tmp_path / "clips"
    folder.mkdir()
    lines = [["id", "video", "title"]]
    for n in range(40):
        paint(folder / f"{n}.mp4", [40 + 4 * n] * 25, sound=tone(1.0, hz=100.0 + 20 * n))
        lines.append([f"v{n}", f"clips/{n}.mp4", f"title number {n}"])
    with (tmp_path / "videos.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(lines)
    return tmp_path / "videos.csv"


def test_kills_lose_no_row_and_double_none(table, tmp_path):
    samples = read_manifest(table).samples
    assert torture(table, samples, tmp_path, kills=4, longest=3.0) >= 2


def test_two_processes_at_once_both_finish(table, tmp_path):
    runs = [
        subprocess.Popen(command(table, tmp_path / "c", tmp_path / f"r{n}"), cwd=ROOT)
        for n in (1, 2)
    ]
    assert [run.wait(120) for run in runs] == [0, 0]
    run_whole(table, tmp_path / "alone", tmp_path / "r3")
    assert_equal_caches(tmp_path / "c", tmp_path / "alone", read_manifest(table).samples)


def test_shares_together_make_the_whole(table, tmp_path):
    for n in (1, 2):
        run_whole(table, tmp_path / "c", tmp_path / f"r{n}", "--part", f"{n}/2")
    run_whole(table, tmp_path / "alone", tmp_path / "r3")
    assert_equal_caches(tmp_path / "c", tmp_path / "alone", read_manifest(table).samples)


@pytest.mark.slow
@pytest.mark.real
def test_twenty_kills_over_real_clips(real_data, tmp_path):
    table = real_data / "clips" / "surv_fight.csv"
    columns = "id=path,video=path"
    samples = read_manifest(table, columns=Columns.parse(columns)).samples
    started = time.monotonic()
    killed = torture(table, samples, tmp_path, kills=20, longest=4.0, more=("--columns", columns))
    print(f"{killed} kills, {time.monotonic() - started:.0f} s")
    assert killed == 20
