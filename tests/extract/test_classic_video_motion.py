"""Motion, camera and cuts against videos that move in known ways."""

import numpy as np
import pytest
from scipy import ndimage

from core.status import Status
from extract.classic.flow import block_flow
from extract.classic.motion import POOLED_NAMES, extractor
from extract.classic.series import NAMES as RHYTHM_NAMES
from extract.classic.series import describe_rhythm
from extract.classic.steps import NAMES, describe_motion
from tests.extract.scenes import (
    in_colour,
    inputs,
    panned,
    texture,
    times,
    window,
    with_object,
)


def measured(video, times_s, name):
    """Return the median over the steps of one number."""
    return float(np.median(describe_motion(video, times_s)[:, NAMES.index(name)]))


def pooled(video, times_s):
    found = extractor().prepare(inputs(video, times_s))["motion"]
    return dict(zip(POOLED_NAMES, found.tolist(), strict=True))


def cut_times(video, times_s):
    cuts = describe_motion(video, times_s)[:, NAMES.index("cut")]
    return times_s[1:][cuts > 0].tolist()


@pytest.mark.parametrize("velocity", [(0.2, 0), (-0.5, 0.3), (0, 1.2), (-3.0, 0)])
def test_a_pan_has_its_direction_and_speed(velocity):
    video = panned(times(1), velocity)
    found = [measured(video, times(1), f"camera.{axis}") for axis in "xy"]
    assert found == pytest.approx(velocity, abs=0.03 + 0.1 * max(np.abs(velocity)))


@pytest.mark.parametrize("shape", [(96, 128), (170, 96), (96, 170)])
def test_speed_does_not_depend_on_the_rate_or_the_shape(shape):
    for fps in (10, 15, 30):
        video = panned(times(1, fps), (0.4, -0.2), shape)
        assert measured(video, times(1, fps), "camera.x") == pytest.approx(0.4, abs=0.05)
        assert measured(video, times(1, fps), "camera.y") == pytest.approx(-0.2, abs=0.05)


def test_uneven_steps_are_measured_by_their_times():
    uneven = np.array([0, 0.04, 0.12, 0.16, 0.24, 0.36, 0.4])
    camera = describe_motion(panned(uneven, (0.5, 0)), uneven)[:, NAMES.index("camera.x")]
    assert camera == pytest.approx(np.full(6, 0.5), abs=0.08)


def test_a_pan_is_the_cameras_and_not_an_objects():
    video = panned(times(1), (0.5, 0))
    assert measured(video, times(1), "object.over.0.15") < 0.1


@pytest.mark.parametrize("camera", [(0, 0), (0.4, 0)])
def test_an_object_is_told_from_the_camera(camera):
    video = with_object(times(1), (0, 0.5), camera)
    assert measured(video, times(1), "camera.x") == pytest.approx(camera[0], abs=0.06)
    assert measured(video, times(1), "camera.y") == pytest.approx(0, abs=0.06)
    assert 0.03 < measured(video, times(1), "object.over.0.15") < 0.35
    assert measured(video, times(1), "object.flow.y") > 0.02


@pytest.mark.parametrize(("velocity", "way"), [((0.6, 0), 0), ((0, 0.6), 90), ((-0.5, -0.5), 225)])
def test_an_object_moves_its_way(velocity, way):
    video = with_object(times(1), velocity)
    ways = [measured(video, times(1), f"way.{angle}") for angle in range(0, 360, 45)]
    assert int(np.argmax(ways)) * 45 == way


def test_where_the_motion_is_shows_in_the_cells():
    video = np.broadcast_to(panned(times(1), (0, 0))[0], (15, 96, 128, 3)).copy()
    video[:, 64:, 88:] = panned(times(1), (0.5, 0), seed=3)[:, 64:, 88:]
    steps = describe_motion(video, times(1)).mean(axis=0)
    cells = [name for name in NAMES if name.startswith("speed.at.")]
    assert max(cells, key=lambda name: steps[NAMES.index(name)]) == "speed.at.2.2"
    assert steps[NAMES.index("object.at.x")] > 0.2


def zoomed(times_s, per_second):
    plane = texture(detail=3.0)
    y, x = np.mgrid[-47.5:48, -63.5:64]
    frames = [
        ndimage.map_coordinates(plane, [210 + y / scale, 280 + x / scale], order=1)
        for scale in np.exp(per_second * times_s)
    ]
    return in_colour(np.stack(frames))


@pytest.mark.parametrize("per_second", [0.4, -0.4])
def test_a_zoom_is_measured(per_second):
    found = measured(zoomed(times(1), per_second), times(1), "camera.zoom")
    assert found == pytest.approx(per_second, abs=0.1)


