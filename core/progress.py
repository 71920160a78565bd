"""Progress on stderr: rate, time left, failures; a bar on a terminal, else a line each 15 s."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

_LINE_EVERY_S = 15.0
_BAR_EVERY_S = 0.1  # telling the bar of each of 100,000 items would take longer than the items


class Meter:
    """Counts finished items; a context manager. Without a terminal it writes a line each 15 s.

    patience_s  work that ends sooner has no bar
    """

    def __init__(
        self,
        what: str,
        total: int,
        *,
        unit: str = "samples",
        patience_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.done, self.failed = 0, 0
        self._what, self._total, self._unit, self._clock = what, total, unit, clock
        self._size_bytes = 0
        self._started = self._first = self._spoken = clock()
        self._shown_from = self._started + patience_s
        self._terminal = sys.stderr.isatty()
        self._bar: Progress | None = None

    def __enter__(self) -> Meter:
        self._show()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.update(self._task, completed=self.done, note=self._note())
            self._bar.stop()

    def advance(self, *, failed: bool = False, size_bytes: int = 0) -> None:
        """Count one finished item, and how many bytes it was, where that is worth telling."""
        self.done += 1
        self.failed += failed
        self._size_bytes += size_bytes
        if self.done == 1:
            self._first = self._clock()
        self._show()

    def summary(self) -> str:
        """Return what was done, how fast, and how much of it failed."""
        seconds = self._clock() - self._started
        return f"{self.done} {self._unit} in {seconds:.1f} s, {self._note()}"

    def _show(self) -> None:
        """Say how far it is, if that was not said just now."""
        now = self._clock()
        if now < self._shown_from:
            return
        if self._terminal:
            self._show_bar(now)
        elif now - self._spoken > _LINE_EVERY_S:
            self._spoken = now
            text = f"{self._what}: {self.done} of {self._total}, {self._note()}{self._left()}"
            print(text, file=sys.stderr, flush=True)

    def _show_bar(self, now: float) -> None:
        if self._bar is None:
            self._bar = _bar()
            self._bar.start()
            self._task = self._bar.add_task(self._what, total=self._total, note="")
        if now - self._spoken > _BAR_EVERY_S:
            self._spoken = now
            self._bar.update(self._task, completed=self.done, note=self._note())

    def _left(self) -> str:
        """Return the time left, by the items behind the first: it waited for workers to start."""
        if self.done < 2:
            return ""
        each_s = (self._clock() - self._first) / (self.done - 1)
        return f", {(self._total - self.done) * each_s:.0f} s left"

    def _note(self) -> str:
        seconds = max(self._clock() - self._started, 1e-9)
        amount = f"{self._size_bytes / seconds / 1e6:.0f} MB/s, " if self._size_bytes else ""
        return f"{self.done / seconds:.1f} {self._unit}/s, {amount}{self.failed} failed"


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
