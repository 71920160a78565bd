"""Boards of finished runs: one for each target and each set of test rows, the best run first.

Scores of other rows, or of other labels, say nothing of each other: they are never ranked together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from core.errors import UnknownName
from core.fingerprint import digest_strings
from corpus.folds import SplitRows
from corpus.split_rules import units_of
from heads.runs.account import coverage_of, seconds_of
from heads.runs.reading import FitRun
from scoring.board import Board, Details, Entry
from scoring.bootstrap import METRICS, Score
from scoring.canvas import png
from scoring.compare import Comparison, compare, compare_all
from scoring.plots import forest
from scoring.report_data import MAIN_METRIC, Gaps
from scoring.report_scores import value_text

MOST_DETAILED = 8  # runs of a board that a page compares two by two
MOST_DRAWN = 20
_DISPUTED = 8
_NOT_COMPARED = {"cache", "manifest", "root", "open_samples", "columns", "skip_bad_rows"}
_SEED = 0  # of the draws that differences are judged by

Fits = Sequence[FitRun]


def boards(runs: Fits, metric: str | None = None, *, detailed: bool = False) -> list[Board]:
    """Put runs on boards; `metric` sorts (where a task has it) instead of the task's main one.

    Raises:
        UnknownName: if no run has the metric.
        RunError: if a run's rows cannot be read.
    """
    if metric is not None and not any(metric in run.scores for run in runs):
        raise UnknownName("metric", metric, {name for run in runs for name in run.scores})
    together: dict[tuple[str, str, str], list[FitRun]] = {}
    for run in runs:
        together.setdefault((run.target, run.task, _rows_digest(run)), []).append(run)
    made = []
    for (target, task, digest), group in sorted(together.items(), key=_largest_first):
        others = {
            other: len(_ids(group) & _ids(rest))
            for (name, _, other), rest in together.items()
            if name == target and other != digest
        }
        chosen = metric if metric and metric in group[0].scores else MAIN_METRIC[task]
        ordered = _ordered(group, chosen)
        made.append(
            Board(
                target=target,
                task=task,
                metric=chosen,
                rows=len(ordered[0].scored.ids),
                digest=digest,
                entries=_entries(ordered, chosen),
                others=others,
                details=_details(ordered, chosen) if detailed else None,
            )
        )
    return made


def _largest_first(item: tuple[tuple[str, str, str], list[FitRun]]) -> tuple[str, str, int, str]:
    (target, task, digest), group = item
    return target, task, -len(group), digest


def _rows_digest(run: FitRun) -> str:
    """Return what tells sets of rows with their labels apart, 8 hexadecimal digits."""
    scored = run.scored
    order = np.argsort(scored.ids)
    labels = scored.target[order]
    words = [*run.classes, *scored.ids[order].tolist()]
    words += labels.tolist() if run.classes else [labels.astype(np.float64).tobytes().hex()]
    return digest_strings(words).hex()[:8]


def _ids(runs: Fits) -> set[str]:
    return set(runs[0].scored.ids.tolist())


def _ordered(runs: Fits, metric: str) -> list[FitRun]:
    """Return the best run first; an undefined score comes last."""
    sign = -1 if METRICS[metric].higher_is_better else 1

    def place(run: FitRun) -> tuple[bool, float, str]:
        value = run.scores[metric].value
        return (not np.isfinite(value), sign * value if np.isfinite(value) else 0.0, run.name)

    return sorted(runs, key=place)


def _entries(runs: Fits, metric: str) -> list[Entry]:
    best = runs[0]
    names = _names(runs)
    return [
        Entry(
            name=name,
            folder=str(run.folder),
            head=str(run.content["head"]),
            features=run.features,
            scores=run.scores,
            baselines=run.baselines,
            started=str(run.record.get("started") or ""),
            seconds=seconds_of(run.record),
            gap=None if run is best else _compare(metric, run, best),
        )
        for name, run in zip(names, runs, strict=True)
    ]


def _names(runs: Fits) -> list[str]:
    """Return a short name for each run; the folder where two have the same."""
    names = [run.name for run in runs]
    return [
        name if names.count(name) == 1 else str(run.folder)
        for name, run in zip(names, runs, strict=True)
    ]


def _compare(metric: str, first: FitRun, second: FitRun) -> Comparison:
    target, predictions, groups = _paired(first, second)
    return compare(metric, target, predictions, seed=_SEED, groups=groups)


def _paired(
    first: FitRun, second: FitRun
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray], np.ndarray | None]:
    """Return labels, both predictions and the groups to draw, rows in the order of their ids."""
    orders = [np.argsort(run.scored.ids) for run in (first, second)]
    target = (first.labels() if first.classes else first.scored.target)[orders[0]]
    given = [_given(run)[order] for run, order in zip((first, second), orders, strict=True)]
    groups = [
        run.scored.group[order]
        for run, order in zip((first, second), orders, strict=True)
        if run.scored.group is not None
    ]
    return target, (given[0], given[1]), _joined(groups)


def _joined(groups: Sequence[np.ndarray]) -> np.ndarray | None:
    """Return what to draw whole where two runs do not draw the same: whatever either of them does.

    Each is str [N], "" for a row that stands for itself.
    """
    if len(groups) < 2 or np.array_equal(groups[0], groups[1]):
        return groups[0] if groups else None
    numbers = np.unique(groups[1], return_inverse=True)[1]
    rows = SplitRows(groups[0], author=groups[0], groups=np.where(groups[1] == "", -1, numbers))
    return units_of(rows, by_author=True)


def _given(run: FitRun) -> np.ndarray:
    """Return what metrics take: probabilities, or numbers."""
    shares = run.scored.probabilities
    return run.scored.predicted if shares is None else shares


def _details(runs: Fits, metric: str) -> Details:
    names = _names(runs)
    details = Details(_forest(runs, names, metric))
    if not 1 < len(runs) <= MOST_DETAILED:
        return details
    by_metric, pairs = {}, {}
    for row, run in enumerate(runs):
        for column, other in enumerate(runs[:row]):
            pairs[names[row], names[column]] = _compare(metric, run, other)
        if row:
            target, predictions, groups = _paired(run, runs[0])
            known = [name for name in run.scores if name in METRICS]
            found = compare_all(known, target, predictions, seed=_SEED, groups=groups)
            by_metric.update({(names[row], name): one for name, one in found.items()})
    return replace(
        details,
        by_metric=by_metric,
        pairs=pairs,
        settings=_settings(runs),
        coverage=_coverage(runs, names),
        disputed=_disputed(runs),
    )


def _forest(runs: Fits, names: Sequence[str], metric: str) -> bytes:
    """Draw the runs' scores, then the baselines of the best run."""
    rows: list[tuple[str, Score]] = [
        (name, run.scores[metric]) for name, run in zip(names, runs, strict=True)
    ][:MOST_DRAWN]
    rows += [(f"baseline {name}", scores[metric]) for name, scores in runs[0].baselines.items()]
    better = METRICS[metric].higher_is_better
    return png(forest(rows, metric=metric, higher_is_better=better, title="of each run"))


