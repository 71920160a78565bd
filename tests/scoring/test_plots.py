"""Figures: that they are drawn from odd input too, and touch nothing global."""

import io
import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from core.errors import StorageError
from scoring import canvas, curves, plots, regression
from scoring.bootstrap import Score
from scoring.calibration import reliability

ROOT = Path(__file__).resolve().parents[2]
RNG = np.random.default_rng(0)
TARGET, GUESS = RNG.normal(size=(2, 50))
UNDEFINED = Score(np.nan, np.nan, np.nan, 5)
NAMES = ["a", "$b$ _{", "日本 😀"]
DRAWN = {
    "points": plots.predicted_and_true(TARGET, GUESS, name="ecr", unit="%"),
    "band": plots.predicted_and_true(TARGET, GUESS, name="ecr", low=GUESS - 1, high=GUESS + 1),
    "one point": plots.predicted_and_true(TARGET[:1], GUESS[:1], name="ecr"),
    "residuals": plots.residuals(TARGET, GUESS, name="ecr"),
    "few residuals": plots.residuals(TARGET[:3], GUESS[:3], name="ecr"),
    "levels": plots.levels(TARGET, GUESS, name="ecr"),
    "confusion": plots.confusion_matrix(np.array([[3, 0, 1], [0, 0, 0], [1, 1, 1]]), NAMES),
    "large confusion": plots.confusion_matrix(np.eye(60, dtype=int), ["class"] * 60),
    "middle confusion": plots.confusion_matrix(np.eye(20, dtype=int), ["class"] * 20),
    "calibration": plots.calibration(reliability(np.array([0, 1]), np.eye(2))),
    "forest": plots.forest(
        [("run", Score(1, 0, 2, 5)), ("mean", UNDEFINED), ("one", Score(1, np.nan, np.nan, 1))],
        metric="srocc",
        higher_is_better=True,
    ),
    "all undefined": plots.forest([("run", UNDEFINED)], metric="mae", higher_is_better=False),
    "classes": plots.class_distribution({"a": 3, "$": 0}, name="emotion"),
    "many classes": plots.class_distribution({str(i): i for i in range(50)}, name="action"),
    "days": plots.days(regression.by_day(RNG.normal(size=(9, 4)), RNG.normal(size=(9, 4)))),
    "training": curves.training_curve(
        [{"epoch": 1, "train_loss": 2.0, "valid_loss": 3.0, "lr": 1}]
    ),
    "gaps": curves.training_curve([{"train_loss": 2.0}, {"valid_srocc": 0.5}]),
    "folds": curves.training_curve(
        [{"fold": f, "penalty": p, "loss": p + 1} for f in "ab" for p in (1.0, 0.1)],
        {"penalty": 0.1},
    ),
    "only a clock": curves.training_curve([{"epoch": 1.0}]),
}


def test_the_levels_of_views_are_told_beside_one_another():
    views = np.geomspace(800, 4e9, 200)
    figure = plots.levels(views, views * 0.9, name="views")
    figure.canvas.draw()
    boxes = [label.get_window_extent() for label in figure.axes[0].get_xticklabels()]
    assert len(boxes) == 10
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))


@pytest.mark.parametrize("name", DRAWN)
def test_every_figure_becomes_a_picture_with_ink(name):
    picture = Image.open(io.BytesIO(canvas.png(DRAWN[name])))
    assert picture.format == "PNG"
    assert len(picture.convert("RGB").getcolors(1 << 20)) > 10


def test_one_quantity_has_one_panel_and_at_most_four_are_drawn():
    row = {"epoch": 1.0, "train_loss": 1.0, "valid_loss": 2.0, "valid_srocc": 0.1}
    assert len(curves.training_curve([row]).axes) == 2
    many = {f"q{number}": 1.0 for number in range(9)}
    assert len(curves.training_curve([many]).axes) == 4


def test_an_empty_history_is_refused():
    with pytest.raises(ValueError, match="the history has no rows"):
        curves.training_curve([])


@settings(max_examples=15, deadline=None)
@given(
    st.text(st.characters(exclude_categories=("Cs",)) | st.sampled_from("$\\_{}^%"), max_size=30)
)
def test_any_name_can_be_drawn(name):
    figure = plots.class_distribution({name: 1}, name=name)
    assert canvas.png(figure).startswith(b"\x89PNG")


def test_a_long_name_is_shortened_and_a_dollar_escaped():
    assert canvas.plain("x" * 40) == "x" * 23 + "…"
    assert canvas.plain("5 $\n a") == r"5 \$ a"


def test_a_picture_is_saved_whole_or_the_place_named(tmp_path):
    canvas.save(DRAWN["classes"], tmp_path / "plots" / "classes.png")
    assert [path.name for path in (tmp_path / "plots").iterdir()] == ["classes.png"]
    with pytest.raises(StorageError, match="could not be written"):
        canvas.save(DRAWN["classes"], tmp_path / "plots" / "classes.png" / "inner.png")


def test_drawing_touches_neither_pyplot_nor_settings():
    code = (
        "import sys, matplotlib; from scoring import canvas, plots\n"
        "before = matplotlib.rcParams.copy()\n"
        "canvas.png(plots.class_distribution({'a': 1}, name='x'))\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "assert [before[key] for key in before if key != 'backend'] == "
        "[matplotlib.rcParams[key] for key in before if key != 'backend']"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
