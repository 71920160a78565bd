"""Pace against videos that were cut and faded at known times."""

import numpy as np
import pytest

from core.status import Status
from extract.classic import motion, watched
from extract.classic.pace import NAMES, extractor, means_of_parts
from media.request import Frames
from tests.extract.scenes import in_colour, inputs, panned, texture, times, window, with_object


def measured(video, moments, *names):
    row = extractor().prepare(inputs(video, moments))["pace"]
    found = [float(row[NAMES.index(name)]) for name in names]
    return found[0] if len(found) == 1 else found


def tenths(video, moments, what):
    return np.array(measured(video, moments, *(f"{what}.{tenth}" for tenth in range(10))))


def shots(*lengths):
    """Return still shots of so many frames, unlike each other, and their times, 15 a second."""
    parts = []
    for seed, length in enumerate(lengths):
        still = in_colour(window(texture(seed, detail=4.0, contrast=60.0), 0, 0))
        still[..., seed % 3] //= 3  # another colour
        parts.append(np.repeat(still[None], length, axis=0))
    return np.concatenate(parts), np.arange(sum(lengths)) / 15


def test_means_of_parts_weigh_steps_by_their_share():
    """Steps of 1 s and 3 s in two halves of 2 s: (1 * 4 + 1 * 8) / 2, then 8."""
    found = means_of_parts(np.array([4.0, 8.0]), np.array([0.0, 1.0, 4.0]), 2)
    assert found.tolist() == [6.0, 8.0]


def test_cuts_are_in_the_tenth_in_which_they_happen():
    """Cuts into frames 25 and 105 of 151, which are 15 to a tenth."""
    found = tenths(*shots(25, 80, 46), "cuts")
    assert found.sum() == pytest.approx(2, abs=1e-3)  # tenths of 10 s: one cut is 1 per second
    assert np.flatnonzero(found > 0.5).tolist() == [1, 6]


def test_shot_lengths_are_known_by_hand():
    video, moments = shots(15, 30, 46)  # 1, 2 and 3 s
    names = ("count", "median", "shortest", "last", "uneven", "longest")
    count, median, shortest, last, uneven, longest = measured(
        video, moments, *(f"shot.{name}" for name in names)
    )
    assert count == pytest.approx(np.log2(3))
    assert [median, shortest, last] == pytest.approx(np.log2([3, 2, 4]), abs=1e-4)
    assert uneven == pytest.approx(np.std([1, 2, 3]) / 2, abs=1e-4)
    assert longest == pytest.approx(0.5, abs=1e-4)


def test_the_first_cut_the_trend_and_the_busiest_seconds_are_known():
    slower, faster = shots(15, 30, 46), shots(46, 30, 15)
    assert measured(*slower, "first.at") == pytest.approx(1 / 6, abs=1e-4)
    assert measured(*slower, "shot.trend") > 1 > -1 > measured(*faster, "shot.trend")
    assert measured(*shots(15, 15, 15, 90), "busiest") == pytest.approx(np.log2(1 + 3))


def test_a_video_without_cuts_is_one_shot():
    video, moments = panned(times(2), (0.2, 0)), times(2)
    assert measured(video, moments, "shot.count", "first.at", "shot.longest") == [0, 1, 1]
    assert not tenths(video, moments, "cuts").any()


def test_activity_is_where_something_moves():
    video = np.repeat(panned(times(0.1), (0, 0))[:1], 60, axis=0)
    video[30:] = with_object(times(2), (0.3, 0))
    video[:30] = video[30]
    for what in ("change", "speed"):
        found = tenths(video, times(4), what)
        assert found[:4].max() < 0.05
        assert found[6:].min() > 0.1


def mixed(share):
    """Return two still pictures mixed by the share [T] of the second."""
    first, second = (shots(1)[0][0], 255 - in_colour(window(texture(9, detail=8.0), 0, 0)))
    weight = np.asarray(share)[:, None, None, None]
    return np.rint(first * (1 - weight) + second * weight).astype(np.uint8)


@pytest.mark.parametrize("seconds", [0.8, 1.5])
def test_a_dissolve_is_one_gradual_change_at_its_time(seconds):
    share = np.clip((times(5) - 3) / seconds, 0, 1)
    per_s, fades, at = measured(
        mixed(share), times(5), *(f"gradual.{name}" for name in ("per_s", "fades_per_s", "at"))
    )
    assert per_s * times(5)[-1] == pytest.approx(1)
    assert fades == 0
    assert at * times(5)[-1] == pytest.approx(3 + seconds / 2, abs=seconds / 2)


def test_a_fade_to_black_is_a_fade():
    level = np.clip((4 - times(5)) / 1.0, 0, 1)[:, None, None, None]
    video = (shots(75)[0] * level).astype(np.uint8)
    assert measured(video, times(5), "gradual.fades_per_s") * times(5)[-1] == pytest.approx(1)


@pytest.mark.parametrize(
    "video",
    [
        panned(times(2), (0.6, 0)),
        with_object(times(2), (0.4, 0), (0.3, 0)),
        shots(15, 15)[0],
        np.random.default_rng(1).integers(90, 160, (30, 96, 128, 3)).astype(np.uint8),
    ],
    ids=["pan", "object and pan", "cut", "noise"],
)
def test_what_moves_or_is_cut_is_not_gradual(video):
    assert measured(video, times(2), "gradual.part", "gradual.per_s") == [0, 0]


def test_one_frame_has_no_pace():
    gap = extractor().prepare(inputs(panned([0.0], (0, 0))))
    assert (gap.status, gap.reason) == (Status.ABSENT, "one frame; pace needs two")


def test_steps_are_measured_once_and_forgotten_with_the_frames():
    frames = Frames(panned(times(1), (0.2, 0)), times(1), 1.0)
    first = watched.watch(frames, "motion")
    assert watched.watch(frames, "pace") is first
    assert motion.extractor().frames == extractor().frames
    before = len(watched._WATCHED)
    del frames
    assert len(watched._WATCHED) == before - 1
