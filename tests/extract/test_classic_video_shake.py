"""Camera shake against cameras that were shaken by a known amount."""

import numpy as np
import pytest

from core.status import Status
from extract.classic.shake import NAMES, extractor
from tests.extract.scenes import in_colour, inputs, panned, texture, times, window, with_object

SIDE = 96


def held(moments, path, seed=0):
    """Return what a camera sees that goes along `path` [T, 2], in shorter sides."""
    plane = texture(seed)
    return in_colour(np.stack([window(plane, *(SIDE * place)) for place in path]))


def measured(video, moments, *names):
    row = extractor().prepare(inputs(video, moments))["shake"]
    found = [float(row[NAMES.index(name)]) for name in names]
    return found[0] if len(found) == 1 else found


def speed(log):
    """Return sides per second of a (log) number."""
    return (10**log - 1) / 50


def swaying(moments, hz, amplitude=0.03, axis=1):
    path = np.zeros((len(moments), 2))
    path[:, axis] = amplitude * np.sin(2 * np.pi * hz * moments)
    return held(moments, path)


def test_a_steady_pan_is_no_shake():
    video = panned(times(3), (0.4, 0))
    pan, straight, jitter, still = measured(
        video, times(3), "pan.speed", "pan.straight", "jitter.rms", "still"
    )
    assert speed(pan) == pytest.approx(0.4, abs=0.04)
    assert straight > 0.95
    assert speed(jitter) < 0.03
    assert still == 0


def test_the_pan_of_a_short_shot_is_slow():
    low, high = measured(panned(times(0.5), (0.6, 0)), times(0.5), "band.0.0", "band.2.0")
    assert speed(low) == pytest.approx(0.6, abs=0.06)
    assert speed(high) < 0.06


def test_a_tripod_neither_pans_nor_shakes():
    """A square that moves before it is not the camera."""
    video = with_object(times(2), (0.5, 0))
    pan, jitter, still, ratio = measured(
        video, times(2), "pan.speed", "jitter.rms", "still", "object.ratio"
    )
    assert max(speed(pan), speed(jitter)) < 0.02
    assert still > 0.9
    assert ratio > 0.2


@pytest.mark.parametrize("hz", [3.0, 4.0])
def test_a_shaken_camera_has_its_speed(hz):
    """Amplitude a at f Hz: the speed is 2 pi f a cos(..), so its root mean square / sqrt(2)."""
    jitter, part = measured(swaying(times(3), hz), times(3), "jitter.rms", "jitter.part")
    assert speed(jitter) == pytest.approx(2 * np.pi * hz * 0.03 / np.sqrt(2), rel=0.25)
    assert part > 0.9


@pytest.mark.parametrize(("hz", "band"), [(0.4, 0.0), (1.5, 1.0), (3.0, 2.0), (5.0, 4.0)])
def test_shaking_is_in_the_band_of_its_frequency(hz, band):
    names = [name for name in NAMES if name.startswith("band.")]
    bands = dict(zip(names, measured(swaying(times(4), hz), times(4), *names), strict=True))
    assert max(bands, key=bands.get) == f"band.{band}"


def test_the_mean_frequency_is_that_of_the_shaking():
    found, peak = measured(swaying(times(4), 3.0), times(4), "spectrum.hz", "spectrum.peak")
    assert found == pytest.approx(3, abs=0.3)
    assert peak > 0.3


def test_up_and_down_is_told_from_side_to_side():
    walk, sway = (
        measured(swaying(times(2), 3.0, axis=axis), times(2), "jitter.upright") for axis in (1, 0)
    )
    assert walk > 0.5
    assert sway < -0.5


def test_jitter_that_goes_back_at_once_turns():
    alternating = np.zeros((30, 2))
    alternating[1::2, 0] = 0.02
    assert measured(held(times(2), alternating), times(2), "turns") > 0.8
    assert measured(swaying(times(2), 1.0), times(2), "turns") < 0.1


def test_shaking_at_the_end_is_late():
    path = np.zeros((45, 2))
    path[30:, 0] = 0.02 * (np.arange(15) % 2)
    early, middle, late = measured(held(times(3), path), times(3), "early", "middle", "late")
    assert late > 0.8
    assert max(early, middle) < 0.4 * late


def test_a_cut_is_no_shake():
    video = np.concatenate([panned(times(1), (0, 0)), 255 - panned(times(1), (0, 0), seed=5) // 2])
    assert measured(video, times(2), "jitter.rms", "shaky") == pytest.approx([0, 0], abs=0.05)


def test_a_turning_camera_turns():
    plane = texture(detail=3.0)
    y, x = np.mgrid[-47.5:48, -63.5:64]
    frames = []
    for angle in 0.3 * times(1):
        from_x = x * np.cos(angle) + y * np.sin(angle)
        from_y = -x * np.sin(angle) + y * np.cos(angle)
        rows, columns = np.rint(210 + from_y).astype(int), np.rint(280 + from_x).astype(int)
        frames.append(plane[rows, columns])
    turn, zoom = measured(in_colour(np.stack(frames)), times(1), "turn.mean", "zoom.mean")
    assert turn == pytest.approx(0.3, abs=0.06)
    assert zoom == pytest.approx(0, abs=0.06)


def test_one_frame_has_no_shake():
    gap = extractor().prepare(inputs(panned([0.0], (0, 0))))
    assert (gap.status, gap.reason) == (Status.ABSENT, "one frame; shake needs two")
