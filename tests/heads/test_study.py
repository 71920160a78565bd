"""The trials of one question: what is tried, what is kept, and how a killed study goes on."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import FitError, StorageError
from heads.contract import Span
from heads.tuning.study import Question, explore
from heads.tuning.trials import Tuned
from heads.watch import tell

SPACE = {"rate": Span(0.001, 1, log=True), "leaves": Span(2, 64, whole=True)}
ASKED = Question("fold1 abc", SPACE, {"rate": 0.5, "leaves": None}, 12, 3)
ROOT = Path(__file__).resolve().parents[2]


def bowl(options):
    """Return the smallest loss at a rate of 0.1 and 20 leaves, which the defaults do not have."""
    return abs(options["rate"] - 0.1) + abs((options["leaves"] or 60) - 20) / 20


def facts(trials):
    return [(trial.number, trial.state, trial.options, trial.loss) for trial in trials]


def stops_after(count, attempt=bowl):
    """Return an attempt that is interrupted after so many trials."""
    left = iter(range(count))

    def attempted(options):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return attempt(options)

    return attempted


def test_the_defaults_come_first_and_the_rest_lies_in_the_space():
    trials = explore(ASKED, bowl)
    assert [trial.number for trial in trials] == list(range(12))
    assert trials[0].options == ASKED.first
    for trial in trials[1:]:
        assert 0.001 <= trial.options["rate"] <= 1
        assert isinstance(trial.options["leaves"], int)
        assert 2 <= trial.options["leaves"] <= 64


def test_what_is_found_is_better_than_the_defaults():
    found = Tuned("fold1", explore(replace(ASKED, count=40), bowl))
    assert found.best.loss < 0.3 < found.trials[0].loss
    assert found.options["leaves"] == pytest.approx(20, abs=6)


def test_options_are_short_enough_to_be_given_by_hand():
    for trial in explore(ASKED, bowl)[1:]:
        assert float(f"{trial.options['rate']:.4g}") == trial.options["rate"]


def test_the_same_seed_tries_the_same_and_another_seed_does_not():
    first, again = explore(ASKED, bowl), explore(ASKED, bowl)
    assert facts(again) == facts(first)
    assert facts(explore(replace(ASKED, seed=4), bowl))[1:] != facts(first)[1:]


@pytest.mark.parametrize("done", [0, 1, 7])
def test_an_interrupted_study_goes_on_as_if_it_had_not_been(tmp_path, done):
    place = tmp_path / "tuning.db"
    with pytest.raises(KeyboardInterrupt):
        explore(ASKED, stops_after(done), place=place)
    rest = stops_after(12 - done)
    assert facts(explore(ASKED, rest, place=place)) == facts(explore(ASKED, bowl))


def test_a_study_that_was_killed_goes_on(tmp_path):
    place = tmp_path / "tuning.db"
    code = (
        "import os, signal; from pathlib import Path; from heads.tuning.study import explore\n"
        "from tests.heads.test_study import ASKED, bowl, stops_after\n"
        "def attempt(options, left=iter(range(5))):\n"
        "    if next(left, None) is None: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return bowl(options)\n"
        f"explore(ASKED, attempt, place=Path({str(place)!r}))"
    )
    killed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert facts(explore(ASKED, stops_after(7), place=place)) == facts(explore(ASKED, bowl))


def test_more_trials_go_on_from_fewer_and_fewer_are_the_first(tmp_path):
    place = tmp_path / "tuning.db"
    twelve = explore(ASKED, bowl, place=place)
    more = explore(replace(ASKED, count=15), stops_after(3), place=place)
    assert facts(more[:12]) == facts(twelve)
    assert facts(explore(replace(ASKED, count=5), stops_after(0), place=place)) == facts(more[:5])


def test_another_question_is_another_study_in_the_same_file(tmp_path):
    place = tmp_path / "tuning.db"
    explore(ASKED, bowl, place=place)
    with pytest.raises(KeyboardInterrupt):
        explore(replace(ASKED, name="fold1 def"), stops_after(0), place=place)


def test_every_trial_is_told_those_of_an_earlier_process_too(tmp_path):
    place, told = tmp_path / "tuning.db", []
    explore(ASKED, bowl, place=place)
    explore(replace(ASKED, count=14), bowl, place=place, tried=told.append)
    assert [trial.number for trial in told] == list(range(14))


def test_what_cannot_be_fitted_has_a_reason_and_the_rest_goes_on():
    def picky(options):
        if options["rate"] > 0.1:
            raise FitError("the loss is not finite")
        return float("nan") if options["rate"] > 0.05 else bowl(options)

    found = Tuned("fold1", explore(replace(ASKED, count=20), picky))
    assert found.trials[0].reason == "the loss is not finite"
    failed = {trial.reason for trial in found.trials if trial.state == "failed"}
    assert failed == {"the loss is not finite", "the loss is not a finite number"}
    assert found.best.state == "done"


def test_trials_that_are_far_behind_are_stopped():
    epochs = []

    def learns(options):
        for epoch in range(1, 41):
            epochs.append(options["rate"])
            tell(epoch, bowl(options) + 1 / epoch)
        return bowl(options)

    trials = explore(replace(ASKED, count=30), learns)
    stopped = [trial for trial in trials if trial.state == "stopped"]
    assert 3 <= len(stopped) <= 20
    assert all(epochs.count(trial.options["rate"]) in {8, 16, 32} for trial in stopped)
    assert all(trial.loss != trial.loss for trial in stopped)
    assert Tuned("fold1", trials).best.loss < trials[0].loss


@pytest.mark.parametrize("spoil", [lambda path: path.write_text("no database"), Path.mkdir])
def test_a_file_that_is_no_study_is_refused(tmp_path, spoil):
    spoil(tmp_path / "tuning.db")
    with pytest.raises(StorageError, match=r"the trials in .*tuning\.db cannot be read or written"):
        explore(ASKED, bowl, place=tmp_path / "tuning.db")


def test_signs_in_a_folders_name_do_not_matter(tmp_path):
    place = tmp_path / "a?b #c %41" / "tuning.db"
    explore(ASKED, bowl, place=place)
    assert place.is_file()
