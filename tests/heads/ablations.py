"""Ablations of small planted tables."""

from heads.ablation.journal import Journal
from heads.ablation.plan import AblationPlan, arms_of, players_of
from heads.ablation.result import result_of
from heads.ablation.run import Setting, asked_of, run_ablation
from heads.ablation.scores import metric_of
from heads.fit import divide
from tests.heads.tables import config, raw


class Asked:
    """A table's ablation: its rows, folds and plan."""

    def __init__(self, table, *, values=None, heads=("linear",), arms=None, seeds=1, **others):
        always = others.pop("always", ())
        groups = others.pop("groups", {})
        fit = config(features=tuple(table.columns), refit=True, **others)
        self.data, self.folds, _ = divide(table, raw(table) if values is None else values, fit)
        players = players_of([name for name in fit.features if name not in always], groups)
        self.plan = AblationPlan(
            fit,
            {head: {} for head in heads},
            players,
            tuple(always),
            arms_of(arms, len(players), seed=0),
            tuple(range(seeds)),
        )
        self.setting = Setting(self.data, self.folds, self.plan)

    def journal(self, folder):
        folder.mkdir(exist_ok=True)
        return Journal(folder, asked_of(self.setting))

    def run(self, journal, told=lambda: None):
        run_ablation(self.setting, journal, told)

    def result(self, journal, metric=None):
        costs = dict.fromkeys(self.plan.config.features, 1.0)
        chosen = metric_of(metric, self.plan.config.target.task)
        return result_of(self.setting, journal, metric=chosen, costs=costs)


def ablated(folder, table, *, metric=None, **asked):
    """Run an ablation and return its result."""
    one = Asked(table, **asked)
    with one.journal(folder) as journal:
        one.run(journal)
        return one.result(journal, metric)
