"""What the store has for a list of keys: arrays beside the ids, and where each row lies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from cache.marker import Shard
from cache.shard import FORMATS, Header
from cache.spec import UNKNOWN_INPUTS, FeatureSpec
from core.fingerprint import DIGEST_BYTES
from core.status import Status

Digests = Sequence[bytes | None]
_DIGEST = np.dtype(f"V{DIGEST_BYTES}")


class IdIndex:
    """The rows of N ids, made once and asked for every feature."""

    def __init__(self, ids: Iterable[str]) -> None:
        self.ids = tuple(ids)
        self._rows = {sample_id.encode(): row for row, sample_id in enumerate(self.ids)}
        self._encoded = np.array(list(self._rows), np.bytes_)
        if len(self._rows) != len(self.ids):
            twice = next(name for name, count in Counter(self.ids).items() if count > 1)
            raise ValueError(f"id {twice!r} is asked for twice; ids must differ")

    def __len__(self) -> int:
        return len(self.ids)

    def rows_of(self, stored: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return which of some stored ids, bytes [M], are asked for, and the row of each: int64."""
        rows = self._rows
        first = rows.get(bytes(stored[0]), -1) if len(stored) else -1
        # Most shards were written in the order of the table: comparing is faster than looking up.
        if first >= 0 and np.array_equal(self._encoded[first : first + len(stored)], stored):
            every = np.arange(len(stored))
            return every, every + first
        found = np.array([rows.get(name, -1) for name in stored.tolist()], np.int64)
        asked = np.flatnonzero(found >= 0)
        return asked, found[asked]


@dataclass(frozen=True)
class Coverage:
    """How many of N samples have a value, and why the others have none.

    ok      samples with a value
    absent  by cause; the sample has no such part
    failed  by cause; it has, but it could not be read or computed
    never   never extracted
    by_id   rows that were found by id alone, their file not being on this machine, without those
            that say just that; they are among the others
    """

    ok: int
    absent: Mapping[str, int]
    failed: Mapping[str, int]
    never: int
    by_id: int


@dataclass(frozen=True, eq=False)
class Known:
    """What the store has of one feature for N keys; a row that was not found is 0 throughout.

    found   bool [N]
    status  uint8 [N], see `core.status.Status`
    cause   int32 [N], index into `causes`, whose first is ""
    by_id   bool [N], found by id alone
    shard   int32 [N], index into `shards`
    place   int64 [N], the row in that shard
    value   int64 [N], the number of its value in that shard, where it has one
    """

    spec: FeatureSpec
    found: np.ndarray
    status: np.ndarray
    cause: np.ndarray
    causes: tuple[str, ...]
    by_id: np.ndarray
    shard: np.ndarray
    place: np.ndarray
    value: np.ndarray
    shards: tuple[Shard, ...]

    def __len__(self) -> int:
        return len(self.found)

    def take(self, rows: np.ndarray) -> Known:
        """Return what is known of the keys `rows`, int64 [M] or bool [N], in that order."""
        names = ("found", "status", "cause", "by_id", "shard", "place", "value")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    @property
    def ok(self) -> np.ndarray:
        """Which keys have a value: bool [N]."""
        present: np.ndarray = self.found & (self.status == Status.OK)
        return present

    def failed(self, cause: str | None = None) -> np.ndarray:
        """Return which keys have FAILED, of this cause or of any: bool [N]."""
        failed: np.ndarray = self.found & (self.status == Status.FAILED)
        return failed if cause is None else failed & (self.cause_texts() == cause)

    def cause_texts(self) -> np.ndarray:
        """Return the cause of each row, "" where there is none: object [N]."""
        texts: np.ndarray = np.array(self.causes, dtype=object)[self.cause]
        return texts

    def reasons(self) -> np.ndarray:
        """Read the reason of each gap, "" for other rows: object [N]; opens shards with gaps."""
        reasons = np.full(len(self), "", dtype=object)
        gaps = self.found & (self.status != Status.OK)
        for number in np.unique(self.shard[gaps]).tolist():
            shard = self.shards[number]
            stored = FORMATS.load(shard.marker.format).read_reasons(shard.path, self.spec)
            rows = np.flatnonzero(gaps & (self.shard == number))
            reasons[rows] = stored[self.place[rows]]
        return reasons

    def coverage(self) -> Coverage:
        """Count what is there and what is not."""
        return Coverage(
            ok=int(self.ok.sum()),
            absent=self._by_cause(Status.ABSENT),
            failed=self._by_cause(Status.FAILED),
            never=int((~self.found).sum()),
            by_id=int((self.by_id & ~self.failed("missing")).sum()),
        )

    def _by_cause(self, status: Status) -> dict[str, int]:
        rows = self.found & (self.status == status)
        counts = np.bincount(self.cause[rows], minlength=len(self.causes)).tolist()
        return {cause: count for cause, count in zip(self.causes, counts, strict=True) if count}


