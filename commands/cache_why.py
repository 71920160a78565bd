"""`cache why`: what is stored of one sample, and why a value would be computed again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands import cache_options as c
from commands import encoders as e
from commands import loading
from commands import options as o
from core.errors import ProjectError, UnknownName
from core.log import logger

if TYPE_CHECKING:
    from cache.spec import FeatureSpec
    from cache.store import Store
    from cache.why import StoredRow, Verdict
    from corpus.manifest import Manifest
    from corpus.sample import Sample
    from extract.encoders.encoding import Encoding

    Stored = Mapping[FeatureSpec, Sequence[StoredRow]]

EXAMPLES = o.examples(
    "cache why clip-003", f"cache why clip-003 --feature motion --manifest {o.DEMO_TABLE}"
)
_EXACT = "Ids are exact, to the letter"


def run(
    sample_id: Annotated[str, typer.Argument(help="id of a sample", metavar="ID")],
    feature: Annotated[
        str | None,
        typer.Option("--feature", help="a feature or a family  [default: all]", metavar="NAME"),
    ] = None,
    manifest: c.ManifestOption = None,
    source: o.SourceOption = "generic",
    columns: o.ColumnsOption = None,
    root: o.RootOption = None,
    decoder: o.DecoderOption = "pyav",
    weights: e.WeightsOption = None,
    dtype: e.DtypeOption = "auto",
    quantize: e.QuantizeOption = "none",
    cache: o.CacheOption = o.DEFAULT_CACHE,
    as_json: o.JsonOption = False,
) -> int:
    """Say what is stored of a sample, and how its keys of today differ.

    With --manifest: which part of the sample changed, or which key of the recipe, for each value
    that `extract` would compute.
    """
    from cache.store import Store
    from cache.why import stored_rows

    store = Store(c.existing(cache))
    stored = {
        found.spec: stored_rows(store, found.spec, sample_id)
        for found in store.features()
        if feature is None or _is_of(found.name, feature)
    }
    verdicts: list[Verdict] = []
    if manifest:
        table = c.manifest_of(manifest, source, columns, root)
        encoding = e.encoding(cache, weights, dtype, quantize, None)
        names = [feature] if feature else sorted({spec.name for spec in stored})
        today = _today(names, table, decoder, encoding)
        verdicts = _verdicts(stored, today, _sample(table, sample_id), cache)
    elif feature and not stored:
        raise UnknownName("stored feature", feature, {found.name for found in store.features()})
    elif not any(stored.values()):
        raise UnknownName("stored id", sample_id, _ids(store, stored), _EXACT)
    if as_json:
        rows = [row for found in stored.values() for row in found]
        today_json = [_verdict_json(verdict) for verdict in verdicts]
        o.print_json({"id": sample_id, "stored": list(map(_row_json, rows)), "today": today_json})
    else:
        _print(stored, verdicts)
    return 0


def _is_of(name: str, asked: str) -> bool:
    """Say whether a feature is the one that is asked for, or of that family."""
    return name == asked or name.startswith((f"{asked}/", f"{asked}:", f"{asked}@"))


def _ids(store: Store, specs: Iterable[FeatureSpec]) -> set[str]:
    """Return the ids that some features have rows of."""
    headers = (header for spec in specs for _, header in store.headers(spec))
    return {name.decode() for header in headers for name in header.ids.tolist()}


def _sample(table: Manifest, sample_id: str) -> Sample:
    for sample in table.samples:
        if sample.id == sample_id:
            return sample
    raise UnknownName("id of the table", sample_id, {one.id for one in table.samples}, _EXACT)


def _today(
    names: Sequence[str], table: Manifest, decoder: str, encoding: Encoding
) -> list[FeatureSpec]:
    """Return what today's code gives under these names, of features that the table allows for."""
    from extract.catalog import resolve

    parts = loading.parts_of(table)
    specs: dict[FeatureSpec, None] = {}
    for name in names:
        try:
            request = resolve([name], parts=parts, decoder=decoder, encoding=encoding)
        except ProjectError as error:
            if len(names) == 1:
                raise
            # Stored by another version, with other --weights, or of a part that this table lacks.
            logger.warning("%s cannot be compared with today's code: %s", name, error)
            continue
        specs |= dict.fromkeys(request.specs)
    return list(specs)


def _verdicts(
    stored: Stored, today: Sequence[FeatureSpec], sample: Sample, cache: Path
) -> list[Verdict]:
    from cache.why import explain
    from core.digests import FileDigests

    digests = FileDigests(cache / "digests.sqlite")
    return [explain(spec, stored, sample, digests) for spec in today]


def _print(stored: Stored, verdicts: Sequence[Verdict]) -> None:
    for spec, rows in stored.items():
        for row in rows:
            print(f"{spec.name:28} {spec.fingerprint}  {c.moment(row.when)}  {_state(row)}")
    if verdicts:
        print("\ntoday:")
    for verdict in verdicts:
        name = f"{verdict.spec.name:28} {verdict.spec.fingerprint}"
        if verdict.row:
            print(f"{name}  stored: {_state(verdict.row)}")
            continue
        first, *more = verdict.differences or ("never extracted",)
        print(f"{name}  not stored: {first}")
        for text in more:
            print(f"{'':28} {'':16}              {text}")


def _state(row: StoredRow) -> str:
    return " ".join(filter(None, (row.status.name, row.cause, row.reason and f"({row.reason})")))


def _row_json(row: StoredRow) -> dict[str, Any]:
    return {
        "feature": row.spec.name,
        "fingerprint": row.spec.fingerprint,
        "status": row.status.name,
        "cause": row.cause,
        "reason": row.reason,
        "inputs": row.digest.hex(),
        "when": row.when,
    }


def _verdict_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "feature": verdict.spec.name,
        "fingerprint": verdict.spec.fingerprint,
        "stored": _row_json(verdict.row) if verdict.row else None,
        "differences": list(verdict.differences),
    }
