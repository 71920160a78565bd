"""Captions of some samples as a table: a row for each of them, whatever became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from cache.known import Known
from cache.reading import read_known, settled
from core.errors import UnknownName
from core.status import Status
from corpus.sample import Sample
from extract.catalog import Request, resolve
from extract.encoders.encoding import Encoding
from extract.encoders.rows import WRITING
from extract.ensure import OpenCache, ensure
from extract.families import REMEDY
from extract.pipeline import Settings


@dataclass(frozen=True)
class Caption:
    """What was written of one sample; a gap has no caption, but a cause and a reason."""

    id: str
    caption: str | None
    status: str
    cause: str
    reason: str


def request_of(
    writer: str, *, encoding: Encoding, decoder: str = "pyav", texts: Sequence[str] = ()
) -> Request:
    """Return the request for the captions of a family, or of its variant such as NAME@first3s.

    Raises:
        UnknownName: if it writes none.
        CheckpointError: if its checkpoint has to be looked into and is not to be had.
    """
    family = writer.partition("@")[0]
    if family not in WRITING:
        raise UnknownName("--by", writer, WRITING, REMEDY)
    parts = ["video", *(f"text:{field}" for field in texts)]
    return resolve([f"{writer}/caption"], parts=parts, decoder=decoder, encoding=encoding)


def captions_of(
    samples: Sequence[Sample], request: Request, opened: OpenCache, settings: Settings
) -> list[Caption]:
    """Write the captions that the cache lacks, and return those of all samples, in their order.

    Raises:
        CacheError: if the cache is not what it says it is.
    """
    ensure(samples, request, opened, settings=settings)
    (spec,) = request.specs
    keys = opened.keys
    ask = partial(opened.store.known, spec, keys.index, keys.digests(spec.reads))
    return settled(ask, partial(_rows, keys.index.ids))[1]


def _rows(ids: Sequence[str], known: Known) -> list[Caption]:
    texts, causes, reasons = read_known(known).values, known.cause_texts(), known.reasons()
    statuses = [Status(status).name for status in known.status.tolist()]
    return [
        Caption(ids[row], texts[row] if ok else None, statuses[row], causes[row], reasons[row])
        for row, ok in enumerate(known.ok.tolist())
    ]


def to_json(request: Request, captions: Sequence[Caption]) -> Mapping[str, Any]:
    """Return captions with the feature that they are, for `--json`."""
    (spec,) = request.specs
    rows = [vars(caption) for caption in captions]
    return {"feature": spec.name, "fingerprint": spec.fingerprint, "captions": rows}
