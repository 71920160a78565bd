"""Progress on stderr: rate, time left, failures; a bar on a terminal, else a line each 15 s."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_LINE_EVERY_S = 15.0


class Meter:
    """Counts finished items; a context manager. Without a terminal it writes a line each 15 s."""

    def __init__(self, what: str, total: int, *, unit: str = "samples") -> None:
        self.done, self.failed = 0, 0
        self._what, self._total, self._unit = what, total, unit
        self._started = self._spoken = time.monotonic()
        self._bar = _bar() if sys.stderr.isatty() else None

    def __enter__(self) -> Meter:
        if self._bar:
            self._bar.start()
            self._task = self._bar.add_task(self._what, total=self._total, note="")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()

    def advance(self, *, failed: bool = False) -> None:
        """Count one finished item."""
        self.done += 1
        self.failed += failed
        if self._bar:
            self._bar.update(self._task, advance=1, note=self._note())
        elif time.monotonic() - self._spoken > _LINE_EVERY_S:
            self._spoken = time.monotonic()
            left = (self._total - self.done) / max(self._rate(), 1e-9)
            text = f"{self._what}: {self.done} of {self._total}, {self._note()}, {left:.0f} s left"
            print(text, file=sys.stderr, flush=True)

    def summary(self) -> str:
        """Return what was done, how fast, and how much of it failed."""
        seconds = time.monotonic() - self._started
        return f"{self.done} {self._unit} in {seconds:.1f} s, {self._note()}"

    def _rate(self) -> float:
        return self.done / max(time.monotonic() - self._started, 1e-9)

    def _note(self) -> str:
        return f"{self._rate():.1f} {self._unit}/s, {self.failed} failed"


def _bar() -> Progress:
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
