"""Composition against pictures whose edges, symmetry and places are known by hand."""

import numpy as np
import pytest

from extract.classic.composition import NAMES, POOLED_NAMES, describe_composition, extractor
from tests.extract.scenes import in_colour, inputs, texture


def measured(plane, *names):
    row = describe_composition(in_colour(plane)[None])[0]
    found = [float(row[NAMES.index(name)]) for name in names]
    return found[0] if len(found) == 1 else found


def named(row, prefix):
    return np.array([row[at] for at, name in enumerate(NAMES) if name.startswith(prefix)])


def stripes(way, period=12.0, side=96):
    """Return a wave whose gradient points `way` eighths of half a turn from right, towards down."""
    y, x = np.mgrid[:side, :side]
    angle = way * np.pi / 8
    wave = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period)
    return 128 + 100 * wave


def test_a_hard_edge_is_counted_where_it_is():
    """Central differences make an edge two pixels wide: 2 of 96 columns, all in the left cells."""
    plane = np.full((96, 96), 50.0)
    plane[:, 16:] = 150
    density, left, middle, right = measured(
        plane, "edge.density", "edge.at.0.0", "edge.at.1.1", "edge.at.2.2"
    )
    assert density == pytest.approx(2 / 96)
    assert (left, middle, right) == pytest.approx((2 / 32, 0, 0))
    assert measured(plane, "edge.strength") == pytest.approx(np.log10(1 + 50 * 2 / 96), abs=1e-4)


@pytest.mark.parametrize("way", range(8))
def test_stripes_have_their_way(way):
    row = describe_composition(in_colour(stripes(way))[None])[0]
    assert named(row, "way.").argmax() == way
    assert named(row, "hog.1.1.").argmax() == way


def test_a_picture_turned_by_a_quarter_turns_its_histograms():
    plane = texture(detail=3.0)[:96, :96]
    upright, turned = describe_composition(np.stack([in_colour(plane), in_colour(np.rot90(plane))]))
    np.testing.assert_allclose(named(turned, "way."), np.roll(named(upright, "way."), 4), atol=1e-4)
    grid = named(upright, "hog.").reshape(3, 3, 8)
    expected = np.roll(np.rot90(grid), 4, axis=2)
    np.testing.assert_allclose(named(turned, "hog.").reshape(3, 3, 8), expected, atol=1e-3)


@pytest.mark.parametrize("what", ["luma", "edge"])
def test_a_symmetric_picture_has_symmetry_one(what):
    half = texture(detail=3.0)[:96, :64]
    mirrored = np.concatenate([half, half[:, ::-1]], axis=1)
    names = [f"symmetry.{what}.{how}" for how in ("sides", "ends", "both")]
    sides, ends, both = measured(mirrored, *names)
    assert sides == pytest.approx(1, abs=1e-3)
    assert max(ends, both) < 0.6
    ends_first = measured(mirrored.T, *names)
    assert ends_first == pytest.approx([ends, sides, both], abs=1e-3)


def test_a_picture_that_is_its_own_opposite_has_symmetry_zero():
    ramp = np.tile(np.linspace(20, 220, 128), (96, 1))
    sides, ends = measured(ramp, "symmetry.luma.sides", "symmetry.luma.ends")
    assert sides == pytest.approx(0, abs=0.01)
    assert ends == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(("x", "y"), [(0.25, -0.25), (-0.25, 0.25), (0, 0)])
def test_detail_and_colour_are_where_they_were_put(x, y):
    pixels = np.full((1, 96, 96, 3), 20, np.uint8)
    top, left = round((y + 0.5) * 96) - 8, round((x + 0.5) * 96) - 8
    pixels[0, top : top + 16, left : left + 16] = (255, 200, 20)
    row = describe_composition(pixels)[0]
    for what in ("detail", "colour"):
        place = [row[NAMES.index(f"{what}.{axis}")] for axis in "xy"]
        assert place == pytest.approx([x, y], abs=0.06)
        assert (row[NAMES.index(f"{what}.centre")] > 0.5) == (x == 0)


def test_what_lies_where_the_thirds_cross_is_seen():
    crossing, corner = np.full((96, 96), 100.0), np.full((96, 96), 100.0)
    crossing[28:36, 60:68] = 200
    corner[2:10, 2:10] = 200
    for name in ("detail.points", "detail.thirds"):
        assert measured(crossing, name) > 3 * measured(corner, name)


@pytest.mark.parametrize(
    ("way", "name"), [(4, "across"), (0, "down"), (2, "rising"), (6, "falling")]
)
def test_lines_run_their_way(way, name):
    shares = dict(
        zip(
            ("across", "down", "rising", "falling"),
            measured(stripes(way), "line.across", "line.down", "line.rising", "line.falling"),
            strict=True,
        )
    )
    assert max(shares, key=shares.get) == name
    assert shares[name] > 0.9
    assert measured(stripes(way), "line.all") > 0.9


def test_a_horizon_is_the_longest_line_and_has_its_height():
    plane = np.full((96, 128), 60.0)
    plane[24:] = 160
    assert measured(plane, "longest.across") == 1
    assert measured(plane, "longest.across.at") == pytest.approx(-0.25, abs=0.01)
    assert measured(plane, "longest.down") == 0


def test_a_plain_picture_has_no_edges_and_is_symmetric():
    row = describe_composition(np.full((1, 96, 128, 3), 77, np.uint8))[0]
    assert not named(row, "edge.").any()
    assert not named(row, "hog.").any()
    assert named(row, "symmetry.") == pytest.approx(np.ones(6))
    assert named(row, "detail.")[:2] == pytest.approx([0, 0], abs=1e-6)


def test_the_pooled_numbers_are_mean_and_deviation_over_frames():
    pixels = in_colour(np.stack([stripes(0), stripes(4), stripes(4)]))
    values = extractor().prepare(inputs(pixels))
    frames, pooled = values["composition/frames"], values["composition"]
    at = POOLED_NAMES.index("way.0:mean")
    assert pooled[at] == pytest.approx(frames[:, NAMES.index("way.0")].mean())
    spread = pooled[POOLED_NAMES.index("way.0:std")]
    assert spread == pytest.approx(frames[:, NAMES.index("way.0")].std())
