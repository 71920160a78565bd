"""`fit-head`: learn a target from cached features, with honest scores."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from commands import encoders as e
from commands import gathering, learning, loading, reporting
from commands import options as o
from core.log import logger

if TYPE_CHECKING:
    from heads.result import FitResult

EXAMPLES = o.examples(
    f"fit-head {o.DEMO_TABLE} --head linear --target engagement --out var/first",
    f"fit-head {o.DEMO_TABLE} --head gbm --target popular --features motion,mfcc",
)


def run(
    context: typer.Context,
    manifest: o.ManifestArgument,
    head: Annotated[str, typer.Option("--head", help="linear, gbm, mlp or mean", metavar="NAME")],
    target: learning.TargetOption,
    task: learning.TaskOption = None,
    transform: learning.TransformOption = "none",
    target_scale: learning.TargetScaleOption = 1.0,
    quantiles: learning.QuantilesOption = None,
    middle: learning.MiddleOption = "drop",
    features: learning.FeaturesOption = None,
    options: Annotated[
        list[str] | None,
        typer.Option("--set", help="an option of the head; may be repeated", metavar="NAME=VALUE"),
    ] = None,
    split: learning.SplitOption = None,
    fold: Annotated[
        int | None, typer.Option("--fold", help="only this fold, from 1  [default: all]", min=1)
    ] = None,
    group_duplicates: learning.GroupDuplicatesOption = None,
    refit: learning.RefitOption = True,
    tune: Annotated[
        int | None,
        typer.Option(
            "--tune",
            help="choose options of the head in each fold by its validation rows, from N trials, "
            "the defaults among them; a killed run goes on with the same --out",
            metavar="N",
            min=2,
        ),
    ] = None,
    seed: o.SeedOption = 0,
    cache: o.CacheOption = o.DEFAULT_CACHE,
    source: o.SourceOption = "generic",
    columns: o.ColumnsOption = None,
    root: o.RootOption = None,
    decoder: o.DecoderOption = "pyav",
    weights: e.WeightsOption = None,
    dtype: e.DtypeOption = "auto",
    quantize: e.QuantizeOption = "none",
    skip_bad_rows: o.SkipBadRowsOption = False,
    open_samples: reporting.OpenSamplesOption = reporting.DEFAULT_OPEN,
    out: o.OutOption = None,
    config: o.ConfigOption = None,
    as_json: o.JsonOption = False,
) -> int:
    """Fit a head on cached features and score it on unseen rows.

    Writes a run folder with scores, predictions, plots, a report and a bundle for `predict`.
    """
    from core.runs import recording
    from extract.ensure import OpenCache
    from heads.fit import check_fit, fit_head
    from heads.result import FitConfig
    from heads.run_files import write_run
    from heads.trials import Tuning

    reading = loading.TableOptions(manifest, source, columns, root, skip_bad_rows)
    learnt = learning.TargetOptions(target, task, transform, target_scale, quantiles, middle)
    table, plan = learning.read_table(reading, learnt)
    encoding = e.encoding(cache, weights, dtype, quantize, None)
    specs, wanted = gathering.features_of(table, features, decoder, encoding)
    alike = gathering.likeness_of(table, group_duplicates, decoder, encoding)
    asked = FitConfig(
        head=head,
        target=plan,
        split=learning.split_of(table, split, seed),
        options=o.assignments(options, "--set"),
        features=wanted,
        refit=refit,
        fold=fold,
        seed=seed,
    )
    check_fit(gathering.bare_rows(table), table.target(target), asked, words=table.split)
    opened = OpenCache.at(cache, table.samples)
    read = dict.fromkeys(specs if alike is None else (*specs, alike[1]))
    learnt_from, coverage = gathering.gathered_table(table, tuple(read), opened)
    twins = alike and gathering.duplicates_in(learnt_from, alike[0], asked.split)
    with recording("fit-head", o.resolved(context), out=out, seed=seed) as record:
        read_as = {"source": source, "columns": table.columns.to_mapping()}
        counts = {"rows": len(table), "bad_rows": len(table.bad_rows)}
        record.note(data={"manifest": table.digest, **counts, **read_as})
        tuning = Tuning(tune, record.folder / "tuning.db") if tune else None
        result = fit_head(
            learnt_from,
            table.target(target),
            replace(asked, tuning=tuning),
            words=table.split,
            duplicates=twins,
            progress=logger.info,
        )
        write_run(record.folder, result, coverage=coverage)
        record.note(metrics=o.scores(result.metrics))
    reporting.write_page(record.folder, table.samples, open_samples=open_samples)
    _print_result(result, str(record.folder), as_json=as_json)
    return 0


def _print_result(result: FitResult, folder: str, *, as_json: bool) -> None:
    """Print one line for each metric, beside those of the baselines."""
    if as_json:
        o.print_json(
            {
                "run": folder,
                "metrics": o.scores(result.metrics),
                "baselines": {name: o.scores(given) for name, given in result.baselines.items()},
                "coverage": dict(result.coverage),
                "rows": dict(result.rows),
                "leaks": result.leaks.summary(),
            }
        )
        return
    for name, score in result.metrics.items():
        print(o.score_line(name, score))
    for baseline, scores in result.baselines.items():
        for name, score in scores.items():
            print(o.score_line(f"{baseline}:{name}", score))
    print(f"run {folder}")
