"""What a fit leaves in its run folder: for machines, for spreadsheets, for readers, for `predict`.

split.json        who was in which part of which fold
metrics.json      scores, baselines, choices, counts
predictions.csv   every scored row, one number per cell
history.csv       training curves
plots/*.png       the pictures of the report
report.html       one page that needs no other file
bundle/           the fitted head
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cache.known import Coverage
from core.files import replacing, write_json, write_text
from corpus.folds import save_folds
from heads.result import FitResult, Scored
from heads.run_report import plots_of, report_of
from scoring.bootstrap import Score
from scoring.canvas import png
from scoring.report import write_report


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
    write_json(folder / "metrics.json", metrics_of(result))
    write_text(folder / "predictions.csv", predictions_csv(result))
    write_text(folder / "history.csv", history_csv(result.history))
    pictures = {}
    for name, (caption, figure) in plots_of(result).items():
        content = pictures[caption] = png(figure)
        with replacing(folder / "plots" / f"{name}.png") as temporary:
            temporary.write_bytes(content)
    write_report(folder, report_of(result, pictures, coverage or {}))
    result.bundle.save(folder / "bundle")


def metrics_of(result: FitResult) -> dict[str, Any]:
    """Return what `metrics.json` says."""
    plan = result.config.target
    return {
        "target": plan.column,
        "task": plan.task,
        "classes": list(result.bundle.classes),
        "metrics": _plain(result.metrics),
        "baselines": {name: _plain(scores) for name, scores in result.baselines.items()},
        "interval": result.interval and dict(result.interval),
        "chosen": dict(result.chosen),
        "importances": dict(result.importances),
        "coverage": dict(result.coverage),
        "rows": dict(result.rows),
        "split": {
            "rule": result.config.split.text,
            "seed": result.config.split.seed,
            "digest": result.split_digest,
            "folds": len(result.folds),
        },
    }


def predictions_csv(result: FitResult) -> str:
    """Return the scored rows: id, fold, then target, predicted, low and high, the unit in brackets.

    A sequence has these for every step; classes have their probabilities. A gap is an empty cell.
    """
    scored, unit = result.scored, result.config.target.column
    blocks: list[tuple[str, np.ndarray]] = []
    if scored.probabilities is not None:
        blocks += [(f"target ({unit})", scored.target), (f"predicted ({unit})", scored.predicted)]
        shares = zip(result.bundle.classes, scored.probabilities.T, strict=True)
        blocks += [(f"probability ({name})", share) for name, share in shares]
    elif scored.target.ndim == 2:
        for step in range(scored.target.shape[1]):
            blocks += _numbers(scored, f"{unit}{step + 1}", (slice(None), step))
    else:
        blocks += _numbers(scored, unit, (slice(None),))
    columns = [("id", scored.ids), ("fold", scored.fold), *blocks]
    rows = zip(*(column.tolist() for _, column in columns), strict=True)
    return _csv([name for name, _ in columns], rows)


def history_csv(history: Sequence[Mapping[str, Any]]) -> str:
    """Return training curves, a column for every quantity; only a header where there is none."""
    names = list(dict.fromkeys(["fold", *(name for row in history for name in row)]))
    return _csv(names, ([row.get(name, "") for name in names] for row in history))


def _numbers(scored: Scored, unit: str, place: Any) -> Iterator[tuple[str, np.ndarray]]:
    yield f"target ({unit})", scored.target[place]
    yield f"predicted ({unit})", scored.predicted[place]
    if scored.low is not None and scored.high is not None:
        yield f"low ({unit})", scored.low[place]
        yield f"high ({unit})", scored.high[place]


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
