"""Which frames a request means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UsageError
from media.request import AudioRequest, FrameRequest
from media.sampling import plan

ROUNDED_TO_MS = [23.976, 25.0, 29.97, 30.0, 60.0]
counts = st.integers(1, 400)
wanted = st.integers(1, 64)
whole_video = st.sampled_from(["uniform", "segment_starts", "segment_centres", "dense", "random"])


def constant(frames: int, fps: float = 30.0, start: float = 0.0) -> np.ndarray:
    return start + np.arange(frames) / fps


@pytest.mark.parametrize(
    ("rule", "frames", "expected"),
    [
        ("uniform", 240, [0, 34, 68, 102, 136, 170, 204, 239]),
        ("uniform", 5, [0, 0, 1, 1, 2, 2, 3, 4]),
        ("segment_starts", 240, [0, 30, 60, 90, 120, 150, 180, 210]),
        ("segment_starts", 5, [0, 0, 1, 1, 2, 3, 3, 4]),
        ("segment_centres", 300, [19, 56, 93, 131, 168, 206, 243, 280]),
    ],
)
def test_the_published_indices_hold(rule, frames, expected):
    assert plan(FrameRequest(rule, 8), constant(frames)).tolist() == expected


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        (300, [0, 30, 60, 90, 120, 150, 180, 210]),
        (240, [0, 30, 60, 90, 120, 150, 180, 210]),
        (150, [0, 21, 42, 63, 85, 106, 127, 149]),
    ],
)
def test_the_first_eight_seconds_are_taken_once_a_second(frames, expected):
    request = FrameRequest("first_seconds", 8, seconds=8)
    assert plan(request, constant(frames)).tolist() == expected


@given(counts, wanted)
def test_uniform_is_a_truncated_linspace_at_a_constant_rate(frames, count):
    ideal = np.array([k * (frames - 1) // max(count - 1, 1) for k in range(count)])
    ideal = np.zeros(1) if count == 1 else ideal
    assert np.array_equal(plan(FrameRequest("uniform", count), constant(frames, 29.97)), ideal)


@pytest.mark.parametrize("fps", ROUNDED_TO_MS)
@pytest.mark.parametrize("rule", ["uniform", "segment_starts", "segment_centres", "random"])
def test_times_rounded_to_milliseconds_give_the_same_frames(rule, fps):
    times = constant(241, fps)
    request = FrameRequest(rule, 9)
    assert np.array_equal(plan(request, times.round(3)), plan(request, times))


@pytest.mark.parametrize("fps", ROUNDED_TO_MS)
@pytest.mark.parametrize("frames", [239, 240, 241, 300, 311, 600])
def test_rounding_does_not_move_the_end_of_a_window(fps, frames):
    request = FrameRequest("first_seconds", 8, seconds=8)
    times = constant(frames, fps)
    assert np.array_equal(plan(request, times.round(3)), plan(request, times))


@given(whole_video, counts, wanted, st.sampled_from([0.0, 0.3, 1000.0]))
def test_indices_are_sorted_in_range_and_as_many_as_asked(rule, frames, count, start):
    indices = plan(FrameRequest(rule, count), constant(frames, 25.0, start))
    assert indices.dtype == np.int64
    assert len(indices) == count
    assert 0 <= indices[0] <= indices[-1] < frames
    assert np.all(np.diff(indices) >= 0)


@given(whole_video, counts, wanted)
def test_a_frame_comes_twice_only_if_there_are_too_few(rule, frames, count):
    indices = plan(FrameRequest(rule, count), constant(frames))
    if frames >= count:
        assert len(set(indices.tolist())) == count


@given(whole_video, st.lists(st.integers(1, 500), min_size=1, max_size=60), wanted)
def test_uneven_times_give_sorted_indices_in_range(rule, steps, count):
    times = np.cumsum(steps) / 1000
    indices = plan(FrameRequest(rule, count), times)
    assert len(indices) == count
    assert np.all(np.diff(indices) >= 0)
    assert 0 <= indices[0] <= indices[-1] < len(times)


@given(
    whole_video,
    st.lists(st.integers(1, 500), min_size=1, max_size=60),
    wanted,
    st.sampled_from([0.25, 2.0, 1024.0]),
)
def test_slower_time_leaves_the_indices_alone(rule, steps, count, factor):
    times = np.cumsum(steps) / 1000
    request = FrameRequest(rule, count)
    assert np.array_equal(plan(request, times * factor), plan(request, times))


def test_uneven_times_are_sampled_by_time():
    times = np.array([0.0, 1.0, 1.1, 1.2, 1.3, 2.0, 3.0, 4.0])
    assert plan(FrameRequest("uniform", 5), times).tolist() == [0, 1, 5, 6, 7]


def test_a_picture_that_stands_still_is_taken_as_often_as_it_is_seen():
    times = np.array([0.0, 0.1, 0.2, 0.3, 10.0])
    assert plan(FrameRequest("uniform", 5), times).tolist() == [0, 3, 3, 3, 4]


def test_seconds_restrict_any_rule_to_the_beginning():
    times = constant(300)
    for rule in ("uniform", "segment_starts", "segment_centres", "dense", "random"):
        assert plan(FrameRequest(rule, 8, seconds=2), times)[-1] < 60
    assert plan(FrameRequest("uniform", 3, seconds=2), times).tolist() == [0, 29, 59]


def test_a_window_shorter_than_a_frame_is_one_frame():
    for rule in ("uniform", "segment_starts", "segment_centres", "dense", "random"):
        assert plan(FrameRequest(rule, 3, seconds=0.01), constant(50)).tolist() == [0, 0, 0]


def test_fps_takes_a_frame_at_every_multiple():
    assert plan(FrameRequest("fps", 100, fps=2), constant(90)).tolist() == [0, 15, 30, 45, 60, 75]
    assert plan(FrameRequest("fps", 100, fps=1), constant(91)).tolist() == [0, 30, 60, 90]


def test_fps_thins_out_a_long_video_instead_of_cutting_it_off():
    assert plan(FrameRequest("fps", 4, fps=2), constant(300)).tolist() == [0, 75, 150, 225]


def test_dense_is_a_clip_in_the_middle():
    assert plan(FrameRequest("dense", 4), constant(10)).tolist() == [3, 4, 5, 6]
    assert plan(FrameRequest("dense", 4, fps=10), constant(28)).tolist() == [9, 12, 15, 18]


def test_dense_spreads_over_a_video_that_is_too_short():
    assert plan(FrameRequest("dense", 4, fps=1), constant(31)).tolist() == [0, 10, 20, 30]


def test_random_is_reproducible_and_moves_with_the_seed():
    times = constant(300)
    chosen = [plan(FrameRequest("random", 8, seed=seed), times).tolist() for seed in (1, 1, 2)]
    assert chosen[0] == chosen[1] != chosen[2]


@given(st.integers(1, 300), wanted, st.integers(0, 50))
def test_random_takes_one_frame_of_each_part(frames, count, seed):
    chosen = plan(FrameRequest("random", count, seed=seed), constant(frames))
    starts = plan(FrameRequest("segment_starts", count), constant(frames))
    assert np.all(chosen >= starts)
    assert np.all(chosen[:-1] <= starts[1:])


@pytest.mark.parametrize(
    "rule", ["uniform", "segment_starts", "segment_centres", "dense", "random"]
)
def test_one_frame_is_repeated(rule):
    assert plan(FrameRequest(rule, 3, fps=5), np.array([7.0])).tolist() == [0, 0, 0]


@pytest.mark.parametrize("times", [[], [1.0, 0.0]])
def test_times_that_are_none_or_unsorted_are_refused(times):
    with pytest.raises(ValueError, match="must be sorted and at least one"):
        plan(FrameRequest("uniform", 3), np.array(times))


def test_a_request_names_the_number_that_is_wrong():
    with pytest.raises(UsageError, match=r"frame request: frames is 0, but must be a positive"):
        FrameRequest("uniform", 0)
    with pytest.raises(UsageError, match=r"audio request: seconds is -1, but must be a positive"):
        AudioRequest(16000, seconds=-1)


def test_a_rule_names_the_field_that_it_lacks():
    with pytest.raises(UsageError, match=r"'first_seconds' needs 'seconds'"):
        FrameRequest("first_seconds", 8)
    with pytest.raises(UsageError, match=r"'fps' needs 'fps'"):
        FrameRequest("fps", 8)


def test_the_recipe_is_every_field():
    recipe = FrameRequest("uniform", 8, side=160).recipe()
    assert recipe == {
        "rule": "uniform",
        "frames": 8,
        "seconds": None,
        "fps": None,
        "seed": 0,
        "side": 160,
    }
