"""Shapley values against their axioms, and against the plain mean over all orders."""

from itertools import permutations

import numpy as np
import pytest

from scoring.shapley import (
    MOST_EXACT,
    exact_weights,
    sampled_orders,
    sampled_weights,
    sampling_error,
    sets_along,
)


def game(players, seed=0):
    return np.random.default_rng(seed).normal(size=2**players)


def test_an_additive_game_gives_each_player_what_it_brings():
    brought = np.array([3.0, -1.0, 0.5, 0.0])
    scores = [sum(brought[bit] for bit in range(4) if each >> bit & 1) for each in range(16)]
    np.testing.assert_allclose(exact_weights(4) @ scores, brought, atol=1e-12)


@pytest.mark.parametrize("players", [1, 2, 5, 8])
def test_values_sum_to_everybody_less_nobody(players):
    scores = game(players)
    assert (exact_weights(players) @ scores).sum() == pytest.approx(scores[-1] - scores[0])


def test_players_that_the_game_cannot_tell_apart_have_the_same_value():
    scores = game(4)
    swapped = [each & ~3 | (each & 1) << 1 | (each & 2) >> 1 for each in range(16)]
    first, second, *_ = exact_weights(4) @ (scores + scores[swapped])
    assert first == pytest.approx(second)


def test_values_are_the_mean_over_all_orders():
    scores, orders = game(4), np.array(list(permutations(range(4))))
    added = sampled_weights(orders, range(16)) @ scores
    np.testing.assert_allclose(exact_weights(4) @ scores, added.mean(axis=0), atol=1e-12)


def test_too_many_players_are_refused():
    with pytest.raises(ValueError, match="8192 sets"):
        exact_weights(MOST_EXACT + 1)


def test_sampled_values_are_near_the_exact_ones_by_their_own_error():
    scores, orders = game(6), sampled_orders(6, 200, seed=1)
    added = sampled_weights(orders, range(64)) @ scores
    gap = added.mean(axis=0) - exact_weights(6) @ scores
    error = sampling_error(added)
    assert (np.abs(gap) < 4 * error).all()
    assert (error < 0.2).all()


def test_sampled_values_sum_to_everybody_less_nobody():
    orders = sampled_orders(15, 3, seed=0)
    sets = sets_along(orders)
    scores = np.random.default_rng(0).normal(size=len(sets))
    values = sampled_weights(orders, sets).mean(axis=0) @ scores
    assert values.sum() == pytest.approx(scores[-1] - scores[0])


def test_each_second_order_is_the_one_before_reversed():
    orders = sampled_orders(7, 4, seed=3)
    np.testing.assert_array_equal(orders[::2], orders[1::2, ::-1])
    np.testing.assert_array_equal(orders, sampled_orders(7, 4, seed=3))
    assert sets_along(orders)[0] == 0


def test_one_pair_of_orders_says_nothing_of_its_error():
    assert np.isnan(sampling_error(np.ones((2, 3)))).all()
