"""The house: who may import whom, what starting costs, which names are taken."""

import ast
import importlib.metadata
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
RANKS = {
    "core": 1,
    "corpus": 2,
    "media": 2,
    "cache": 3,
    "scoring": 3,
    "extract": 4,
    "heads": 4,
    "finetune": 5,
    "serve": 5,
    "commands": 6,
    "cli": 7,
}
HEAVY = {"torch", "transformers", "lightgbm", "faiss", "peft", "av", "decord", "sklearn", "pandas"}
LONGEST_FILE = 300
ROOMS = sorted(path.name for path in ROOT.iterdir() if path.name in RANKS and path.is_dir())
FILES = [ROOT / "cli.py", *(path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))]


@cache
def imports(path: Path) -> frozenset[str]:
    """Return the modules of the project that a file imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(name for name in found if name.split(".")[0] in RANKS)


def room(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_from_lower_ranks_or_its_own_folder(path):
    for name in imports(path):
        other = name.split(".")[0]
        assert other == room(path) or RANKS[other] < RANKS[room(path)], f"{path} imports {name}"


def test_there_is_no_ring_of_imports():
    modules = {".".join(p.relative_to(ROOT).with_suffix("").parts): p for p in FILES}
    graph = {name: imports(path) & modules.keys() for name, path in modules.items()}
    assert list(TopologicalSorter(graph).static_order())


def test_every_folder_with_code_has_a_rank():
    outside = {"tests", "bench"}
    folders = {path.parent.name for path in ROOT.glob("*/*.py")} - outside
    assert folders <= RANKS.keys()


def test_no_room_has_the_name_of_a_library():
    installed = importlib.metadata.packages_distributions().keys()
    taken = set(ROOMS) & (set(sys.stdlib_module_names) | set(installed))
    assert not taken


def test_help_loads_nothing_heavy():
    code = "import sys, cli; cli.main()" + f"; print(sorted({HEAVY} & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", code, "--help"], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_opens_with_its_subject_and_is_short(path):
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)), f"{path} has no docstring"
    assert len(text.splitlines()) <= LONGEST_FILE


def test_nothing_is_pickled():
    for path in FILES:
        words = {
            alias for node in ast.walk(ast.parse(path.read_text())) for alias in names_of(node)
        }
        assert not words & {"pickle", "joblib", "cloudpickle", "dill"}, path


def names_of(node):
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    return [node.module.split(".")[0]] if isinstance(node, ast.ImportFrom) and node.module else []
