"""Overlays against videos over which known things were laid."""

import numpy as np
import pytest
from scipy import ndimage

from core.status import Status
from extract.classic.overlay import NAMES, REQUEST, describe_overlay, extractor
from media.decode import read_media
from tests.extract.scenes import in_colour, inputs, panned, texture, window

MOMENTS = np.arange(8) / 4


def measured(video, *names):
    row = describe_overlay(video)
    found = [float(row[NAMES.index(name)]) for name in names]
    return found[0] if len(found) == 1 else found


def moving(shape=(180, 240)):
    """Return 8 frames of a soft texture, 0.4 sides a second under way."""
    x = 0.4 * min(shape) * MOMENTS
    plane = texture(detail=6.0)
    return in_colour(np.stack([window(plane, left, 0, shape) for left in x]))


def with_caption(video, top, *, every=6, height=12, columns=slice(40, 200), first=0):
    """Return a copy with a line of white strokes, 2 pixels wide, on a black band."""
    laid = video.copy()
    laid[:, top : top + height, columns] = 0
    start = columns.start + first
    for left in range(start, columns.stop - 2, every):
        laid[:, top + 2 : top + height - 2, left : left + 2] = 255
    return laid


@pytest.mark.parametrize(("top", "third"), [(12, "top"), (84, "middle"), (160, "bottom")])
def test_a_caption_over_a_moving_picture_is_found_in_its_third(top, third):
    video = with_caption(moving(), top)
    names = [
        f"{kind}.{where}" for kind in ("over", "text") for where in ("top", "middle", "bottom")
    ]
    found = dict(zip(names, measured(video, *names), strict=True))
    for kind in ("over", "text"):
        assert found.pop(f"{kind}.{third}") > 0.03
    assert max(found.values()) < 0.01


def test_a_moving_picture_without_a_caption_has_none():
    over, text, strokes = measured(moving(), "over.all", "text.all", "stroke.all")
    assert over < 0.005
    assert (text, strokes) == (0, 0)


def test_sharp_things_that_stay_while_the_rest_moves_are_an_excess():
    laid, bare = (
        measured(video, "held.excess") for video in (with_caption(moving(), 84), moving())
    )
    assert laid > 0.3
    assert bare < 0


def test_a_still_camera_holds_everything_and_lays_over_nothing():
    video = np.repeat(in_colour(texture(detail=1.0)[None, :180, :240]), 8, axis=0)
    moved, held, excess, over = measured(video, "moving", "held.edges", "held.excess", "over.all")
    assert (moved, held, excess, over) == (0, 1, 0, 0)


def test_a_logo_is_in_a_corner():
    video = with_caption(moving(), 6, columns=slice(4, 50), height=20)
    corners, middle = measured(video, "over.corners", "over.middle")
    assert corners > 0.03
    assert middle == 0


@pytest.mark.parametrize("sides", [("top", "bottom"), ("left", "right"), ("bottom",)])
@pytest.mark.parametrize("level", [0, 16, 255])
def test_bars_are_found_with_their_size_and_shade(sides, level):
    video = moving()
    places = {
        "top": np.s_[:, :27],
        "bottom": np.s_[:, 153:],
        "left": np.s_[:, :, :36],
        "right": np.s_[:, :, 204:],
    }
    for side in sides:
        video[places[side]] = level
    found = dict(zip(places, measured(video, *(f"bars.{side}" for side in places)), strict=True))
    assert found == pytest.approx({side: 0.15 * (side in sides) for side in places}, abs=1e-6)
    assert measured(video, "bars.dark") == (level < 40)


def test_a_picture_that_is_plain_all_over_has_no_bars():
    names = [name for name in NAMES if name.startswith("bars.")]
    assert measured(np.zeros((8, 180, 240, 3), np.uint8), *names) == [0] * 5


@pytest.mark.parametrize("width", [240, 180])
@pytest.mark.parametrize("upright", [True, False])
def test_a_sharp_picture_between_blurred_borders_is_found(upright, width):
    """A phone video in a wide frame, filled up with its own blurred enlargement."""
    rng = np.random.default_rng(3)
    inner = ndimage.gaussian_filter(rng.normal(size=(8, 180, width // 2)), (0, 1, 1)) * 40 + 150
    wide = ndimage.gaussian_filter(rng.normal(size=(8, 180, width)), (0, 9, 9)) * 400 + 70
    wide[:, :, width // 4 : -width // 4] = inner
    video = in_colour(wide if upright else wide.swapaxes(1, 2))
    here, other = ("down", "across") if upright else ("across", "down")
    line, inside, soft = measured(video, *(f"frame.{here}.{n}" for n in ("line", "inside", "soft")))
    assert line > 0.3
    assert inside == pytest.approx(0.5, abs=0.02)
    assert soft > 0.3
    assert measured(video, f"frame.{other}.inside") == 1


def test_strokes_of_known_width_are_measured():
    """Bright strokes of 2 pixels, gaps of 4: mean 3 of 180, deviation 1 of 3."""
    video = with_caption(moving(), 84, columns=slice(0, 240))
    assert measured(video, "stroke.width") == pytest.approx(100 * 3 / 180, abs=0.03)
    assert measured(video, "stroke.uneven") == pytest.approx(1 / 3, abs=0.02)
    assert measured(video, "stroke.contrast") == pytest.approx(1, abs=0.02)
    assert measured(video, "stroke.peak.at") == pytest.approx(0, abs=0.04)
    assert measured(video, "stroke.peak") > 1


def test_a_caption_that_changes_is_told_from_one_that_stays():
    stays, other = with_caption(moving(), 84), with_caption(moving(), 84, every=5, first=3)
    changes = np.where(np.arange(8)[:, None, None, None] % 2, stays, other)
    assert measured(stays, "text.held") > 0.95 > 0.6 > measured(changes, "text.held")
    jumps = np.concatenate([with_caption(moving(), top)[4:] for top in (20, 140)])
    assert measured(stays, "text.change") < 0.01 < 0.1 < measured(jumps, "text.change")


def test_one_frame_does_not_say_what_stays():
    gap = extractor().prepare(inputs(panned([0.0], (0, 0)).repeat(3, axis=0), np.zeros(3)))
    assert (gap.status, gap.cause, gap.reason) == (
        Status.ABSENT,
        "too-short",
        "one frame; overlay needs two",
    )


@pytest.mark.real
def test_bars_of_a_compressed_video_are_found(real_data):
    path = real_data / "clips" / "surv_fight" / "fight" / "fi074.mp4"
    frames = read_media(path, [REQUEST], []).frames[REQUEST]
    left, right, top, inside = measured(
        frames.pixels, "bars.left", "bars.right", "bars.top", "frame.down.inside"
    )
    assert (left, right) == pytest.approx((0.155, 0.155), abs=0.02)
    assert top == 0
    assert inside == pytest.approx(1 - left - right, abs=0.02)
