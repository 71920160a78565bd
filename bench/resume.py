"""How long `extract` takes to find out that nothing is missing.

    python -m bench.resume [ROWS]

Makes a table of so many rows (default 100,000), each with a file of its own and a title, fills a
cache with the classic features of all of them (made-up values through the real writer: it is the
look-up that is timed), then times the whole command: starting Python, reading the table, looking at
every file, asking the store for every feature. The target is 3 s for 100,000 rows.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.machine import ROOT, machine
from cache.spec import TEXT, FeatureSpec, Row
from cache.writer import ShardWriter
from corpus.manifest import read_manifest
from extract.catalog import resolve
from extract.ensure import OpenCache
from extract.families import DEFAULT_PRESET


def main() -> None:
    """Print the seconds of a first and a second look."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = write_table(folder, rows)
        features = fill(folder / "cache", table)
        for look in ("first look (files are digested)", "second look", "third look"):
            seconds, said = resume(table, folder / "cache")
            print(f"  {look:34} {seconds:6.2f} s   {said}")
        print(f"  {rows} rows x {features} features (target 3 s)")


def write_table(folder: Path, rows: int) -> Path:
    """Write a table whose files hold a few bytes each."""
    (folder / "clips").mkdir()
    lines = ["id,video,title"]
    for row in range(rows):
        place = f"clips/{row % 100:02d}"
        if row < 100:
            (folder / place).mkdir()
        (folder / place / f"{row}.mp4").write_bytes(b"clip %d" % row)
        lines.append(f"v{row:07d},{place}/{row}.mp4,title of number {row}")
    table = folder / "videos.csv"
    table.write_text("\n".join(lines) + "\n")
    return table


def fill(cache: Path, table: Path) -> int:
    """Store a value for every row and vector of the classic preset; return how many features."""
    samples = read_manifest(table).samples
    opened = OpenCache.at(cache, samples)
    specs = resolve([DEFAULT_PRESET], parts=["video", "audio", "text:title"]).specs
    for spec in specs:
        digests = opened.keys.digests(spec.reads)
        value = made_up(spec)
        with ShardWriter(opened.store, spec) as writer:
            for sample, digest in zip(samples, digests, strict=True):
                writer.add(Row.of(sample.id, digest or b"", value))
    return len(specs)


def made_up(spec: FeatureSpec) -> np.ndarray | str:
    """Return a value of the spec's shape, one token long where it is a sequence."""
    if spec.dtype == TEXT:
        return "en"
    return np.zeros([axis if isinstance(axis, int) else 1 for axis in spec.dims], spec.dtype)


def resume(table: Path, cache: Path) -> tuple[float, str]:
    """Return the seconds of `extract` with nothing missing, and the first line it prints."""
    command = [sys.executable, "cli.py", "extract", str(table), "--cache", str(cache), "--out"]
    command.append(tempfile.mkdtemp(dir=cache.parent))
    started = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return time.perf_counter() - started, done.stdout.splitlines()[1]


if __name__ == "__main__":
    main()
