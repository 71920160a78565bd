"""Figures of a run: what was predicted and what was true, where the errors are, how sure it all is.

Every function returns a figure; `canvas.png` and `canvas.save` make pictures of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scoring.bootstrap import Score
from scoring.calibration import Reliability
from scoring.canvas import (
    BLUE,
    GREEN,
    GREY,
    RED,
    SKY,
    canvas,
    legend,
    panels,
    plain,
)

CELLS_WITH_TEXT = 12  # classes; more are too small to hold a number
NAMED_CLASSES = 40  # more names than this cannot be read beside an axis


def predicted_and_true(
    target: np.ndarray,
    predicted: np.ndarray,
    *,
    name: str,
    unit: str = "",
    low: np.ndarray | None = None,
    high: np.ndarray | None = None,
) -> Figure:
    """Draw the truth over the prediction, float arrays [N], and the band of intervals."""
    figure, axes = canvas(f"{plain(name)}: predicted and true", height=4.1)
    if low is not None and high is not None:
        _band(axes, predicted, low, high)
    ends = np.array([min(target.min(), predicted.min()), max(target.max(), predicted.max())])
    axes.plot(ends, ends, color=GREY, linewidth=1, linestyle="--", label="prediction = truth")
    axes.scatter(predicted, target, s=14, color=BLUE, alpha=_opacity(len(target)), linewidths=0)
    axes.set_xlabel(_with_unit("predicted", unit))
    axes.set_ylabel(_with_unit("true", unit))
    legend(axes)
    return figure


def _band(axes: Axes, predicted: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    order = np.argsort(predicted, kind="stable")
    axes.fill_between(
        predicted[order],
        low[order],
        high[order],
        color=SKY,
        alpha=0.22,
        linewidth=0,
        label="interval",
    )


def residuals(target: np.ndarray, predicted: np.ndarray, *, name: str, unit: str = "") -> Figure:
    """Draw what is left, truth minus prediction, over the prediction; the line is the median."""
    left = target - predicted
    figure, axes = canvas(f"{plain(name)}: what the prediction misses")
    axes.axhline(0, color=GREY, linewidth=1, linestyle="--")
    axes.scatter(predicted, left, s=14, color=BLUE, alpha=_opacity(len(left)), linewidths=0)
    places, middles = _running_median(predicted, left)
    if len(places) > 1:
        axes.plot(places, middles, color=RED, linewidth=2, marker="o", ms=4, label="median")
        legend(axes)
    axes.set_xlabel(_with_unit("predicted", unit))
    axes.set_ylabel(_with_unit("true minus predicted", unit))
    return figure


def _running_median(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return medians of x and y in up to 10 parts of equal size, of at least 10 rows each."""
    order = np.argsort(x, kind="stable")
    parts = np.array_split(order, max(1, min(10, len(x) // 10)))
    return (
        np.array([np.median(x[part]) for part in parts]),
        np.array([np.median(y[part]) for part in parts]),
    )


def levels(target: np.ndarray, predicted: np.ndarray, *, name: str) -> Figure | None:
    """Draw the error of rows whose truth is low, middle, high, float arrays [N].

    None of fewer than 20 rows, which are too few to be parted.
    """
    parts = np.array_split(np.argsort(target, kind="stable"), max(1, min(10, len(target) // 10)))
    if len(parts) < 2:
        return None
    over = predicted - target
    figure, axes = canvas(f"{plain(name)}: error by how high the truth is")
    places = np.arange(len(parts))
    error = [np.abs(over[part]).mean() for part in parts]
    axes.bar(places, error, color=SKY, label="mean absolute error")
    bias = [over[part].mean() for part in parts]
    axes.plot(places, bias, color=RED, marker="o", ms=4, label="predicted minus true")
    axes.axhline(0, color=GREY, linewidth=1)
    axes.set_xticks(places, [_short(float(np.median(target[part]))) for part in parts], fontsize=8)
    axes.set_xlabel(f"median truth of {len(parts)} equal parts of the rows")
    legend(axes)
    return figure


def _short(number: float) -> str:
    """Return three digits of a number, views in thousands and millions without an exponent."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= 0.9995 * size:
            return f"{number / size:.3g}{unit}"
    return f"{number:.3g}"


def confusion_matrix(matrix: np.ndarray, classes: Sequence[str]) -> Figure:
    """Draw a confusion matrix [C true, C predicted]; colour is the share of the true class."""
    rows = matrix.sum(axis=1, keepdims=True)
    share = np.divide(matrix, rows, out=np.zeros(matrix.shape), where=rows > 0)
    side = float(np.clip(1.6 + 0.55 * len(classes), 3.6, 9))
    figure, axes = canvas("Which classes are taken for which", width=side + 2, height=side + 0.4)
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    bar = figure.colorbar(image, ax=axes, shrink=0.8, label="share of the true class")
    bar.outline.set_linewidth(0)
    axes.grid(visible=False)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    _name_ticks(axes, classes)
    if len(classes) <= CELLS_WITH_TEXT:
        for (row, column), count in np.ndenumerate(matrix):
            colour = "white" if share[row, column] > 0.55 else "black"
            axes.text(column, row, f"{count}", ha="center", va="center", color=colour, fontsize=9)
    return figure


def _name_ticks(axes: Axes, classes: Sequence[str]) -> None:
    if len(classes) > NAMED_CLASSES:
        return
    names, places = [plain(name) for name in classes], np.arange(len(classes))
    size = 9 if len(classes) <= CELLS_WITH_TEXT else 7
    slant = 0 if sum(map(len, names)) <= 30 else 90 if len(classes) > CELLS_WITH_TEXT else 40
    axes.set_xticks(
        places, names, fontsize=size, rotation=slant, ha="right" if slant == 40 else "center"
    )
    axes.set_yticks(places, names, fontsize=size)


def calibration(curve: Reliability) -> Figure:
    """Draw how often the head is right over how sure it is; dots grow with the number of rows."""
    figure, axes = canvas(f"Calibration: expected error {curve.error:.3f}", height=4.1)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--", label="as sure as right")
    filled = curve.count > 0
    x, y = curve.confidence[filled], curve.accuracy[filled]
    axes.vlines(
        x, np.minimum(x, y), np.maximum(x, y), color=SKY, linewidth=3, alpha=0.6, label="gap"
    )
    sizes = 30 + 300 * curve.count[filled] / curve.count.sum()
    axes.plot(x, y, color=BLUE, linewidth=1)
    axes.scatter(x, y, s=sizes, color=BLUE, label="rows of one bin", zorder=3)
    axes.set(xlim=(0, 1.02), ylim=(-0.02, 1.04))
    axes.set_xlabel("stated probability of the predicted class")
    axes.set_ylabel("share that is right")
    legend(axes)
    return figure


def forest(
    rows: Sequence[tuple[str, Score]],
    *,
    metric: str,
    higher_is_better: bool,
    title: str = "beside the baselines",
) -> Figure:
    """Draw scores with their intervals, one below the other: first the run, then its baselines.

    A score that is undefined keeps its line and says so.
    """
    arrow = "higher is better" if higher_is_better else "lower is better"
    figure, axes = canvas(f"{metric} {title}", height=1.5 + 0.42 * len(rows))
    places = -np.arange(len(rows), dtype=float)
    for place, (_, score) in zip(places, rows, strict=True):
        _forest_line(axes, place, score, BLUE if place == 0 else GREY)
    axes.set_yticks(places, [plain(name) for name, _ in rows])
    axes.set_ylim(places[-1] - 0.6, 0.6)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(f"{metric} with 95 % interval ({arrow})")
    axes.margins(x=0.12)
    return figure


def _forest_line(axes: Axes, place: float, score: Score, colour: str) -> None:
    if not np.isfinite(score.value):
        axes.text(
            0.02,
            place,
            "undefined",
            color=colour,
            va="center",
            transform=axes.get_yaxis_transform(),
        )
        return
    if np.isfinite(score.low):
        axes.hlines(place, score.low, score.high, color=colour, linewidth=2)
    axes.plot(score.value, place, "o", color=colour, ms=8)
    axes.annotate(
        f"{score.value:.3f}",
        (score.value, place),
        (0, 7),
        textcoords="offset points",
        ha="center",
        fontsize=8,
        color=colour,
    )


def class_distribution(counts: Mapping[str, int], *, name: str) -> Figure:
    """Draw the number of labelled rows of every class."""
    wide = len(counts) <= NAMED_CLASSES
    height = 1.4 + 0.3 * len(counts) if wide else 3.6
    figure, axes = canvas(f"{plain(name)}: rows of each class", height=float(height))
    places, values = np.arange(len(counts)), np.array(list(counts.values()))
    if not wide:
        axes.bar(places, np.sort(values)[::-1], color=BLUE, width=0.9)
        axes.set_xlabel(f"{len(counts)} classes, largest first")
        axes.set_ylabel("rows")
        return figure
    bars = axes.barh(places, values, color=BLUE, height=0.7)
    axes.bar_label(bars, padding=3, fontsize=9, color=GREY)
    axes.set_yticks(places, [plain(key) for key in counts])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.1)
    axes.set_xlabel("rows")
    return figure


def days(scores: Mapping[str, np.ndarray], first_day: int = 1) -> Figure:
    """Draw MAE and rank correlation over the days; `scores` is what `regression.by_day` gives."""
    figure, (above, below) = panels(2, "How the curve's days are met", height=1.9)
    when = first_day + np.arange(len(scores["mae"]))
    for axes, key, colour, label in (
        (above, "mae", BLUE, "mean absolute error"),
        (below, "src", GREEN, "rank correlation"),
    ):
        axes.plot(when, scores[key], color=colour, marker="o", ms=4)
        axes.set_ylabel(label)
    above.set_ylim(0, 1.1 * max(float(np.nanmax(scores["mae"], initial=0)), 1e-9))
    _at_least(below, 0.2)
    below.set_xlabel("day")
    return figure


def _at_least(axes: Axes, span: float) -> None:
    """Widen the y axis to a span, so that small differences do not look large."""
    low, high = axes.get_ylim()
    lacking = max(0.0, span - (high - low)) / 2
    axes.set_ylim(low - lacking, high + lacking)


def _with_unit(word: str, unit: str) -> str:
    return f"{word} ({plain(unit)})" if unit else word


def _opacity(rows: int) -> float:
    """Return how solid points are, so that thousands of them still show where most lie."""
    return float(np.clip(12 / np.sqrt(rows), 0.08, 0.75))
