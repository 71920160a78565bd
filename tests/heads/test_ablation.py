"""An ablation: arms, gains, what resumes, and what must not be looked at."""

import json

import numpy as np
import pytest

from core.errors import FitError, RunError, UnknownName, UsageError
from heads.ablation.journal import ARMS, JOURNAL
from heads.ablation.plan import arms_of, players_of
from heads.ablation.run import cell_of
from heads.ablation.scores import score_arms
from heads.folding import tables_of
from scoring.report_data import MAIN_METRIC
from tests.heads.ablations import Asked, ablated
from tests.heads.tables import make_column, make_table, plant


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    return ablated(tmp_path_factory.mktemp("ablation"), plant())


def gains(result, kind):
    return {line.name: getattr(line, kind) for line in result.players}


def test_shapley_values_sum_to_everybody_less_nobody(done):
    total = sum(line.shapley.value for line in done.players)
    assert total == pytest.approx(done.everybody["linear"].value)
    assert done.nobody["linear"].value == 0  # a rank correlation of constants is one of chance


def test_gains_are_differences_of_arms(done):
    arms = {line.players: line.score.value for line in done.arms}
    everybody = tuple(line.name for line in done.players)
    for line in done.players:
        others = tuple(name for name in everybody if name != line.name)
        assert line.last.value == pytest.approx(arms[everybody] - arms[others])
        assert line.alone.value == pytest.approx(arms[line.name,])


def test_the_signal_gains_and_noise_does_not(done):
    shapley = gains(done, "shapley")
    assert shapley["motion"].low > shapley["meta:category"].high > 0
    assert shapley["words:title"].low < 0.01


def test_arms_are_sorted_and_compared_with_everybody(done):
    values = [line.score.value for line in done.arms]
    assert values == sorted(values, reverse=True)
    assert len(done.arms) == 16
    (everybody,) = (line for line in done.arms if line.behind is None)
    assert len(everybody.players) == 4
    assert everybody.cost_s == 4.0


def test_features_that_are_copies_share_equally(tmp_path):
    values = np.random.default_rng(0).normal(size=(120, 3))
    table = make_table(
        make_column("one", values), make_column("two", values), target=values.sum(axis=1)
    )
    result = ablated(tmp_path, table, values=list(table.target), split="kfold:4")
    one, two = (line.shapley for line in result.players)
    assert one.value == pytest.approx(two.value, abs=1e-6)


def test_less_error_is_a_gain(tmp_path):
    result = ablated(tmp_path, plant(), metric="rmse")
    assert gains(result, "alone")["motion"].value > 0
    total = sum(line.shapley.value for line in result.players)
    assert total == pytest.approx(result.nobody["linear"].value - result.everybody["linear"].value)


def test_every_task_and_head_has_its_arms(tmp_path):
    table = plant(rows=120).select(["motion", "meta:likes"])
    target = plant(rows=120).target
    names = ["up" if value > 1.5 else "down" for value in target]
    asked = {"values": names, "task": "classification", "split": "kfold:3"}
    result = ablated(tmp_path, table, heads=("linear", "mean"), seeds=2, **asked)
    assert result.metric == MAIN_METRIC["classification"]
    assert {(line.head, line.players) for line in result.arms} >= {("linear", ("motion",))}
    assert set(result.heads) == {"mean"}
    assert next(line for line in result.arms if line.head == "linear").spread is not None
    json.dumps(result.to_json(), allow_nan=False)


def test_features_that_are_always_there_are_no_players(tmp_path):
    result = ablated(tmp_path, plant(), always=("meta:likes",))
    assert [line.name for line in result.players] == ["motion", "meta:category", "words:title"]
    assert result.nobody["linear"].value > 0.3
    assert all("meta:likes" in line.features for line in result.arms)


def test_a_group_comes_and_goes_as_one(tmp_path):
    result = ablated(tmp_path, plant(), groups={"own": ["meta:likes", "meta:category"]})
    assert [line.name for line in result.players] == ["motion", "own", "words:title"]
    assert len(result.arms) == 8


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ({"g": ["nosuch"]}, "not among"),
        ({"g": ["a"], "h": ["a"]}, "in the groups g and h"),
        ({"b": ["a"]}, "the name of a feature"),
    ],
)
def test_groups_that_make_no_sense_are_refused(groups, words):
    with pytest.raises(UsageError, match=words):
        players_of(["a", "b"], groups)


