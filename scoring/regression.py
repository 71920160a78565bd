"""How near predicted numbers and curves are to the true ones.

The correlations are undefined (nan; tables print "undefined") where one side is constant, for then
there is no order to compare. NaN and infinity are refused with a ValueError, never skipped.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special, stats
from sklearn import metrics as sklearn_metrics

from scoring.checks import check_pair, check_sequences

FINAL_WEIGHTS = {"srocc": 0.6, "plcc": 0.4}  # the score of the VQualA 2025 engagement challenge
LOGISTIC_TRIES = (
    20_000  # evaluations; easy fits take tens, hopeless ones end here in under a second
)


def srocc(target: np.ndarray, predicted: np.ndarray) -> float:
    """Return Spearman's rank correlation of float arrays [N], in -1..1; ties get mean ranks."""
    return _correlation(stats.spearmanr, target, predicted)


def plcc(target: np.ndarray, predicted: np.ndarray) -> float:
    """Return Pearson's linear correlation of float arrays [N], in -1..1."""
    return _correlation(stats.pearsonr, target, predicted)


def krcc(target: np.ndarray, predicted: np.ndarray) -> float:
    """Return Kendall's rank correlation of float arrays [N], in -1..1: tau-b, for ties."""
    return _correlation(stats.kendalltau, target, predicted)


def final(target: np.ndarray, predicted: np.ndarray) -> float:
    """Return 0.6 SROCC + 0.4 PLCC of the raw predictions (no curve is fitted first)."""
    return FINAL_WEIGHTS["srocc"] * srocc(target, predicted) + FINAL_WEIGHTS["plcc"] * plcc(
        target, predicted
    )


def rmse(target: np.ndarray, predicted: np.ndarray) -> float:
    """Return the root of the mean squared error, in the target's unit."""
    return float(sklearn_metrics.root_mean_squared_error(*check_pair(target, predicted)))


def mae(target: np.ndarray, predicted: np.ndarray) -> float:
    """Return the mean absolute error, in the target's unit."""
    return float(sklearn_metrics.mean_absolute_error(*check_pair(target, predicted)))


def _correlation(
    statistic: Callable[..., tuple[float, float]], target: np.ndarray, predicted: np.ndarray
) -> float:
    first, second = check_pair(target, predicted)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.NearConstantInputWarning)  # the number is still right
        return float(statistic(first, second)[0])


@dataclass(frozen=True)
class LogisticFit:
    """Predictions bent by the logistic curve fitted to the labels, and how near they then are.

    Optimistic by construction: the curve is fitted on the very labels that it is scored against.
    Papers on video quality report such figures; print them apart from `plcc` and `rmse`, never in
    their place.

    b             the five parameters
    fitted        float64 [N], the bent predictions
    plcc_fitted   Pearson's correlation of `fitted` with the target
    rmse_fitted   root mean squared error of `fitted`, in the target's unit
    """

    b: tuple[float, float, float, float, float]
    fitted: np.ndarray
    plcc_fitted: float
    rmse_fitted: float


def logistic(x: np.ndarray, b1: float, b2: float, b3: float, b4: float, b5: float) -> np.ndarray:
    """Return b1 (1/2 - 1/(1 + exp(b2 (x - b3)))) + b4 x + b5, the curve of ITU-T VQEG reports."""
    bent: np.ndarray = b1 * (special.expit(b2 * (x - b3)) - 0.5) + b4 * x + b5
    return bent


def logistic_fit(target: np.ndarray, predicted: np.ndarray) -> LogisticFit:
    """Return the least-squares fit of `logistic` to the labels; see `LogisticFit`.

    The start is the published one, [10, 0, mean, 0.1, 0.1]. The straight line is a special case of
    the curve: where the search does not end below the best line, the line is taken. With fewer than
    5 rows or a constant prediction nothing can be fitted: every number is nan.
    """
    first, second = check_pair(target, predicted)
    if len(first) < 5 or np.ptp(second) == 0:
        nan = float("nan")
        return LogisticFit((nan,) * 5, np.full(len(first), nan), nan, nan)
    slope, offset = np.polyfit(second, first, 1)
    candidates = [np.array([0.0, 0.0, 0.0, slope, offset])]
    searched = _search_logistic(first, second)
    if searched is not None:
        candidates.append(searched)
    errors = [rmse(first, logistic(second, *b)) for b in candidates]
    best = candidates[int(np.argmin(errors))]
    fitted = logistic(second, *best)
    b1, b2, b3, b4, b5 = (float(value) for value in best)
    return LogisticFit((b1, b2, b3, b4, b5), fitted, plcc(first, fitted), min(errors))


def _search_logistic(target: np.ndarray, predicted: np.ndarray) -> np.ndarray | None:
    start = [10.0, 0.0, float(predicted.mean()), 0.1, 0.1]
    with warnings.catch_warnings():
        # The covariance of the parameters is not used, so that it could not be estimated is no
        # news.
        warnings.simplefilter("ignore", optimize.OptimizeWarning)
        try:
            found, _ = optimize.curve_fit(
                logistic, predicted, target, p0=start, maxfev=LOGISTIC_TRIES
            )
        except RuntimeError:
            return None
    parameters: np.ndarray = found
    return parameters if np.isfinite(logistic(predicted, *parameters)).all() else None


def by_day(target: np.ndarray, predicted: np.ndarray) -> dict[str, np.ndarray]:
    """Return `mae`, `mse` and `src` (Spearman) of each day, float64 [T] each, for arrays [N, T].

    A NaN in the target is a day that was not observed for that row; it is skipped. A day that
    nobody observed has nan; so has `src` where one side is constant.
    """
    first, second = check_sequences(target, predicted)
    days = first.shape[1]
    scores = {name: np.full(days, np.nan) for name in ("mae", "mse", "src")}
    for day in range(days):
        seen = np.isfinite(first[:, day])
        if seen.any():
            truth, guess = first[seen, day], second[seen, day]
            scores["mae"][day] = mae(truth, guess)
            scores["mse"][day] = sklearn_metrics.mean_squared_error(truth, guess)
            scores["src"][day] = srocc(truth, guess)
    return scores


def amae(target: np.ndarray, predicted: np.ndarray) -> float:
    """Return the mean over days of the days' mean absolute errors (SMTPD, equation 15)."""
    return _mean_of_days(by_day(target, predicted)["mae"])


def amse(target: np.ndarray, predicted: np.ndarray) -> float:
    """Return the mean over days of the days' mean squared errors."""
    return _mean_of_days(by_day(target, predicted)["mse"])


def asrc(target: np.ndarray, predicted: np.ndarray) -> float:
    """Return the mean of the days' rank correlations, over the days where one is defined."""
    return _mean_of_days(by_day(target, predicted)["src"])


def _mean_of_days(values: np.ndarray) -> float:
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if len(defined) else float("nan")
