"""Packages: lacking, too old, broken ones, and those that end or hang their process."""

import re
import subprocess
import sys
from importlib.util import find_spec

from core.packages import ROOT, module_of, package_checks, try_imports


def by_name(checks):
    return {check.what: check for check in checks}


def test_packages_that_lack_or_are_too_old_are_told_apart_by_need(tmp_path):
    lines = ["h5py>=3.1  # shards", "numpy>=999", "decord>=77", "nosuchthing", "", "# a remark"]
    (tmp_path / "requirements.txt").write_text("\n".join(lines))
    found = by_name(package_checks(tmp_path / "requirements.txt"))
    assert found["packages"].found.startswith("h5py 3.")
    assert (found["numpy"].state, found["decord"].state) == ("FAIL", "WARN")
    assert "pip install -r requirements.txt: numpy>=999" in found["numpy"].remedy
    assert "needed for --decoder decord" in found["decord"].found
    assert found["nosuchthing"].found == "not installed"
    assert found["device"].state == "WARN"


def test_every_requirement_is_tried_by_the_name_of_a_module_that_exists():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    names = [re.match(r"[\w-]+", line)[0] for line in lines if line[:1].strip("#")]
    assert len(names) > 10
    assert [name for name in names if find_spec(module_of(name)) is None] == []


def test_what_crashes_or_raises_is_blamed_and_the_rest_go_on(tmp_path, monkeypatch):
    (tmp_path / "crashing.py").write_text("import os\nos._exit(11)\n")
    (tmp_path / "raising.py").write_text("raise RuntimeError('no')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = try_imports(["json", "crashing", "raising", "csv"])
    assert {name: answer["error"] for name, answer in found.items()} == {
        "json": "",
        "crashing": "it ended the process with exit code 11",
        "raising": "RuntimeError: no",
        "csv": "",
    }


def test_what_hangs_is_blamed(tmp_path, monkeypatch):
    (tmp_path / "hanging.py").write_text("import time\ntime.sleep(600)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = try_imports(["hanging"], seconds=1.0)
    assert found["hanging"]["error"] == "nothing after 1 s"


def test_the_checks_themselves_load_no_package():
    code = "import core.packages, core.machine, sys; print('numpy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
