"""What an ablation found: gains of players, scores of arms, and what validation would have picked.

Everything is a weighted sum of the scores of arms, which were drawn together; so everything has a
paired interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from heads.ablation.fold import Selection
from heads.ablation.journal import Journal
from heads.ablation.plan import AblationPlan, Player
from heads.ablation.run import Setting
from heads.ablation.scores import ArmScores, score_arms
from heads.folding import Labelled
from scoring.ablation import Ablation, ArmLine, Picked, PlayerLine
from scoring.bootstrap import METRICS, Score
from scoring.shapley import MOST_EXACT, exact_weights, sampled_weights, sampling_error

Costs = Mapping[str, float | None]  # by feature seconds of extraction for 1,000 samples


def result_of(
    setting: Setting,
    journal: Journal,
    *,
    metric: str,
    costs: Costs,
    notes: Sequence[str] = (),
) -> Ablation:
    """Judge a plan whose fits are all in the journal; `costs` know every feature of it."""
    plan, names = setting.plan, [fold.name for fold in setting.folds]
    found = score_arms(setting, journal, metric)
    exact = _is_exact(plan)
    return Ablation(
        target=plan.config.target.column,
        task=plan.config.target.task,
        metric=metric,
        higher_is_better=METRICS[metric].higher_is_better,
        rows=found.drawn.rows,
        folds=len(names),
        split=plan.config.split.text,
        seeds=len(plan.seeds),
        players=[
            line for head in plan.heads for line in _player_lines(found, head, setting.data, costs)
        ],
        arms=[line for head in plan.heads for line in _arm_lines(found, head, costs)],
        everybody={head: found.total(head, {plan.everybody: 1}) for head in plan.heads},
        nobody={head: found.total(head, {0: 1}) for head in plan.heads},
        picked=[_picked(found, head, names) for head in plan.heads],
        heads=_heads(found),
        arms_asked=plan.arms.text,
        orders=None if exact or plan.arms.orders is None else len(plan.arms.orders),
        always=plan.always,
        notes=notes,
    )


def _is_exact(plan: AblationPlan) -> bool:
    """Say whether all subsets were run."""
    return len(plan.players) <= MOST_EXACT and len(plan.arms.sets) == 2 ** len(plan.players)


def _player_lines(found: ArmScores, head: str, data: Labelled, costs: Costs) -> list[PlayerLine]:
    plan = found.plan
    values, errors = _shapley(found, head)
    lines = []
    for bit, player in enumerate(plan.players):
        own, others = 1 << bit, plan.everybody ^ (1 << bit)
        lines.append(
            PlayerLine(
                head=head,
                name=player.name,
                features=player.features,
                shapley=values[bit],
                error=errors[bit],
                alone=_gain(found, head, own, 0),
                last=_gain(found, head, plan.everybody, others),
                cost_s=_cost(player.features, costs),
                coverage=_coverage(data, player),
            )
        )
    return lines


def _gain(found: ArmScores, head: str, players: int, without: int) -> Score | None:
    """Return by how much an arm is better than another, if both were run."""
    if not {players, without} <= set(found.plan.arms.sets):
        return None
    return found.total(head, {players: found.sign, without: -found.sign})


def _shapley(found: ArmScores, head: str) -> tuple[Sequence[Score | None], Sequence[float | None]]:
    """Return by player the Shapley value and the standard error of sampling it."""
    plan, sets = found.plan, found.plan.arms.sets
    count = len(plan.players)
    if _is_exact(plan):
        return _totals(found, head, exact_weights(count)), [None] * count
    if plan.arms.orders is None:
        return [None] * count, [None] * count
    weights = sampled_weights(plan.arms.orders, sets)
    scores = np.array([found.drawn.value @ found.weights(head, {each: 1}) for each in sets])
    errors = sampling_error(weights @ scores).tolist()
    return _totals(found, head, weights.mean(axis=0)), errors


def _totals(found: ArmScores, head: str, weights: np.ndarray) -> list[Score]:
    """Return gains that are weighted sums [players, sets] of a head's arms."""
    signed = (found.sign * weights).tolist()
    sets = found.plan.arms.sets
    return [found.total(head, dict(zip(sets, row, strict=True))) for row in signed]


def _arm_lines(found: ArmScores, head: str, costs: Costs) -> list[ArmLine]:
    """Return the arms of a head, the best first; an undefined score comes last."""
    lines = [_arm_line(found, head, players, costs) for players in found.plan.arms.sets]

    def place(line: ArmLine) -> tuple[bool, float, int]:
        value = found.sign * line.score.value
        return not np.isfinite(value), -value if np.isfinite(value) else 0.0, len(line.players)

    return sorted(lines, key=place)


def _arm_line(found: ArmScores, head: str, players: int, costs: Costs) -> ArmLine:
    plan, cells = found.plan, found.cells(head, players)
    places = [found.place[cell] for cell in cells]
    features = plan.selection(players)
    behind = None
    if players != plan.everybody:
        behind = found.total(head, {players: 1, plan.everybody: -1})
    values = found.drawn.value[places]
    names = found.others[0]
    return ArmLine(
        head=head,
        players=plan.names(players),
        features=features,
        score=found.total(head, {players: 1}),
        behind=behind,
        spread=float(values.std(ddof=1)) if len(set(cells)) > 1 else None,
        others={name: float(np.mean([found.others[at][name] for at in places])) for name in names},
        fit_s=sum(found.fit_s[cell] for cell in set(cells)),
        cost_s=_cost(features, costs),
    )


def _picked(found: ArmScores, head: str, folds: Sequence[str]) -> Picked:
    plan, weights = found.plan, found.of_picked(head)
    everybody = found.weights(head, {plan.everybody: 1})
    return Picked(
        head=head,
        score=found.drawn.total(weights),
        behind=found.drawn.total(weights - everybody),
        by_fold={
            fold: plan.names(players)
            for fold, players in zip(folds, found.picks[head], strict=True)
        },
    )


def _heads(found: ArmScores) -> dict[str, Score]:
    """Return each head's score of everybody, minus that of the best head; not for the best."""
    plan = found.plan
    rows = {head: found.weights(head, {plan.everybody: 1}) for head in plan.heads}
    values = {head: found.sign * float(found.drawn.value @ row) for head, row in rows.items()}
    best = max(values, key=lambda head: (np.isfinite(values[head]), values[head]))
    return {head: found.drawn.total(row - rows[best]) for head, row in rows.items() if head != best}


def _cost(features: Selection, costs: Costs) -> float | None:
    """Return what features cost together; None if that of one is not known."""
    known = [cost for name in features if (cost := costs[name]) is not None]
    return sum(known) if len(known) == len(features) else None


def _coverage(data: Labelled, player: Player) -> float:
    """Return the share of the labelled rows that have a feature of a player."""
    present = [data.table.columns[name].present for name in player.features]
    return float(np.any(present, axis=0).mean())
