"""What comes out of a file: the right frames, the right way up, and the sound."""

import subprocess
import sys

import numpy as np
import pytest

from core.errors import UnknownName
from core.status import Gap
from media.decode import read_media
from media.pictures import reduced
from media.request import AudioRequest, FrameRequest
from media.sampling import plan
from tests.media.painted import LEVELS, levels_of, paint, tone

FIVE = FrameRequest("uniform", 5)
SMALL = FrameRequest("uniform", 5, side=24)
VOICE = AudioRequest(16000)
UNEVEN_MS = [0, 10, 30, 200, 210, 500, 1000, 1010, 1020, 2000]
DECODERS = ["pyav", "decord"]


def read(path, request=FIVE, decoder="pyav"):
    return read_media(path, [request], [], decoder=decoder).frames[request]


def near(levels, expected):
    return len(levels) == len(expected) and np.abs(np.subtract(levels, expected)).max() <= 2


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("b_frames", [0, 3])
def test_the_frames_asked_for_come_in_order(tmp_path, decoder, b_frames):
    path = paint(tmp_path / "clip.mp4", b_frames=b_frames)
    frames = read(path, decoder=decoder)
    assert near(levels_of(frames.pixels), [LEVELS[k] for k in (0, 6, 12, 18, 24)])
    assert np.allclose(frames.times_s, [0, 0.24, 0.48, 0.72, 0.96], atol=1e-6)
    assert frames.duration_s == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("decoder", DECODERS)
def test_ten_frames_with_b_frames_all_come(tmp_path, decoder):
    path = paint(tmp_path / "clip.mp4", LEVELS[:10], b_frames=3)
    frames = read(path, FrameRequest("uniform", 10), decoder)
    assert near(levels_of(frames.pixels), LEVELS[:10])


