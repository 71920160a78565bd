"""`cache similar`: the kept samples that are most like one, or like a new clip."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands import cache_options as c
from commands import encoders as e
from commands import loading
from commands import options as o
from core.errors import UsageError

if TYPE_CHECKING:
    from serve.likeness import Likes

EXAMPLES = o.examples(
    "cache similar demo/new/new-1.mp4 --feature motion",
    "cache similar clip-003 --feature motion -k 3 --json",
)
FAILED = 3


def run(
    target: Annotated[
        str, typer.Argument(help="id of a sample of the cache, or a clip", metavar="VIDEO|ID")
    ],
    feature: Annotated[
        str,
        typer.Option("--feature", help="a feature of the cache, see `cache ls`", metavar="NAME"),
    ],
    count: Annotated[int, typer.Option("-k", "--count", help="how many", min=1)] = 10,
    cache: o.CacheOption = o.DEFAULT_CACHE,
    weights: e.WeightsOption = None,
    device: e.DeviceOption = None,
    time_limit: o.TimeLimitOption = 120.0,
    memory_limit: o.MemoryLimitOption = 4.0,
    as_json: o.JsonOption = False,
) -> int:
    """Show the samples most like another by one feature.

    A distance of 0 is equal, 1 as different as two samples at random. A clip that is no id of the
    cache is extracted first, by the feature's own recipe, and kept as clip:NAME:DIGEST.
    """
    from cache.store import Store
    from serve.likeness import like_id, like_video, stored_feature

    store = Store(c.existing(cache))
    places = e.places(cache, weights)
    spec = stored_feature(store, feature, places)
    found = like_id(store, spec, target, count)
    if found is None:
        if not Path(target).is_file():
            raise UsageError(
                f"{target!r} is neither an id that the cache has a {feature} of, nor a file; "
                "ids: python cli.py cache export OUT --format parquet"
            )
        settings = loading.settings(1, 8, "pyav", time_limit, memory_limit, device=device)
        found = like_video(cache, spec, Path(target), count, settings=settings, places=places)
    _print(found, target, as_json=as_json)
    return FAILED if found.reason else 0


def _print(likes: Likes, target: str, *, as_json: bool) -> None:
    """Print a line for each sample."""
    if as_json:
        rows = [{"id": name, "distance": distance} for name, distance in likes.found]
        o.print_json({"target": target, "similar": rows, "reason": likes.reason or None})
    elif likes.reason:
        print(f"{target}: {likes.reason}")
    else:
        c.print_table(
            ("<id", "distance", "<"),
            [(name, f"{distance:.4f}", "") for name, distance in likes.found],
        )
