"""What `ablate` does beside parsing: players and heads from options, costs, and what is printed."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from commands import cache_options, gathering
from commands import options as o
from core.errors import UnknownName, UsageError
from core.log import logger

if TYPE_CHECKING:
    from cache.spec import FeatureSpec
    from cache.store import Store
    from corpus.leaks import Leaks
    from corpus.manifest import Manifest
    from heads.ablation.plan import AblationPlan
    from heads.ablation.run import Setting
    from heads.result import FitConfig
    from scoring.ablation import Ablation, ArmLine, PlayerLine
    from scoring.bootstrap import Score

_BEST = 10  # arms of a head that are printed


def options_by_head(heads: Sequence[str], given: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Give each head its options: NAME of the only one, HEAD.NAME of several.

    Raises:
        UsageError: if it is not said which of several heads an option is of.
    """
    found: dict[str, dict[str, str]] = {head: {} for head in heads}
    for name, value in given.items():
        head, _, option = name.partition(".")
        if option and head in found:
            found[head][option] = value
        elif len(found) == 1:
            found[heads[0]][name] = value
        else:
            raise UsageError(
                f"--set {name}={value}: of which head? Write HEAD.{name}={value}, HEAD being "
                f"{' or '.join(found)}"
            )
    return found


def plan_of(
    config: FitConfig,
    heads: Mapping[str, Mapping[str, str]],
    *,
    always: Sequence[str],
    groups: Mapping[str, str],
    arms: str | None,
    seeds: int,
) -> AblationPlan:
    """Return what is run; `always` and groups may name families.

    Raises:
        UnknownName, UsageError: if names or arms make no sense.
    """
    from heads.ablation.plan import AblationPlan, arms_of, players_of

    known = config.features
    fixed = tuple(one for name in always for one in _meant(name, known))
    rest = [name for name in known if name not in fixed]
    together = {
        name: [one for member in members.split("+") for one in _meant(member, rest)]
        for name, members in groups.items()
    }
    players = players_of(rest, together)
    if not players:
        raise UsageError("no feature is left to take away: --always names all of them")
    chosen = arms_of(arms, len(players), seed=config.seed)
    if arms is None and chosen.text != "all":
        logger.info(
            "%d features have %d subsets: each alone and each left out; for Shapley values: --arms "
            "all, or --arms sampled:10, or fewer players by --group",
            len(players),
            2 ** len(players),
        )
    every = tuple(range(config.seed, config.seed + seeds))
    return AblationPlan(config, heads, players, fixed, chosen, every)


def _meant(name: str, known: Sequence[str]) -> list[str]:
    """Return a feature, or the features of a family."""
    found = [one for one in known if name in (one, one.partition("/")[0].partition(":")[0])]
    if not found:
        raise UnknownName("feature", name, known)
    return found


def check(table: Manifest, plan: AblationPlan) -> None:
    """Find what is wrong with a request before any feature is read."""
    from heads.fit import check_fit

    rows, config = gathering.bare_rows(table), plan.config
    for head, options in plan.heads.items():
        asked = replace(config, head=head, options=options)
        check_fit(rows, table.target(config.target.column), asked, words=table.split)


def costs_of(store: Store, specs: Sequence[FeatureSpec]) -> dict[str, float | None]:
    """Return by feature the seconds of work that 1,000 samples took, None where nobody knows.

    Numbers of the table cost nothing; a feature's share of reading a file, which is read once for
    all, is what was booked when it was extracted.
    """
    from cache.gather import is_meta
    from cache.ledger import entry

    found: dict[str, float | None] = {}
    for spec in specs:
        if is_meta(spec.name):
            found[spec.name] = 0.0
            continue
        costs = entry(store, spec).costs.per_row()
        stages = ("decode_s", "prepare_s", "forward_s", "write_s")
        found[spec.name] = 1000 * sum(costs[stage] for stage in stages) if costs else None
    return found