def test_arms_are_subsets_or_each_one_or_all_but_one():
    assert arms_of("all", 3, seed=0).sets == tuple(range(8))
    assert arms_of("single", 3, seed=0).sets == (0, 1, 2, 4, 7)
    assert arms_of("leave-one-out", 3, seed=0).sets == (0, 3, 5, 6, 7)
    assert arms_of(None, 9, seed=0).text == "single,leave-one-out"
    assert len(arms_of("sampled:3", 20, seed=0).sets) <= 6 * 19 + 2


def test_too_many_subsets_are_refused_with_what_can_be_done():
    with pytest.raises(UsageError, match=r"32768 arms.*single,leave-one-out.*sampled:10.*--group"):
        arms_of("all", 15, seed=0)


@pytest.mark.parametrize("text", ["some", "all:2", "sampled:1", "single,,all"])
def test_arms_that_are_none_are_refused(text):
    with pytest.raises(UsageError, match="--arms"):
        arms_of(text, 3, seed=0)


def test_sampled_values_state_their_error(tmp_path):
    exact = ablated(tmp_path / "exact", plant())
    sampled = ablated(tmp_path / "sampled", plant(), arms="sampled:8")
    assert sampled.orders is None  # so many orders of four met every subset: exact after all
    few = ablated(tmp_path / "few", plant(), arms="sampled:2")
    assert few.orders == 4
    for line, true in zip(few.players, exact.players, strict=True):
        assert abs(line.shapley.value - true.shapley.value) < 5 * line.error + 0.05


class Killed(Exception):
    """Stands for the end of a process: what follows it never runs."""


def kill_after(fits):
    """Return what is told of each fit and raises after so many."""
    counted = iter(range(fits - 1))

    def told():
        if next(counted, None) is None:
            raise Killed

    return told


@pytest.mark.parametrize("head", ["linear", "gbm"])
def test_a_killed_ablation_goes_on_and_repeats_nothing(tmp_path, head):
    asked = Asked(plant(rows=100).select(["motion", "meta:likes"]), heads=(head,), **TINY)
    with pytest.raises(Killed), asked.journal(tmp_path / "a") as journal:
        asked.run(journal, kill_after(5))
    fits = []
    with asked.journal(tmp_path / "a") as journal:
        assert len(journal) == 5
        asked.run(journal, lambda: fits.append(1))
        resumed = asked.result(journal)
    assert len(fits) == 12 - 5
    with asked.journal(tmp_path / "b") as journal:
        asked.run(journal)
        assert scores_of(asked.result(journal)) == scores_of(resumed)


def scores_of(result):
    return [(line.players, line.score, line.behind) for line in result.arms]


TINY = {"values": plant(rows=100).target.tolist(), "split": "kfold:3"}


def tiny():
    return Asked(plant(rows=100).select(["motion", "meta:likes"]), **TINY)


@pytest.fixture
def journalled(tmp_path):
    asked = tiny()
    with asked.journal(tmp_path / "j") as journal:
        asked.run(journal)
    return tmp_path / "j"


@pytest.mark.parametrize("name", [JOURNAL, ARMS])
@pytest.mark.parametrize("lost", [1, 30])
def test_what_a_kill_tore_off_is_fitted_again(journalled, name, lost):
    path = journalled / name
    path.write_bytes(path.read_bytes()[:-lost])
    asked, fits = tiny(), []
    with asked.journal(journalled) as journal:
        assert len(journal) == 11
        asked.run(journal, lambda: fits.append(1))
    assert len(fits) == 1
    with asked.journal(journalled) as journal:
        assert len(journal) == 12


def test_more_arms_go_on_with_the_same_journal(tmp_path):
    few = Asked(plant(), arms="single")
    more = Asked(plant(), arms="all")
    with few.journal(tmp_path) as journal:
        few.run(journal)
        before = len(journal)
    fits = []
    with more.journal(tmp_path) as journal:
        more.run(journal, lambda: fits.append(1))
    assert before + len(fits) == 4 * 16


