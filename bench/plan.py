"""How well `extract --dry-run` predicts: predicted beside measured wall time and size.

    python -m bench.plan [TABLE [COLUMNS]]

Three ways to know, on the same clips and the classic preset: (a) a probe of 20 samples in an empty
cache; (b) the ledger, when half of the clips are there; (c) the ledger for one family of the video
alone, which was extracted together with all the others. Measured is the whole command `extract`,
from starting Python to the last marker. 1.00 would be a perfect prediction.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.machine import machine

ROOT = Path(__file__).resolve().parent.parent
CLIPS = ROOT.parent / "shared" / "data" / "clips" / "surv_fight.csv"


def main() -> None:
    """Print the ratios."""
    table = sys.argv[1] if len(sys.argv) > 1 else str(CLIPS)
    columns = sys.argv[2] if len(sys.argv) > 2 else "id=path,video=path"
    given = [table, "--columns", columns]
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        compare("a probe of 20, empty cache", folder, given, ["--probe", "20"])
    with tempfile.TemporaryDirectory() as folder:
        extract(folder, [*given, "--part", "1/2"])
        compare(
            "the ledger of half the clips, colour alone", folder, [*given, "--features", "colour"]
        )
        compare("the ledger of half the clips, the rest", folder, given)


def compare(what: str, folder: str, given: Sequence[str], probe: Sequence[str] = ()) -> None:
    """Predict, extract, and print both."""
    said = json.loads(command(folder, [*given, "--dry-run", "--json", *probe]))
    before = size_bytes(folder)
    seconds = extract(folder, given)
    predicted, size = said["estimate"], size_bytes(folder) - before
    print(f"{what}: {said['samples']} clips")
    print_pair("wall", predicted["wall_s"], seconds, "s")
    print_pair("size", predicted["bytes"] / 1e6, size / 1e6, "MB")


def print_pair(name: str, predicted: float, measured: float, unit: str) -> None:
    """Print a prediction, what was measured, and the ratio of the two."""
    ratio = predicted / measured
    print(
        f"  {name}: predicted {predicted:.1f} {unit}, measured {measured:.1f} {unit}, {ratio:.2f}"
    )


def extract(folder: str, given: Sequence[str]) -> float:
    """Return the seconds of the whole command."""
    started = time.perf_counter()
    command(folder, [*given, "--out", tempfile.mkdtemp(dir=folder)])
    return time.perf_counter() - started


def command(folder: str, arguments: Sequence[str]) -> str:
    """Run `extract` and return what it prints."""
    line = [sys.executable, "cli.py", "extract", *arguments, "--cache", f"{folder}/cache"]
    done = subprocess.run(line, cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout


def size_bytes(folder: str) -> int:
    """Return the size of all shards of the cache."""
    entries: list[dict[str, Any]] = (
        json.loads(listing(folder)) if Path(folder, "cache").is_dir() else []
    )
    return sum(entry["bytes"] for entry in entries)


def listing(folder: str) -> str:
    """Return what `cache ls --json` prints."""
    line = [sys.executable, "cli.py", "cache", "ls", "--json", "--cache", f"{folder}/cache"]
    return subprocess.run(line, cwd=ROOT, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
