"""What number formats and quantised weights cost: memory, time, and nearness to float32.

    python -m bench.quantised [--data DIR] [--weights DIR] [--clips 8] [--models timesformer,mbert]

Checkpoints of the published sizes with random weights: memory and time are those of the real ones,
the cosine is only near theirs. Each row is a process of its own. Times are of batches of 8 that are
prepared before; the cosine is the mean over clips, the lowest beside it.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench import base_weights
from bench.encoders import BATCH, PARTS, samples_of
from bench.machine import DATA, ROOT, machine
from core.device import choose_device
from extract.catalog import resolve
from extract.encoders.encoding import Encoding
from extract.sample_job import SampleJob, SampleTask

MODES = (("float32", "none"), ("bfloat16", "none"), ("bfloat16", "int8"), ("bfloat16", "nf4"))


def measured(given: argparse.Namespace) -> dict[str, Any]:
    """Return seconds, GiB and where the vectors were saved, of one model in one mode."""
    dtype, quantize = given.mode.split("+")
    encoding = Encoding.parse(
        given.weights,
        weights=base_weights.seeded(given.weights),
        dtype=dtype,
        quantize=quantize,
    )
    encoder = resolve([given.model], parts=PARTS, encoding=encoding).extractors[0].fetch()
    job = SampleJob([encoder])
    samples = samples_of(given.data, given.clips)
    prepared: list[Any] = [job(SampleTask(0, sample, (0,))).prepared[0] for sample in samples]
    before_kib = resident_kib()
    encoder.load(lambda: choose_device(None).value)
    encoder.forward(prepared[:1])  # the first pass sets things up
    started = time.perf_counter()
    values = [
        value[encoder.specs[0].name]
        for first in range(0, len(prepared), BATCH)
        for value in encoder.forward(prepared[first : first + BATCH])
    ]
    seconds = time.perf_counter() - started
    np.save(given.out, np.stack([np.asarray(value) for value in values]))
    most_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "seconds": seconds,
        "held_gib": (resident_kib() - before_kib) / 2**20,
        "peak_gib": most_kib / 2**20,
    }


def resident_kib() -> int:
    """Return this process's resident memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def in_process(model: str, mode: str, given: argparse.Namespace, out: Path) -> dict[str, Any]:
    """Measure one model in one mode, in a process of its own."""
    command = [sys.executable, "-m", "bench.quantised", "--model", model, "--mode", mode]
    command += ["--data", str(given.data), "--weights", str(given.weights), "--out", str(out)]
    done = subprocess.run(
        [*command, "--clips", str(given.clips)], cwd=ROOT, check=True, stdout=subprocess.PIPE
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def cosines(exact: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the cosine of each pair of rows, [N]."""
    norms = np.linalg.norm(exact, axis=1) * np.linalg.norm(other, axis=1)
    found: np.ndarray = (exact * other).sum(axis=1) / norms
    return found


def main() -> None:
    """Print a row for each model and mode."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of real sets")
    parser.add_argument("--weights", type=Path, default=ROOT / "var" / "bench-weights")
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--models", default="timesformer,mbert,ast")
    for option in ("--model", "--mode", "--out"):
        parser.add_argument(option, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.model:
        print(json.dumps(measured(given)))
        return
    print(machine())
    print(
        f"{'model':12} {'dtype':9} {'weights':8} {'held GiB':>8} {'peak':>6} {'s/clip':>7}  cosine"
    )
    for model in given.models.split(","):
        with tempfile.TemporaryDirectory() as folder:
            _rows(model, given, Path(folder))


def _rows(model: str, given: argparse.Namespace, folder: Path) -> None:
    exact = None
    for dtype, quantize in MODES:
        out = folder / f"{dtype}-{quantize}.npy"
        took = in_process(model, f"{dtype}+{quantize}", given, out)
        vectors = np.load(out, allow_pickle=False).astype(np.float64)
        exact = vectors if exact is None else exact
        near = cosines(exact, vectors)
        print(
            f"{model:12} {dtype:9} {quantize:8} {took['held_gib']:8.2f} {took['peak_gib']:6.2f} "
            f"{took['seconds'] / given.clips:7.3f}  {near.mean():.5f} ({near.min():.5f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
