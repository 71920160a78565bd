"""In which order extractors run: what reads another's text after it, and only as many as fit.

The stages are runs over the samples, one after another. Extractors without weights are all in the
first; those with weights fill a stage as far as the device's memory goes, so that a file is decoded
once unless the weights are too many for one go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.log import logger
from extract.catalog import Request
from extract.contract import Extractor


def stages(request: Request, room_bytes: Callable[[], int]) -> list[Request]:
    """Split a request into runs; `room_bytes` says how much memory weights may take on the device.

    It is asked only where there are weights.
    """
    left, done = list(request.extractors), set[str]()
    found: list[list[Extractor]] = []
    while left:
        ready = [each for each in left if all(spec.name in done for spec in each.after)]
        assert ready, "extractors wait for each other"
        groups = _fitting(ready, room_bytes)
        if len(groups) > 1:
            turns = " | ".join(_named(group) for group in groups)
            logger.info("the weights do not fit together; in %d turns: %s", len(groups), turns)
        found += groups
        done |= {spec.name for each in ready for spec in each.specs}
        left = [each for each in left if each not in ready]
    return [_part(request, group) for group in found]


def _fitting(ready: Sequence[Extractor], room_bytes: Callable[[], int]) -> list[list[Extractor]]:
    """Return groups whose weights fit the device together; one that never fits is alone."""
    heavy = [each for each in ready if each.weight_bytes]
    groups: list[list[Extractor]] = [[each for each in ready if not each.weight_bytes]]
    room = room_bytes() if heavy else 0
    taken = 0
    for extractor in heavy:
        if taken and taken + extractor.weight_bytes > room:
            groups.append([])
            taken = 0
        groups[-1].append(extractor)
        taken += extractor.weight_bytes
    return groups


def _part(request: Request, extractors: Sequence[Extractor]) -> Request:
    names = {spec.name for each in extractors for spec in each.specs}
    wanted = (*request.features, *request.upstream)
    return Request(tuple(extractors), tuple(name for name in wanted if name in names))


def _named(extractors: Sequence[Extractor]) -> str:
    return ", ".join(each.family for each in extractors if each.weight_bytes)
