"""Options of the commands that learn: the target and its scale, features, which rows judge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands import loading
from commands import options as o
from core.log import logger

if TYPE_CHECKING:
    from corpus.manifest import Manifest
    from corpus.splits import SplitPlan
    from corpus.targets import TargetPlan

TargetOption = Annotated[
    str,
    typer.Option("--target", help="column to predict; p stands for p1, p2, ...", metavar="COL"),
]
TaskOption = Annotated[
    str | None,
    typer.Option(
        "--task", help="regression, classification or sequence  [default: what the column holds]"
    ),
]
TransformOption = Annotated[
    str, typer.Option("--transform", help="learn on this scale: none, log1p, rank or logit")
]
TargetScaleOption = Annotated[
    float, typer.Option("--target-scale", help="logit: the value that counts as 1, 100 for %")
]
QuantilesOption = Annotated[
    str | None,
    typer.Option(
        "--quantiles", help="make classes of a number: low below, high above", metavar="LOW,HIGH"
    ),
]
MiddleOption = Annotated[
    str, typer.Option("--middle", help="rows between the quantiles: drop or keep")
]
FeaturesOption = Annotated[
    str | None,
    typer.Option(
        "--features",
        help="comma-separated features or families, also meta:FIELD for a number or category of "
        "the table, meta for all of these, and knn(NAME) for what became of neighbours by it  "
        "[default: classic,meta]",
        metavar="NAMES",
    ),
]
CachedFeaturesOption = Annotated[
    str | None,
    typer.Option(
        "--features",
        help="comma-separated features or families, also meta:FIELD for a number or category of "
        "the table, and meta for all of these  [default: classic,meta]",
        metavar="NAMES",
    ),
]
SplitOption = Annotated[
    str | None,
    typer.Option(
        "--split",
        help="random:0.7,0.15,0.15, kfold:5, author-kfold:5, time:..., column, files:DIR, ...  "
        "[default: author-kfold:5 where authors are known, else random:0.7,0.15,0.15]",
        metavar="RULE",
    ),
]
GroupDuplicatesOption = Annotated[
    str | None,
    typer.Option(
        "--group-duplicates",
        help="keep rows on one side of the split that are alike in a feature, by 0.95 or another "
        "threshold up to 1 (equal)",
        metavar="FEATURE[:THRESHOLD]",
    ),
]
RefitOption = Annotated[
    bool,
    typer.Option(
        "--refit/--no-refit", help="learn from validation rows too, once they have chosen"
    ),
]


@dataclass(frozen=True)
class TargetOptions:
    """What is to be learnt, as the options say it."""

    column: str
    task: str | None
    transform: str
    scale: float
    quantiles: str | None
    middle: str


def read_table(reading: loading.TableOptions, asked: TargetOptions) -> tuple[Manifest, TargetPlan]:
    """Read the table with its target; without --task, what the column holds decides it."""
    from corpus.labels import task_of
    from corpus.targets import TargetPlan

    shares = o.numbers(asked.quantiles, "--quantiles") if asked.quantiles else None
    task = asked.task or ("classification" if shares else None)

    scale: dict[str, Any] = {
        "transform": asked.transform,
        "scale": asked.scale,
        "quantiles": shares,
        "middle": asked.middle,
    }
    if task:
        plan = TargetPlan(asked.column, task, **scale)
        return loading.load_manifest(reading, [plan]), plan
    table = loading.load_manifest(reading, [asked.column])
    task = task_of(table.target(asked.column), column=asked.column, ids=table.ids.tolist())
    if task == "classification" and asked.transform != "none":  # of numbers: say which are none
        return read_table(reading, replace(asked, task="regression"))
    logger.info("target %s: %s, as its cells suggest (--task says otherwise)", asked.column, task)
    return table, TargetPlan(asked.column, task, **scale)


def split_of(table: Manifest, asked: str | None, seed: int) -> SplitPlan:
    """Return the split that is asked for, or the table's default."""
    from corpus.splits import SplitPlan

    if asked:
        return SplitPlan.parse(asked, seed=seed)
    return SplitPlan.default(has_author=table.has_author, seed=seed)
