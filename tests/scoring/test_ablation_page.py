"""The page and picture of an ablation: whatever is known or not, escaped."""

import math

import pytest

from scoring.ablation import Ablation, ArmLine, Picked, PlayerLine
from scoring.ablation_page import MOST_ARMS, arm_text, picks_text, render
from scoring.ablation_plot import cost_text, gains, sorted_by_gain
from scoring.bootstrap import Score
from scoring.canvas import png
from tests.scoring.test_report import EVIL, Reader

SURE, UNSURE = Score(0.2, 0.1, 0.3, 50), Score(0.2, -0.1, 0.3, 50)
UNDEFINED = Score(math.nan, math.nan, math.nan, 50)


def player(name, shapley=SURE, **others):
    filled = {"error": None, "alone": UNSURE, "last": None, "cost_s": 3.0, "coverage": 0.5}
    return PlayerLine("linear", name, (name,), shapley, **(filled | others))


def arm(*players, score=SURE, behind=UNSURE):
    return ArmLine("linear", players, players, score, behind, 0.01, {"mae": 1.0}, 5.0, None)


def made(players, arms, **others):
    filled = {
        "target": "ecr",
        "task": "regression",
        "metric": "srocc",
        "higher_is_better": True,
        "rows": 50,
        "folds": 2,
        "split": "kfold:2",
        "seeds": 1,
        "everybody": {"linear": SURE},
        "nobody": {"linear": Score(0.0, 0.0, 0.0, 50)},
        "picked": [Picked("linear", SURE, UNSURE, {"fold1": ("a",), "fold2": ("a",)})],
        "heads": {},
        "arms_asked": "all",
    }
    return Ablation(players=players, arms=arms, **(filled | others))


def test_names_from_tables_are_escaped():
    found = made([player(EVIL)], [arm(EVIL)], target=EVIL, notes=[EVIL], always=[EVIL])
    page = Reader(render(found, [EVIL]))
    assert not page.open
    assert "script" not in page.tags
    assert "onerror" not in dict(page.attributes)


def test_the_caption_names_only_the_gains_that_are_drawn():
    alone = render(made([player("a", None)], [arm("a")]))
    assert "Gain in srocc of a feature alone. On the right" in alone
    both = render(made([player("a", last=SURE)], [arm("a")]))
    assert "alone, averaged over all orders of joining (Shapley), joining last." in both


def test_what_is_not_known_is_said():
    found = made(
        [player("a", UNDEFINED, cost_s=None), player("b", None)], [arm("a", score=UNDEFINED)]
    )
    page = Reader(render(found))
    assert "undefined" in page.words
    assert "unknown" in page.words
    assert png(gains(found)).startswith(b"\x89PNG")


def test_sampled_values_state_their_error_and_number_of_orders():
    found = made([player("a", error=0.012)], [arm("a")], orders=20)
    words = Reader(render(found)).words
    assert "sampled from 20 orders" in words
    assert "±0.012" in words


def test_only_what_is_exact_is_called_exact():
    assert "Shapley values are exact" in Reader(render(made([player("a")], [arm("a")]))).words
    assert "Shapley values" not in Reader(render(made([player("a", None)], [arm("a")]))).words


def test_many_arms_are_cut_and_counted():
    words = Reader(render(made([player("a")], [arm("a")] * (MOST_ARMS + 7)))).words
    assert "7 more are in arms.csv" in words


def test_features_are_sorted_by_the_best_that_is_known():
    lines = [player("low", Score(-1.0, -2.0, 0.0, 9)), player("none", None, alone=None)]
    lines += [player("high"), player("nan", UNDEFINED)]
    assert [line.name for line in sorted_by_gain(lines)] == ["high", "low", "none", "nan"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "unknown"),
        (0.0, "0 s"),
        (0.01, "< 0.1 s"),
        (3.21, "3.2 s"),
        (50, "50 s"),
        (400.0, "7 min"),
        (9000.0, "2.5 h"),
    ],
)
def test_costs_are_in_units_that_people_read(seconds, words):
    assert cost_text(seconds) == words


def test_picks_are_counted():
    picked = Picked("h", SURE, SURE, {"1": ("a", "b"), "2": (), "3": ("a", "b")})
    assert picks_text(picked) == "a + b (2 folds); none (1 fold)"
    assert arm_text(()) == "none"
