"""Fitting a head: on every fold for the scores, then once more on all rows for the bundle.

In each fold the target's codec, the scalers and the head learn from train rows; validation rows
choose (and give the residuals for intervals); test rows are predicted. Each labelled row is scored
at most once: with k folds all of them, with one fold its test rows. The bundle is one more fit on
all labelled rows with the folds' median choices; the scores are the folds'. Options that are to be
tuned are chosen in each fold before, see `heads/tuning/folds.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from cache.duplicates import Duplicates, equal_rows
from cache.gather import is_meta
from cache.table import FeatureTable
from core.errors import FitError, UsageError
from corpus.folds import Fold, SplitRows, digest_folds
from corpus.labels import class_names
from corpus.leaks import Leaks, find_leaks
from corpus.sample import Target
from heads.bundle import Bundle, library_versions, trained_digest
from heads.catalog import make_head
from heads.conformal import Conformal, fit_conformal
from heads.folding import FoldOutcome, Labelled, learn, problem_of, run_fold
from heads.gather import coverage_of, gather, scores_of
from heads.result import FitConfig, FitResult
from heads.runs.spreads import spreads_of
from heads.tuning.folds import for_all_rows, tune_folds
from heads.tuning.trials import Tuned


def fit_head(
    table: FeatureTable,
    values: Sequence[Target],
    config: FitConfig,
    *,
    words: np.ndarray | None = None,
    duplicates: Duplicates | None = None,
    progress: Callable[[str], None] | None = None,
) -> FitResult:
    """Fit and score a head; see the top of this file for the order of things.

    Args:
        table: N rows, also unlabelled ones, which are dropped and counted. It may hold more columns
            than `config.features`: `meta:` columns serve the metadata baseline.
        values: the target's raw cells, as `Sample.targets` has them, N of them.
        config: what to fit.
        words: the table's own words for the split, str [N], for `--split column`.
        duplicates: near-duplicates among the N rows; without them, rows that are equal in all
            features are looked for.
        progress: told what the split lets through, and what begins, such as "fold 2 of 5".

    Raises:
        FitError: if labels or features leave nothing to learn.
        UsageError: if names, options or the split do not go with the data.
    """
    say = progress or (lambda _: None)
    data, folds, leaks = divide(table, values, config, words=words, duplicates=duplicates)
    say(f"leaks of split {config.split.text}: {leaks.text()}")
    tuned = tune_folds(data, folds, say)
    outcomes = _outcomes(data, folds, tuned, say)
    say("all rows, for the bundle")
    final, choices = for_all_rows(data, folds, tuned) if tuned else (data, _choices(outcomes))
    chosen, intervals = _medians(choices), _intervals(outcomes, config.level)
    bundle, learnt = _bundle(final, chosen, intervals)
    scored = gather(data, outcomes, intervals)
    scores = {name: scores_of(data, outcomes, name) for name in _in_all(outcomes)}
    return FitResult(
        config=config,
        bundle=bundle,
        metrics=scores.pop("head"),
        baselines=scores,
        scored=scored,
        history=_history(outcomes),
        chosen=chosen,
        importances=bundle.head.importances(),
        coverage={n: int(data.table.columns[n].present.sum()) for n in data.features},
        rows={
            "labelled": learnt,
            "unlabelled": len(table) - len(data.table),
            "middle": len(data.table) - learnt,
            "scored": len(scored.ids),
        },
        ids=data.table.ids,
        folds=folds,
        split_digest=digest_folds(folds, data.table.ids),
        leaks=leaks,
        spread=spreads_of(data.table, scored),
        tuned=tuned,
        interval=coverage_of(scored, config.level),
    )


def divide(
    table: FeatureTable,
    values: Sequence[Target],
    config: FitConfig,
    *,
    words: np.ndarray | None = None,
    duplicates: Duplicates | None = None,
) -> tuple[Labelled, tuple[Fold, ...], Leaks]:
    """Return the rows that have a label, their folds, and what the split lets through.

    Raises:
        FitError, UsageError: as `fit_head`.
    """
    table.select(config.features)  # wrong names are errors before any work
    kept = _with_label(table, values, config)
    duplicates = duplicates and duplicates.take(kept)
    data = Labelled(_grouped(table.take(kept), duplicates), [values[row] for row in kept], config)
    folds = _folds(data, None if words is None else words[kept])
    return data, folds, _leaks(data, folds, duplicates)


def check_fit(
    rows: FeatureTable,
    values: Sequence[Target],
    config: FitConfig,
    *,
    words: np.ndarray | None = None,
) -> None:
    """Find what is wrong with a request before any feature is read; `rows` may have no columns.

    Raises:
        FitError, UsageError: as `fit_head`, but for faults of the features.
    """
    kept = _with_label(rows, values, config)
    data = Labelled(rows.take(kept), [values[row] for row in kept], config)
    _folds(data, None if words is None else words[kept])


def _with_label(table: FeatureTable, values: Sequence[Target], config: FitConfig) -> np.ndarray:
    """Return the rows that have a label, int64, after making sure that something can be learnt.

    Raises:
        FitError: if no row has a label, or labels are all the same.
    """
    plan, ids = config.target, table.ids.tolist()
    codec = plan.fit(values, np.ones(len(table), bool), ids=ids)
    make_head(config.head, problem_of(codec, config), config.options)
    if not plan.needs_numbers:
        return np.flatnonzero(class_names(values, plan.column)[1])
    numbers = plan.numbers(values, ids).reshape(len(table), -1)
    return np.flatnonzero(np.isfinite(numbers).any(axis=1))


def _folds(data: Labelled, words: np.ndarray | None) -> tuple[Fold, ...]:
    """Divide the labelled rows.

    Raises:
        UsageError: if the split does not go with the rows, or there is no such fold.
    """
    config, table = data.config, data.table
    labels = config.target.strata(data.values) if config.split.needs_labels else None
    rows = SplitRows(
        table.ids,
        labels,
        table.author,
        table.posted_at,
        words,
        table.groups,
        between=config.target.between,
    )
    folds = config.split.folds(rows)
    if config.fold is None:
        return folds
    if not 1 <= config.fold <= len(folds):
        raise UsageError(
            f"fold {config.fold} is not in 1..{len(folds)}, the folds of {config.split.text}"
        )
    return folds[config.fold - 1 : config.fold]


def _grouped(table: FeatureTable, duplicates: Duplicates | None) -> FeatureTable:
    """Return the table with the groups that a split must keep on one side."""
    if duplicates is None or not duplicates.keep:
        return table
    return replace(table, groups=duplicates.groups)


def _leaks(data: Labelled, folds: Sequence[Fold], duplicates: Duplicates | None) -> Leaks:
    """Look for leaks between rows learnt from and rows that judge."""
    table = data.table
    if duplicates is None:
        cached = [table.columns[name] for name in data.features if not is_meta(name)]
        equal = equal_rows(cached)
        duplicates = None if equal is None else Duplicates(equal, "equality in all features")
    rows = SplitRows(table.ids, author=table.author, posted_at=table.posted_at)
    if duplicates is None:
        return find_leaks(folds, rows)
    return find_leaks(folds, rows, duplicates=duplicates.groups, by=duplicates.by)


def _outcomes(
    data: Labelled,
    folds: Sequence[Fold],
    tuned: Sequence[Tuned],
    say: Callable[[str], None],
) -> list[FoldOutcome]:
    outcomes = []
    for number, fold in enumerate(folds, start=1):
        say(f"fold {number} of {len(folds)}")
        options = tuned[number - 1].options if tuned else {}
        outcomes.append(run_fold(data.with_options(options), fold))
    if not any(len(outcome.test) for outcome in outcomes):
        raise FitError(
            f"no test row has a label for target {data.config.target.column!r}; "
            "take another --split"
        )
    return outcomes


def _bundle(
    data: Labelled, chosen: Mapping[str, float], intervals: Conformal | None
) -> tuple[Bundle, int]:
    """Fit once more on all rows with a label; return the bundle and how many rows those were."""
    codec = data.fitted(np.ones(len(data.table), bool))
    encoded, known = codec.encode(data.values, ids=data.table.ids.tolist())
    table = data.table.select(data.features).with_target(encoded)
    rows = np.flatnonzero(known)
    head = make_head(data.config.head, problem_of(codec, data.config), data.config.options)
    learn(head, table, rows, seed=data.config.seed, fixed=chosen)
    bundle = Bundle(
        head=head,
        features=tuple(table.columns[name].spec for name in data.features),
        target=codec,
        intervals=intervals,
        trained=trained_digest(table.ids[rows]),
        libraries=library_versions(),
    )
    return bundle, len(rows)


def _in_all(outcomes: Sequence[FoldOutcome]) -> list[str]:
    """Return "head" and the baselines that every fold has."""
    first, *others = (outcome.predicted for outcome in outcomes)
    return [name for name in first if all(name in other for other in others)]


def _choices(outcomes: Sequence[FoldOutcome]) -> list[Mapping[str, float]]:
    return [outcome.report.chosen for outcome in outcomes]


def _medians(choices: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: float(np.median([choice[name] for choice in choices])) for name in choices[0]}


def _intervals(outcomes: Sequence[FoldOutcome], level: float) -> Conformal | None:
    """Pool the folds' validation residuals; None for classes."""
    if outcomes[0].target.classes:
        return None
    return fit_conformal(np.concatenate([outcome.residuals for outcome in outcomes]), level)


def _history(outcomes: Sequence[FoldOutcome]) -> list[dict[str, str | float]]:
    return [
        {"fold": outcome.fold.name, **row} for outcome in outcomes for row in outcome.report.history
    ]
