"""Results whose reader has gone, as that of `| head`."""

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
