"""`demo`: a synthetic corpus of real files, with a known cause of popularity."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands import options as o

EXAMPLES = o.examples("demo demo", "demo demo-broken --videos 24 --broken 3")


def run(
    out: Annotated[Path, typer.Argument(help="folder to make", metavar="OUT")],
    videos: Annotated[int, typer.Option("--videos", help="how many clips", min=1)] = 120,
    days: Annotated[int, typer.Option("--days", help="length of the popularity curve", min=1)] = 30,
    broken: Annotated[
        int, typer.Option("--broken", help="so many files truncated, missing or empty on purpose")
    ] = 0,
    seed: o.SeedOption = 7,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", help="processes  [default: one per CPU, up to 8]", min=1, metavar="N"
        ),
    ] = None,
    as_json: o.JsonOption = False,
) -> int:
    """Write a synthetic corpus with a known cause of popularity.

    It has mp4 files with sound, covers, texts, numbers and a 30-day curve. Engagement is caused by
    known things, told in OUT/README.md, so that what a head finds can be compared with what there
    is to find.
    """
    from corpus.demo.write import write_demo

    summary = write_demo(out, videos=videos, seed=seed, days=days, broken=broken, workers=workers)
    if as_json:
        o.print_json(summary.to_json())
        return 0
    print(f"{summary.videos} clips, {summary.bytes / 1e6:.1f} MB, in {summary.folder}")
    print(f"  table    {summary.table}  (columns: {summary.columns})")
    print(f"  to score {summary.new_table}  (with the truth: {summary.new_truth})")
    print(f"  no head can rank these clips better than srocc {summary.ceiling.srocc:.3f}: noise")
    return 0
