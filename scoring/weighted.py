"""The metrics of rows that carry weights: what a bootstrap needs, without sorting again.

A form is prepared once on the rows (here the sorting happens) and then called with weights
float64 [N, B], one column a resample; it gives float64 [B]. With whole numbers as weights the
answer is the metric of the rows repeated that often, nan where it is undefined. Kendall's tau
(`kendall.py`), the area under many classes' curves and the rank correlation of many days are
linearised where there are many rows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse, stats

from scoring.calibration import BINS, bin_of
from scoring.checks import check_classes, check_pair, check_sequences
from scoring.classification import TOP, brier_rows, in_top, log_loss_rows
from scoring.influence import srocc_by_day_form
from scoring.regression import FINAL_WEIGHTS

Form = Callable[[np.ndarray], np.ndarray]

# A variance this much smaller than the mean square is rounding: the values are all the same.
_CONSTANT = 1e-13
EXACT_CELLS = 50_000  # rows x classes or days; 1 s for 1,000 resamples, and 7 s at 10,000 x 101


def mean_form(values: np.ndarray) -> Form:
    """Return the form of the mean of float64 [N]."""
    return lambda weights: (values @ weights) / weights.sum(axis=0)


def mae_form(target: np.ndarray, predicted: np.ndarray) -> Form:
    """Return the form of the mean absolute error."""
    truth, guess = check_pair(target, predicted)
    return mean_form(np.abs(truth - guess))


def rmse_form(target: np.ndarray, predicted: np.ndarray) -> Form:
    """Return the form of the root mean squared error."""
    truth, guess = check_pair(target, predicted)
    mean = mean_form(np.square(truth - guess))
    return lambda weights: np.sqrt(mean(weights))


def plcc_form(target: np.ndarray, predicted: np.ndarray) -> Form:
    """Return the form of Pearson's correlation."""
    first, second = (values - values.mean() for values in check_pair(target, predicted))
    powers = np.stack([first, second, first**2, second**2, first * second])

    def form(weights: np.ndarray) -> np.ndarray:
        x, y, xx, yy, xy = (powers @ weights) / weights.sum(axis=0)
        spread_x, spread_y = xx - x * x, yy - y * y
        spread_x[spread_x <= _CONSTANT * xx] = 0
        spread_y[spread_y <= _CONSTANT * yy] = 0
        return _ratio(xy - x * y, np.sqrt(spread_x * spread_y))

    return form


def srocc_form(target: np.ndarray, predicted: np.ndarray) -> Form:
    """Return the form of Spearman's correlation: Pearson's of weighted mean ranks."""
    first, second = (midranks(values) for values in check_pair(target, predicted))

    def form(weights: np.ndarray) -> np.ndarray:
        middle = weights.sum(axis=0) / 2  # the mean of mean ranks, whatever the ties
        x, y = first(weights) - middle, second(weights) - middle
        spread = _dot(weights, x, x) * _dot(weights, y, y)
        return _ratio(_dot(weights, x, y), np.sqrt(spread))

    return form


def midranks(values: np.ndarray) -> Form:
    """Return the form of mean ranks [N, B] of float64 [N]: the weight below, half of equals."""
    order = np.argsort(values, kind="stable")
    last = np.append(np.diff(values[order]) != 0, True)  # of a group of equals
    ends = np.flatnonzero(last)
    group = np.empty(len(values), np.int64)
    group[order] = np.cumsum(np.append(0, last[:-1]))

    def form(weights: np.ndarray) -> np.ndarray:
        upto = weights.take(order, axis=0).cumsum(axis=0).take(ends, axis=0)
        middle = upto.copy()
        middle[1:] += upto[:-1]
        middle /= 2
        ranks: np.ndarray = middle.take(group, axis=0)
        return ranks

    return form


