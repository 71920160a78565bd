"""A family of extractors: one row of the catalog."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from extract.encoders.checkpoint import Checkpoint


@dataclass(frozen=True)
class Family:
    """One row of the catalog.

    place       "module:function" that makes an extractor, loaded when it is used
    reads       the kind of part it reads: "video", "audio", "image" or "text"
    measures    what it measures, in a few words
    weights     whether it is an encoder with weights
    checkpoint  the published one that it takes unless told otherwise; None: --weights must name one
    width       of the vector that this checkpoint gives
    facts       what else its maker needs: frames, layer, pooling, prefix, ...
    covers      whether the variant `@cover` reads the image of a sample instead of its video
    """

    place: str
    reads: str
    measures: str
    weights: bool = False
    checkpoint: Checkpoint | None = None
    width: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    covers: bool = False
