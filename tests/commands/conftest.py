"""Run the command line in this process, and a small table to run it on."""

import csv
import sys
from typing import NamedTuple

import pytest

import cli
from tests.media.painted import paint, tone


class Done(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Give a function that runs `cli.py` with some arguments, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run_cli(*arguments) -> Done:
        monkeypatch.setattr(sys, "argv", ["cli.py", *map(str, arguments)])
        code = cli.main()
        return Done(code, *capsys.readouterr())

    return run_cli


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """Give a table of 24 clips: the brighter, the higher its `ecr`; every other one has sound."""
    folder = tmp_path_factory.mktemp("corpus")
    lines = [["id", "video", "title", "author", "ecr", "mood", "duration"]]
    for n in range(24):
        level = 30 + 8 * n
        sound = tone(0.5) if n % 2 else None
        paint(folder / f"{n}.mp4", [level] * 10, sound=sound)
        mood = "bright" if n >= 12 else "dark"
        lines.append([f"v{n}", f"{n}.mp4", f"clip {n}", f"a{n % 6}", n / 24, mood, 0.4])
    with (folder / "videos.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(lines)
    return folder / "videos.csv"
