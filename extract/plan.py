"""What is missing: the store is asked before anything is decoded or any weight is loaded."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from cache.keys import Keys
from cache.known import Known
from cache.reading import read_known, settled
from cache.spec import UNKNOWN_INPUTS, FeatureSpec
from cache.store import Store
from core.fingerprint import digest_strings
from core.status import Gap, Status, absent, failed
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
    texts    by feature that extractors read: its text of each sample, or the gap that is theirs too
    """

    samples: Sequence[Sample]
    extractors: Sequence[Extractor]
    specs: Sequence[FeatureSpec]
    keys: Keys
    known: dict[str, Known]
    missing: dict[str, np.ndarray]
    texts: Mapping[str, Sequence[str | Gap]] = field(default_factory=dict)

    def digest(self, row: int, spec: FeatureSpec) -> bytes:
        """Return the digest that a sample's row of a feature is stored under."""
        return self.keys.digests(spec.reads)[row] or UNKNOWN_INPUTS

    def specs_of(self, extractor: Extractor) -> list[FeatureSpec]:
        """Return the wanted features of one extractor."""
        return [spec for spec in extractor.specs if spec.name in self.missing]

    def upstream_gap(self, row: int, extractor: Extractor) -> Gap | None:
        """Return why a sample has not what an extractor reads of others; None if it has."""
        found = (self.texts[spec.name][row] for spec in extractor.after)
        return next((text for text in found if isinstance(text, Gap)), None)

    def upstream_texts(self, row: int, indices: Sequence[int]) -> dict[str, str]:
        """Return what some extractors, by index, read of others for a sample, by feature."""
        names = {spec.name for index in indices for spec in self.extractors[index].after}
        return {name: str(self.texts[name][row]) for name in sorted(names)}

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
    wanting = [each for each in request.extractors if each.after]
    upstream = {spec.name: spec for each in wanting for spec in each.after}
    texts = {name: _texts(spec, store, keys) for name, spec in upstream.items()}
    for extractor in wanting:
        for name in missing.keys() & {spec.name for spec in extractor.specs}:
            missing[name] |= _healed(known[name], [texts[spec.name] for spec in extractor.after])
    return Plan(samples, request.extractors, specs, keys, known, missing, texts)


def _healed(known: Known, upstream: Sequence[Sequence[str | Gap]]) -> np.ndarray:
    """Return which rows failed since what they need had, which by now has not: bool [N]."""
    healed = known.failed("upstream")
    for row in np.flatnonzero(healed).tolist():
        needed = (texts[row] for texts in upstream)
        healed[row] = not any(
            isinstance(text, Gap) and text.status is Status.FAILED for text in needed
        )
    return healed


def _texts(spec: FeatureSpec, store: Store, keys: Keys) -> list[str | Gap]:
    """Return the texts of a feature that others read; its gaps are theirs."""

    def read(known: Known) -> list[str | Gap]:
        texts = read_known(known).values.tolist()
        gaps = zip(known.cause_texts(), known.reasons(), strict=True)
        return [
            text if ok else _inherited(spec.name, fails, cause, reason)
            for text, ok, fails, (cause, reason) in zip(
                texts, known.ok.tolist(), known.failed().tolist(), gaps, strict=True
            )
        ]

    ask = partial(store.known, spec, keys.index, keys.digests(spec.reads))
    return settled(ask, read)[1]


def _inherited(name: str, is_failed: bool, cause: str, reason: str) -> Gap:
    if is_failed:
        return failed("upstream", f"needs {name}, which failed: {cause}: {reason}")
    if cause:
        return absent(cause, f"needs {name}, which is absent: {reason}")
    return failed("upstream", f"needs {name}, which was not computed")


def share(samples: Sequence[Sample], part: tuple[int, int]) -> list[Sample]:
    """Return the samples of share i of n: `part` is (i, n), with i from 1.

    The hash of an id decides, so an id belongs to one share whatever other rows there are.
    """
    index, count = part
    return [sample for sample in samples if _bucket(sample.id, count) == index - 1]


def _bucket(sample_id: str, count: int) -> int:
    return int.from_bytes(digest_strings([sample_id])[:8], "little") % count


def media_parts(extractor: Extractor) -> list[str]:
    """Return the parts of an extractor for which a file is opened; a text made of it is none."""
    return [] if extractor.after else [part for part in extractor.reads if part in MEDIA_PARTS]
