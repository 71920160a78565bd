"""Sharpness, noise and blocking against pictures that were spoilt by a known amount."""

import numpy as np
import pytest
from scipy import ndimage

from extract.classic.sharpness import NAMES, describe_sharpness
from tests.extract.scenes import in_colour, texture

SHARP = ("laplacian", "tenengrad", "gradient.p50", "gradient.p95")


def measured(plane, *names):
    row = describe_sharpness(in_colour(plane[None]))[0]
    found = [float(row[NAMES.index(name)]) for name in names]
    return found[0] if len(found) == 1 else found


def noisy(deviation, plane=None):
    base = np.full((360, 480), 128.0) if plane is None else plane
    return base + np.random.default_rng(2).normal(size=base.shape) * deviation


def edges():
    """Return a picture of hard edges: what defocus spoils first."""
    return np.where(texture(detail=6.0)[:360, :480] > 128, 190.0, 60.0)


@pytest.mark.parametrize("scale", ["pixel", "picture"])
def test_blur_lowers_every_measure_of_sharpness(scale):
    names = [f"{scale}.{name}" for name in (*SHARP, "blur")]
    clear = measured(edges(), *names)
    soft = measured(ndimage.gaussian_filter(edges(), 4), *names)
    assert all(a > b for a, b in zip(clear[:2], soft[:2], strict=True))
    assert clear[3] > soft[3]
    assert clear[4] < soft[4]


@pytest.mark.parametrize("deviation", [2, 5, 10])
def test_noise_is_estimated_right(deviation):
    both = measured(noisy(deviation), "noise.picture", "noise.flat")
    assert both == pytest.approx([deviation] * 2, rel=0.12)


def test_noise_in_flat_places_is_not_raised_by_texture():
    half_textured = np.full((360, 480), 128.0)
    half_textured[:, 240:] = texture(detail=0.7)[:360, :240]
    whole, flat = measured(noisy(3, half_textured), "noise.picture", "noise.flat")
    assert flat == pytest.approx(3, rel=0.15)
    assert whole > 2 * flat


def test_black_borders_do_not_hide_the_noise():
    framed = noisy(4)
    framed[:60], framed[300:] = 0, 0
    assert measured(framed, "noise.flat") == pytest.approx(4, rel=0.15)


def test_blocking_is_seen_in_its_direction():
    smooth = texture(detail=6.0)[:360, :480]
    blocky = smooth + (np.arange(480) // 8 % 2) * 10.0
    across, down = measured(blocky, "block.across", "block.down")
    assert across > 0.3
    assert abs(down) < 0.05
    assert abs(measured(smooth, "block.across")) < 0.05


def test_a_picture_smeared_sideways_has_less_energy_across():
    smeared = ndimage.uniform_filter1d(texture(detail=1.0)[:360, :480], 15, axis=1)
    assert measured(smeared, "picture.aspect") < -0.3
    assert measured(smeared.T, "picture.aspect") > 0.3


def test_a_picture_scaled_up_looks_as_sharp_as_a_picture_but_not_by_the_pixel():
    small = texture(detail=2.0)[:180, :240]
    large = ndimage.zoom(small, 3, order=1)
    pixel, picture = ("pixel.tenengrad", "picture.tenengrad")
    assert measured(large, picture) == pytest.approx(measured(small, picture), abs=0.15)
    assert measured(large, pixel) < measured(small, pixel) - 0.5


def test_a_sharp_middle_before_a_soft_background_is_seen():
    plane = ndimage.gaussian_filter(edges(), 8)
    plane[120:240, 160:320] = edges()[120:240, 160:320]
    assert measured(plane, "at.centre") > 0.3
    assert abs(measured(edges(), "at.centre")) < 0.3


def test_a_plain_picture_has_no_detail_noise_or_blocks():
    names = [f"pixel.{name}" for name in SHARP]
    names += ["noise.picture", "noise.flat", "block.across", "block.down", "pixel.aspect"]
    assert measured(np.full((96, 128), 77.0), *names) == pytest.approx([0] * len(names), abs=1e-6)
    assert measured(np.full((96, 128), 77.0), "pixel.blur") == 1
