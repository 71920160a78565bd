"""Training curves: how a head learnt in each fold, and where it was stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scoring.canvas import GREY, LINES, legend, panels, plain

PANELS = 4
_SIDES = ("train", "valid", "test")
# What a curve runs over, the plural that a head calls its choice, and how the axis is scaled.
_CLOCKS = {
    "epoch": "epochs",
    "iteration": "iterations",
    "step": "steps",
    "penalty": "penalty",
    "k": "k",
}
_TRIED = {"penalty": "the penalty", "k": "the number of neighbours"}
_LOGARITHMIC = {"penalty", "rate", "k"}

History = Sequence[Mapping[str, float | str]]


def training_curve(history: History, chosen: Mapping[str, float] | None = None) -> Figure:
    """Draw the columns of a history over its epoch, iteration, step, penalty or k.

    Unlike quantities stand apart, in at most four panels; `train_loss` and `valid_loss` share one.
    Rows that name a `fold` make a line for each. A choice such as "epochs" is a dashed line.

    Raises:
        ValueError: if the history has no rows.
    """
    if not history:
        raise ValueError("the history has no rows; there is no curve to draw")
    names = list(dict.fromkeys(name for row in history for name in row if name != "fold"))
    clock = next((name for name in _CLOCKS if name in names), "")
    together: dict[str, list[str]] = {}
    for name in (name for name in names if name != clock):
        together.setdefault(name.split("_", 1)[-1] if _side(name) else name, []).append(name)
    kept = list(together.items())[:PANELS]
    title = f"How {_TRIED[clock]} was chosen" if clock in _TRIED else "How the head learnt"
    figure, every = panels(max(1, len(kept)), title, height=2.4 if len(kept) == 1 else 1.9)
    for axes, (quantity, columns) in zip(every, kept, strict=False):
        _panel(axes, history, clock, columns)
        axes.set_ylabel(plain(quantity))
        _mark(axes, (chosen or {}).get(_CLOCKS.get(clock, "")))
        if len(columns) > 1:
            legend(axes)
    folds = len(_folds(history))
    every[-1].set_xlabel(
        (clock or "row of the history") + (f" (a line for each of {folds} folds)" * (folds > 1))
    )
    return figure


def _panel(axes: Axes, history: History, clock: str, columns: Sequence[str]) -> None:
    """Draw one quantity: a line for each column and fold."""
    folds = _folds(history)
    for colour, name in zip(LINES, columns, strict=False):
        for label, rows in enumerate(folds.values()):
            when = np.array([row.get(clock, place) for place, row in enumerate(rows, 1)], float)
            values = np.array([row.get(name, np.nan) for row in rows], float)
            order = np.argsort(when, kind="stable")
            axes.plot(
                when[order],
                values[order],
                color=colour,
                label=(_side(name) or name) if not label else None,
                alpha=1 if len(folds) == 1 else 0.65,
                linewidth=1.6 if len(folds) == 1 else 1.1,
                marker="." if len(rows) < 60 else "",
                ms=4,
            )
    if clock in _LOGARITHMIC:
        axes.set_xscale("log")
    if set(columns) <= _LOGARITHMIC:
        axes.set_yscale("log")


def _mark(axes: Axes, chosen: float | None) -> None:
    if chosen is None:
        return
    axes.axvline(chosen, color=GREY, linewidth=1, linestyle="--")
    axes.annotate(
        f"chosen: {chosen:.4g}",
        (chosen, 1),
        (4, -4),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        va="top",
        fontsize=8,
        color=GREY,
    )


def _folds(history: History) -> dict[str, list[Mapping[str, float | str]]]:
    """Return the rows by their fold; one without a name where there are none."""
    folds: dict[str, list[Mapping[str, float | str]]] = {}
    for row in history:
        folds.setdefault(str(row.get("fold", "")), []).append(row)
    return folds


def _side(name: str) -> str:
    side = name.split("_", 1)[0]
    return side if side in _SIDES and "_" in name else ""