def _settings(runs: Fits) -> dict[str, list[str]]:
    """Return the settings in which runs differ, and the state of table and code."""
    found: list[Mapping[str, object]] = [
        {
            **{k: v for k, v in run.record.get("config", {}).items() if k not in _NOT_COMPARED},
            "table's digest": run.record.get("data", {}).get("manifest"),
            "code": run.record.get("git"),
        }
        for run in runs
    ]
    names = dict.fromkeys(name for each in found for name in each)
    values = {name: [_word(each.get(name)) for each in found] for name in names}
    return {name: words for name, words in values.items() if len(set(words)) > 1}


def _word(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if value is None:
        return "default"
    return ", ".join(word.strip() for word in str(value).split(","))  # lines break between them


def _coverage(runs: Fits, names: Sequence[str]) -> dict[str, dict[str, Gaps]]:
    found: dict[str, dict[str, Gaps]] = {}
    for name, run in zip(names, runs, strict=True):
        for feature, gaps in coverage_of(run).items():
            found.setdefault(feature, {})[name] = gaps
    return found


def _disputed(runs: Fits) -> list[tuple[str, str, list[str]]]:
    """Return the rows on which the runs' predictions are farthest apart."""
    orders = [np.argsort(run.scored.ids) for run in runs]
    given = np.stack([_given(run)[order] for run, order in zip(runs, orders, strict=True)])
    spread = given.std(axis=0).reshape(given.shape[1], -1).mean(axis=1)
    rows = np.argsort(-spread, kind="stable")[:_DISPUTED].tolist()
    first = runs[0].scored
    return [
        (
            str(first.ids[orders[0][row]]),
            value_text(first.target[orders[0][row]]),
            [
                value_text(run.scored.predicted[order[row]])
                for run, order in zip(runs, orders, strict=True)
            ],
        )
        for row in rows
        if spread[row] > 0
    ]
