"""The demo's cause: planned effects show in the targets, and the ceiling is what it says."""

import itertools

import numpy as np
import pytest
from scipy import stats

from corpus.demo import cause
from corpus.demo.account import attainable
from corpus.demo.plan import ClipPlan, cuts, plan_clips, plan_new_clips


@pytest.fixture(scope="module")
def plans() -> list[ClipPlan]:
    return plan_clips(3000, seed=3, days=30)


def correlation(plans, name: str) -> float:
    having = [plan for plan in plans if name in plan.knobs]
    knobs = [plan.knobs[name] for plan in having]
    return stats.spearmanr(knobs, [plan.engagement for plan in having]).statistic


@pytest.mark.parametrize("effect", cause.EFFECTS, ids=lambda effect: effect.name)
def test_every_effect_raises_engagement_as_much_as_its_share(plans, effect):
    expected = effect.weight / np.sqrt(1 + cause.NOISE_SD**2)
    if effect.name == "followers":  # some authors have more clips than others
        expected = pytest.approx(expected, abs=0.1)
    assert correlation(plans, effect.name) == pytest.approx(expected, abs=0.08)


def test_the_shares_are_those_of_a_whole():
    assert sum(effect.share for effect in cause.EFFECTS) == pytest.approx(1)


@pytest.mark.parametrize("effect", cause.EFFECTS, ids=lambda effect: effect.name)
def test_knobs_have_mean_0_and_variance_1(plans, effect):
    values = [plan.knobs[effect.name] for plan in plans if effect.name in plan.knobs]
    assert np.mean(values) == pytest.approx(0, abs=0.12)
    assert np.var(values) == pytest.approx(1, abs=0.15)


def test_the_ceiling_of_a_long_table_is_the_expected_one(plans):
    ceiling = attainable(plans)
    assert ceiling.srocc == pytest.approx(ceiling.expected, abs=0.03)
    assert all(0.1 < best < ceiling.srocc for best in ceiling.families.values())


def test_the_ceiling_is_scipys_rank_correlation(plans):
    truth = [plan.engagement for plan in plans]
    known = stats.spearmanr(truth, [plan.signal for plan in plans]).statistic
    assert attainable(plans).srocc == pytest.approx(known, abs=6e-4)


def test_a_single_clip_has_no_rank_correlation():
    assert attainable(plan_clips(1, seed=3, days=30)).srocc is None


def test_engagement_is_a_rate_and_both_classes_are_common(plans):
    assert all(0 < plan.engagement < 1 for plan in plans)
    popular = np.mean([plan.popular == "yes" for plan in plans])
    assert popular == pytest.approx(0.5, abs=0.05)


def test_curves_are_not_negative_and_their_views_never_fall(plans):
    curves = np.array([plan.curve for plan in plans])
    views = np.round((2**curves - 1) * np.arange(1, 31))
    assert curves.shape == (3000, 30)
    assert curves.min() >= 0
    assert np.all(np.diff(views, axis=1) >= -1e-4 * views[:, 1:])


def test_popular_clips_get_more_views(plans):
    last = [plan.curve[-1] for plan in plans]
    assert stats.spearmanr(last, [plan.engagement for plan in plans]).statistic > 0.5


def test_a_part_that_is_missing_has_no_knob(plans):
    for plan in plans:
        assert (plan.words.title == "") == ("hook" not in plan.knobs)
        assert (plan.words.title + plan.words.description == "") == ("language" not in plan.knobs)
        assert plan.silent == ("tempo" not in plan.knobs)
    assert np.mean([plan.silent for plan in plans]) == pytest.approx(0.08, abs=0.02)


def test_the_cuts_are_those_of_the_knob(plans):
    assert {cuts(plan) for plan in plans} == {0, 1, 2, 3, 4, 5}


def test_the_same_seed_gives_the_same_plans_and_another_others():
    first, again, other = (plan_clips(9, seed=seed, days=5) for seed in (1, 1, 2))
    assert first == again
    assert all(one != two for one, two in zip(first, other, strict=True))


def test_titles_use_every_language_and_emoji(plans):
    titles = dict.fromkeys(cause.LANGUAGES, "")
    for plan in plans:
        titles[plan.language] += plan.words.title
    assert "Nobody tells you about" in titles["en"]
    assert "¿Quién más?" in titles["es"]
    assert "Straße über" in titles["de"]
    assert "信じられない" in titles["ja"]
    assert "🏔️" in titles["en"]


def test_new_clips_are_complete_far_apart_and_not_in_the_table():
    best, worst = plan_new_clips(40, seed=7, days=30)
    known = {plan.seed for plan in plan_clips(40, seed=7, days=30)}
    assert best.engagement > worst.engagement + 0.1
    assert all(len(plan.knobs) == len(cause.EFFECTS) for plan in (best, worst))
    assert not known & {best.seed, worst.seed}


def test_effects_are_of_the_four_families():
    families = [key for key, _ in itertools.groupby(effect.family for effect in cause.EFFECTS)]
    assert families == ["picture", "sound", "words", "numbers"]
