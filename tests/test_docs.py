"""What helps, README and configs say can be done can be done: commands parse, and examples run."""

import contextlib
import re
import shlex
import shutil
from pathlib import Path

import pytest
import typer

import cli
from core.config import read_config
from tests.extract.encoders.conftest import checkpoints

__all__ = ["checkpoints"]
ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ["python", "cli.py"]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
CONFIGS = sorted((ROOT / "configs").rglob("*.yaml"))
SLOWER = "demo demo-broken"  # draws another corpus; what it does is tested with the demo


def commands(group, path=()):
    """Yield (name, command) of every command, those of groups too."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


APP = typer.main.get_command(cli.app)
COMMANDS = dict(commands(APP))


def lines_of(text):
    """Return the commands of the project in a text, as lists of arguments, in their order."""
    joined = re.sub(r"\\\n\s*", "", text)
    found = [line.strip() for line in joined.splitlines() if line.strip().startswith("python cli")]
    return [shlex.split(re.split(r"\s{2,}", line)[0])[len(PROGRAM) :] for line in found]


def fenced(page):
    """Return what is in the fenced blocks of a page."""
    return "\n".join(re.findall(r"^```\w*\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE))


def parse(arguments):
    """Parse a command line with the real command, without running it."""
    command, rest = APP, list(arguments)
    name = "cli.py"
    while hasattr(command, "commands"):
        name = rest.pop(0)
        command = command.commands[name]
    with contextlib.closing(command.make_context(name, rest)):
        pass


def examples():
    """Return every example of the helps, in the order in which a user meets them."""
    return [
        arguments for command in COMMANDS.values() for arguments in lines_of(command.epilog or "")
    ]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help_with_two_examples(name, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["cli.py", *name.split(), "--help"])
    assert cli.main() == 0
    said = capsys.readouterr().out
    assert len(lines_of(said)) == 2
    summary = (COMMANDS[name].help or "").split("\n\n")[0].rstrip(".")
    assert len(summary) <= 70
    assert "\n" not in summary


@pytest.mark.parametrize("arguments", examples(), ids=" ".join)
def test_the_examples_of_the_helps_parse(arguments):
    parse(arguments)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_page_parse(page):
    for arguments in lines_of(fenced(page)):
        parse(arguments)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_config_is_read_by_a_command(path):
    known = {parameter.name for parameter in COMMANDS["fit-head"].params}
    known |= {parameter.name for parameter in COMMANDS["extract"].params}
    assert read_config(path, known - {"config", "help"})


@pytest.fixture(scope="module")
def home(tmp_path_factory, checkpoints):
    """Give a folder in which every example of the helps was run, one after another.

    What would fetch a checkpoint gets a tiny one.
    """
    folder = tmp_path_factory.mktemp("home")
    for arguments in examples():
        more = ["--videos", "16", "--days", "5"] if arguments == ["demo", "demo"] else []
        if arguments[0] == "caption":
            more = ["--weights", f"spacetimegpt={checkpoints('spacetimegpt')}"]
        if " ".join(arguments[:2]) != SLOWER:
            run_in(folder, [*arguments, *more])
    return folder


def run_in(folder, arguments):
    """Run a command in a folder, and make sure that it is done."""
    with pytest.MonkeyPatch.context() as patch, contextlib.chdir(folder):
        patch.setattr("sys.argv", ["cli.py", *arguments])
        assert cli.main() == 0, arguments


def test_the_examples_of_the_helps_run_one_after_another(home):
    assert (home / "var" / "first" / "report.html").is_file()
    predicted = (home / "predictions.csv").read_text()
    assert predicted.startswith("id,predicted,status,reason\nnew-1,")


def test_the_readme_of_a_demo_can_be_followed(home):
    shutil.copytree(home / "var" / "cache", home / "demo" / "var" / "cache")
    steps = lines_of(fenced(home / "demo" / "README.md"))
    assert [step[0] for step in steps] == ["extract", "fit-head", "predict", "evaluate"]
    for step in steps:
        run_in(home / "demo", step)