def final_form(target: np.ndarray, predicted: np.ndarray) -> Form:
    """Return the form of 0.6 SROCC + 0.4 PLCC."""
    ranks, line = srocc_form(target, predicted), plcc_form(target, predicted)
    return lambda weights: (
        FINAL_WEIGHTS["srocc"] * ranks(weights) + FINAL_WEIGHTS["plcc"] * line(weights)
    )


def amae_form(target: np.ndarray, predicted: np.ndarray) -> Form:
    """Return the form of the mean of the days' mean absolute errors."""
    truth, guess = check_sequences(target, predicted)
    return _mean_by_day(np.abs(truth - guess))


def amse_form(target: np.ndarray, predicted: np.ndarray) -> Form:
    """Return the form of the mean of the days' mean squared errors."""
    truth, guess = check_sequences(target, predicted)
    return _mean_by_day(np.square(truth - guess))


def _mean_by_day(errors: np.ndarray) -> Form:
    seen = np.isfinite(errors)
    filled, counted = np.where(seen, errors, 0).T, seen.T.astype(np.float64)

    def form(weights: np.ndarray) -> np.ndarray:
        return _mean_of_defined(_ratio(filled @ weights, counted @ weights))

    return form


def asrc_form(target: np.ndarray, predicted: np.ndarray, exact_cells: int = EXACT_CELLS) -> Form:
    """Return the form of the mean rank correlation of the days where one is defined.

    Above `exact_cells` N x T each day's is linearised, see `influence.py`.
    """
    truth, guess = check_sequences(target, predicted)
    seen = np.isfinite(truth)
    if truth.size > exact_cells:
        by_day = srocc_by_day_form(truth, guess, seen)
        return lambda weights: _mean_of_defined(by_day(weights))
    days = [
        (np.flatnonzero(rows), srocc_form(truth[rows, day], guess[rows, day]))
        for day, rows in enumerate(seen.T)
        if rows.any()
    ]
    return lambda weights: _mean_of_defined(
        np.stack([day(weights.take(rows, axis=0)) for rows, day in days])
    )


def accuracy_form(labels: np.ndarray, probabilities: np.ndarray) -> Form:
    """Return the form of the accuracy."""
    truth, given = check_classes(labels, probabilities)
    return mean_form((given.argmax(axis=1) == truth).astype(np.float64))


def top_form(labels: np.ndarray, probabilities: np.ndarray) -> Form:
    """Return the form of the accuracy of the five most probable classes."""
    truth, given = check_classes(labels, probabilities)
    if given.shape[1] <= TOP:
        return lambda weights: np.full(weights.shape[1], np.nan)
    return mean_form(in_top(truth, given).astype(np.float64))


def log_loss_form(labels: np.ndarray, probabilities: np.ndarray) -> Form:
    """Return the form of the log loss."""
    return mean_form(log_loss_rows(*check_classes(labels, probabilities)))


def brier_form(labels: np.ndarray, probabilities: np.ndarray) -> Form:
    """Return the form of the Brier score."""
    return mean_form(brier_rows(*check_classes(labels, probabilities)))


def averaged_form(
    labels: np.ndarray, probabilities: np.ndarray, *, part: str, average: str
) -> Form:
    """Return the form of precision, recall or f1 (`part`), averaged "weighted" or "macro"."""
    truth, given = check_classes(labels, probabilities)
    guess, classes = given.argmax(axis=1), given.shape[1]
    right = truth == guess
    true_rows, guessed_rows = _members(truth, classes), _members(guess, classes)
    right_rows = _members(truth, classes, right)

    def form(weights: np.ndarray) -> np.ndarray:
        hits, support, called = (rows @ weights for rows in (right_rows, true_rows, guessed_rows))
        below = {"precision": called, "recall": support, "f1": (support + called) / 2}[part]
        values = np.divide(hits, below, out=np.zeros_like(hits), where=below > 0)
        share = support if average == "weighted" else ((support + called) > 0).astype(np.float64)
        mean: np.ndarray = (values * share).sum(axis=0) / share.sum(axis=0)
        return mean

    return form


