"""Colour and exposure against pictures whose colours are known."""

import numpy as np
import pytest

from extract.classic.colour import NAMES, describe_colour, extractor, pool_with_trend
from tests.extract.scenes import in_colour, texture


def plain(red, green, blue, frames=2, shape=(96, 128)):
    return np.full((frames, *shape, 3), (red, green, blue), np.uint8)


def measured(pixels, name):
    return describe_colour(pixels)[:, NAMES.index(name)]


def test_a_brighter_video_has_higher_exposure():
    dim, bright = in_colour(texture()[None] * 0.5), in_colour(texture()[None])
    for name in ("grey.mean", "grey.p5", "grey.p95", "at.0.0", "at.3.3"):
        assert measured(bright, name) > measured(dim, name)


@pytest.mark.parametrize(
    ("colour", "lab"),
    [
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((119, 119, 119), (50.03, 0, 0)),
        ((3, 7, 5), (1.65, -1.32, 0.39)),
    ],
)
def test_lab_is_the_published_one(colour, lab):
    video = plain(*colour)
    found = [measured(video, name)[0] * 100 for name in ("at.1.1", "lab.a", "lab.b")]
    assert found == pytest.approx(lab, abs=0.05)


@pytest.mark.parametrize(
    ("colour", "box"),
    [
        ((255, 0, 0), "middling.red"),
        ((255, 255, 0), "bright.yellow"),
        ((0, 110, 0), "middling.green"),
        ((0, 255, 255), "bright.cyan"),
        ((30, 30, 140), "dark.blue"),
        ((255, 0, 255), "middling.magenta"),
        ((128, 128, 128), "middling.grey"),
    ],
)
def test_each_colour_falls_into_the_box_of_its_name(colour, box):
    assert measured(plain(*colour), f"box.{box}") == pytest.approx(1)


def test_the_boxes_hold_every_pixel_once():
    video = np.random.default_rng(0).integers(0, 256, (3, 50, 40, 3), dtype=np.uint8)
    boxes = [at for at, name in enumerate(NAMES) if name.startswith("box.")]
    assert describe_colour(video)[:, boxes].sum(axis=1) == pytest.approx(1, abs=1e-6)


def test_colourfulness_is_the_formula_of_its_paper():
    video = np.random.default_rng(1).integers(0, 256, (1, 20, 24, 3)).astype(np.uint8)
    red, green, blue = np.moveaxis(video[0].astype(float), -1, 0)
    first, second = red - green, (red + green) / 2 - blue
    spread, offset = np.hypot(first.std(), second.std()), np.hypot(first.mean(), second.mean())
    expected = (spread + 0.3 * offset) / 100
    assert measured(video, "colourful")[0] == pytest.approx(expected, rel=1e-4)


def test_clipping_counts_the_blackest_and_the_whitest():
    video = plain(128, 128, 128, frames=1)
    video[:, :24], video[:, 24:36] = 4, 252
    assert measured(video, "grey.black")[0] == pytest.approx(0.25)
    assert measured(video, "grey.white")[0] == pytest.approx(0.125)


def test_warm_light_is_told_from_cold():
    assert measured(plain(200, 160, 110), "lab.warm")[0] > 0.9
    assert measured(plain(110, 160, 200), "lab.warm")[0] < -0.9
    assert measured(plain(90, 90, 90), "lab.warm")[0] == pytest.approx(0, abs=1e-3)


def test_a_lit_middle_shows_and_has_its_place():
    video = plain(40, 40, 40)
    video[:, 24:72, 32:96] = 220
    assert measured(video, "centre.lightness")[0] > 0.5
    assert measured(video, "at.1.1")[0] > measured(video, "at.0.0")[0] + 0.5


def test_trend_is_the_slope_over_the_video():
    rising = np.concatenate([plain(level, level, level, 1) for level in (60, 80, 100, 120)])
    pooled = pool_with_trend(describe_colour(rising))
    mean, deviation, trend = pooled.reshape(3, -1)[:, NAMES.index("grey.mean")] * 255
    assert (mean, deviation, trend) == pytest.approx((90, np.std([60, 80, 100, 120]), 60), abs=0.1)


def test_the_size_of_the_source_hardly_matters():
    small = in_colour(texture(detail=8.0)[None, :192, :256])
    large = small.repeat(2, axis=1).repeat(2, axis=2)
    assert describe_colour(large) == pytest.approx(describe_colour(small), abs=0.02)


def test_colour_asks_for_small_frames_of_the_whole_video():
    wanted = extractor().frames
    assert (wanted.rule, wanted.side, wanted.seconds) == ("uniform", 96, None)
