"""`extract` is killed at random moments and goes on: the cache ends as if nothing had happened."""

import csv
import json
import random
import shutil
import time
from collections import Counter

import numpy as np
import pytest

from cache.reading import read_column
from cache.store import Store
from corpus.columns import Columns
from corpus.manifest import read_manifest
from extract.ensure import OpenCache
from tests.extract.accounts import assert_accounts_agree, stored_rows
from tests.extract.killing import kill_all, kill_main, kill_workers, start
from tests.media.painted import paint, tone

KILLS = (kill_all, kill_main, kill_workers)
QUICK = ("--features", "loudness")


def run_whole(table, cache, out, *more):
    """Extract, and return what was printed."""
    process = start(table, cache, out, *more)
    assert process.wait(300) == 0, out.with_suffix(".txt").read_text()
    return json.loads(out.with_suffix(".json").read_text())


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


def all_rows(cache):
    store = Store(cache)
    return Counter((f.name, *row) for f in store.features() for row in stored_rows(store, f.spec))


def kill_until_whole(table, cache, generator, *more, longest):
    """Kill one extraction after another until one ends whole; count the kills by their kind."""
    out, kills, rows, code = cache.with_name("of-killed"), Counter(), Counter(), None
    while code != 0:
        shutil.rmtree(out, ignore_errors=True)
        process = start(table, cache, out, *more, "--retry", "crash")
        kill = generator.choice(KILLS)
        count = kill(process, generator, longest)
        kills[kill.__name__] += count
        code = process.wait()
        killed = {0, 3} if kill is kill_workers or not count else {-9}
        assert code in killed, out.with_suffix(".txt").read_text()
        before, rows = rows, all_rows(cache)
        assert before <= rows  # what was whole stays
    return kills


def torture(table, samples, tmp_path, *, kills, more=()):
    """Kill extractions into one new cache after another, until so many were killed."""
    started, generator = time.monotonic(), random.Random(1)
    run_whole(table, tmp_path / "whole", tmp_path / "run", *more)
    longest, killed, caches = time.monotonic() - started, Counter(), 0
    while killed.total() < kills:
        cache, caches = tmp_path / f"killed{caches}", caches + 1
        killed += kill_until_whole(table, cache, generator, *more, longest=longest)
        assert_equal_caches(tmp_path / "whole", cache, samples)
        said = json.loads((tmp_path / "of-killed.json").read_text())
        assert_accounts_agree(cache, [sample.id for sample in samples], said["features"])
    print(f"\n{dict(killed)} over {caches} caches, {time.monotonic() - started:.0f} s")


@pytest.fixture
def table(tmp_path):
    """Write a table of 12 small clips with sound."""
    folder = tmp_path / "clips"
    folder.mkdir()
    lines = [["id", "video"]]
    for n in range(12):
        paint(folder / f"{n}.mp4", [40 + 10 * n] * 25, sound=tone(1.0, hz=100.0 + 20 * n))
        lines.append([f"v{n}", f"clips/{n}.mp4"])
    with (tmp_path / "videos.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(lines)
    return tmp_path / "videos.csv"


def test_kills_lose_no_row_and_double_none(table, tmp_path):
    torture(table, read_manifest(table).samples, tmp_path, kills=4, more=QUICK)


def test_two_processes_at_once_both_finish(table, tmp_path):
    runs = [start(table, tmp_path / "c", tmp_path / f"r{n}", *QUICK) for n in (1, 2)]
    assert [run.wait(120) for run in runs] == [0, 0]
    run_whole(table, tmp_path / "alone", tmp_path / "r3", *QUICK)
    assert_equal_caches(tmp_path / "c", tmp_path / "alone", read_manifest(table).samples)


def test_shares_together_make_the_whole(table, tmp_path):
    for n in (1, 2):
        run_whole(table, tmp_path / "c", tmp_path / f"r{n}", *QUICK, "--part", f"{n}/2")
    run_whole(table, tmp_path / "alone", tmp_path / "r3", *QUICK)
    assert_equal_caches(tmp_path / "c", tmp_path / "alone", read_manifest(table).samples)


def some_clips(real_data, folder):
    """Write a table of 12 real clips of both sets."""
    lines = ["path"]
    for name in ("surv_fight", "javanese_emotion"):
        with (real_data / "clips" / f"{name}.csv").open(encoding="utf-8") as rows:
            lines += [row["path"] for row in csv.DictReader(rows)][::48]
    (folder / "clips.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "clips.csv"


@pytest.mark.slow
@pytest.mark.real
def test_three_hundred_kills_over_real_clips(real_data, tmp_path):
    table, root = some_clips(real_data, tmp_path), real_data / "clips"
    columns = "id=path,video=path"
    samples = read_manifest(table, columns=Columns.parse(columns), root=root).samples
    more = ("--columns", columns, "--root", str(root), "--features", "motion,loudness")
    torture(table, samples, tmp_path, kills=300, more=more)
