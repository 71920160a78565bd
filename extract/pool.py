"""Worker processes that can be killed: a hung or exploding decoder costs one sample, not the run.

Each worker is a spawned process that holds no model. It gets tasks over a pipe, two at a time so
that it never waits, and answers each with a result or a gap. A task that outlasts its time limit
loses its worker, FAILED("timeout"); a worker that dies loses the task it was at, FAILED("crash");
memory beyond the limit raises MemoryError inside the worker, FAILED("memory"). A thread of the main
process does the supervising, so that results arrive and limits hold while the device computes.

Results wait in a queue that is bounded in bytes: while it is full, no new task is handed out.
"""

from __future__ import annotations

import collections
import contextlib
import multiprocessing
import multiprocessing.connection
import os
import queue
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from core.errors import ProjectError
from core.status import Gap, failed

_AHEAD = 2  # tasks in one worker's hands: one at work, one waiting in its pipe
_TICK_S = 0.05
_STARTS_IN_VAIN = 3
_READY = "ready"


class Job(Protocol):
    """What the workers do; it is sent to each worker once, so it must be picklable."""

    def __call__(self, task: Any) -> Any: ...


@dataclass(frozen=True)
class Limits:
    """What one task may take."""

    time_s: float = 120.0
    memory_bytes: int = 4 << 30
    backlog_bytes: int = 512 << 20


@dataclass(eq=False)
class _Worker:
    process: Any
    pipe: Connection
    ready: bool = False
    tasks: collections.deque[tuple[int, Any]] = field(default_factory=collections.deque)
    deadline: float = float("inf")


def run_tasks(
    job: Job, tasks: Sequence[Any], *, workers: int, limits: Limits
) -> Iterator[tuple[Any, Any | Gap]]:
    """Yield each task with its result or its gap, in the order in which they finish.

    Raises:
        ProjectError: if no worker process can be started.
    """
    if not tasks:
        return
    supervisor = _Supervisor(job, iter(tasks), min(workers, len(tasks)), limits)
    try:
        yield from supervisor.results()
    finally:
        supervisor.stop()


class _Supervisor:
    """Hands out tasks, collects results, enforces limits, and replaces workers."""

    def __init__(self, job: Job, tasks: Iterator[Any], workers: int, limits: Limits) -> None:
        self._job, self._tasks, self._count, self._limits = job, tasks, workers, limits
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []
        self._again: collections.deque[tuple[int, Any]] = collections.deque()
        self._results: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._backlog_bytes = 0
        self._backlog_lock = threading.Lock()
        self._stopping = threading.Event()
        self._exhausted = False
        self._in_vain = 0
        self._number = 0
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def results(self) -> Iterator[tuple[Any, Any | Gap]]:
        """Yield (task, result) until all tasks are answered; raise what the supervisor raised."""
        self._thread.start()
        while (item := self._results.get()) is not None:
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
            if self._exhausted and not self._again and not any(w.tasks for w in self._workers):
                return
            by_handle = {w.pipe: w for w in self._workers}
            for handle in multiprocessing.connection.wait(list(by_handle), _TICK_S):
                self._receive(by_handle[handle])  # type: ignore[index]
            self._enforce_time()

    def _new_worker(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_work, args=(theirs, self._job, self._limits.memory_bytes), daemon=True
        )
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def _hand_out(self) -> None:
        for worker in sorted(self._workers, key=lambda w: len(w.tasks)):
            while worker.ready and len(worker.tasks) < _AHEAD and (task := self._next()):
                try:
                    worker.pipe.send(task[1])
                except OSError:  # it died; `_receive` sees the end of its pipe and replaces it
                    self._again.appendleft(task)
                    break
                if not worker.tasks:
                    worker.deadline = time.monotonic() + self._limits.time_s
                worker.tasks.append(task)

    def _next(self) -> tuple[int, Any] | None:
        if self._again:
            return self._again.popleft()
        if self._exhausted or self._backlog_bytes > self._limits.backlog_bytes:
            return None
        for task in self._tasks:
            self._number += 1
            return self._number, task
        self._exhausted = True
        return None

    def _receive(self, worker: _Worker) -> None:
        try:
            answer = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join(1.0)
            self._replace(worker, failed("crash", _ending(worker.process.exitcode)))
            return
        if not worker.ready:
            worker.ready, self._in_vain = answer == _READY, 0
            return
        self._answer(worker.tasks.popleft()[1], answer)
        waiting = time.monotonic() + self._limits.time_s
        worker.deadline = waiting if worker.tasks else float("inf")

    def _enforce_time(self) -> None:
        now = time.monotonic()
        for worker in [w for w in self._workers if w.deadline < now]:
            reason = f"no result after {self._limits.time_s:g} s; --time-limit gives it more"
            self._replace(worker, failed("timeout", reason))

    def _replace(self, worker: _Worker, gap: Gap) -> None:
        """Put a new worker in the place of one that failed at its first task."""
        _end(worker)
        if not worker.ready:
            self._in_vain += 1
            if self._in_vain >= _STARTS_IN_VAIN:
                raise ProjectError(f"no worker process starts: {gap.reason}; try --workers 1")
        if worker.tasks:
            self._answer(worker.tasks.popleft()[1], gap)
        self._again.extend(worker.tasks)
        self._workers[self._workers.index(worker)] = self._new_worker()

    def _answer(self, task: Any, result: Any) -> None:
        size = size_bytes(result)
        with self._backlog_lock:
            self._backlog_bytes += size
        self._results.put((task, result, size))


def size_bytes(value: Any) -> int:
    """Return the bytes of all arrays in nested mappings, lists and tuples."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, dict):
        return sum(size_bytes(item) for item in value.values())
    if isinstance(value, list | tuple):
        return sum(size_bytes(item) for item in value)
    return 0


def _end(worker: _Worker) -> None:
    worker.pipe.close()
    worker.process.kill()
    worker.process.join()


def _ending(code: int | None) -> str:
    """Say how a worker process ended."""
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"the worker process was ended by {signal.Signals(-code).name}"
    return f"the worker process ended with exit code {code}"


def _work(pipe: Connection, job: Job, memory_bytes: int) -> None:
    """Answer tasks until the pipe closes; the body of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process decides how an interrupt ends
    threading.Thread(target=_end_with_parent, daemon=True).start()
    threadpool_limits(1)  # the workers are the parallelism
    _limit_memory(memory_bytes)
    pipe.send(_READY)
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        try:
            result = job(task)
        except MemoryError:
            result = failed("memory", f"more than {memory_bytes / 2**30:.1f} GiB were needed")
        pipe.send(result)


def _end_with_parent() -> None:
    """End this process when its parent has gone, however it went: a hung decoder must not stay."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


def _limit_memory(size: int) -> None:
    """Bound the memory of this process where the system can (private data, not mapped files)."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (size, size))
