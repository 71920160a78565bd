"""The picture of an ablation: what each feature gains alone, on average, and last of all."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scoring.ablation import Ablation, PlayerLine
from scoring.bootstrap import Score
from scoring.canvas import BLUE, GREEN, GREY, ORANGE, panels, plain

_KINDS = (  # attribute, label, colour, marker, how far below the line
    ("alone", "alone", ORANGE, "^", 0.24),
    ("shapley", "Shapley value", BLUE, "o", 0.0),
    ("last", "last of all", GREEN, "v", -0.24),
)


def gains(found: Ablation) -> Figure:
    """Draw the gains of the players with their intervals, a panel for each head."""
    by_head: dict[str, list[PlayerLine]] = {}
    for line in found.players:
        by_head.setdefault(line.head, []).append(line)
    longest = max(map(len, by_head.values()))
    title = f"What each feature gains in {found.metric}"
    figure, every = panels(len(by_head), title, height=0.6 + 0.42 * longest)
    for axes, (head, lines) in zip(every, by_head.items(), strict=True):
        _panel(axes, sorted_by_gain(lines))
        if len(by_head) > 1:
            axes.set_ylabel(plain(head))
    every[-1].set_xlabel(f"gain in {found.metric}, right is better; 95 % intervals")
    shown = every[0].get_legend_handles_labels()
    figure.legend(*shown, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def sorted_by_gain(lines: Sequence[PlayerLine]) -> list[PlayerLine]:
    """Return players by what is known best of their gain, the largest first."""

    def gain(line: PlayerLine) -> float:
        known = line.shapley or line.last or line.alone
        return known.value if known and math.isfinite(known.value) else -math.inf

    return sorted(lines, key=gain, reverse=True)


def cost_text(seconds: float | None) -> str:
    """Return what extraction of 1,000 samples takes; "unknown" where the cache does not say."""
    if seconds is None:
        return "unknown"
    if seconds < 0.1:
        return "< 0.1 s" if seconds else "0 s"
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _panel(axes: Axes, lines: Sequence[PlayerLine]) -> None:
    places = -np.arange(len(lines), dtype=float)
    axes.axvline(0, color=GREY, linewidth=0.8)
    for attribute, label, colour, marker, below in _KINDS:
        scores = [getattr(line, attribute) for line in lines]
        known = [(at + below, one) for at, one in zip(places, scores, strict=True) if one]
        if known:
            _marks(axes, known, colour, marker, label)
    axes.set_yticks(places, [plain(line.name) for line in lines])
    axes.set_ylim(places[-1] - 0.6, 0.6)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    costs = axes.secondary_yaxis("right")
    costs.set_yticks(places, [cost_text(line.cost_s) for line in lines], color=GREY)
    costs.tick_params(axis="y", length=0)
    costs.spines["right"].set_visible(False)
    costs.set_ylabel("extracting 1,000", color=GREY, fontsize=9)


def _marks(
    axes: Axes, known: Sequence[tuple[float, Score]], colour: str, marker: str, label: str
) -> None:
    places = [at for at, _ in known]
    axes.hlines(places, [one.low for _, one in known], [one.high for _, one in known], color=colour)
    axes.plot([one.value for _, one in known], places, marker, color=colour, ms=6, label=label)
