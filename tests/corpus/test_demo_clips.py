"""The demo's frames and sound: what the knobs say can be seen and heard."""

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from corpus.demo.film import write_clip
from corpus.demo.plan import ClipPlan, plan_clips
from corpus.demo.scenes import SCENES
from corpus.demo.shots import draw_clip
from corpus.demo.sound import play_clip

PLANS = plan_clips(60, seed=5, days=3)
CALM = next(plan for plan in PLANS if not plan.silent)


def clip(category: str = "travel", frames: int = 24, **knobs: float) -> ClipPlan:
    one_shot = CALM.knobs | {"cuts": -1.8257418583505538} | knobs
    return replace(CALM, category=category, frames=frames, rate=24, knobs=one_shot)


def pictures(plan: ClipPlan) -> np.ndarray:
    return np.stack(list(draw_clip(plan))).astype(np.int16)


def movement(video: np.ndarray) -> float:
    return float(np.abs(np.diff(video, axis=0)).mean())


def detail(video: np.ndarray) -> float:
    return float(np.diff(video, axis=2).astype(float).var())


def colourfulness(video: np.ndarray) -> float:
    return float((video.max(axis=-1) - video.min(axis=-1)).mean())


@pytest.mark.parametrize("category", SCENES)
@pytest.mark.parametrize(
    ("knob", "measure"),
    [
        ("motion", movement),
        ("brightness", np.mean),
        ("colour", colourfulness),
        ("sharpness", detail),
    ],
)
def test_a_picture_knob_can_be_seen_in_every_scene(category, knob, measure):
    low, high = (pictures(clip(category, **{knob: value})) for value in (-1.5, 1.5))
    assert measure(high) > 1.15 * measure(low)


@pytest.mark.parametrize("category", SCENES)
def test_a_cut_can_be_seen_in_every_scene(category):
    video = pictures(clip(category, frames=72, cuts=0.0, motion=-0.5))
    jumps = np.abs(np.diff(video, axis=0)).mean(axis=(1, 2, 3))
    assert (jumps > 3 * np.median(jumps)).sum() == 2


@pytest.mark.parametrize("category", SCENES)
def test_frames_are_vertical_and_the_same_for_the_same_seed(category):
    first, again = (list(draw_clip(clip(category, 3))) for _ in range(2))
    assert first[0].shape == (320, 180, 3)
    assert first[0].dtype == np.uint8
    np.testing.assert_array_equal(first, again)


def test_two_clips_of_a_category_look_different():
    one, other = (next(draw_clip(replace(clip(), seed=(5, seed)))) for seed in (1, 2))
    assert np.abs(one.astype(int) - other).mean() > 3


@pytest.mark.parametrize("category", SCENES)
def test_loudness_is_the_level_of_the_sound_in_every_scene(category):
    quiet, loud = (play_clip(clip(category, 72, loudness=value)) for value in (-1.7, 1.0))
    levels = [20 * np.log10(np.sqrt(np.mean(sound**2))) for sound in (quiet, loud)]
    assert levels == pytest.approx([-30.8, -18.4], abs=1.0)


@pytest.mark.parametrize("category", SCENES)
def test_timbre_moves_the_centre_of_the_spectrum_in_every_scene(category):
    centres = []
    for value in (-1.5, 1.5):
        power = np.abs(np.fft.rfft(play_clip(clip(category, 72, timbre=value)))) ** 2
        centres.append((power * np.arange(len(power))).sum() / power.sum())
    assert centres[1] > 1.3 * centres[0]


def test_sound_lasts_as_long_as_the_frames_and_repeats_with_its_seed():
    sound, again = (play_clip(clip(frames=48)) for _ in range(2))
    assert sound.shape == (2 * 44_100,)
    assert sound.dtype == np.float32
    assert np.abs(sound).max() <= 1
    np.testing.assert_array_equal(sound, again)


def test_a_clip_on_disk_has_the_streams_it_should(tmp_path: Path):
    write_clip(clip(frames=48), tmp_path / "a.mp4", tmp_path / "a.jpg")
    with av.open(str(tmp_path / "a.mp4")) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
        assert (video.width, video.height, video.average_rate) == (180, 320, 24)
        assert sum(1 for _ in container.decode(video)) == 48
    with Image.open(tmp_path / "a.jpg") as cover:
        assert cover.size == (180, 320)


def test_decoded_frames_are_those_that_were_drawn(tmp_path: Path):
    plan = clip("gaming", 12)
    write_clip(plan, tmp_path / "a.mp4", tmp_path / "a.jpg")
    with av.open(str(tmp_path / "a.mp4")) as container:
        decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert np.abs(np.stack(decoded).astype(np.int16) - pictures(plan)).mean() < 8


def test_a_silent_clip_has_no_sound_track(tmp_path: Path):
    silent = replace(next(plan for plan in PLANS if plan.silent), frames=5)
    write_clip(silent, tmp_path / "a.mp4", tmp_path / "a.jpg")
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video"]


@pytest.mark.parametrize("category", SCENES)
def test_the_tempo_can_be_heard_in_every_scene(category):
    plan = clip(category, 144, tempo=1.0, timbre=0.5)
    sound = play_clip(plan)
    level = np.log(1e-4 + sound[: len(sound) // 441 * 441].reshape(-1, 441).std(axis=1))  # 100 Hz
    onsets = np.maximum(np.diff(level), 0) - np.maximum(np.diff(level), 0).mean()
    likeness = np.correlate(onsets, onsets, "full")[len(onsets) - 1 :]
    lags = np.arange(38, 80)  # 75 to 158 beats a minute
    beats = 6000 / lags[np.argmax(likeness[lags])]
    assert beats == pytest.approx(110 * 1.18, rel=0.05)
