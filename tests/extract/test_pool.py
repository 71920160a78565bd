"""Workers that hang, explode or die cost one task, never the run."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from core.errors import ProjectError
from core.status import Gap
from extract.pool import Limits, run_tasks
from extract.sample_job import SampleAnswer


class Behave:
    """Does what the task says."""

    def __call__(self, task):
        word, _, number = task.partition(" ")
        if word == "hang":
            time.sleep(1000)
        if word == "die":
            os.kill(os.getpid(), signal.SIGSEGV)
        if word == "leave":
            os._exit(7)
        if word == "explode":
            return np.zeros(1 << 40, np.uint8).sum()
        if word == "raise":
            raise OSError("no such thing")
        if word == "secret":
            return lambda: None
        if word == "riddle":
            return Riddle()
        if word == "wait":
            time.sleep(float(number))
        if word in ("array", "answer"):
            array = np.zeros(int(number), np.uint8)
            return array if word == "array" else SampleAnswer({0: {"pixels": array}})
        return f"did {task}"


class Riddle:
    """Cannot be unpickled."""

    def __reduce__(self):
        return (int, ("no number",))


class Watched(list):
    """Counts how many of its items were taken."""

    handed_out = 0

    def __iter__(self):
        for item in super().__iter__():
            self.handed_out += 1
            yield item


class Refuse:
    """Cannot be unpickled in the worker."""

    def __reduce__(self):
        return (os._exit, (3,))


def run(tasks, workers=2, **limits):
    return dict(run_tasks(Behave(), tasks, workers=workers, limits=Limits(**limits)))


def test_every_task_is_answered_once():
    tasks = [f"task {n}" for n in range(50)]
    assert run(tasks) == {task: f"did {task}" for task in tasks}


def test_no_task_needs_no_worker():
    assert run([]) == {}


def test_a_task_that_hangs_times_out_and_the_others_go_on():
    answers = run(["a 1", "hang", "a 2", "a 3", "a 4"], time_s=1.0)
    gap = answers.pop("hang")
    assert (gap.cause, gap.reason[:21]) == ("timeout", "no result after 1 s; ")
    assert answers == {f"a {n}": f"did a {n}" for n in (1, 2, 3, 4)}


@pytest.mark.parametrize(("task", "words"), [("die", "SIGSEGV"), ("leave", "exit code 7")])
def test_a_worker_that_dies_loses_its_task_only(task, words):
    answers = run(["a 1", task, "a 2", "a 3"], workers=1)
    assert isinstance(answers[task], Gap)
    assert answers[task].cause == "crash"
    assert words in answers[task].reason
    assert {answers[f"a {n}"] for n in (1, 2, 3)} == {"did a 1", "did a 2", "did a 3"}


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("raise", "OSError: no such thing"),
        ("secret", "local object"),
        ("riddle", "the answer cannot be read: ValueError"),
    ],
)
def test_an_answer_that_cannot_be_given_costs_one_task(task, words):
    answers = run(["a 1", task, "a 2"], workers=1)
    assert answers[task].cause == "crash"
    assert words in answers[task].reason
    assert answers["a 2"] == "did a 2"


def test_large_tasks_and_large_answers_do_not_wait_for_each_other():
    tasks = [f"array {10_000_000 + n}" + " " * 1_000_000 for n in range(4)]
    answers = run(tasks, workers=1, time_s=20.0)
    assert [len(answers[task]) for task in tasks] == [10_000_000 + n for n in range(4)]


def test_a_worker_that_hangs_with_a_large_task_before_it_times_out():
    answers = run(["hang", "a" + " " * 5_000_000], workers=1, time_s=1.0)
    assert answers["hang"].cause == "timeout"


def test_while_nothing_finishes_the_caller_has_a_turn():
    turns = []
    tasks = run_tasks(
        Behave(), ["wait 3"], workers=1, limits=Limits(), on_wait=lambda: turns.append(1)
    )
    assert dict(tasks) == {"wait 3": "did wait 3"}
    assert len(turns) >= 2


def test_workers_that_are_replaced_leave_no_file_open():
    run(["die"] * 3, workers=1)
    before = len(list(Path("/proc/self/fd").iterdir()))
    run([f"leave {n}" for n in range(8)])
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_memory_beyond_the_limit_costs_one_task():
    answers = run(["a 1", "explode", "a 2"], workers=1)
    assert answers["explode"].cause == "memory"
    assert answers["a 2"] == "did a 2"


@pytest.mark.parametrize("word", ["array", "answer"])
def test_a_backlog_of_bytes_holds_tasks_back(word):
    tasks = Watched(f"{word} {1000 + n}" for n in range(12))
    answers = run_tasks(Behave(), tasks, workers=1, limits=Limits(backlog_bytes=1500))
    next(answers)
    time.sleep(1.0)
    assert tasks.handed_out <= 6
    assert len(list(answers)) == 11


def test_workers_that_cannot_start_are_an_error():
    with pytest.raises(ProjectError, match="no worker process starts"):
        list(run_tasks(Refuse(), ["a"], workers=1, limits=Limits()))


def test_leaving_early_ends_the_workers():
    answers = run_tasks(Behave(), ["a 1", "hang"], workers=2, limits=Limits())
    next(answers)
    started = time.monotonic()
    answers.close()
    assert time.monotonic() - started < 10
