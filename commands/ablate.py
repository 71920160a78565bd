"""`ablate`: what each feature is worth, alone, beside others and on average, with intervals."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated

import typer

from commands import ablating, gathering, learning, loading, observing
from commands import encoders as e
from commands import options as o
from core.errors import UsageError

if TYPE_CHECKING:
    from cache.spec import FeatureSpec
    from corpus.manifest import Manifest
    from heads.ablation.plan import AblationPlan

EXAMPLES = o.examples(
    f"ablate {o.DEMO_TABLE} --head linear --target engagement --features motion,mfcc,textstats",
    f"ablate {o.DEMO_TABLE} --head linear,gbm --target popular --features motion,colour,mfcc "
    "--group picture=motion+colour --always meta:followers --arms single --set gbm.rounds=20",
)


def run(
    context: typer.Context,
    manifest: o.ManifestArgument,
    head: Annotated[
        str, typer.Option("--head", help="comma-separated heads, see `fit-head`", metavar="NAMES")
    ],
    target: learning.TargetOption,
    task: learning.TaskOption = None,
    transform: learning.TransformOption = "none",
    target_scale: learning.TargetScaleOption = 1.0,
    quantiles: learning.QuantilesOption = None,
    middle: learning.MiddleOption = "drop",
    observed_days: Annotated[
        int | None,
        typer.Option(
            "--observed-days",
            help="of a curve p1..pT, days 1 to K are known, one player; the rest is predicted",
            metavar="K",
            min=0,
        ),
    ] = None,
    features: learning.CachedFeaturesOption = None,
    group: Annotated[
        list[str] | None,
        typer.Option(
            "--group",
            help="features or families that come and go together; may be repeated",
            metavar="NAME=FEATURE+FEATURE",
        ),
    ] = None,
    always: Annotated[
        str | None,
        typer.Option(
            "--always",
            help="comma-separated features that every arm has; gains are over these",
            metavar="NAMES",
        ),
    ] = None,
    arms: Annotated[
        str | None,
        typer.Option(
            "--arms",
            help="comma-separated: all subsets (up to 12 features), single, leave-one-out, "
            "sampled:N for Shapley values from N pairs of orders, with their error  [default: all "
            "of up to 8 features, else single,leave-one-out]",
            metavar="KINDS",
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option("--seeds", help="fit each arm with so many seeds of the head", min=1)
    ] = 1,
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            help="what gains are counted in  [default: srocc, accuracy or amae]",
            metavar="NAME",
        ),
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="an option of a head; may be repeated; of several heads: HEAD.NAME=VALUE",
            metavar="NAME=VALUE",
        ),
    ] = None,
    split: learning.SplitOption = None,
    group_duplicates: learning.GroupDuplicatesOption = None,
    refit: learning.RefitOption = True,
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
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="say which arms would be fitted, and stop")
    ] = False,
    out: o.OutOption = None,
    config: o.ConfigOption = None,
    as_json: o.JsonOption = False,
) -> int:
    """Tell what each feature is worth: heads on subsets of features.

    Every feature is read once. A run that was stopped goes on where it was: give the same command
    with --out and its folder.
    """
    from core.runs import recording
    from extract.ensure import OpenCache
    from heads.ablation.journal import check_journal
    from heads.ablation.run import Setting, asked_of
    from heads.ablation.scores import metric_of
    from heads.fit import divide

    table, specs, plan = _asked(context)
    chosen = metric_of(metric, plan.config.target.task)
    ablating.check(table, plan)
    if dry_run:
        ablating.print_plan(plan, as_json=as_json)
        return 0
    encoding = e.encoding(cache, weights, dtype, quantize, None)
    alike = gathering.likeness_of(table, group_duplicates, decoder, encoding)
    opened = OpenCache.at(cache, table.samples)
    read = dict.fromkeys(specs if alike is None else (*specs, alike[1]))
    learnt_from, _ = gathering.gathered_table(table, tuple(read), opened)
    twins = alike and gathering.duplicates_in(learnt_from, alike[0], plan.config.split)
    values = table.target(plan.config.target.column)
    data, folds, leaks = divide(
        learnt_from, values, plan.config, words=table.split, duplicates=twins
    )
    setting = Setting(data, folds, plan)
    if out is not None:
        check_journal(out, asked_of(setting))
    costs = ablating.costs_of(opened.store, specs)
    with recording("ablate", o.resolved(context), out=out, seed=seed, widens=True) as record:
        record.note(data={"manifest": table.digest, "rows": len(table)})
        found = ablating.run_in(record.folder, setting, leaks, metric=chosen, costs=costs)
        record.note(metrics={name: score.to_json() for name, score in found.everybody.items()})
    ablating.print_result(found, str(record.folder), as_json=as_json)
    return 0


def _asked(context: typer.Context) -> tuple[Manifest, tuple[FeatureSpec, ...], AblationPlan]:
    """Return the table, the columns to read, and what is to be run, from the command's options."""
    from cache.gather import META
    from heads.neighbours.columns import source_of
    from heads.result import FitConfig

    given = SimpleNamespace(**context.params)
    reading = loading.TableOptions(
        given.manifest, given.source, given.columns, given.root, given.skip_bad_rows
    )
    reading, target, known = observing.observed(
        reading, given.target, None if given.observed_days is None else str(given.observed_days)
    )
    days = tuple(META + name for name in known)
    scale = (given.task, given.transform, given.target_scale, given.quantiles, given.middle)
    table, plan = learning.read_table(reading, learning.TargetOptions(target, *scale))
    encoding = e.encoding(given.cache, given.weights, given.dtype, given.quantize, None)
    always = o.names(given.always)
    named = given.features and ",".join(dict.fromkeys((*o.names(given.features), *always, *days)))
    specs, wanted = gathering.features_of(table, named, given.decoder, encoding)
    if any(source_of(name) for name in wanted):
        raise UsageError(
            "ablate takes features of the cache; knn(NAME) is made of each fold's labels: give it "
            "to fit-head"
        )
    heads = ablating.options_by_head(o.names(given.head), o.assignments(given.options, "--set"))
    asked = FitConfig(
        head=next(iter(heads)),
        target=plan,
        split=learning.split_of(table, given.split, given.seed),
        features=wanted,
        observed=days,
        refit=given.refit,
        seed=given.seed,
    )
    groups = o.assignments(given.group, "--group")
    if len(days) > 1 and not set(days) & set(always):
        groups = {"observed days": "+".join(days), **groups}
    arms = {"arms": given.arms, "seeds": given.seeds}
    return table, specs, ablating.plan_of(asked, heads, always=always, groups=groups, **arms)
