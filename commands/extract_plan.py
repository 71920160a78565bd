"""What `extract --dry-run` prints: what is missing, and what computing it will take."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from commands import cache_options as c
from commands import options as o
from core.log import logger

if TYPE_CHECKING:
    from extract.estimate import Estimate, Forecast
    from extract.plan import Plan

_HEADS = (
    "<feature",
    "missing",
    "work",
    "read",
    "start",
    "prepare",
    "forward",
    "write",
    "MB",
    "<as",
)
_SHOWN = 8  # families whose cost is unknown
_STAGES = ("decode_s", "start_s", "prepare_s", "forward_s", "write_s")


def print_plan(plan: Plan, expected: Estimate, cache: Path, *, as_json: bool) -> None:
    """Print by feature what is missing and what it will take, then the sums."""
    _warn_of_disk(expected, cache)
    if as_json:
        missing = {name: int(rows.sum()) for name, rows in plan.missing.items()}
        o.print_json({"samples": plan.count(), "missing": missing, "estimate": expected.to_json()})
        return
    print("what is missing; seconds of work (start: once in each worker) and MB that it takes")
    c.print_table(_HEADS, [_line(feature) for feature in expected.features])
    print(f"{plan.count()} of {len(plan.samples)} samples would be worked on")
    if any(each.missing and each.known for each in expected.features):
        work, size_mb = _duration(expected.work_s), expected.size_bytes / 1e6
        workers = "1 worker" if expected.workers == 1 else f"{expected.workers} workers"
        wall = f"{_duration(expected.wall_s)} with {workers}"
        print(f"about {wall} ({work} of work), {size_mb:.1f} MB")
    if expected.unknown:
        _warn_of_unknown(expected)


def _warn_of_disk(expected: Estimate, cache: Path) -> None:
    """Say if a cache's disk has less room than is wanted; the folder may not be there yet."""
    place = next(folder for folder in (cache, *cache.absolute().parents) if folder.exists())
    free = shutil.disk_usage(place).free
    if expected.size_bytes > free:
        wanted = f"{expected.size_bytes / 1e9:.1f} GB are wanted and {free / 1e9:.1f} GB free"
        logger.warning("--cache %s: %s; free some, or choose another disk", cache, wanted)


def _warn_of_unknown(expected: Estimate) -> None:
    """Say what nothing is known of, and how to find out."""
    from extract.families import family_of

    families = list(dict.fromkeys(map(family_of, expected.unknown)))
    shown, more = ", ".join(families[:_SHOWN]), len(families) - _SHOWN
    logger.warning(
        "not counted, as they were never computed here: %s%s; --probe 20 computes 20 samples to "
        "find out, and keeps them",
        shown,
        f" and {more} more" if more > 0 else "",
    )


def _line(feature: Forecast) -> list[str]:
    """Return the cells of one feature; what is unknown is "?"."""
    seconds = [f"{getattr(feature, stage):.1f}" for stage in _STAGES]
    size, basis = f"{feature.size_bytes / 1e6:.2f}", feature.basis
    if not feature.known:
        seconds, size, basis = [seconds[0], *["?"] * 4], "?", "never computed"
    return [feature.feature, str(feature.missing), str(feature.worked), *seconds, size, basis]


def _duration(seconds: float) -> str:
    """Return a time as people say it: "40 s", "12 min", "3.5 h"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
