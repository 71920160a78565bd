"""One batch through an extractor: halved when the device is full, singly when the model fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.log import logger
from core.status import failed
from extract.contract import Extractor, Value

Prepared = Mapping[str, Any]


def compute(
    extractor: Extractor, batch: Sequence[Prepared], *, most: int
) -> tuple[list[dict[str, Value]], int]:
    """Return the values of a batch, and how many samples at once the device had memory for.

    `most` is the size that went last time. A sample that the model fails at becomes a gap, and so
    does one that is too large for the device alone; the others have their values.
    """
    values: list[dict[str, Value]] = []
    while len(values) < len(batch):
        piece = batch[len(values) : len(values) + most]
        try:
            values += _whole_or_singly(extractor, piece)
        except MemoryError as error:
            if len(piece) == 1:
                values += [_all_gaps(extractor, "device", f"one sample alone: {error}")]
                continue
            most = max(1, len(piece) // 2)
            logger.warning(
                "%s: too little memory for %d samples at once; going on with %d",
                extractor.family,
                len(piece),
                most,
            )
    return values, most


def _whole_or_singly(extractor: Extractor, batch: Sequence[Prepared]) -> list[dict[str, Value]]:
    """Compute a batch; if that fails, each sample alone, so that one does not cost the others."""
    try:
        values = extractor.forward(list(batch))
        if len(values) != len(batch):
            raise ValueError(f"it gave {len(values)} values for {len(batch)} samples")
        return values
    except MemoryError:
        raise
    except Exception as error:  # becomes FAILED rows, and a stop if they go on
        if len(batch) > 1:
            return [_whole_or_singly(extractor, [one])[0] for one in batch]
        return [_all_gaps(extractor, "model", f"{type(error).__name__}: {error}")]


def _all_gaps(extractor: Extractor, cause: str, reason: str) -> dict[str, Value]:
    gap = failed(cause, f"{extractor.family}: {reason}")
    return {spec.name: gap for spec in extractor.specs}
