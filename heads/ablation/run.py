"""Running an ablation: every arm in every fold, each once; what is finished is in the journal."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from cache.table_digest import digest_features, digest_rows
from core.errors import FitError
from core.fingerprint import digest_strings
from corpus.folds import Fold, digest_folds
from heads.ablation.fold import ArmFold, fit_arm
from heads.ablation.journal import Cell, Journal
from heads.ablation.plan import AblationPlan
from heads.ablation.ridge_arms import fit_ridge_arms, shares_products
from heads.folding import FoldTables, Labelled, tables_of

NOBODY = "mean"  # the head that an arm without features is


@dataclass(frozen=True, eq=False)
class Setting:
    """What is ablated: the rows with a label, their folds, and the plan."""

    data: Labelled
    folds: Sequence[Fold]
    plan: AblationPlan


def cell_of(plan: AblationPlan, fold: str, *, head: str, seed: int, players: int) -> Cell:
    """Return the fit that says what an arm gives in a fold.

    Without features it is the same for all heads and seeds, and a ridge looks at no seed.
    """
    if not plan.selection(players):
        return Cell(fold, NOBODY, plan.seeds[0], 0)
    seeded = not shares_products(head, plan.config.target.task, plan.heads[head])
    return Cell(fold, head, seed if seeded else plan.seeds[0], players)


def cells_of(plan: AblationPlan, fold: str) -> list[Cell]:
    """Return all fits of one fold, each once."""
    arms = itertools.product(plan.heads, plan.seeds, plan.arms.sets)
    cells = (cell_of(plan, fold, head=head, seed=seed, players=it) for head, seed, it in arms)
    return list(dict.fromkeys(cells))


def run_ablation(
    setting: Setting, journal: Journal, told: Callable[[], None] = lambda: None
) -> None:
    """Fit what the journal lacks; `told` is called after each fit.

    Raises:
        FitError: if an arm has nothing to learn from.
        StorageError: if the journal cannot be written.
    """
    for fold in setting.folds:
        lacking = [cell for cell in cells_of(setting.plan, fold.name) if cell not in journal]
        given = tables_of(setting.data, fold) if lacking else None
        for head in dict.fromkeys(cell.head for cell in lacking):
            assert given is not None
            cells = [cell for cell in lacking if cell.head == head]
            for cell, found in zip(cells, _fits(given, setting.plan, cells), strict=True):
                journal.add(cell, found)
                told()


def _fits(given: FoldTables, plan: AblationPlan, cells: Sequence[Cell]) -> Iterator[ArmFold]:
    """Fit arms of one head in one fold, in their order."""
    head = cells[0].head
    config = replace(plan.config, head=head, options=plan.heads.get(head, {}))
    selections = [plan.selection(cell.players) for cell in cells]
    if all(selections) and shares_products(head, config.target.task, config.options):
        yield from fit_ridge_arms(given, config, selections)
        return
    for cell, selection in zip(cells, selections, strict=True):
        try:
            yield fit_arm(given, replace(config, seed=cell.seed), selection)
        except FitError as error:
            raise FitError(f"{head} on {', '.join(selection)}, {cell.fold}: {error}") from error


def asked_of(setting: Setting) -> dict[str, Any]:
    """Return what decides every prediction, for the journal; which arms are run does not."""
    data, plan = setting.data, setting.plan
    config = plan.config
    return {
        "format": 1,
        "rows": digest_rows(data.table),
        "labels": digest_strings(map(_label, data.values)).hex(),
        "features": digest_features(data.table.select(config.features).columns),
        "target": asdict(config.target),
        "split": {"rule": config.split.text, "digest": digest_folds(setting.folds, data.table.ids)},
        "heads": {head: dict(options) for head, options in plan.heads.items()},
        "players": [[one.name, *one.features] for one in plan.players],
        "always": list(plan.always),
        "observed": list(config.observed),
        "refit": config.refit,
    }


def _label(value: Any) -> str:
    return str(value.tolist()) if isinstance(value, np.ndarray) else repr(value)
