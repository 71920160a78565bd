"""The first seconds of sound: counted from the first frame, whatever else is read."""

from fractions import Fraction

import av
import numpy as np
import pytest

from core.status import Gap
from media.decode import read_media
from media.request import AudioRequest, FrameRequest
from tests.media.painted import paint, picture, tone

RATE = 16_000
WHOLE = AudioRequest(RATE)
FIVE = FrameRequest("uniform", 5)


def first(seconds):
    return AudioRequest(RATE, seconds=seconds)


def write_late(path, late_s, seconds=2.0):
    """Write 4 s of picture and `seconds` of a tone that begins `late_s` after it."""
    start = max(0.0, -late_s)  # of the picture
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        voice = container.add_stream("pcm_s16le", rate=48000, layout="mono")
        for k in range(100):
            frame = av.VideoFrame.from_ndarray(picture(2 * k, (96, 64)), format="rgb24")
            frame.pts, frame.time_base = k + round(start * 25), Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        samples = (tone(seconds) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.time_base = 48000, Fraction(1, 48000)
        frame.pts = round((start + late_s) * 48000)
        container.mux(voice.encode(frame))
        container.mux(voice.encode(None))
    return path


def lengths_s(path, *requests, **options):
    found = read_media(path, [], list(requests), **options).sound
    return [
        found[r] if isinstance(found[r], Gap) else len(found[r].samples) / RATE for r in requests
    ]


@pytest.mark.parametrize("suffix", ["mkv", "mov"])
@pytest.mark.parametrize(("late_s", "expected"), [(0.0, 1.0), (0.4, 0.6), (-0.4, 1.0)])
def test_a_late_sound_has_less_of_the_opening_and_an_early_one_no_more(
    tmp_path, suffix, late_s, expected
):
    path = write_late(tmp_path / f"clip.{suffix}", late_s)
    assert lengths_s(path, first(1), WHOLE) == pytest.approx([expected, 2.0], abs=2e-3)


@pytest.mark.parametrize("decoder", ["pyav", "decord"])
def test_a_sound_that_begins_after_the_opening_is_absent_from_it(tmp_path, decoder):
    path = write_late(tmp_path / "clip.mkv", 1.5)
    opening, whole = lengths_s(path, first(1), WHOLE, decoder=decoder)
    assert opening.cause == "too-short"
    assert opening.reason == "the sound begins 1.50 s after the picture, not in its first 1 s"
    assert whole == pytest.approx(2.0, abs=2e-3)


def test_a_file_without_a_picture_counts_from_its_first_sample(tmp_path):
    path = tmp_path / "voice.wav"
    with av.open(str(path), "w") as container:
        voice = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.ones((1, RATE), np.int16), "s16", "mono")
        frame.sample_rate = RATE
        container.mux(voice.encode(frame))
        container.mux(voice.encode(None))
    assert lengths_s(path, first(0.25), first(3)) == [0.25, 1.0]


def test_the_opening_is_the_beginning_of_the_whole_bit_for_bit(tmp_path):
    path = paint(tmp_path / "clip.mp4", sound=tone(2.0))
    together = read_media(path, [], [WHOLE, first(1), first(0.3)]).sound
    for request in (first(1), first(0.3)):
        alone = read_media(path, [], [request]).sound[request].samples
        assert np.array_equal(alone, together[request].samples)
        assert np.array_equal(alone, together[WHOLE].samples[: len(alone)])


@pytest.mark.parametrize("others", [[], [WHOLE], [WHOLE, first(2)]])
def test_damage_after_the_opening_spares_it_whatever_else_is_asked_for(tmp_path, others):
    path = _damage_sound(paint(tmp_path / "clip.mp4", [50] * 50, sound=tone(2.0)))
    found = read_media(path, [FIVE], [first(0.5), *others]).sound
    assert len(found[first(0.5)].samples) == RATE // 2
    assert all(found[request].cause == "corrupt" for request in others)


def _damage_sound(path):
    """Overwrite the packets of sound of the second half."""
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
    for packet in packets[len(packets) // 2 :]:
        content[packet.pos : packet.pos + packet.size] = b"\xff" * packet.size
    path.write_bytes(content)
    return path
