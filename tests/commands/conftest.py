"""Run the command line in this process, and a small table to run it on."""

import contextlib
import csv
import functools
import io
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import cli
from core.log import logger
from tests.media.painted import paint, tone

FIT = ("--head", "linear", "--features", "colour,meta:duration")  # of the runs `fitted`


class Done(NamedTuple):
    code: int
    out: str
    err: str


class Clips(NamedTuple):
    """A table of 40 clips in a folder, and the options that say what its columns are."""

    table: Path
    columns: tuple[str, str] = (
        "--columns",
        "id=id,video=video,text=title,author=author,number=duration",
    )

    @property
    def folder(self) -> Path:
        return self.table.parent


def call(monkeypatch, read_output, *arguments) -> Done:
    """Run `cli.py` with some arguments in this process."""
    monkeypatch.setattr(sys, "argv", ["cli.py", *map(str, arguments)])
    monkeypatch.setattr(logger, "handlers", [])  # the command's are gone with it
    monkeypatch.setattr(logger, "propagate", logger.propagate)
    code = cli.main()
    return Done(code, *read_output())


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Give a function that runs `cli.py` with some arguments, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return functools.partial(call, monkeypatch, capsys.readouterr)


@pytest.fixture(scope="session")
def run_all():
    """Give a function that runs `cli.py` in a given folder, and makes sure that it is done."""

    def run_in(folder: Path, *arguments) -> Done:
        out, err = io.StringIO(), io.StringIO()
        heard = contextlib.redirect_stdout(out), contextlib.redirect_stderr(err)
        with pytest.MonkeyPatch.context() as patch, contextlib.chdir(folder), heard[0], heard[1]:
            done = call(patch, lambda: (out.getvalue(), err.getvalue()), *arguments)
        assert done.code == 0, done.err
        return done

    return run_in


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """Give a table of 40 clips: the brighter, the higher its `ecr`; every other one has sound."""
    folder = tmp_path_factory.mktemp("corpus")
    steps = [f"p{day}" for day in range(1, 6)]
    lines = [["id", "video", "title", "author", "ecr", "mood", "duration", *steps]]
    for n in range(40):
        sound = tone(0.5) if n % 2 else None
        paint(folder / f"{n}.mp4", [20 + 5 * n] * 10, sound=sound)
        mood, seconds = "bright" if n >= 20 else "dark", 0.3 + 0.01 * (n * 7 % 40)
        curve = [round(n / 10 + day, 3) for day in range(5)]
        lines.append([f"v{n}", f"{n}.mp4", f"clip {n}", f"a{n % 8}", n / 40, mood, seconds, *curve])
    with (folder / "videos.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(lines)
    return Clips(folder / "videos.csv")


@pytest.fixture(scope="session")
def fitted(run_all, clips, tmp_path_factory):
    """Give a folder with a cache and one run for each task, the runs named after their target."""
    home = tmp_path_factory.mktemp("home")
    cache = ("--cache", home / "cache")
    run_all(home, "extract", clips.table, *clips.columns, "--features", "colour,textstats", *cache)
    for target in ("ecr", "mood", "p"):
        fit = (*FIT, "--target", target, *cache, "--out", home / target, "--split", "kfold:5")
        done = run_all(home, "fit-head", clips.table, *clips.columns, *fit, "--json")
        (home / f"{target}.json").write_text(done.out)
    return home
