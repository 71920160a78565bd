"""How much of two cores the pipeline uses: `extract` against the same work done one after another.

    python -m bench.extract [TABLE [COLUMNS]]

Measured in one run on the same clips: (a) reading every clip in one thread, (b) computing every
classic descriptor of it in one thread, (c) the whole command `extract` in a process of its own with
one worker per core, from starting Python to the last marker. The target is c <= 0.6 x (a + b) on
two cores; 0.5 is what two cores can do.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from threadpoolctl import threadpool_limits

from bench.machine import DATA, ROOT, machine
from corpus.columns import Columns
from corpus.manifest import read_manifest
from extract.catalog import resolve
from extract.families import DEFAULT_PRESET
from extract.sample_job import SampleJob, SampleTask

CLIPS = DATA / "clips" / "surv_fight.csv"


def main() -> None:
    """Print the three times and their ratio."""
    table = Path(sys.argv[1]) if len(sys.argv) > 1 else CLIPS
    columns = sys.argv[2] if len(sys.argv) > 2 else "id=path,video=path"
    print(machine())
    decode_s, prepare_s, clips = one_thread(table, columns)
    command_s = whole_command(table, columns)
    both_s = decode_s + prepare_s
    print(f"{table.name}, {clips} clips, classic preset")
    print(f"  one thread: reading          {decode_s:8.2f} s")
    print(f"  one thread: descriptors      {prepare_s:8.2f} s")
    print(f"  one thread: both             {both_s:8.2f} s   {clips / both_s:6.2f} clips/s")
    print(f"  `extract`, whole command     {command_s:8.2f} s   {clips / command_s:6.2f} clips/s")
    print(f"  ratio                        {command_s / both_s:8.2f}     (target 0.60)")


def one_thread(table: Path, columns: str) -> tuple[float, float, int]:
    """Return seconds of reading, seconds of computing, and the number of clips."""
    samples = read_manifest(table, columns=Columns.parse(columns)).samples
    request = resolve([DEFAULT_PRESET], parts=["video", "audio"])
    job = SampleJob(request.extractors)
    families = tuple(range(len(request.extractors)))
    decode_s = prepare_s = 0.0
    with threadpool_limits(1):
        for row, sample in enumerate(samples):
            answer = job(SampleTask(row, sample, families))
            decode_s += sum(answer.read_s.values())
            prepare_s += sum(answer.prepare_s.values())
    return decode_s, prepare_s, len(samples)


def whole_command(table: Path, columns: str) -> float:
    """Return the seconds of `extract` into a new cache."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "cli.py", "extract", str(table), "--columns", columns]
        command += ["--cache", f"{folder}/cache", "--out", f"{folder}/run"]
        started = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        return time.perf_counter() - started


if __name__ == "__main__":
    main()
