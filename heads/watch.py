"""Who watches a fit: told the validation loss as it goes, and free to stop it.

Heads that learn in epochs tell; others need not. A fit that nobody watches is told to nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Watcher = Callable[[int, float], None]

_WATCHER: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


class Stopped(Exception):
    """A watcher has seen enough."""


@contextmanager
def watched(by: Watcher) -> Iterator[None]:
    """Let `by` watch the fits of this block: it is told an epoch, from 1, and its loss.

    It may raise `Stopped`, which ends the fit and leaves the block.
    """
    token = _WATCHER.set(by)
    try:
        yield
    finally:
        _WATCHER.reset(token)


def tell(epoch: int, loss: float) -> None:
    """Tell the watcher, if there is one, the validation loss after an epoch."""
    watcher = _WATCHER.get()
    if watcher is not None:
        watcher(epoch, loss)
