"""What the commands of `cache` share: the folder that must be there, a table, and how to print."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from commands import loading
from core.errors import UsageError
from core.log import logger

if TYPE_CHECKING:
    from corpus.manifest import Manifest

ManifestOption = Annotated[
    Path | None,
    typer.Option("--manifest", help="table of videos to compare with", metavar="TABLE"),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="say what would be done, and stop")]


def existing(cache: Path) -> Path:
    """Return the folder of a cache; a mistyped one is no empty cache."""
    if not cache.is_dir():
        raise UsageError(
            f"--cache {cache} is no folder; `python cli.py extract` makes one, by default var/cache"
        )
    return cache


def warn_if_empty(found: Collection[object], cache: Path) -> None:
    """Say so if a folder holds no features: it may be the wrong one."""
    if not found:
        logger.warning("--cache %s has no features; `python cli.py extract` computes some", cache)


def manifest_of(table: Path, source: str, columns: str | None, root: Path | None) -> Manifest:
    """Read the table of --manifest."""
    return loading.load_manifest(loading.TableOptions(table, source, columns, root, False))


def moment(seconds: float | None) -> str:
    """Return a time as local date and minute; "-" for None."""
    return "-" if seconds is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def print_table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """Print lines under their heads; a head that begins with "<" is of texts, others of numbers.

    On a terminal the first and the last column are folded to fit; in a pipe nothing is.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    if not console.is_terminal:
        console = Console(width=10_000)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for number, head in enumerate(heads):
        fixed = 0 < number < len(heads) - 1
        justify: Literal["left", "right"] = "left" if head.startswith("<") else "right"
        table.add_column(head.removeprefix("<"), justify=justify, no_wrap=fixed, overflow="fold")
    for line in lines:
        table.add_row(*map(escape, line))
    with console.capture() as captured:
        console.print(table, highlight=False)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))
