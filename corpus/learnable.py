"""What cannot be learnt from: no labels, one value, one class, a class of one row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.errors import FitError


def check_any(labelled: np.ndarray, column: str) -> None:
    """Raise a FitError if no row has a label (bool, any shape)."""
    if not labelled.any():
        raise FitError(
            f"target {column!r} has no label in any of {len(labelled)} rows; "
            "choose another column with --target"
        )


def check_steps(train: np.ndarray, column: str) -> None:
    """Raise a FitError if a step of the train sequences, float64 [N, T], has no value at all."""
    empty = np.flatnonzero(np.isnan(train).all(axis=0))
    if len(train) and len(empty):
        raise FitError(
            f"target {column!r} has no value at place {empty[0] + 1} of {train.shape[1]} in the "
            f"train rows; name only steps that have values, like --target p1..p30"
        )


def check_varied(train: np.ndarray, column: str) -> None:
    """Raise a FitError if the train labels, float64 [N] without NaN, are none or all equal."""
    if not len(train):
        raise FitError(f"target {column!r} has no label in the train rows; take another --split")
    if train.min() == train.max():
        raise FitError(
            f"target {column!r} is {train[0]:g} in all {len(train)} labelled train rows; there is "
            "nothing to learn; choose another column with --target"
        )


def check_classes(
    classes: Sequence[str],
    indices: np.ndarray,
    labelled: np.ndarray,
    trained: np.ndarray,
    *,
    column: str,
) -> None:
    """Raise a FitError if there are fewer than two classes, or one of them has too few rows.

    `indices` is int64 [N]; `labelled` and `trained` (bool [N]) say which rows have a label, and
    which of those are learnt from.
    """
    if len(classes) < 2:
        raise FitError(
            f"target {column!r} has only the class {classes[0]!r}; at least two are needed; "
            "choose another column with --target"
        )
    rows = np.bincount(indices[labelled], minlength=len(classes))
    train_rows = np.bincount(indices[trained], minlength=len(classes))
    for name, there, learnt in zip(classes, rows, train_rows, strict=True):
        what = f"target {column!r}: class {name!r} has"
        if there < 2:
            held = "one row" if there else "no rows"
            raise FitError(f"{what} {held}; at least two are needed; leave it out, or add rows")
        if not learnt:
            raise FitError(
                f"{what} {there} rows, but none of them to train on; leave it out, or split by "
                "class, like --split stratified-kfold:2"
            )
