"""The weights of a mean of several predictions: 0 or more, 1 in all, of the smallest loss."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from heads.contract import Problem

_ROUNDS = 500
_SETTLED = 1e-9  # change of a weight in a round below which it is enough
_SMALLEST = 1e-9  # probability that a wrong class is at least taken for
_RIDGE = 1e-9  # of the mean squared error, added where two members say the same


def best_weights(
    problem: Problem, told: Mapping[str, np.ndarray], target: np.ndarray
) -> dict[str, float]:
    """Return by name the weights of the mean whose squared error, or log loss, is the smallest.

    Predictions and target are those of a head, float64 [N, ...]; gaps of the target are left out.
    """
    if problem.task == "classification":
        given = np.stack([own[np.arange(len(target)), target] for own in told.values()], axis=1)
        weights = _of_shares(np.maximum(given, _SMALLEST))
    else:
        known = np.isfinite(target)
        errors = np.stack([(own - target)[known] for own in told.values()], axis=1)
        weights = _of_errors(errors.T @ errors / len(errors))
    return dict(zip(told, weights.tolist(), strict=True))


def mixed(told: Mapping[str, np.ndarray], weights: Mapping[str, float]) -> np.ndarray:
    """Return the mean of predictions by weights, which need not sum to 1.

    Medians of the weights of several folds may all be 0: then all weigh the same.
    """
    total = sum(weights.values())
    given = weights if total > 0 else dict.fromkeys(told, 1.0)
    total = total if total > 0 else float(len(told))
    parts = [own * (given[name] / total) for name, own in told.items()]
    mean: np.ndarray = np.sum(parts, axis=0)
    return mean


def _of_shares(given: np.ndarray) -> np.ndarray:
    """Return the weights of a mixture, given float64 [N, members], each row's own probability.

    Expectation and maximisation: each member's part in what was right is its next weight. The log
    loss is convex in the weights, so where it settles does not depend on where it begins.
    """
    weights = np.full(given.shape[1], 1 / given.shape[1])
    for _ in range(_ROUNDS):
        parts = given * weights
        after = (parts / parts.sum(axis=1, keepdims=True)).mean(axis=0)
        settled = np.abs(after - weights).max() < _SETTLED
        weights = after
        if settled:
            break
    return weights


def _of_errors(products: np.ndarray) -> np.ndarray:
    """Return the weights w with the smallest w' P w of mean products of errors [members, members].

    Every set of members is tried, with the weights that are best if they may be negative: of those
    that are not, the best is the answer.
    """
    count = len(products)
    if not products.any():  # all are right
        return np.full(count, 1 / count)
    products = products + np.eye(count) * _RIDGE * np.trace(products)
    best, smallest = np.zeros(count), np.inf
    for size in range(1, count + 1):
        for chosen in combinations(range(count), size):
            some = np.ix_(chosen, chosen)
            solved = np.linalg.solve(products[some], np.ones(size))
            weights = np.zeros(count)
            weights[list(chosen)] = solved / solved.sum()
            loss = float(weights @ products @ weights)
            if (weights >= 0).all() and loss < smallest:
                best, smallest = weights, loss
    return best