@pytest.mark.parametrize("decoder", DECODERS)
def test_uneven_times_are_sampled_by_time(tmp_path, decoder):
    path = paint(tmp_path / "clip.mp4", LEVELS[:10], times_ms=UNEVEN_MS, b_frames=2)
    frames = read(path, decoder=decoder)
    assert near(levels_of(frames.pixels), [LEVELS[k] for k in (0, 5, 6, 8, 9)])
    assert np.allclose(frames.times_s, [0, 0.5, 1.0, 1.02, 2.0], atol=1e-3)


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_rotated_video_is_turned_upright(tmp_path, decoder, rotation):
    flat = read(paint(tmp_path / "flat.mp4"), decoder=decoder).pixels
    path = paint(tmp_path / "turned.mp4", rotation=rotation)
    turned = read(path, decoder=decoder).pixels
    assert np.array_equal(turned, np.rot90(flat, rotation // 90, axes=(1, 2)))


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize(("size", "small"), [((96, 64), (36, 24)), ((64, 96), (24, 36))])
def test_the_shorter_side_is_reduced(tmp_path, decoder, size, small):
    frames = read(paint(tmp_path / "clip.mp4", size=size), SMALL, decoder)
    assert frames.pixels.shape == (5, small[1], small[0], 3)
    assert near(levels_of(frames.pixels), [LEVELS[k] for k in (0, 6, 12, 18, 24)])
    assert frames.pixels[0, :8, :8].min() > 250


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_small_video_is_not_enlarged(tmp_path, decoder):
    frames = read(paint(tmp_path / "clip.mp4", size=(30, 22)), SMALL, decoder)
    assert frames.pixels.shape == (5, 22, 30, 3)


def test_a_thin_picture_keeps_a_pixel():
    assert reduced(1000, 20, 160) == (1000, 20)
    assert reduced(4000, 4, 1) == (1000, 1)
    assert reduced(480, 852, 160) == (160, 284)


@pytest.mark.parametrize("decoder", DECODERS)
def test_one_frame_is_repeated(tmp_path, decoder):
    frames = read(paint(tmp_path / "clip.mp4", [100]), decoder=decoder)
    assert near(levels_of(frames.pixels), [100] * 5)


def test_requests_do_not_touch_each_other(tmp_path):
    path = paint(tmp_path / "clip.mp4", b_frames=3, sound=tone(1))
    requests = [FIVE, SMALL, FrameRequest("dense", 7), FrameRequest("random", 3, seconds=0.5)]
    together = read_media(path, requests, [VOICE, AudioRequest(8000)])
    for request in requests:
        assert np.array_equal(together.frames[request].pixels, read(path, request).pixels)
    alone = read_media(path, [], [VOICE]).sound[VOICE]
    assert np.array_equal(together.sound[VOICE].samples, alone.samples)


def test_frames_that_nobody_asked_for_change_no_picture(tmp_path):
    path = paint(tmp_path / "clip.mp4", b_frames=3)
    every = read(path, FrameRequest("uniform", 25))
    few = FrameRequest("uniform", 4)
    assert np.array_equal(read(path, few).pixels, every.pixels[plan(few, every.times_s)])


@pytest.mark.parametrize("channels", [1, 2])
def test_sound_is_mixed_to_one_channel_as_loud_as_it_was(tmp_path, channels):
    path = paint(tmp_path / "clip.mp4", sound=tone(1, channels))
    sound = read_media(path, [], [VOICE]).sound[VOICE]
    assert sound.samples.dtype == np.float32
    assert sound.samples.ndim == 1
    assert len(sound.samples) == pytest.approx(16000, abs=200)
    loudness = np.sqrt(np.mean(sound.samples[1000:-1000] ** 2))
    assert loudness == pytest.approx(0.5 / np.sqrt(2), abs=0.01)


def test_sound_keeps_its_pitch_at_any_rate(tmp_path):
    path = paint(tmp_path / "clip.mp4", sound=tone(1, hz=440))
    for rate_hz in (8000, 16000, 44100):
        request = AudioRequest(rate_hz, seconds=1)
        samples = read_media(path, [], [request]).sound[request].samples
        loudest = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))).argmax()
        assert loudest * rate_hz / len(samples) == pytest.approx(440, abs=2)


def test_seconds_cut_the_sound_and_change_nothing_else(tmp_path):
    path = paint(tmp_path / "clip.mp4", sound=tone(1))
    short = AudioRequest(16000, seconds=0.25)
    sound = read_media(path, [], [VOICE, short]).sound
    assert len(sound[short].samples) == 4000
    assert np.array_equal(sound[short].samples, sound[VOICE].samples[:4000])
    assert np.array_equal(read_media(path, [], [short]).sound[short].samples, sound[short].samples)


def test_a_silent_track_is_sound(tmp_path):
    path = paint(tmp_path / "clip.mp4", sound=np.zeros((1, 48000), np.float32))
    sound = read_media(path, [], [VOICE]).sound[VOICE]
    assert np.abs(sound.samples).max() < 1e-3


@pytest.mark.parametrize("name", ["-dash.mp4", "concat:a.mp4", "100%d.mp4", "ünï 🎬.mp4"])
def test_a_name_is_only_a_name(tmp_path, name):
    assert not isinstance(read(paint(tmp_path / "clip.mp4").rename(tmp_path / name)), Gap)


def test_the_time_that_reading_took_is_told(tmp_path):
    assert 0 < read_media(paint(tmp_path / "clip.mp4"), [FIVE], []).seconds < 60


def test_an_unknown_decoder_is_refused(tmp_path):
    with pytest.raises(UnknownName, match="decoder 'decodr' is unknown; did you mean 'decord'"):
        read_media(tmp_path / "clip.mp4", [FIVE], [], decoder="decodr")


def test_a_worker_that_decodes_stays_light():
    code = "import sys, media.decode, media.image; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"torch", "decord", "pandas", "sklearn"} & set(loaded.stdout.split())