def auc_form(labels: np.ndarray, probabilities: np.ndarray, exact_cells: int = EXACT_CELLS) -> Form:
    """Return the form of the area under the ROC curve, linearised above `exact_cells` N x C.

    Exact from weighted mean ranks (Mann-Whitney); linearised, the mean placement of the positives
    plus that of the negatives less the area (DeLong et al. 1988), which needs only sums.
    """
    truth, given = check_classes(labels, probabilities)
    chosen = [1] if given.shape[1] == 2 else np.unique(truth).tolist()
    positive = truth == np.array(chosen)[:, None]  # [K, N]
    scores = given.T[chosen]
    prepare = _areas_linear if scores.size > exact_cells else _areas_exact
    areas = prepare(positive, scores)
    return lambda weights: _mean_of_defined(areas(weights))


def _areas_exact(positive: np.ndarray, scores: np.ndarray) -> Form:
    classes = [
        (np.flatnonzero(own), midranks(values))
        for own, values in zip(positive, scores, strict=True)
    ]

    def area(weights: np.ndarray, rows: np.ndarray, ranks: Form) -> np.ndarray:
        own = weights.take(rows, axis=0)
        total = own.sum(axis=0)
        above = np.einsum("nb,nb->b", own, ranks(weights).take(rows, axis=0)) - total**2 / 2
        return _ratio(above, total * (weights.sum(axis=0) - total))

    return lambda weights: np.stack([area(weights, *one) for one in classes])


def _areas_linear(positive: np.ndarray, scores: np.ndarray) -> Form:
    own = positive.astype(np.float64)
    placements = np.stack([_placements(*one) for one in zip(positive, scores, strict=True)])
    inside, outside = placements * own, placements * (1 - own)
    whole = _ratio(inside.sum(axis=1), own.sum(axis=1))[:, None]

    def form(weights: np.ndarray) -> np.ndarray:
        total = own @ weights
        rest = weights.sum(axis=0) - total
        area = _ratio(inside @ weights, total) + _ratio(outside @ weights, rest) - whole
        bounded: np.ndarray = np.clip(area, 0, 1)
        return bounded

    return form


def _placements(positive: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return for each row the share of the other side that it stands rightly against, [N]."""
    ranks = stats.rankdata(scores)
    placed = np.empty(len(scores))
    for side in (positive, ~positive):
        placed[side] = (ranks[side] - stats.rankdata(scores[side])) / max(1, (~side).sum())
    placed[~positive] = 1 - placed[~positive]
    return placed


def ece_form(labels: np.ndarray, probabilities: np.ndarray) -> Form:
    """Return the form of the expected calibration error."""
    truth, given = check_classes(labels, probabilities)
    confidence, right = given.max(axis=1), given.argmax(axis=1) == truth
    excess = _members(bin_of(confidence), BINS, confidence - right)
    return lambda weights: np.abs(excess @ weights).sum(axis=0) / weights.sum(axis=0)


def _members(group: np.ndarray, groups: int, values: np.ndarray | None = None) -> sparse.csr_array:
    """Return the matrix [groups, N] whose product with weights sums `values` (or 1) by group."""
    data = np.ones(len(group)) if values is None else values.astype(np.float64)
    return sparse.csr_array((data, (group, np.arange(len(group)))), (groups, len(group)))


def _dot(weights: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    total: np.ndarray = np.einsum("nb,nb,nb->b", weights, x, y)
    return total


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Return above / below, nan where nothing is below."""
    ratio: np.ndarray = np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)
    return ratio


def _mean_of_defined(values: np.ndarray) -> np.ndarray:
    """Return the mean [B] of [K, B] over what is not nan; nan where all is."""
    defined = np.isfinite(values)
    return _ratio(np.where(defined, values, 0).sum(axis=0), defined.sum(axis=0).astype(np.float64))
