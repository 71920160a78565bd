"""Shapley values: what each player adds to a score, averaged over the orders of joining.

A set of players is a number whose bit i says whether player i is in it; 0 is nobody. The value of a
player is the mean of what it adds to those that came before it, over all orders (Shapley, A Value
for n-Person Games, 1953). Values of all players sum to everybody's score less nobody's. Everything
is a weighted sum of the scores of sets, so a bootstrap of the scores is one of the values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

MOST_EXACT = 12  # players; 4,096 sets


def exact_weights(players: int) -> np.ndarray:
    """Return float64 [players, 2**players]: times the scores of all sets, the exact values.

    Raises:
        ValueError: if the players are more than `MOST_EXACT`.
    """
    if players > MOST_EXACT:
        raise ValueError(f"{players} players have {2**players} sets; at most {MOST_EXACT} players")
    sets = np.arange(2**players)
    sizes = np.array([int(each).bit_count() for each in sets])
    weights = np.zeros((players, len(sets)))
    share = [
        math.factorial(size) * math.factorial(players - size - 1) / math.factorial(players)
        for size in range(players)
    ]
    for player in range(players):
        without = sets[sets & (1 << player) == 0]
        added = np.array(share)[sizes[without]]
        weights[player, without | (1 << player)] = added
        weights[player, without] = -added
    return weights


def sampled_orders(players: int, pairs: int, *, seed: int) -> np.ndarray:
    """Return orders int64 [2 * pairs, players]; each second one is the one before it, reversed.

    Who comes early in one comes late in the other, which takes out much of the chance.
    """
    generator = np.random.default_rng(seed)
    drawn = [generator.permutation(players) for _ in range(pairs)]
    return np.array([order for one in drawn for order in (one, one[::-1])])


def sets_along(orders: np.ndarray) -> list[int]:
    """Return every set that occurs while players join in these orders, each once, rising."""
    return sorted({each for order in orders.tolist() for each in _joining(order)})


def sampled_weights(orders: np.ndarray, sets: Sequence[int]) -> np.ndarray:
    """Return float64 [orders, players, sets]: times the sets' scores, what each player adds."""
    place = {each: index for index, each in enumerate(sets)}
    weights = np.zeros((len(orders), orders.shape[1], len(sets)))
    for index, order in enumerate(orders.tolist()):
        passed = _joining(order)
        for player, before, after in zip(order, passed, passed[1:], strict=False):
            weights[index, player, place[after]] += 1
            weights[index, player, place[before]] -= 1
    return weights


def sampling_error(added: np.ndarray) -> np.ndarray:
    """Return the standard error of the mean of float64 [orders, players], by player.

    The orders are those of `sampled_orders`; one pair alone gives none, which is nan.
    """
    means = added.reshape(-1, 2, added.shape[1]).mean(axis=1)
    if len(means) < 2:
        return np.full(added.shape[1], math.nan)
    spread: np.ndarray = means.std(axis=0, ddof=1) / math.sqrt(len(means))
    return spread


def _joining(order: Sequence[int]) -> list[int]:
    """Return the sets from nobody to everybody."""
    passed = [0]
    for player in order:
        passed.append(passed[-1] | (1 << player))
    return passed
