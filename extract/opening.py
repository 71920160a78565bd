"""Opening seconds: `motion@first3s` is what `motion` makes of a video's first 3 seconds.

A variant has the name `first` NUMBER `s`, with up to three decimals: `first1s`, `first2.5s`. There
is one way to write each, as each is a feature of its own in the cache.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TypeVar

from core.errors import UnknownName
from media.request import AudioRequest, FrameRequest

USUAL_S = (1, 3, 5)  # what `features` tells of; any other number will do
OPENING_PARTS = ("video", "audio")  # the parts that have opening seconds

_VARIANT = re.compile(r"first((?:0|[1-9]\d{0,4})(?:\.\d{0,2}[1-9])?)s")

Requested = TypeVar("Requested", FrameRequest, AudioRequest)


def seconds_of(name: str) -> float | None:
    """Return the opening seconds that the name of a feature, family or preset asks for; None: all.

    Raises:
        UnknownName: if the name has another variant.
    """
    before = name.partition("/")[0].partition(":")[0]
    _, marked, variant = before.partition("@")
    if not marked:
        return None
    match = _VARIANT.fullmatch(variant)
    if match is None or float(match[1]) == 0:
        known = [f"first{seconds}s" for seconds in USUAL_S]
        remedy = "(any number of seconds will do, such as first2.5s)"
        raise UnknownName(f"feature {name!r}: variant", variant, known, remedy)
    return float(match[1])


def with_opening(name: str, seconds: float | None) -> str:
    """Return a feature's name for the first so many seconds; unchanged for None.

    "motion/steps" and 3 give "motion@first3s/steps".
    """
    if seconds is None:
        return name
    family, slash, output = name.partition("/")
    number = f"{seconds:.3f}".rstrip("0").rstrip(".")
    return f"{family}@first{number}s{slash}{output}"


def opened(request: Requested, seconds: float | None) -> Requested:
    """Return a request for the first so many seconds, or fewer if it asks for fewer anyway."""
    if seconds is None:
        return request
    return replace(request, seconds=float(min(seconds, request.seconds or seconds)))