def test_a_lamp_is_flicker_and_not_motion():
    plane = window(texture(contrast=20.0), 0, 0)
    video = in_colour(np.stack([plane + 10 * (t % 2) for t in range(15)]))
    assert measured(video, times(1), "change.flicker") == pytest.approx(np.log10(11), abs=0.02)
    assert measured(video, times(1), "change.mean") < 0.05
    assert measured(video, times(1), "object.mean") < 0.05


def test_a_shaking_object_turns_and_a_straight_one_does_not():
    straight = with_object(times(1), (0.8, 0))
    back_and_forth = np.concatenate([straight[[7, 8]]] * 8)[:15]
    assert measured(back_and_forth, times(1), "jerk.turning") > 1.5
    assert measured(straight, times(1), "jerk.turning") < 0.4


def test_a_hard_cut_is_found_at_its_time():
    video = panned(times(2), (0.2, 0))
    video[18:] = 255 - panned(times(2), (0, 0.1), seed=5)[18:] // 2
    assert cut_times(video, times(2)) == pytest.approx([18 / 15])


def fade(seconds):
    share = np.clip((times(2) - 0.5) / seconds, 0, 1)[:, None, None, None]
    first, second = panned(times(2), (0, 0)), 255 - panned(times(2), (0, 0), seed=5) // 2
    return np.rint(first * (1 - share) + second * share).astype(np.uint8)


def test_a_slow_fade_is_no_cut():
    assert cut_times(fade(1.0), times(2)) == []


def test_a_flash_is_no_cut():
    video = panned(times(2), (0.2, 0))
    video[15] = 250
    assert cut_times(video, times(2)) == []


def test_a_whip_pan_is_no_cut():
    assert cut_times(panned(times(2), (2.0, 0)), times(2)) == []


def test_shots_are_counted_and_cuts_are_not_motion():
    video = np.repeat(np.stack([panned([0], (0, 0), seed=s)[0] // (s + 1) for s in range(4)]), 8, 0)
    found = pooled(video, times(32 / 15))
    assert found["cuts_per_s"] == pytest.approx(3 / (31 / 15))
    assert found["shot.longest"] == pytest.approx(np.log2(1 + 8 / 15))
    assert found["object.mean:mean"] == 0
    assert found["change.frozen:mean"] == 1


def test_a_rhythm_has_its_period_and_trend():
    moments = np.arange(0, 6, 1 / 15)
    beat = 2 + np.sin(2 * np.pi * 1.25 * moments) + moments / 6
    found = dict(zip(RHYTHM_NAMES, describe_rhythm(beat, moments).tolist(), strict=True))
    assert found["period.hz"] == pytest.approx(1.25)
    assert found["period"] > 0.8
    assert found["trend"] == pytest.approx(0.4, abs=0.1)


def test_a_single_burst_is_bursty_and_has_its_time():
    series = np.full(60, 0.01)
    series[45] = 5
    found = dict(
        zip(RHYTHM_NAMES, describe_rhythm(series, np.arange(60) / 15).tolist(), strict=True)
    )
    assert found["burst"] > 0.6
    assert found["peak.at"] == pytest.approx(45 / 59)


def test_a_frame_that_is_shown_twice_is_no_step():
    slow = panned(times(1, 5), (0.3, 0))
    twice = extractor().prepare(inputs(slow.repeat(2, axis=0), times(1, 5).repeat(2)))
    once = extractor().prepare(inputs(slow, times(1, 5)))
    np.testing.assert_array_equal(twice["motion/steps"], once["motion/steps"])


def test_one_frame_has_no_motion():
    gap = extractor().prepare(inputs(panned([0.0], (0, 0))))
    assert (gap.status, gap.cause, gap.reason) == (
        Status.ABSENT,
        "too-short",
        "one frame; motion needs two",
    )


def test_flow_of_a_long_video_is_that_of_its_pieces():
    video, moments = with_object(times(3), (0.1, 0.1)), times(3)
    whole, piece = describe_motion(video, moments), describe_motion(video[20:32], moments[20:32])
    lone = [at for at, name in enumerate(NAMES) if not name.startswith(("jerk", "cut"))]
    np.testing.assert_allclose(whole[20:31, lone], piece[:, lone], atol=1e-4)


def test_blocks_without_texture_do_not_move():
    noise = 128 + np.random.default_rng(4).normal(size=(8, 96, 128)) * 2
    assert np.abs(block_flow(noise.astype(np.float32)).objects).max() < 0.01
