"""What is missing: the store is asked before anything is decoded or any weight is loaded."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cache.keys import Keys
from cache.known import Known
from cache.spec import UNKNOWN_INPUTS, FeatureSpec
from cache.store import Store
from core.fingerprint import digest_strings
from corpus.sample import MEDIA_PARTS, Sample
from extract.catalog import Request
from extract.contract import Extractor


@dataclass(frozen=True)
class Retry:
    """Which FAILED rows to compute again: all, or those of some causes; never ABSENT ones."""

    everything: bool = False
    causes: Collection[str] = ()

    def rows(self, known: Known) -> np.ndarray:
        """Return the rows to compute again: bool [N]."""
        if self.everything:
            return known.failed()
        again = np.zeros(len(known), bool)
        for cause in self.causes:
            again |= known.failed(cause)
        return again


@dataclass(frozen=True, eq=False)
class Plan:
    """The work that is left.

    specs    the features that are wanted
    keys     the identities of what they are computed from
    known    by feature: what the store had
    missing  by feature: bool [N], the samples whose value is to be computed
    """

    samples: Sequence[Sample]
    extractors: Sequence[Extractor]
    specs: Sequence[FeatureSpec]
    keys: Keys
    known: dict[str, Known]
    missing: dict[str, np.ndarray]

    def digest(self, row: int, spec: FeatureSpec) -> bytes:
        """Return the digest that a sample's row of a feature is stored under."""
        return self.keys.digests(spec.reads)[row] or UNKNOWN_INPUTS

    def specs_of(self, extractor: Extractor) -> list[FeatureSpec]:
        """Return the wanted features of one extractor."""
        return [spec for spec in extractor.specs if spec.name in self.missing]

    def rows(self) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Yield each sample that needs work with the extractors, by index, that it needs."""
        wanted = np.zeros((len(self.samples), len(self.extractors)), bool)
        for index, extractor in enumerate(self.extractors):
            for spec in self.specs_of(extractor):
                wanted[:, index] |= self.missing[spec.name]
        for row in np.flatnonzero(wanted.any(axis=1)).tolist():
            yield row, tuple(np.flatnonzero(wanted[row]).tolist())

    def count(self) -> int:
        """Return how many samples need work."""
        return sum(1 for _ in self.rows())


def make_plan(
    samples: Sequence[Sample], request: Request, *, store: Store, keys: Keys, retry: Retry
) -> Plan:
    """Compare what is wanted with what the store has.

    Files are digested once, and only if something that is wanted reads them.

    Raises:
        CacheError: if the cache is not what it says it is.
    """
    specs = request.specs
    known = {s.name: store.known(s, keys.index, keys.digests(s.reads)) for s in specs}
    missing = {name: ~found.found | retry.rows(found) for name, found in known.items()}
    return Plan(samples, request.extractors, specs, keys, known, missing)


def share(samples: Sequence[Sample], part: tuple[int, int]) -> list[Sample]:
    """Return the samples of share i of n: `part` is (i, n), with i from 1.

    The hash of an id decides, so an id belongs to one share whatever other rows there are.
    """
    index, count = part
    return [sample for sample in samples if _bucket(sample.id, count) == index - 1]


def _bucket(sample_id: str, count: int) -> int:
    return int.from_bytes(digest_strings([sample_id])[:8], "little") % count


def media_parts(extractor: Extractor) -> list[str]:
    """Return the parts of an extractor for which a file is opened."""
    return [part for part in extractor.reads if part in MEDIA_PARTS]