def test_a_journal_of_another_question_is_refused(journalled):
    other = Asked(plant(rows=100).select(["motion", "meta:likes"]), heads=("mean",), **TINY)
    with pytest.raises(UsageError, match="differs in heads"):
        other.journal(journalled)


def test_changed_values_are_another_question(journalled):
    table = plant(rows=100).select(["motion", "meta:likes"])
    table.columns["motion"].values[3, 1] += 1
    with pytest.raises(UsageError, match="differs in features"):
        Asked(table, **TINY).journal(journalled)


def test_other_authors_are_another_question(journalled):
    table = plant(rows=100).select(["motion", "meta:likes"])
    table.author[5] = "somebody"
    with pytest.raises(UsageError, match="differs in rows"):
        Asked(table, **TINY).journal(journalled)


def test_what_is_no_journal_is_left_alone(tmp_path):
    (tmp_path / JOURNAL).write_text("my notes\n")
    with pytest.raises(RunError, match="no journal"):
        tiny().journal(tmp_path)
    assert (tmp_path / JOURNAL).read_text() == "my notes\n"


def test_labels_of_test_rows_choose_nothing(tmp_path):
    """Other labels of the rows that judge leave every choice and prediction as it was."""
    table = plant(rows=120).select(["motion", "meta:likes"])
    values = plant(rows=120).target
    asked = Asked(table, values=values.tolist(), split="random:0.6,0.2,0.2")
    rows = asked.folds[0].test
    shuffled = values.copy()
    shuffled[rows] = shuffled[rows][::-1] * 3
    other = Asked(table, values=shuffled.tolist(), split="random:0.6,0.2,0.2")
    with asked.journal(tmp_path / "a") as first, other.journal(tmp_path / "b") as second:
        asked.run(first)
        other.run(second)
        assert asked.result(first).picked[0].by_fold == other.result(second).picked[0].by_fold
    assert (tmp_path / "a" / ARMS).read_bytes() == (tmp_path / "b" / ARMS).read_bytes()


def test_what_validation_picks_is_one_of_the_arms(done):
    (picked,) = done.picked
    assert set(picked.by_fold) == {"fold1", "fold2", "fold3", "fold4"}
    best = max(line.score.value for line in done.arms)
    assert 0.8 < picked.score.value <= best + 0.02


def test_an_arm_without_anything_to_learn_is_named(tmp_path):
    flat = make_column("flat", np.ones((60, 2)))
    table = make_table(flat, make_column("good", np.arange(60.0)), target=np.arange(60.0))
    asked = {"values": list(table.target), "split": "kfold:3", "heads": ("gbm",)}
    with pytest.raises(FitError, match="gbm on flat, fold1"):
        ablated(tmp_path, table, **asked)


def test_a_metric_of_another_task_is_refused(tmp_path):
    with pytest.raises(UnknownName, match="metric of regression 'accuracy'"):
        ablated(tmp_path, plant(), metric="accuracy")


def test_what_validation_picks_is_best_in_the_unit_of_the_table(tmp_path):
    generator = np.random.default_rng(3)  # rare large values decide what a logarithm hides
    large, small = generator.random(300) < 0.1, generator.normal(size=300)
    level = np.where(large, 8 + generator.normal(size=300), 2 + 1.5 * small)
    few = make_column("few", np.where(large, level - 5, generator.normal(scale=0.3, size=300)))
    many = make_column("many", np.where(large, generator.normal(size=300), small))
    table, values = make_table(few, many), np.expm1(np.maximum(level, 0))
    asked = Asked(table, values=[*values], split="kfold:5", scale={"transform": "log1p"})
    with asked.journal(tmp_path) as journal:
        asked.run(journal)
        picked = score_arms(asked.setting, journal, "rmse").picks["linear"]
        for fold, pick in zip(asked.folds, picked, strict=True):
            codec = tables_of(asked.data, fold).target
            errors = {}
            for players in asked.plan.arms.sets:
                cell = cell_of(asked.plan, fold.name, head="linear", seed=0, players=players)
                missed = codec.decode(journal.read(cell).valid) - values[fold.valid]
                errors[players] = (missed**2).mean()
            assert pick == min(errors, key=errors.get)
