"""`evaluate`: score a fitted run on another table that has labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from commands import encoders as e
from commands import loading
from commands import options as o
from core.errors import FitError
from core.log import logger

if TYPE_CHECKING:
    from core.runs import Run
    from serve.evaluation import Evaluation

EXAMPLES = o.examples(
    "evaluate var/first demo/new_truth.csv",
    "evaluate var/first demo/new_truth.csv --json",
)
SOME_FAILED = 3


def run(
    context: typer.Context,
    run: o.RunArgument,
    manifest: o.ManifestArgument,
    cache: o.CacheOption = o.DEFAULT_CACHE,
    weights: e.WeightsOption = None,
    device: e.DeviceOption = None,
    source: o.RunSourceOption = None,
    columns: o.RunColumnsOption = None,
    root: o.RootOption = None,
    skip_bad_rows: o.SkipBadRowsOption = False,
    seed: o.SeedOption = 0,
    workers: o.WorkersOption = None,
    time_limit: o.TimeLimitOption = 120.0,
    memory_limit: o.MemoryLimitOption = 4.0,
    out: o.OutOption = None,
    config: o.ConfigOption = None,
    as_json: o.JsonOption = False,
) -> int:
    """Score a run's predictions on new videos with labels.

    Rows that the run was fitted on would flatter it: they are left out and counted.
    """
    from core.runs import recording
    from scoring.bootstrap import too_few
    from serve.evaluation import evaluate
    from serve.predictor import Predictor

    predictor = Predictor(run, o.assignments(weights, "--weights"))
    plan = predictor.bundle.target.plan
    reading = loading.TableOptions(manifest, source or "generic", columns, root, skip_bad_rows)
    if source is None and columns is None:
        reading = loading.as_fitted(run, reading, predictor.reads)
    table = loading.load_manifest(reading, [plan])
    settings = loading.settings(workers, 8, "pyav", time_limit, memory_limit, device=device)
    with recording("evaluate", o.resolved(context), out=out, seed=seed) as record:
        fresh = [sample for sample in table.samples if sample.id not in predictor.learnt_from]
        if len(fresh) < len(table):
            logger.warning("%d rows left out: the run knows them", len(table) - len(fresh))
        if not fresh:
            raise FitError(f"the run was fitted on every row of {manifest}; give it new videos")
        predicted = predictor.predict(fresh, cache, settings)
        found = evaluate(predictor.bundle, predicted, fresh, seed=seed)
        _record(record, found)
    if few := too_few(found.rows["scored"]):
        logger.warning("%s", few)
    _print(found, str(record.folder), as_json=as_json)
    return SOME_FAILED if predicted.failures else 0


def _record(record: Run, found: Evaluation) -> None:
    """Keep the scores and every prediction in the run folder."""
    from core.files import write_json, write_text

    record.note(metrics=o.scores(found.metrics))
    write_json(record.folder / "metrics.json", o.scores(found.metrics))
    write_text(record.folder / "predictions.csv", found.table())


def _print(found: Evaluation, folder: str, *, as_json: bool) -> None:
    """Print one line for each metric."""
    if as_json:
        o.print_json({"run": folder, "metrics": o.scores(found.metrics), "rows": dict(found.rows)})
        return
    for name, score in found.metrics.items():
        print(o.score_line(name, score))
    counted = ", ".join(f"{count} {what}" for what, count in found.rows.items())
    print(f"rows: {counted}; run {folder}")
