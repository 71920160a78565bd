"""What every metric asks of its arrays before it believes them."""

from __future__ import annotations

import numpy as np

SUM_TOLERANCE = 1e-3  # of a row of probabilities; a softmax in float16 stays within it
_ROUNDING = float(np.finfo(np.float64).eps)  # of a sum, for each of its numbers


def check_pair(target: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both as float64 [N].

    Raises:
        ValueError: if they are empty, differ in length, have other axes, or hold NaN or infinity.
    """
    first, second = np.asarray(target, np.float64), np.asarray(predicted, np.float64)
    _check_lengths(first, second, axes=1)
    _check_finite("target", first)
    _check_finite("predicted", second)
    return first, second


def check_sequences(target: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both as float64 [N, T]; NaN in the target is a day that was not observed.

    Raises:
        ValueError: if shapes differ, the prediction is not finite, the target holds infinity, or
            nothing was observed.
    """
    first, second = np.asarray(target, np.float64), np.asarray(predicted, np.float64)
    _check_lengths(first, second, axes=2)
    _check_finite("predicted", second)
    if np.isinf(first).any():
        raise ValueError("target holds infinity; a day that was not observed must be NaN")
    if np.isnan(first).all():
        raise ValueError("target has no observed day; there is nothing to score")
    return first, second


def check_classes(labels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return labels as int64 [N] and probabilities as float64 [N, C], each row of the sum 1.

    A row whose sum is 1 but for rounding stays as it is: divided, a probability that two rows have
    in common would be two, and a tie of ranks none.

    Raises:
        ValueError: if lengths differ, N is 0, C < 2, a label is no class, or a row is not a
        distribution.
    """
    classes, given = np.asarray(labels), np.asarray(probabilities, np.float64)
    if given.ndim != 2 or given.shape[1] < 2:
        raise ValueError(f"probabilities have shape {given.shape}; expected [N, C] with C >= 2")
    if classes.ndim != 1 or len(classes) != len(given):
        raise ValueError(
            f"labels have shape {classes.shape}, probabilities {given.shape}; N differs"
        )
    if not len(given):
        raise ValueError("there are no rows; there is nothing to score")
    _check_finite("probabilities", given)
    _check_labels(classes, given.shape[1])
    sums = given.sum(axis=1, keepdims=True)
    if given.min() < 0 or np.abs(sums - 1).max() > SUM_TOLERANCE:
        worst = int(np.argmax(np.abs(sums - 1)[:, 0] + (given.min(axis=1) < 0)))
        raise ValueError(
            f"row {worst} of the probabilities is no distribution: smallest "
            f"{given[worst].min():g}, sum {float(sums[worst, 0]):g}; expected values of at least 0 "
            "with sum 1"
        )
    rounded = np.abs(sums - 1) <= given.shape[1] * _ROUNDING
    return classes.astype(np.int64), np.where(rounded, given, given / sums)


def _check_labels(labels: np.ndarray, classes: int) -> None:
    if not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"labels have dtype {labels.dtype}; expected class indices (int64)")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"labels run from {labels.min()} to {labels.max()}; expected 0 to {classes - 1}"
        )


def _check_lengths(target: np.ndarray, predicted: np.ndarray, axes: int) -> None:
    if target.shape != predicted.shape:
        raise ValueError(
            f"target has shape {target.shape}, predicted {predicted.shape}; must match"
        )
    if target.ndim != axes:
        expected = "[N]" if axes == 1 else "[N, T]"
        raise ValueError(f"target has shape {target.shape}; expected {expected}")
    if not target.size:
        raise ValueError("there are no rows; there is nothing to score")


def _check_finite(name: str, values: np.ndarray) -> None:
    wrong = ~np.isfinite(values)
    if wrong.any():
        row = int(np.argwhere(wrong)[0][0])
        raise ValueError(
            f"{name} holds {int(wrong.sum())} values that are NaN or infinite, the first in row "
            f"{row}; leave such rows out and count them, or mend what made them"
        )
