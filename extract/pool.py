"""Worker processes that can be killed: a hung or exploding decoder costs one sample, not the run.

Each worker is a spawned process that holds no model. It gets tasks over a pipe, two at a time so
that it never waits, and answers each with a result or a gap. A task that outlasts its time limit
loses its worker, FAILED("timeout"); a worker that dies loses the task it was at, FAILED("crash"),
and so does one whose answer cannot be sent; memory beyond the limit raises MemoryError inside the
worker, FAILED("memory"). A thread of the main process does the supervising, so that results arrive
and limits hold while the device computes.

Results wait in a queue that is bounded in bytes, as they came over the pipe: while it is full, no
new task is handed out.
"""

from __future__ import annotations

import collections
import contextlib
import multiprocessing
import multiprocessing.connection
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any

from core.errors import ProjectError
from core.status import Gap, failed
from extract.worker import Job, work

_AHEAD = 2  # tasks in one worker's hands: one at work, one waiting in its pipe
# What surely fits a pipe. A larger task is sent only to a worker that waits for one: sent to one at
# work it would block this side, while that side may be blocked by its answer, or hang.
_SMALL_BYTES = 16 << 10
_TICK_S = 0.05
_WAIT_S = 1.0
_START_S = 300.0  # for the imports of a worker, on a slow disk
_END_S = 5.0
_STARTS_IN_VAIN = 3


@dataclass(frozen=True)
class Limits:
    """What one task may take."""

    time_s: float = 120.0
    memory_bytes: int = 4 << 30
    backlog_bytes: int = 512 << 20


@dataclass(frozen=True, slots=True)
class _Errand:
    """A task and its bytes on the wire."""

    task: Any
    wire: bytes


@dataclass(eq=False)
class _Worker:
    process: Any
    pipe: Connection
    deadline: float
    ready: bool = False
    errands: collections.deque[_Errand] = field(default_factory=collections.deque)

    def takes(self, errand: _Errand) -> bool:
        """Send an errand; say whether that was possible, without blocking."""
        if self.errands and len(errand.wire) > _SMALL_BYTES:
            return False
        try:
            self.pipe.send_bytes(errand.wire)
        except OSError:  # it died; `_receive` sees the end of its pipe and replaces it
            return False
        return True


def run_tasks(
    job: Job,
    tasks: Sequence[Any],
    *,
    workers: int,
    limits: Limits,
    on_wait: Callable[[], None] = lambda: None,
) -> Iterator[tuple[Any, Any | Gap]]:
    """Yield each task with its result or its gap, in the order in which they finish.

    `on_wait` is called about every second in which nothing finishes.

    Raises:
        ProjectError: if no worker process can be started.
    """
    if not tasks:
        return
    supervisor = _Supervisor(job, iter(tasks), min(workers, len(tasks)), limits)
    try:
        yield from supervisor.results(on_wait)
    finally:
        supervisor.stop()


