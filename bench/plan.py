"""How well `extract --dry-run` predicts: predicted beside measured wall time and size.

    python -m bench.plan [TABLE [OPTION ...]]

TABLE is the real clips of fights if none is named, and the options are those of `extract`.

Three ways to know, on the same clips and the classic preset: (a) a probe of 20 samples in an empty
cache; (b) the ledger, when half of the clips are there; (c) the ledger for one family of the video
alone, which was extracted together with all the others. Measured is the whole command `extract`,
from starting Python to the last marker. 1.00 would be a perfect prediction.
"""

from __future__ import annotations

import argparse
import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.machine import DATA, ROOT, machine

FIGHTS = [str(DATA / "clips" / "surv_fight.csv"), "--columns", "id=path,video=path"]
SOME_FAILED = 3


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    given = parser.parse_known_args()[1] or FIGHTS
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
    said = json.loads(program("extract", [*given, "--dry-run", "--json", *probe], folder))
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
    program("extract", [*given, "--out", f"{folder}/run-{secrets.token_hex(4)}"], folder)
    return time.perf_counter() - started


def program(name: str, arguments: Sequence[str], folder: str) -> str:
    """Run a command on the folder's cache and return what it prints; some samples may fail."""
    line = [sys.executable, "cli.py", *name.split(), *arguments, "--cache", f"{folder}/cache"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
    if done.returncode not in (0, SOME_FAILED):
        raise SystemExit(done.stderr)
    return done.stdout


def size_bytes(folder: str) -> int:
    """Return the size of all shards of the cache."""
    if not Path(folder, "cache").is_dir():
        return 0
    entries: list[dict[str, Any]] = json.loads(program("cache ls", ["--json"], folder))
    return sum(entry["bytes"] for entry in entries)


if __name__ == "__main__":
    main()