def run_in(
    folder: Path,
    setting: Setting,
    leaks: Leaks,
    *,
    metric: str,
    costs: Mapping[str, float | None],
) -> Ablation:
    """Fit what the journal of a run folder lacks, judge all of it, and write the files."""
    from core.progress import Meter
    from corpus.leaks import KINDS
    from heads.ablation.files import write_ablation
    from heads.ablation.journal import Journal
    from heads.ablation.result import result_of
    from heads.ablation.run import asked_of, cells_of, run_ablation

    plan = setting.plan
    logger.info("leaks of split %s: %s", plan.config.split.text, leaks.text())
    cells = [cell for fold in setting.folds for cell in cells_of(plan, fold.name)]
    with Journal(folder, asked_of(setting)) as journal:
        lacking = sum(cell not in journal for cell in cells)
        logger.info(
            "%d of %d fits are to be made; stopped, they go on with --out %s",
            lacking,
            len(cells),
            folder,
        )
        with Meter("ablation", lacking, unit="fits", patience_s=2) as meter:
            run_ablation(setting, journal, meter.advance)
        leaky = any(leaks.count(kind) for kind in KINDS)
        notes = [f"What the split lets through: {leaks.text()}."] if leaky else []
        found = result_of(setting, journal, metric=metric, costs=costs, notes=notes)
    write_ablation(folder, found, [shlex.join(["python", "cli.py", *sys.argv[1:]])])
    return found


def print_plan(plan: AblationPlan, *, as_json: bool) -> None:
    """Say which arms would be fitted, and how many fits of a fold that is."""
    from heads.ablation.run import cells_of

    fits = len(cells_of(plan, ""))
    arms = [list(plan.names(players)) for players in plan.arms.sets]
    players = {one.name: list(one.features) for one in plan.players}
    if as_json:
        o.print_json({"arms": arms, "players": players, "fits_of_a_fold": fits})
        return
    for names in arms:
        print(" + ".join(names) or "none")
    print(f"{len(arms)} arms of {len(players)} features, {fits} fits in each fold")


def print_result(found: Ablation, folder: str, *, as_json: bool) -> None:
    """Print what each feature gains, the best arms, and what validation rows picked."""
    if as_json:
        o.print_json({"run": folder, **found.to_json()})
        return
    for head, score in found.everybody.items():
        print(o.score_line(f"{head}:{found.metric}", score))
        print(o.score_line(f"{head}:none", found.nobody[head]))
        _print_players([line for line in found.players if line.head == head])
        _print_arms(found, [line for line in found.arms if line.head == head])
    print(f"run {folder}")


def _print_players(lines: Sequence[PlayerLine]) -> None:
    from scoring.ablation_plot import cost_text, sorted_by_gain

    rows = [
        (
            line.name,
            *_gain(line.shapley, line.error),
            *_gain(line.alone),
            *_gain(line.last),
            cost_text(line.cost_s),
            f"{line.coverage:.0%}",
        )
        for line in sorted_by_gain(lines)
    ]
    names = ("<feature", "Shapley", "<", "alone", "<", "last", "<", "costs / 1k", "rows")
    cache_options.print_table(names, rows)
    print()


def _print_arms(found: Ablation, lines: Sequence[ArmLine]) -> None:
    from scoring.ablation_page import arm_text, picks_text
    from scoring.ablation_plot import cost_text

    rows = [
        (arm_text(line.players), *_value(line.score), *_gain(line.behind), cost_text(line.cost_s))
        for line in lines[:_BEST]
    ]
    names = ("<arm", found.metric, "<", "minus all", "<", "costs / 1k")
    cache_options.print_table(names, rows)
    if len(lines) > len(rows):
        print(f"and {len(lines) - len(rows)} more in arms.csv")
    for picked in found.picked:
        if picked.head == lines[0].head:
            value = " ".join((*_value(picked.score), "minus all", *_gain(picked.behind)))
            print(f"picked on validation rows: {value}: {picks_text(picked)}\n")


def _value(score: Score) -> tuple[str, str]:
    from scoring.report_scores import interval, number

    return number(score.value), interval(score)


def _gain(score: Score | None, error: float | None = None) -> tuple[str, str]:
    from scoring.board_page import difference_text
    from scoring.report_scores import number

    if score is None:
        return "-", ""
    value, around = difference_text(score)
    return value if error is None else f"{value} \N{PLUS-MINUS SIGN}{number(error)}", around
