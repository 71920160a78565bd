"""`fit-head`: learn a target from cached features, with honest scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated

import typer

from commands import encoders as e
from commands import gathering, leaderboard, learning, loading, observing, reporting
from commands import options as o
from core.errors import UsageError
from core.log import logger

if TYPE_CHECKING:
    from cache.duplicates import Duplicates
    from cache.known import Coverage
    from cache.table import FeatureTable
    from corpus.manifest import Manifest
    from corpus.targets import TargetPlan
    from heads.result import FitConfig, FitResult

EXAMPLES = o.examples(
    f"fit-head {o.DEMO_TABLE} --head linear --target engagement --out var/first",
    f"fit-head {o.DEMO_TABLE} --head gbm --target popular --features motion,mfcc",
)


def run(
    context: typer.Context,
    manifest: o.ManifestArgument,
    head: Annotated[
        str,
        typer.Option(
            "--head", help="linear, gbm, mlp, lstm, knn, blend, retrieval or mean", metavar="NAME"
        ),
    ],
    target: learning.TargetOption,
    task: learning.TaskOption = None,
    transform: learning.TransformOption = "none",
    target_scale: learning.TargetScaleOption = 1.0,
    quantiles: learning.QuantilesOption = None,
    middle: learning.MiddleOption = "drop",
    observed_days: observing.ObservedDaysOption = None,
    features: learning.FeaturesOption = None,
    of: Annotated[
        str | None,
        typer.Option(
            "--of",
            help="blend: its members, comma-separated; retrieval: the features whose neighbours "
            "are asked  [default: linear,gbm,knn; all together]",
            metavar="NAMES",
        ),
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="an option of the head, or of a member of a blend: gbm.rounds=300; may be "
            "repeated",
            metavar="NAME=VALUE",
        ),
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
    keep_epochs: Annotated[
        bool,
        typer.Option(
            "--keep-epochs/--no-keep-epochs",
            help="lstm: keep the weights of every epoch, for `leaderboard --epochs` and to go on "
            "after a kill with the same --out",
        ),
    ] = True,
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
    contexts = observing.contexts(context, observed_days, out)
    if len(contexts) > 1:
        _print_compared([_fit(each, keep_done=True)[1] for each in contexts], as_json=as_json)
        return 0
    result, folder = _fit(context)
    assert result is not None
    _print_result(result, str(folder), as_json=as_json)
    return 0


def _fit(context: typer.Context, *, keep_done: bool = False) -> tuple[FitResult | None, Path]:
    """Fit what the command's options ask for; return the result and its run folder.

    One of several runs that was done before the others were killed is kept, and has no result.
    """
    from cache.gather import META
    from cache.table_digest import digest_table
    from core.runs import is_done
    from extract.ensure import OpenCache
    from heads.fit import check_fit

    given = SimpleNamespace(**context.params)
    reading = loading.TableOptions(
        given.manifest, given.source, given.columns, given.root, given.skip_bad_rows
    )
    reading, target, known = observing.observed(reading, given.target, given.observed_days)
    days = tuple(META + name for name in known)
    scale = (given.task, given.transform, given.target_scale, given.quantiles, given.middle)
    table, plan = learning.read_table(reading, learning.TargetOptions(target, *scale))
    encoding = e.encoding(given.cache, given.weights, given.dtype, given.quantize, None)
    features = given.features and ",".join(dict.fromkeys((*o.names(given.features), *days)))
    specs, wanted = gathering.features_of(table, features, given.decoder, encoding)
    alike = gathering.likeness_of(table, given.group_duplicates, given.decoder, encoding)
    asked = _config(given, table, plan, features=wanted, days=days)
    check_fit(gathering.bare_rows(table), table.target(target), asked, words=table.split)
    opened = OpenCache.at(given.cache, table.samples)
    read = dict.fromkeys(specs if alike is None else (*specs, alike[1]))
    learnt_from, coverage = gathering.gathered_table(table, tuple(read), opened)
    twins = alike and gathering.duplicates_in(learnt_from, alike[0], asked.split)
    data = {"manifest": table.digest, "features": digest_table(learnt_from)}
    if keep_done and is_done(given.out, "fit-head", o.resolved(context), data):
        logger.info("%s is done already; it is kept", given.out)
        return None, given.out
    return _recorded(context, table, asked, Gathered(data, learnt_from, coverage, twins))


def _config(
    given: SimpleNamespace,
    table: Manifest,
    plan: TargetPlan,
    *,
    features: tuple[str, ...],
    days: tuple[str, ...],
) -> FitConfig:
    """Return what to fit.

    Raises:
        UsageError: if the head has nothing for --of, or finds the neighbours itself that it is to
            read columns of.
    """
    from heads.neighbours.columns import source_of, with_neighbours
    from heads.result import FitConfig

    if given.of and given.head not in {"blend", "retrieval"}:
        raise UsageError(f"--of goes with --head blend or retrieval, not with {given.head}")
    columns = [name for name in features if source_of(name)]
    if columns and given.head in {"knn", "retrieval"}:
        raise UsageError(
            f"--head {given.head} looks for neighbours itself and reads no columns of them such as "
            f"{columns[0]}; name {source_of(columns[0])} instead, or another --head"
        )
    return with_neighbours(
        FitConfig(
            head=given.head,
            target=plan,
            split=learning.split_of(table, given.split, given.seed),
            options=o.assignments(given.options, "--set") | ({"of": given.of} if given.of else {}),
            features=features,
            observed=days,
            refit=given.refit,
            fold=given.fold,
            seed=given.seed,
        )
    )


@dataclass(frozen=True, eq=False)
class Gathered:
    """What the cache has of a table: its features, their coverage, and near-duplicates.

    digests  of the table and of the features' values
    """

    digests: Mapping[str, str]
    table: FeatureTable
    coverage: Mapping[str, Coverage]
    duplicates: Duplicates | None


def _recorded(
    context: typer.Context, table: Manifest, asked: FitConfig, gathered: Gathered
) -> tuple[FitResult, Path]:
    """Fit in a run folder, and write all of it."""
    from core.runs import recording
    from heads.fit import fit_head
    from heads.networks.epoch_files import keeping_folds
    from heads.runs.files import write_run
    from heads.runs.reading import EPOCHS
    from heads.tuning.trials import Tuning

    given = SimpleNamespace(**context.params)
    config = o.resolved(context)
    with recording("fit-head", config, out=given.out, seed=given.seed) as record:
        read_as = {"source": given.source, "columns": table.columns.to_mapping()}
        read_as["started_in"] = str(Path.cwd())
        counts = {"rows": len(table), "bad_rows": len(table.bad_rows)}
        record.note(data={**gathered.digests, **counts, **read_as})
        tuning = Tuning(given.tune, record.folder / "tuning.db") if given.tune else None
        with keeping_folds(record.folder / EPOCHS if given.keep_epochs else None):
            result = fit_head(
                gathered.table,
                table.target(asked.target.column),
                replace(asked, tuning=tuning),
                words=table.split,
                duplicates=gathered.duplicates,
                progress=logger.info,
            )
        write_run(record.folder, result, coverage=gathered.coverage)
        record.note(metrics=o.scores(result.metrics))
    reporting.write_page(record.folder, table.samples, open_samples=given.open_samples)
    return result, record.folder


def _print_compared(folders: Sequence[Path], *, as_json: bool) -> None:
    """Print runs that know more or fewer days beside one another, on the days that they share."""
    made = observing.compared(folders)
    if as_json:
        runs = [str(folder) for folder in folders]
        o.print_json({"runs": runs, "boards": [board.to_json() for board in made]})
        return
    for board in made:
        print("\n".join(leaderboard.lines_of(board)), end="\n\n")


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
