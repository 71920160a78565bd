"""`cache check`: find damage, mend it, compute some rows again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands import cache_options as c
from commands import encoders as e
from commands import loading
from commands import options as o
from core.errors import UsageError

if TYPE_CHECKING:
    from cache.doctor import Finding
    from cache.repair import Outcome
    from extract.encoders.checkpoint import Places
    from extract.recheck import Drift

EXAMPLES = o.examples(
    "cache check --fix",
    f"cache check --quick --recompute 2 --manifest {o.DEMO_TABLE}",
)
_SHOWN = 5  # rows that differ, of each feature


def run(
    cache: o.CacheOption = o.DEFAULT_CACHE,
    quick: Annotated[
        bool, typer.Option("--quick", help="do not read and digest every shard")
    ] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="do what the remedies say; damage is moved, not deleted")
    ] = False,
    recompute: Annotated[
        int, typer.Option("--recompute", help="rows of each feature to compute again", min=0)
    ] = 0,
    manifest: c.ManifestOption = None,
    source: o.SourceOption = "generic",
    columns: o.ColumnsOption = None,
    root: o.RootOption = None,
    weights: e.WeightsOption = None,
    workers: o.WorkersOption = None,
    seed: o.SeedOption = 0,
    dry_run: c.DryRunOption = False,
    as_json: o.JsonOption = False,
) -> int:
    """Find litter and damage, mend it, compute some rows again.

    Without --fix nothing is changed. --recompute draws rows of a table (--manifest) at random and
    compares what today's code gives with what is stored: it catches code that gives other numbers
    under the same version; encoders of a folder need --weights. Ends with exit code 1 if anything
    is wrong and stays so.
    """
    from cache.doctor import check

    if recompute and manifest is None:
        raise UsageError("--recompute needs the table that was extracted: --manifest TABLE")
    if manifest and not recompute:
        raise UsageError("--manifest is the table of --recompute, as in --recompute 20")
    if weights and not recompute:
        raise UsageError("--weights are for --recompute, as in --recompute 20")
    if dry_run and not fix:
        raise UsageError("--dry-run is of --fix; without it nothing is changed anyway")
    findings = check(c.existing(cache), digests=not quick)
    outcomes = list(_mended(cache, findings, quick, dry_run)) if fix else []
    drifts = []
    if recompute and manifest:
        table = c.manifest_of(manifest, source, columns, root)
        drifts = _recomputed(
            cache,
            table.samples,
            e.places(cache, weights),
            workers=workers,
            count=recompute,
            seed=seed,
        )
    wrong = (
        [outcome for outcome in outcomes if not outcome.fixed] if fix and not dry_run else findings
    )
    if as_json:
        _print_check_json(findings, outcomes, drifts)
    else:
        _print_check(findings, outcomes, drifts, fix, dry_run)
    return 1 if wrong or any(drift.differing for drift in drifts) else 0


def _mended(
    cache: Path, findings: Sequence[Finding], quick: bool, dry_run: bool
) -> Iterator[Outcome]:
    from cache.repair import Repair
    from extract.today import find_spec

    repair = Repair(cache, find_spec, dry_run=dry_run)
    yield from repair.run(findings, digests=not quick)


def _recomputed(
    cache: Path,
    samples: Sequence[Any],
    places: Places,
    *,
    workers: int | None,
    count: int,
    seed: int,
) -> list[Drift]:
    from extract.ensure import OpenCache
    from extract.recheck import recompute

    settings = loading.settings(workers, 8, "pyav", 120.0, 4.0)
    opened = OpenCache.at(cache, samples)
    return list(recompute(samples, opened, settings, count=count, seed=seed, places=places))


def _print_check(
    findings: Sequence[Finding],
    outcomes: Sequence[Outcome],
    drifts: Sequence[Drift],
    fix: bool,
    dry_run: bool,
) -> None:
    if not fix:
        for finding in findings:
            print(f"{finding.path}: {finding.kind}: {finding.text}; {finding.remedy}")
    for outcome in outcomes:
        would = "would be " if dry_run and outcome.fixed else ""
        print(f"{outcome.finding.path}: {outcome.finding.kind}: {would}{outcome.done}")
    for text in _lost(outcomes):
        print(text)
    for drift in drifts:
        print(_drift_line(drift))
    if not findings:
        print("the cache is sound" if not drifts else "no damage")
    elif not fix:
        print(f"{len(findings)} findings")
    else:
        left = sum(not outcome.fixed for outcome in outcomes)
        would = " would be" * dry_run
        print(f"{len(outcomes) - left} findings{would} mended, {left} left")
    if drifts:
        compared = sum(drift.compared > 0 for drift in drifts)
        print(f"{compared} of {len(drifts)} features compared")


def _lost(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Say for each feature how many rows the next `extract` computes again."""
    lost: dict[str, list[int | None]] = {}
    for outcome in outcomes:
        if outcome.rows != 0:
            feature = "/".join(outcome.finding.path.parent.parts[-2:])
            lost.setdefault(feature, []).append(outcome.rows)
    for feature, rows in sorted(lost.items()):
        known = sum(count for count in rows if count is not None)
        unknown = rows.count(None)
        more = f" and those of {unknown} shards that nobody can count" if unknown else ""
        yield f"{feature}: the next `extract` that wants them computes {known} rows{more} again"


def _drift_line(drift: Drift) -> str:
    if drift.passed_over:
        return f"{drift.spec.name}: not computed again: {drift.passed_over}"
    name, equal = drift.spec.name, f"{drift.equal} of {drift.compared} equal bit for bit"
    if not drift.differing:
        near = drift.compared - drift.equal
        rest = f", {near} within the tolerance (worst {drift.worst:.1g})" if near else ""
        return f"{name}: {equal}{rest}"
    shown = "; ".join(f"{name} {how}" for name, how in drift.differing[:_SHOWN])
    more = f"; and {len(drift.differing) - _SHOWN} more" if len(drift.differing) > _SHOWN else ""
    return (
        f"{name}: {len(drift.differing)} of {drift.compared} DIFFER: {shown}{more}. Today's code "
        "gives other numbers: raise the feature's version, or undo the change"
    )


def _print_check_json(
    findings: Sequence[Finding], outcomes: Sequence[Outcome], drifts: Sequence[Drift]
) -> None:
    o.print_json(
        {
            "findings": [
                {"path": str(f.path), "kind": f.kind, "text": f.text, "remedy": f.remedy}
                for f in findings
            ],
            "outcomes": [
                {
                    "path": str(outcome.finding.path),
                    "kind": outcome.finding.kind,
                    "done": outcome.done,
                    "fixed": outcome.fixed,
                    "rows": outcome.rows,
                }
                for outcome in outcomes
            ],
            "recomputed": [
                {
                    "feature": drift.spec.name,
                    "fingerprint": drift.spec.fingerprint,
                    "compared": drift.compared,
                    "equal": drift.equal,
                    "worst": drift.worst,
                    "passed_over": drift.passed_over,
                    "differing": [{"id": name, "how": how} for name, how in drift.differing],
                }
                for drift in drifts
            ],
        }
    )