def match(
    spec: FeatureSpec,
    shards: Sequence[tuple[Shard, Header]],
    index: IdIndex,
    digests: Digests,
) -> Known:
    """Return the best row of each key among shards, which are in order of age, oldest first.

    OK beats ABSENT beats FAILED; among equals the younger wins. A digest that is None matches every
    row of its id but those that say that a table named no file: now it names one.
    """
    asked, unknown = _digest_array(digests, len(index))
    starts = np.cumsum([0, *(len(header) for _, header in shards)])
    total = int(starts[-1])
    # One number says which row is better: the status first, then the age. The best one wins, and
    # the status and the place are read off it again; 0 is a key that no row has.
    best = np.zeros(len(index), np.int64)
    for (_, header), start in zip(shards, starts[:-1].tolist(), strict=True):
        place, row = index.rows_of(header.ids)
        same = whole_digests(header.digests)[place] == asked[row]
        if unknown.any():
            nameless = [cause == "not-given" for cause in header.causes]
            same |= unknown[row] & ~np.array(nameless, bool)[header.cause[place]]
        place, row = place[same], row[same]
        better = Status.FAILED - header.status[place].astype(np.int64)
        np.maximum.at(best, row, 1 + better * total + start + place)
    found = best > 0
    known = known_rows(spec, shards, np.where(found, (best - 1) % max(total, 1), -1))
    return replace(known, by_id=found & unknown)


def known_rows(
    spec: FeatureSpec, shards: Sequence[tuple[Shard, Header]], chosen: np.ndarray
) -> Known:
    """Say where the rows `chosen` lie: int64 [N], counted over all shards, -1 for none."""
    found = chosen >= 0
    starts = np.cumsum([0, *(len(header) for _, header in shards)])
    number = np.where(found, np.searchsorted(starts, chosen, side="right") - 1, 0)
    place = np.where(found, chosen - starts[number], 0)
    headers = [header for _, header in shards]
    causes = {cause: at for at, cause in enumerate(_all_causes(headers))}
    recoded = [
        np.array([causes[cause] for cause in header.causes])[header.cause] for header in headers
    ]
    values = [np.cumsum(header.status == Status.OK) - 1 for header in headers]

    def gather(columns: list[np.ndarray], dtype: type) -> np.ndarray:
        taken: np.ndarray = np.zeros(len(chosen), dtype)
        if columns:
            taken[found] = np.concatenate(columns)[chosen[found]]
        return taken

    return Known(
        spec=spec,
        found=found,
        status=gather([header.status for header in headers], np.uint8),
        cause=gather(recoded, np.int32),
        causes=tuple(causes),
        by_id=np.zeros(len(chosen), bool),
        shard=number.astype(np.int32),
        place=place,
        value=gather(values, np.int64),
        shards=tuple(shard for shard, _ in shards),
    )


def _all_causes(headers: Iterable[Header]) -> list[str]:
    return list(dict.fromkeys(["", *(cause for header in headers for cause in header.causes)]))


def _digest_array(digests: Digests, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return N digests whole, and which of them are None: bool [N]."""
    if len(digests) != rows:
        raise ValueError(f"{len(digests)} digests were given for {rows} ids")
    try:
        joined, unknown = b"".join(cast(Sequence[bytes], digests)), np.zeros(rows, bool)
    except TypeError:  # some are None: rare, and eight times slower
        joined = b"".join([UNKNOWN_INPUTS if digest is None else digest for digest in digests])
        unknown = np.array([digest is None for digest in digests], bool)
    if len(joined) != rows * DIGEST_BYTES:
        raise ValueError(f"a digest has other than {DIGEST_BYTES} bytes")
    return np.frombuffer(joined, _DIGEST), unknown


def whole_digests(digests: np.ndarray) -> np.ndarray:
    """Return uint8 [N, 16] as N values that are compared whole, three times as fast as by byte."""
    return np.ascontiguousarray(digests).view(_DIGEST).ravel()
