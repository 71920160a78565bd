"""What all figures share: a blank canvas, colours, and the way to a PNG.

Figures are made by hand and not through pyplot: there is no global state, and a server may draw
too. Colours are those of Okabe and Ito, which colour-blind readers can tell apart. Names that come
from tables go through `plain`: in them `$` starts no formula.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from core.files import replacing

BLUE, ORANGE, RED, GREEN, SKY, GREY = (
    "#0072B2",
    "#E69F00",
    "#D55E00",
    "#009E73",
    "#56B4E9",
    "#767676",
)
LINES = (BLUE, ORANGE, GREEN, RED, SKY, GREY)
DPI = 150
WIDTH = 5.4  # inches: a page on a phone is 3.6 wide, and letters are still to be read there
NAME_LENGTH = 24


def png(figure: Figure) -> bytes:
    """Return the figure as a PNG."""
    stream = io.BytesIO()
    with warnings.catch_warnings():
        # A class name in a script that the font lacks is drawn as boxes; the report has it as text.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(stream, format="png")
    return stream.getvalue()


def save(figure: Figure, path: Path) -> None:
    """Write the figure as a whole PNG file or nothing.

    Raises:
        StorageError: if it cannot be written.
    """
    content = png(figure)
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def plain(text: str) -> str:
    """Return a name for a figure: in one line, shortened, and no formula."""
    line = " ".join(text.split())
    short = line if len(line) <= NAME_LENGTH else line[: NAME_LENGTH - 1] + "…"
    return short.replace("$", r"\$")


def canvas(title: str, *, width: float = WIDTH, height: float = 3.6) -> tuple[Figure, Axes]:
    """Return a figure of width x height inches with one set of axes under a title."""
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    dress(axes)
    axes.set_title(title, loc="left", fontsize=12)
    return figure, axes


def dress(axes: Axes) -> None:
    """Take away what is not needed and lay a faint grid behind the rest."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)


def legend(axes: Axes) -> None:
    """Name the lines, where there is room."""
    axes.legend(frameon=False, fontsize=9, loc="best")


def panels(count: int, title: str, *, height: float) -> tuple[Figure, list[Axes]]:
    """Return axes below one another with one x axis, each `height` inches high."""
    figure = Figure(figsize=(WIDTH, 0.8 + height * count), dpi=DPI, layout="constrained")
    every = list(np.atleast_1d(figure.subplots(count, sharex=True)))
    for axes in every:
        dress(axes)
    every[0].set_title(title, loc="left", fontsize=12)
    return figure, every
