"""Damaged copies of clips: each comes out of `extract` once, value or gap, and harms no other."""

import csv
import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from cache.reading import read_column
from core.status import ABSENT_CAUSES, FAILED_CAUSES
from corpus.manifest import read_manifest
from extract.ensure import OpenCache
from tests.extract.accounts import assert_accounts_agree
from tests.media.painted import paint, tone

ROOT = Path(__file__).resolve().parents[2]
SETS = {"clips/javanese_emotion": 45, "clips/surv_fight": 45, "snapugc/videos": 10}  # shares
KINDS = ["whole", "header", "index", "index", "index", "body", "body", "body", "hole", "cut"]
OF_FILES = {"corrupt", "unreadable", "empty"}  # causes that the content of a file can have


def flip(content, generator, first, last, count):
    """Replace some bytes between two places by any others."""
    for _ in range(count):
        content[generator.randrange(first, last)] = generator.randrange(256)


def index_of(content):
    """Return where an MP4's index lies, its box of type moov."""
    start = max(content.find(b"moov") - 4, 0)
    return start, min(start + int.from_bytes(content[start : start + 4], "big"), len(content))


def damaged(content, kind, generator):
    """Return a copy of a clip with one kind of damage."""
    content, size = bytearray(content), len(content)
    if kind == "header":
        flip(content, generator, 0, 64, 4)
    if kind == "index":
        flip(content, generator, *index_of(content), generator.choice([1, 3, 10, 100]))
    if kind == "body":
        flip(content, generator, 64, size, generator.choice([1, 10, 100, 1000]))
    if kind == "hole":
        start = generator.randrange(size)
        content[start : start + 20_000] = bytes(len(content[start : start + 20_000]))
    if kind == "cut":
        del content[generator.randrange(size) :]
    return bytes(content)


def write_copies(folder, count, choose):
    """Write copies of the clips that are chosen; return id -> clip of those left whole."""
    folder.mkdir()
    generator, whole, lines = random.Random(7), {}, ["id,video"]
    for number in range(count):
        clip, kind = choose(generator), KINDS[number % len(KINDS)]
        copy = folder / f"{kind}-{number}.mp4"
        copy.write_bytes(damaged(clip.read_bytes(), kind, generator))
        lines.append(f"{copy.stem},{copy.name}")
        if kind == "whole":
            whole[copy.stem] = clip
    (folder / "videos.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return whole


def write_originals(whole, folder):
    """Write a table of the clips themselves, under the ids of their copies."""
    folder.mkdir()
    for sample_id, clip in whole.items():
        (folder / f"{sample_id}.mp4").symlink_to(clip)
    lines = ["id,video", *(f"{sample_id},{sample_id}.mp4" for sample_id in whole)]
    (folder / "videos.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def extract(folder, *more):
    command = [
        *(sys.executable, "cli.py", "extract", str(folder / "videos.csv"), "--json"),
        *("--cache", str(folder / "cache"), "--out", str(folder / "run"), *more),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800)
    assert done.returncode in {0, 3}, done.stderr[-2000:]
    return json.loads(done.stdout)["features"]


def assert_causes_are_known(folder, features):
    """The list of failures has all of them, each with a reason, and none of our own doing."""
    with (folder / "run" / "failures.csv").open(newline="", encoding="utf-8") as lines:
        failures = list(csv.DictReader(lines))
    assert all(row["reason"] for row in failures)
    for name, said in features.items():
        assert said["failed"] == Counter(r["cause"] for r in failures if r["feature"] == name)
        assert said["failed"].keys() <= OF_FILES <= FAILED_CAUSES.keys()
        assert said["absent"].keys() <= ABSENT_CAUSES.keys()


def values(folder, ids):
    """Return each feature's values and which are present, for some ids."""
    samples = [s for s in read_manifest(folder / "videos.csv").samples if s.id in ids]
    opened = OpenCache.at(folder / "cache", samples)
    columns = [
        read_column(opened.store, spec, opened.keys.index, opened.keys.digests(spec.reads))
        for _, _, spec in opened.store.features()
    ]
    return {c.spec.name: (c.present, c.values) for c in columns}


def assert_damage_stays_where_it_is(folder, count, choose, *more):
    """Extract damaged copies: each comes out once, and those left whole as their originals do."""
    copies, originals = folder / "copies", folder / "originals"
    whole = write_copies(copies, count, choose)
    write_originals(whole, originals)
    features = extract(copies, *more)
    assert_accounts_agree(copies / "cache", {path.stem for path in copies.glob("*.mp4")}, features)
    assert_causes_are_known(copies, features)
    extract(originals, *more)
    ours, theirs = values(copies, whole), values(originals, whole)
    for name, (present, numbers) in theirs.items():
        assert np.array_equal(ours[name][0], present), name
        assert np.array_equal(ours[name][1], numbers), name
    return features


def test_damaged_copies_of_painted_clips_come_out_once_each(tmp_path):
    levels = range(40, 240, 20)
    clips = [paint(tmp_path / f"{n}.mp4", [n] * 25, sound=tone(1, hz=3.0 * n)) for n in levels]
    more = ("--features", "colour,loudness")
    features = assert_damage_stays_where_it_is(tmp_path, 60, lambda g: g.choice(clips), *more)
    assert all(said["ok"] > 6 and said["failed"]["corrupt"] > 3 for said in features.values())


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.parametrize("decoder", ["pyav", "decord"])
def test_a_thousand_damaged_copies_come_out_once_each(real_data, tmp_path, decoder):
    clips = {name: sorted((real_data / name).rglob("*.mp4")) for name in SETS}

    def choose(generator):
        return generator.choice(clips[generator.choices(list(SETS), list(SETS.values()))[0]])

    started = time.monotonic()
    more = ("--features", "colour,motion,loudness,mfcc", "--decoder", decoder, "--time-limit", "60")
    features = assert_damage_stays_where_it_is(tmp_path, 1000, choose, *more)
    print(f"\n{decoder}: {time.monotonic() - started:.0f} s")
    for name, said in features.items():
        print(name, said)
