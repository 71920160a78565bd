"""Ridge regression whose penalty is chosen by leaving rows out, exactly and without refitting."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.errors import FitError
from heads.penalised.rotation import Matrix, Rotation, Spectrum, rotate, strips

PENALTIES = tuple(float(value) for value in 10 ** np.arange(-7, 1.01, 0.5))

_BATCH = 256  # clusters of one size that are solved together
_TOGETHER = 64  # penalties x outputs that one pass over the rows takes


def fit_ridge(
    matrix: Matrix, target: np.ndarray, clusters: np.ndarray | None, penalty: float | None
) -> tuple[np.ndarray, np.ndarray, dict[float, float]]:
    """Fit float32 [N, D] to float64 [N, K] with NaN for gaps; one penalty for all K.

    The penalty is a share of the variance of all columns together, per row: the same number means
    the same shrinkage for more rows or wider blocks. None takes the one of `PENALTIES` with the
    smallest squared error of left-out rows; rows of one of the `clusters` (int64 [N]) are left
    out together.

    Returns:
        Weights float64 [D, K], intercepts float64 [K], and the left-out error by penalty, as a
        share of the variance (empty where the penalty was given).

    Raises:
        FitError: if an output has fewer than two values.
    """
    patterns = patterns_of(np.isfinite(target))
    curve: dict[float, float] = {}
    rotations = {}
    for outputs, rows in patterns:
        rotation = rotations[outputs[0]] = rotate(matrix if rows.all() else matrix[rows])
        if penalty is None:
            within = None if clusters is None else clusters[rows]
            errors = left_out_errors(rotation.spectrum, target[np.ix_(rows, outputs)], within)
            for value, error in errors.items():
                curve[value] = curve.get(value, 0) + error * len(outputs) / target.shape[1]
        if len(patterns) > 1:
            del rotations[outputs[0]]  # many patterns of wide matrices would fill the memory
    chosen = penalty if penalty is not None else min(curve, key=lambda value: curve[value])
    weights, intercepts = np.zeros((matrix.shape[1], target.shape[1])), np.zeros(target.shape[1])
    for outputs, rows in patterns:
        found = rotations.get(outputs[0]) or rotate(matrix[rows])
        weights[:, outputs], intercepts[outputs] = _solve(
            found, target[np.ix_(rows, outputs)], chosen
        )
    return weights, intercepts, curve


def left_out_errors(
    spectrum: Spectrum, target: np.ndarray, clusters: np.ndarray | None
) -> Mapping[float, float]:
    """Return by penalty the mean squared error of left-out rows, per variance of the target.

    For leaving out a cluster g the residual is (I - H_gg)^-1 r_g, with H the hat matrix of the
    fit on all rows: exact, intercept included (Cook & Weisberg, Residuals and Influence, 1982,
    section 2.2).
    """
    rows, outputs = target.shape
    mean = target.mean(axis=0)
    centred = target - mean
    variance = (centred**2).mean(axis=0)
    variance = np.where(variance > (1e-9 * mean) ** 2, variance, 1.0)  # a step of one value
    projected = spectrum.project(centred)  # [R, K]
    groups = _members(clusters, rows)
    at_once = max(1, _TOGETHER // outputs)
    errors = {}
    for first in range(0, len(PENALTIES), at_once):
        some = PENALTIES[first : first + at_once]
        added = np.array(some)[:, None] * spectrum.scale * rows
        shrink = spectrum.values / (spectrum.values + added)  # [P, R]
        left_out = _left_out(spectrum.basis, shrink, projected, centred, groups)
        for penalty, residual in zip(some, left_out, strict=True):
            errors[penalty] = float(((residual**2).mean(axis=0) / variance).mean())
    return errors


def _left_out(
    basis: np.ndarray,
    shrink: np.ndarray,
    projected: np.ndarray,
    centred: np.ndarray,
    groups: list[np.ndarray],
) -> np.ndarray:
    """Return the residuals [P, N, K] that rows have in fits without their group, by `shrink`."""
    rows, shape = len(basis), (len(shrink), *centred.shape)
    shrink = shrink.astype(basis.dtype)
    weights = shrink.T[:, :, None] * projected[:, None]  # [R, P, K]; R is 0 of constant columns
    weights = weights.reshape(len(projected), shape[0] * shape[2])
    weights = weights.astype(basis.dtype)  # [R, P K]
    residual, leverage = np.empty(shape), np.empty(shape[:2])
    for strip in strips(rows):
        part = basis[strip]
        fitted = (part @ weights).reshape(len(part), shape[0], shape[2])
        residual[:, strip] = centred[strip] - fitted.transpose(1, 0, 2)
        leverage[:, strip] = 1 / rows + shrink @ (part**2).T
    left_out: np.ndarray = residual / np.maximum(1 - leverage, 1e-9)[:, :, None]
    for members in groups:  # int64 [groups, rows of each]
        part = basis[members]
        for index, kept in enumerate(shrink):
            hat = 1 / rows + (part * kept) @ part.transpose(0, 2, 1)
            rest = np.eye(members.shape[1]) * (1 + 1e-9) - hat
            left_out[index, members] = np.linalg.solve(rest, residual[index, members])
    return left_out


def _members(clusters: np.ndarray | None, rows: int) -> list[np.ndarray]:
    """Return the rows of clusters of two or more, int64 [clusters, rows of each], by their size.

    There are none where one cluster is everything: nothing would be left to learn from.
    """
    if clusters is None:
        return []
    order = np.argsort(clusters, kind="stable")
    edges = np.flatnonzero(np.diff(clusters[order])) + 1
    by_size: dict[int, list[np.ndarray]] = {}
    for group in np.split(order, edges):
        by_size.setdefault(len(group), []).append(group)
    return [
        part
        for size, groups in sorted(by_size.items())
        if 1 < size < rows
        for part in np.split(np.array(groups), range(_BATCH, len(groups), _BATCH))
    ]


def patterns_of(known: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return for each set of outputs that have the same gaps: int64 [k], their rows bool [N].

    Raises:
        FitError: if an output has fewer than two values.
    """
    few = np.flatnonzero(known.sum(axis=0) < 2)
    if len(few):
        raise FitError(
            f"step {few[0] + 1} of the target has fewer than 2 values in the {len(known)} "
            "train rows; leave the step out or label more rows"
        )
    patterns, which = np.unique(known, axis=1, return_inverse=True)
    return [
        (np.flatnonzero(which.ravel() == index), patterns[:, index])
        for index in range(patterns.shape[1])
    ]


def _solve(rotation: Rotation, target: np.ndarray, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    """Return weights [D, k] and intercepts [k] of the columns of X at this penalty."""
    mean, spectrum = target.mean(axis=0), rotation.spectrum
    added = penalty * spectrum.scale * len(target)
    lengths = np.sqrt(spectrum.values)
    found = (lengths / (spectrum.values + added))[:, None] * spectrum.project(target - mean)
    weights = rotation.back(found)
    return weights, mean - rotation.mean @ weights
