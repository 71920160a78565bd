"""Results whose reader has gone, as that of `| head`, or that find no room."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import cli

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("asked", ["--help", "features"])
def test_a_reader_that_has_gone_ends_a_command_without_a_word(asked):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, ROOT / "cli.py", asked]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert (done.returncode, done.stderr) == (cli.UNHEARD, "")


@pytest.mark.parametrize("asked", ["--help", "features"])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a file that is always full")
def test_results_without_room_end_a_command_with_one_line(asked):
    command = [sys.executable, ROOT / "cli.py", asked]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error: stdout could not be written: No space")
    assert done.stderr.count("\n") == 1


def test_a_closed_stdout_is_no_failure():
    command = f'"{sys.executable}" "{ROOT / "cli.py"}" features --json >&-'
    done = subprocess.run(command, shell=True, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (0, "")
