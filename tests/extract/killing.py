"""Start `extract` in a process of its own, and kill it or its workers at random moments."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def start(table, cache, out, *more):
    """Start an extraction that leads a group of processes; its answer goes to a file beside out."""
    command = [
        *(sys.executable, "cli.py", "extract", str(table), "--cache", str(cache), "--json"),
        *("--out", str(out), "--shard-seconds", "0.2", *more),
    ]
    with out.with_suffix(".json").open("w") as answer, out.with_suffix(".txt").open("w") as words:
        return subprocess.Popen(
            command, cwd=ROOT, stdout=answer, stderr=words, start_new_session=True
        )


def kill_all(process, generator, longest):
    """Kill it with its workers; return how many kills it took: none if it had ended before."""
    return _kill_after(process, generator.uniform(0.2, longest), os.killpg)


def kill_main(process, generator, longest):
    """Kill it and wait until its workers have noticed."""
    killed = _kill_after(process, generator.uniform(0.2, longest), os.kill)
    for _ in range(3000):
        if not _group(process.pid):
            return killed
        time.sleep(0.02)
    raise AssertionError("workers outlive the process that they work for")


def kill_workers(process, generator, longest):
    """Kill one worker after another until it ends; return how many were killed."""
    killed = 0
    while process.poll() is None:
        time.sleep(generator.uniform(0.3, longest / 2))
        workers = [pid for pid in _group(process.pid) if _is_worker(pid)]
        if workers:
            os.kill(generator.choice(workers), signal.SIGKILL)
            killed += 1
    return killed


def _kill_after(process, seconds, kill):
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        kill(process.pid, signal.SIGKILL)
        process.wait()
        return 1
    return 0


def _group(leader):
    """Return the processes of a group that are not dead."""
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, group = place.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(group) == leader and state not in "XZ":
            found.append(int(place.parent.name))
    return found


def _is_worker(pid):
    try:
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