class _Supervisor:
    """Hands out tasks, collects results, enforces limits, and replaces workers."""

    def __init__(self, job: Job, tasks: Iterator[Any], workers: int, limits: Limits) -> None:
        self._job, self._tasks, self._count, self._limits = job, tasks, workers, limits
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []
        self._again: collections.deque[_Errand] = collections.deque()
        self._results: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._backlog_bytes = 0
        self._backlog_lock = threading.Lock()
        self._stopping = threading.Event()
        self._exhausted = False
        self._in_vain = 0
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def results(self, on_wait: Callable[[], None]) -> Iterator[tuple[Any, Any | Gap]]:
        """Yield (task, result) until all tasks are answered; raise what the supervisor raised."""
        self._thread.start()
        while True:
            try:
                item = self._results.get(timeout=_WAIT_S)
            except queue.Empty:
                on_wait()
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            task, result, size = item
            with self._backlog_lock:
                self._backlog_bytes -= size
            yield task, result

    def stop(self) -> None:
        """End the workers, at once if they are at work."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._supervise()
            self._results.put(None)
        except BaseException as error:
            self._results.put(error)
        finally:
            for worker in self._workers:
                _end(worker)

    def _supervise(self) -> None:
        self._workers = [self._new_worker() for _ in range(self._count)]
        while not self._stopping.is_set():
            self._hand_out()
            if self._exhausted and not self._again and not any(w.errands for w in self._workers):
                return
            answering = multiprocessing.connection.wait([w.pipe for w in self._workers], _TICK_S)
            for worker in [w for w in self._workers if w.pipe in answering]:
                self._receive(worker)
            self._enforce_time()

    def _new_worker(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=work, args=(theirs, self._job, self._limits.memory_bytes), daemon=True
        )
        process.start()
        theirs.close()
        return _Worker(process, ours, time.monotonic() + _START_S)

    def _hand_out(self) -> None:
        for worker in sorted(self._workers, key=lambda w: len(w.errands)):
            while worker.ready and len(worker.errands) < _AHEAD and (errand := self._next()):
                if not worker.takes(errand):
                    self._again.appendleft(errand)
                    break
                if not worker.errands:
                    worker.deadline = time.monotonic() + self._limits.time_s
                worker.errands.append(errand)

    def _next(self) -> _Errand | None:
        if self._again:
            return self._again.popleft()
        if self._exhausted or self._backlog_bytes > self._limits.backlog_bytes:
            return None
        for task in self._tasks:
            return _Errand(task, bytes(ForkingPickler.dumps(task)))
        self._exhausted = True
        return None

    def _receive(self, worker: _Worker) -> None:
        try:
            wire = worker.pipe.recv_bytes()
        except (EOFError, OSError):
            worker.process.join(1.0)
            self._replace(worker, failed("crash", _ending(worker.process.exitcode)))
            return
        if not worker.ready:
            worker.ready, worker.deadline, self._in_vain = True, float("inf"), 0
            return
        self._answer(worker.errands.popleft().task, _answer_in(wire), len(wire))
        waiting = time.monotonic() + self._limits.time_s
        worker.deadline = waiting if worker.errands else float("inf")

    def _enforce_time(self) -> None:
        now = time.monotonic()
        for worker in [w for w in self._workers if w.deadline < now]:
            reason = f"no result after {self._limits.time_s:g} s; --time-limit gives it more"
            if not worker.ready:
                reason = f"it was not ready after {_START_S:g} s"
            self._replace(worker, failed("timeout", reason))

    def _replace(self, worker: _Worker, gap: Gap) -> None:
        """Put a new worker in the place of one that failed at its first task."""
        _end(worker)
        if not worker.ready:
            self._in_vain += 1
            if self._in_vain >= _STARTS_IN_VAIN:
                raise ProjectError(f"no worker process starts: {gap.reason}; try --workers 1")
        if worker.errands:
            self._answer(worker.errands.popleft().task, gap)
        self._again.extend(worker.errands)
        self._workers[self._workers.index(worker)] = self._new_worker()

    def _answer(self, task: Any, result: Any, size: int = 0) -> None:
        with self._backlog_lock:
            self._backlog_bytes += size
        self._results.put((task, result, size))


def _end(worker: _Worker) -> None:
    worker.pipe.close()
    worker.process.kill()
    worker.process.join(_END_S)  # one that waits for a dead disk cannot be ended: go on without it


def _answer_in(wire: bytes) -> Any:
    """Return what a worker sent."""
    try:
        return ForkingPickler.loads(wire)
    except Exception as error:  # an object may raise anything while it is made again
        return failed("crash", f"the answer cannot be read: {type(error).__name__}: {error}")


def _ending(code: int | None) -> str:
    """Say how a worker process ended."""
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"the worker process was ended by {signal.Signals(-code).name}"
    return f"the worker process ended with exit code {code}"
