"""What a fit leaves in its run folder: for machines, for spreadsheets, for readers, for `predict`.

split.json        who was in which part of which fold
metrics.json      what was fitted, scores, baselines, choices, counts
predictions.csv   every scored row, one number per cell
history.csv       training curves
trials.csv        the options that were tried, where they were chosen
leaks.json        test rows of which the rows learnt from tell something, with examples
bundle/           the fitted head

`heads/runs/reading.py` reads them back, and the report (`plots/`, `report.html`) is made from that.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cache.known import Coverage
from core.files import write_json, write_text
from corpus.folds import save_folds
from corpus.popularity import is_popularity, views_of
from corpus.steps import first_step, step_names
from heads.result import FitResult, Scored
from heads.tuning.trials import DONE, TRIAL_COLUMNS, Tuned
from scoring.bootstrap import Score
from scoring.decades import Decade, mae_by_decade


def write_run(
    folder: Path, result: FitResult, *, coverage: Mapping[str, Coverage] | None = None
) -> None:
    """Write all files of a fit; the bundle comes last, as a run without it cannot predict.

    Args:
        folder: the run's, which exists.
        result: what `fit_head` gave.
        coverage: of all rows of the table, by cause, where the caller knows it.

    Raises:
        StorageError: if the disk is full, read-only or failing.
    """
    save_folds(folder / "split.json", result.folds, result.ids, result.config.split.text)
    write_json(folder / "metrics.json", metrics_of(result, coverage or {}))
    write_text(folder / "predictions.csv", predictions_csv(result))
    write_json(folder / "leaks.json", result.leaks.to_json())
    write_text(folder / "history.csv", history_csv(result.history))
    if result.tuned:
        write_text(folder / "trials.csv", trials_csv(result.tuned))
    result.bundle.save(folder / "bundle")


def metrics_of(result: FitResult, coverage: Mapping[str, Coverage]) -> dict[str, Any]:
    """Return what `metrics.json` says."""
    plan, config = result.config.target, result.config
    return {
        "target": plan.column,
        "task": plan.task,
        "transform": plan.transform,
        "quantiles": None if plan.quantiles is None else list(plan.quantiles),
        "head": config.head,
        "options": result.bundle.head.describe(),
        "features": [spec.name for spec in result.bundle.features],
        "fold": config.fold,
        "seed": config.seed,
        "classes": list(result.bundle.classes),
        "metrics": _plain(result.metrics),
        "baselines": {name: _plain(scores) for name, scores in result.baselines.items()},
        "interval": result.interval and dict(result.interval),
        "chosen": dict(result.chosen),
        "importances": dict(result.importances),
        "decades": [decade.to_json() for decade in decades_of(result)],
        "coverage": dict(result.coverage),
        "gaps": {name: _gaps(known) for name, known in coverage.items()},
        "rows": dict(result.rows),
        "leaks": result.leaks.summary(),
        "spread": {name: spread.to_json() for name, spread in result.spread.items()},
        "tuned": _tuned(result.tuned),
        "split": {
            "rule": config.split.text,
            "seed": config.split.seed,
            "digest": result.split_digest,
            "folds": len(result.folds),
        },
    }


def decades_of(result: FitResult) -> Sequence[Decade]:
    """Return the error by how popular a row was; of curves p1, p2, ..., which are popularity."""
    plan, scored = result.config.target, result.scored
    if plan.task != "sequence" or not is_popularity(step_names(plan.column, 1)[0]):
        return []
    days = first_step(plan.column) + np.arange(scored.target.shape[1])
    return mae_by_decade(scored.target, scored.predicted, views_of(scored.target, days))


def predictions_csv(result: FitResult) -> str:
    """Return the scored rows: id, fold, then target, predicted, low and high, the unit in brackets.

    A sequence has these for every step; classes have their probabilities. `group` is what
    intervals draw whole: the author, or the id of the first of some near-duplicates. A gap is an
    empty cell.
    """
    scored, unit = result.scored, result.config.target.column
    blocks: list[tuple[str, np.ndarray]] = []
    if scored.probabilities is not None:
        blocks += [(f"target ({unit})", scored.target), (f"predicted ({unit})", scored.predicted)]
        shares = zip(result.bundle.classes, scored.probabilities.T, strict=True)
        blocks += [(f"probability ({name})", share) for name, share in shares]
    elif scored.target.ndim == 2:
        for step, name in enumerate(step_names(unit, scored.target.shape[1])):
            blocks += _numbers(scored, name, (slice(None), step))
    else:
        blocks += _numbers(scored, unit, (slice(None),))
    who = [("id", scored.ids), ("fold", scored.fold)]
    if scored.group is not None:
        who.append(("group", scored.group))
    columns = [*who, *blocks]
    rows = zip(*(column.tolist() for _, column in columns), strict=True)
    return _csv([name for name, _ in columns], rows)


def history_csv(history: Sequence[Mapping[str, Any]]) -> str:
    """Return training curves, a column for every quantity; only a header where there is none."""
    names = list(dict.fromkeys(["fold", *(name for row in history for name in row)]))
    return _csv(names, ([row.get(name, "") for name in names] for row in history))


def trials_csv(tuned: Sequence[Tuned]) -> str:
    """Return every trial of every fold; an option that the head chose by itself is "auto"."""
    names = list(tuned[0].trials[0].options)
    rows = []
    for found in tuned:
        for trial in found.trials:
            chosen = "yes" if trial is found.best else ""
            row = [found.fold, trial.number, trial.state, trial.loss, chosen]
            given = [trial.options[name] for name in names]
            options = ["auto" if value is None else value for value in given]
            rows.append([*row, round(trial.seconds, 3), trial.reason, *options])
    return _csv([*TRIAL_COLUMNS, *names], rows)


def _numbers(scored: Scored, unit: str, place: Any) -> Iterator[tuple[str, np.ndarray]]:
    yield f"target ({unit})", scored.target[place]
    yield f"predicted ({unit})", scored.predicted[place]
    if scored.low is not None and scored.high is not None:
        yield f"low ({unit})", scored.low[place]
        yield f"high ({unit})", scored.high[place]


def _tuned(tuned: Sequence[Tuned]) -> list[dict[str, Any]]:
    """Return what each fold chose, beside what the defaults gave."""
    return [
        {
            "fold": found.fold,
            "trials": len(found.trials),
            "options": dict(found.best.options),
            "loss": found.best.loss,
            "default_loss": found.trials[0].loss if found.trials[0].state == DONE else None,
        }
        for found in tuned
        if found.best is not None
    ]


def _gaps(known: Coverage) -> dict[str, Any]:
    """Return the gaps of one feature by cause, over all rows of the table."""
    counts = {"ok": known.ok, "never": known.never, "by_id": known.by_id}
    return {**counts, "absent": dict(known.absent), "failed": dict(known.failed)}


def _csv(header: Sequence[str], rows: Any) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    return "" if isinstance(value, float) and np.isnan(value) else value


def _plain(scores: Mapping[str, Score]) -> dict[str, Any]:
    return {name: score.to_json() for name, score in scores.items()}
