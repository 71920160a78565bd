"""The body of a worker process: it answers tasks until its pipe closes or its parent has gone."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any, Protocol

from threadpoolctl import threadpool_limits

from core.status import failed

_READY = b"ready"


class Job(Protocol):
    """What the workers do; it is sent to each worker once, so it must be picklable."""

    def __call__(self, task: Any) -> Any: ...


def work(pipe: Connection, job: Job, memory_bytes: int) -> None:
    """Say that it is ready, then answer every task with the bytes of a result or of a gap."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process decides how an interrupt ends
    threading.Thread(target=_end_with_parent, daemon=True).start()
    threadpool_limits(1)  # the workers are the parallelism
    _limit_memory(memory_bytes)
    pipe.send_bytes(_READY)
    while True:
        try:
            wire = pipe.recv_bytes()
        except EOFError:
            return
        try:
            answer = bytes(ForkingPickler.dumps(job(ForkingPickler.loads(wire))))
        except MemoryError:
            gap = failed("memory", f"more than {memory_bytes / 2**30:.1f} GiB were needed")
            answer = bytes(ForkingPickler.dumps(gap))
        except Exception as error:  # costs this task; a new worker would cost seconds as well
            gap = failed("crash", f"{type(error).__name__}: {error}")
            answer = bytes(ForkingPickler.dumps(gap))
        pipe.send_bytes(answer)


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
