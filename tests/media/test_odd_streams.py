"""Streams without times, with changing sizes, and the odd files of the real data."""

import csv

import numpy as np
import pytest

from core.status import Gap
from media.decode import read_media
from media.probe import probe
from media.request import AudioRequest, FrameRequest
from tests.media.painted import LEVELS, levels_of, paint

FIVE = FrameRequest("uniform", 5)
BEGINNING = FrameRequest("uniform", 3, seconds=0.5)
VOICE = AudioRequest(16000)
EXPECTED = [LEVELS[k] for k in (0, 6, 12, 18, 24)]


@pytest.mark.parametrize("suffix", ["avi", "h264", "ts", "mkv", "mov", "flv"])
@pytest.mark.parametrize("b_frames", [0, 3])
def test_any_container_gives_the_same_frames(tmp_path, suffix, b_frames):
    path = paint(tmp_path / f"clip.{suffix}", b_frames=b_frames)
    frames = read_media(path, [FIVE], []).frames[FIVE]
    assert np.allclose(levels_of(frames.pixels), EXPECTED, atol=2)
    assert np.allclose(frames.times_s, [0, 0.24, 0.48, 0.72, 0.96], atol=2e-3)


def test_a_picture_that_changes_its_size_keeps_the_first_size(tmp_path):
    parts = [paint(tmp_path / "a.h264"), paint(tmp_path / "b.h264", size=(64, 48))]
    path = tmp_path / "both.h264"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames = read_media(path, [FrameRequest("uniform", 50)], []).frames
    pixels = next(iter(frames.values())).pixels
    assert pixels.shape == (50, 64, 96, 3)
    assert np.allclose(levels_of(pixels), LEVELS * 2, atol=2)


@pytest.fixture(scope="session")
def odd(real_data):
    return real_data / "odd"


def real(test):
    return pytest.mark.real(test)


def rows(odd):
    with (odd / "manifest.csv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@real
@pytest.mark.parametrize("decoder", ["pyav", "decord"])
def test_every_odd_file_is_decided(odd, decoder):
    for row in rows(odd):
        decoded = read_media(odd / row["file"], [BEGINNING], [VOICE], decoder=decoder)
        frames, sound = decoded.frames[BEGINNING], decoded.sound[VOICE]
        assert isinstance(frames, Gap) or len(frames.pixels) == 3, row["file"]
        assert isinstance(sound, Gap) or np.isfinite(sound.samples).all(), row["file"]
        if row["av"] != "ok":
            assert frames.cause in {"unreadable", "empty"}, row["file"]


@real
@pytest.mark.parametrize("asked", [BEGINNING, pytest.param(FIVE, marks=pytest.mark.slow)])
def test_what_both_decoders_read_they_read_alike(odd, asked):
    found = []
    for row in rows(odd):
        path = odd / row["file"]
        ours, theirs = (
            read_media(path, [asked], [], decoder=name).frames[asked] for name in ("pyav", "decord")
        )
        if isinstance(ours, Gap) or isinstance(theirs, Gap):
            continue
        if not np.array_equal(ours.pixels, theirs.pixels):
            found.append(row["file"])
    assert found == ["torchcodec__h264_10bits.mp4", "torchcodec__h265_10bits.mp4"]


@real
@pytest.mark.parametrize("decoder", ["pyav", "decord"])
@pytest.mark.parametrize("angle", [90, 270])
def test_phone_videos_stand_upright(odd, decoder, angle):
    path = odd / f"decord__video_{angle}.mov"
    frames = read_media(path, [FIVE], [], decoder=decoder).frames[FIVE]
    assert frames.pixels.shape == (5, 568, 320, 3)
    assert (probe(path).width, probe(path).height) == (320, 568)


@real
def test_a_video_of_variable_rate_is_sampled_by_time(odd):
    request = FrameRequest("uniform", 11)
    frames = read_media(odd / "derived__vfr.mp4", [request], []).frames[request]
    moments = np.linspace(0, frames.times_s[-1], 11)
    assert np.all(frames.times_s <= moments + 1e-6)
    assert np.all(moments - frames.times_s < 0.3)


@real
@pytest.mark.parametrize(
    ("name", "video", "audio"),
    [
        ("moviepy__with-attached-pic.mp3", "no-video", None),
        ("moviepy__result.webm", "empty", "empty"),
        ("text_renamed.mp4", "unreadable", "unreadable"),
        ("mp4parse-rus__short-cenc.mp4", "corrupt", "corrupt"),
        ("torchcodec__sine_mono_s16.wav", "no-video", None),
        ("derived__pancake_bitflips.mkv", "corrupt", None),
        ("derived__pancake_first40pct.mkv", None, None),
        ("mp4parse-rus__bipbop_480wp_1001kbps-cenc-video-key1-init.mp4", "corrupt", "no-audio"),
    ],
)
def test_odd_files_have_their_causes(odd, name, video, audio):
    decoded = read_media(odd / name, [FIVE], [VOICE])
    assert getattr(decoded.frames[FIVE], "cause", None) == video
    assert getattr(decoded.sound[VOICE], "cause", None) == audio
