"""The rows of one shard as objects, as its writer was given them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cache.known import Known
from cache.marker import Shard
from cache.reading import read_known
from cache.shard import Header
from cache.spec import Column, FeatureSpec, Row
from core.status import Status


def read_rows(shard: Shard, header: Header, spec: FeatureSpec, keep: np.ndarray) -> list[Row]:
    """Read the rows that `keep`, bool [rows of the shard], names, in their order.

    Raises:
        CacheError: if the shard is not what it says it is.
    """
    known = _known(shard, header, spec, np.flatnonzero(keep))
    reasons, causes = known.reasons(), known.cause_texts()
    ids, digests = header.ids[keep].tolist(), header.digests[keep]
    values = _values(read_known(known))
    return [
        Row(name.decode(), digest.tobytes(), Status(status), value, cause, reason)
        for name, digest, status, value, cause, reason in zip(
            ids, digests, known.status.tolist(), values, causes, reasons, strict=True
        )
    ]


def _known(shard: Shard, header: Header, spec: FeatureSpec, place: np.ndarray) -> Known:
    """Return what reading needs to find some rows of one shard."""
    value = np.cumsum(header.status == Status.OK) - 1
    return Known(
        spec=spec,
        found=np.ones(len(place), bool),
        status=header.status[place],
        cause=header.cause[place],
        causes=header.causes,
        by_id=np.zeros(len(place), bool),
        shard=np.zeros(len(place), np.int32),
        place=place,
        value=value[place],
        shards=(shard,),
    )


def _values(column: Column) -> Iterator[np.ndarray | str | None]:
    """Yield the value of each sample, None where there is none."""
    for row, present in enumerate(column.present.tolist()):
        if not present:
            yield None
        elif column.offsets is None:
            yield column.values[row]
        else:
            yield column.values[column.offsets[row] : column.offsets[row + 1]]
