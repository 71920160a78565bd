"""What `doctor` prints, and when it fails."""

import json

import pytest

from commands.doctor import _print
from core.checks import Check


def test_every_line_has_a_state_and_what_is_not_fine_a_remedy(capsys):
    _print([Check("OK", "python", "3.12"), Check("WARN", "cpus", "few", "--workers 1")])
    assert capsys.readouterr().out.splitlines() == [
        "OK    python  3.12",
        "WARN  cpus    few",
        "              -> --workers 1",
        "0 of 2 fail, 1 warn",
    ]


@pytest.mark.slow  # it imports every package anew
def test_a_failure_has_its_remedy_and_is_exit_1(run, tmp_path):
    (tmp_path / "taken").write_text("")
    done = run("doctor", "--cache", "taken", "--json")
    answer = json.loads(done.out)
    found = {check["what"]: check for check in answer["checks"]}
    assert (done.code, answer["ok"]) == (1, False)
    assert [what for what in found if found[what]["state"] == "FAIL"] == ["cache folder"]
    assert "--cache DIR" in found["cache folder"]["remedy"]
    assert {"python", "packages", "device", "h264", "hub cache"} <= set(found)
