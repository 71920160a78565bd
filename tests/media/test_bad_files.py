"""Bad files give gaps with a cause and a sentence; they never raise and never print."""

import wave

import av
import numpy as np
import pytest

from core.status import Gap, Status
from media.decode import read_media
from media.probe import probe
from media.request import AudioRequest, FrameRequest, Sound
from tests.media.painted import LEVELS, damage, levels_of, paint, tone

FIVE = FrameRequest("uniform", 5)
FIRST = FrameRequest("uniform", 2, seconds=0.08)
VOICE = AudioRequest(16000)
DECODERS = ["pyav", "decord"]


def outcomes(path, decoder="pyav"):
    decoded = read_media(path, [FIVE], [VOICE], decoder=decoder)
    return decoded.frames[FIVE], decoded.sound[VOICE]


def write_wav(path, samples):
    with wave.open(str(path), "wb") as track:
        track.setparams((1, 2, 16000, len(samples), "NONE", ""))
        track.writeframes(samples.astype("<i2").tobytes())
    return path


def write_float_wav(path, samples):
    with av.open(str(path), "w", format="wav") as container:
        stream = container.add_stream("pcm_f32le", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_missing_file_is_failed(tmp_path, decoder):
    frames, sound = outcomes(tmp_path / "gone.mp4", decoder)
    assert (frames.status, frames.cause) == (Status.FAILED, "missing")
    assert frames.reason == "gone.mp4: No such file or directory"
    assert sound == frames


def test_a_folder_is_no_file(tmp_path):
    assert outcomes(tmp_path)[0].cause == "missing"


@pytest.mark.parametrize("decoder", DECODERS)
def test_an_empty_file_is_failed(tmp_path, decoder):
    path = tmp_path / "empty.mp4"
    path.touch()
    assert outcomes(path, decoder)[0].cause == "empty"


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("content", [b"just some text\n" * 50, b"\0" * 5000, b"\xff" * 5000])
def test_what_is_no_media_is_unreadable(tmp_path, decoder, content):
    path = tmp_path / "text.mp4"
    path.write_bytes(content)
    gap = outcomes(path, decoder)[0]
    assert (gap.status, gap.cause) == (Status.FAILED, "unreadable")
    assert str(tmp_path) not in gap.reason


def test_a_playlist_cannot_make_us_read_other_files(tmp_path):
    clip = paint(tmp_path / "clip.mp4")
    path = tmp_path / "list.mp4"
    path.write_text(f"ffconcat version 1.0\nfile {clip.name}\n")
    assert outcomes(path)[0].cause == "unreadable"


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_video_without_sound_lacks_only_the_sound(tmp_path, decoder):
    frames, sound = outcomes(paint(tmp_path / "clip.mp4"), decoder)
    assert len(frames.pixels) == 5
    assert (sound.status, sound.cause) == (Status.ABSENT, "no-audio")


@pytest.mark.parametrize("decoder", DECODERS)
def test_sound_without_a_video_lacks_only_the_video(tmp_path, decoder):
    path = write_wav(tmp_path / "voice.wav", np.zeros(16000))
    frames, sound = outcomes(path, decoder)
    assert (frames.status, frames.cause) == (Status.ABSENT, "no-video")
    assert len(sound.samples) == 16000


def test_a_file_that_breaks_off_before_its_index_is_unreadable(tmp_path):
    path = paint(tmp_path / "clip.mp4", sound=tone(1))
    path.write_bytes(path.read_bytes()[:5000])
    assert [gap.cause for gap in outcomes(path)] == ["unreadable", "unreadable"]


def test_a_file_that_breaks_off_gives_what_is_there(tmp_path):
    path = paint(tmp_path / "clip.mkv", list(range(20, 220)))
    whole = read_media(path, [FIVE], []).frames[FIVE]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    part = outcomes(path)[0]
    assert 0 < part.duration_s < 0.8 * whole.duration_s


def test_too_few_decodable_frames_are_counted(tmp_path):
    gap = outcomes(damage(paint(tmp_path / "clip.mp4"), 15))[0]
    assert (gap.status, gap.cause) == (Status.FAILED, "corrupt")
    assert gap.reason == "15 of 25 frames decoded"


def test_one_frame_that_cannot_be_decoded_is_replaced_by_the_one_before(tmp_path):
    frames = outcomes(damage(paint(tmp_path / "clip.mp4"), 24))[0]
    assert levels_of(frames.pixels)[-1] == pytest.approx(LEVELS[23], abs=2)


def test_damage_behind_the_last_frame_asked_for_does_no_harm(tmp_path):
    path = paint(tmp_path / "clip.mp4")
    before = read_media(path, [FIRST], []).frames[FIRST]
    after = read_media(damage(path, 5), [FIRST, FIVE], []).frames
    assert isinstance(after[FIVE], Gap)
    assert np.array_equal(after[FIRST].pixels, before.pixels)


def test_a_bad_video_leaves_the_sound_alone(tmp_path):
    frames, sound = outcomes(damage(paint(tmp_path / "clip.mp4", sound=tone(1))))
    assert frames.reason == "0 of 25 frames decoded"
    assert isinstance(sound, Sound)


def test_samples_that_are_no_numbers_are_corrupt(tmp_path):
    samples = np.zeros(16000, np.float32)
    samples[100:103] = [np.nan, np.inf, -np.inf]
    gap = outcomes(write_float_wav(tmp_path / "voice.wav", samples))[1]
    assert gap.cause == "corrupt"
    assert "sound samples are not finite" in gap.reason


@pytest.mark.parametrize("decoder", DECODERS)
def test_nothing_is_printed_about_a_bad_file(tmp_path, capfd, decoder):
    outcomes(damage(paint(tmp_path / "clip.mp4", sound=tone(1)), 5), decoder)
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")


@pytest.mark.parametrize("share", [0.2, 0.4, 0.6, 0.8, 0.95])
def test_a_file_cut_anywhere_is_decided(tmp_path, share):
    path = paint(tmp_path / "clip.mkv", sound=tone(1), b_frames=2)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    assert len(outcomes(path)) == 2
    assert probe(path) is not None


def test_a_probe_tells_what_the_file_says(tmp_path):
    path = paint(tmp_path / "clip.mp4", rotation=90, sound=tone(1, 2))
    found = probe(path)
    assert (found.width, found.height, found.rotation) == (64, 96, 90)
    assert (found.video_codec, found.audio_codec, found.channels) == ("h264", "aac", 2)
    assert (found.frame_rate, found.audio_rate_hz) == (25.0, 48000)
    assert found.duration_s == pytest.approx(1.0, abs=0.05)
    assert found.size_bytes == path.stat().st_size


def test_a_probe_of_sound_says_nothing_of_pictures(tmp_path):
    found = probe(write_wav(tmp_path / "voice.wav", np.zeros(16000)))
    assert (found.has_video, found.has_audio, found.width) == (False, True, None)


def test_a_probe_of_a_bad_file_is_a_gap(tmp_path):
    assert probe(tmp_path / "gone.mp4").cause == "missing"
