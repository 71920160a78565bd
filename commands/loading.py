"""From a command's options to the things they name: the table, the cache, the features."""

from __future__ import annotations

import gc
import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import UsageError
from core.log import logger

if TYPE_CHECKING:
    from corpus.columns import Columns
    from corpus.manifest import Manifest
    from corpus.targets import TargetPlan
    from extract.ensure import State
    from extract.pipeline import Settings


@dataclass(frozen=True)
class TableOptions:
    """How a table is to be read; columns are the text of --columns, or resolved already."""

    path: Path
    source: str
    columns: str | Columns | None
    root: Path | None
    skip_bad_rows: bool


def load_manifest(options: TableOptions, targets: Sequence[str | TargetPlan] = ()) -> Manifest:
    """Read the table; rows that were left out are said on stderr."""
    from corpus.columns import Columns
    from corpus.manifest import read_manifest

    columns = options.columns
    manifest = read_manifest(
        options.path,
        columns=Columns.parse(columns) if isinstance(columns, str) else columns,
        source=options.source,
        root=options.root,
        targets=targets,
        skip_bad_rows=options.skip_bad_rows,
    )
    gc.freeze()  # a large table's rows stay: walking them again and again took 0.2 s of 3
    for problem in manifest.bad_rows[:20]:
        logger.warning("left out: %s", problem)
    if manifest.bad_rows:
        logger.warning("%d bad rows left out of %s", len(manifest.bad_rows), options.path)
    return manifest


def refuse_overwriting(out: Path, read: Path, *, what: str = "table") -> None:
    """Make sure that a file to be written is not the table, or the clip, that is read.

    Raises:
        UsageError: if it is.
    """
    if out.exists() and read.exists() and out.samefile(read):
        raise UsageError(f"{out} is the {what} that is read; name another file to write")


def refuse_as_clips(videos: Iterable[Path]) -> None:
    """Make sure that what is named as clips is no folder and no table.

    Raises:
        UsageError: if one is.
    """
    from corpus.table import SUFFIXES

    for video in videos:
        if video.is_dir():
            raise UsageError(f"{video} is a folder; name clips, or a table of them with --manifest")
        if video.suffix.lower() in SUFFIXES:
            raise UsageError(f"{video} is a table, not a clip; name it with --manifest")


def say_by_id(state: State) -> None:
    """Say how many samples were known by their ids alone."""
    if state.by_id:
        logger.info("%d samples found by id alone: their files are not here", state.by_id)


def as_fitted(run: Path, reading: TableOptions, reads: Collection[str]) -> TableOptions:
    """Read a table as the one that a run was fitted on was read, as far as it has those columns.

    A column that is not there is said on stderr if one of the parts that the run reads is in it.
    """
    from core.runs import read_run
    from corpus.columns import Columns
    from corpus.rows import header_of
    from corpus.sources.catalog import SOURCES

    data = read_run(run)["data"]
    source = SOURCES.load(data["source"])
    table = source.read(reading.path)
    kept: dict[str, list[str]] = {}
    for role, name in Columns.from_mapping(data["columns"]).named():
        if header_of(table, name, source) is not None:
            kept.setdefault(role, []).append(name)
        elif _parts_of_column(role, name) & set(reads):
            logger.warning("%s lacks the column %r, which the run reads", reading.path, name)
    return replace(reading, source=data["source"], columns=Columns.from_mapping(kept))


def _parts_of_column(role: str, name: str) -> set[str]:
    """Return the parts of a sample that a column may hold."""
    if role == "video":
        return {"video", "audio"}
    kinds = {"text": "text:", "number": "meta:", "category": "meta:"}
    return {kinds[role] + name} if role in kinds else {role}


def settings(
    workers: int | None,
    batch_size: int,
    decoder: str,
    time_limit_s: float,
    memory_limit_gib: float,
    shard_seconds: float = 60.0,
    *,
    device: str | None = None,
) -> Settings:
    """Return how to run an extraction, from the options of a command."""
    from cache.writer import Limits as ShardLimits
    from core.device import choose_device
    from extract.pipeline import Settings
    from extract.pool import Limits

    limits = Limits(time_limit_s, int(memory_limit_gib * 2**30))
    return Settings(
        workers=workers or cpu_count(),
        batch_size=batch_size,
        decoder=decoder,
        device=lambda: choose_device(device).value,
        limits=limits,
        shards=ShardLimits(age_s=shard_seconds),
    )


def parts_of(manifest: Manifest) -> list[str]:
    """Return the parts that at least one row of a table names."""
    from corpus.sample import MEDIA_PARTS

    samples = manifest.samples
    found = [part for part in MEDIA_PARTS if any(sample.has(part) for sample in samples)]
    return found + [f"text:{field}" for field in manifest.columns.text]


def cpu_count() -> int:
    """Return how many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def parse_part(text: str) -> tuple[int, int]:
    """Read "2/8" as (2, 8).

    Raises:
        UsageError: unless it is i/n with 1 <= i <= n.
    """
    index, _, count = text.partition("/")
    if index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count):
        return int(index), int(count)
    raise UsageError(f"--part {text!r} is not i/n with 1 <= i <= n, such as 2/8")
