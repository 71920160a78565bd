"""Frames of odd files against a calculation by hand, and against the values that it gave."""

from fractions import Fraction

import av
import numpy as np
import pytest
from av.stream import Disposition

from media.decode import read_media
from media.request import AudioRequest, FrameRequest
from tests.media.painted import LEVELS, levels_of, paint, tone

VOICE = AudioRequest(16000)
# times in seconds after the first frame, and mean red, green, blue of each picture
GOLDEN = {
    "derived__vfr.mp4": (
        [0, 1.865, 4.089, 5.955, 8.171, 10.302],
        [
            (119, 89, 82),
            (143, 110, 92),
            (149, 114, 92),
            (153, 118, 95),
            (154, 119, 92),
            (154, 118, 90),
        ],
    ),
    "moviepy__fire2.mp4": (
        [0, 0.5, 1.0999, 1.6798, 2.2798],
        [(116, 113, 124), (102, 98, 110), (90, 84, 87), (94, 86, 91), (94, 86, 91)],
    ),
    "mp4parse-rus__no_timescale.mp4": ([0, 1.992, 3.984, 6.0092], None),  # pictures are concealed
    "decord__video_90.mov": ([0, 0.0333, 0.0667], [(104, 94, 86), (105, 94, 86), (105, 94, 86)]),
    "decord__video_270.mov": (
        [0, 0.0333, 0.0667],
        [(134, 120, 110), (134, 120, 111), (134, 120, 111)],
    ),
}


def by_hand(path):
    """Demux, sort times, decode everything: seconds of all packets, and pictures by second.

    A frame that comes after a later one is too late to be shown. Pictures stand as the angle says.
    """
    pictures = {}
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1  # how damage is concealed depends on it
        packets = [packet for packet in container.demux(stream) if packet.size]
        first, tick_s = min(p.pts for p in packets), float(stream.time_base)
        for packet in [*packets, None]:
            for frame in decoded(stream, packet):
                seconds = (frame.pts - first) * tick_s
                if not pictures or seconds > max(pictures):
                    turns = {90: 1, -90: 3, 180: 2, -180: 2}.get(frame.rotation, 0)
                    pictures[seconds] = np.rot90(frame.to_ndarray(format="rgb24"), turns)
    return sorted((p.pts - first) * tick_s for p in packets), pictures


def decoded(stream, packet):
    try:
        return stream.decode(packet)
    except av.FFmpegError:
        return []


@pytest.mark.real
@pytest.mark.parametrize("name", GOLDEN)
def test_frames_are_those_on_screen_at_equal_distances(real_data, name):
    path = real_data / "odd" / name
    expected_s, _ = GOLDEN[name]
    request = FrameRequest("uniform", len(expected_s))
    found = read_media(path, [request], []).frames[request]
    times_s, pictures = by_hand(path)
    moments = np.linspace(0, times_s[-1], len(expected_s)) + 1e-9
    on_screen = [max(s for s in times_s if s <= moment) for moment in moments]
    assert np.allclose(found.times_s, on_screen, atol=1e-9)
    assert np.allclose(found.times_s, expected_s, atol=1e-4)
    for seconds, pixels in zip(found.times_s, found.pixels, strict=True):
        assert np.array_equal(pixels, pictures[max(s for s in pictures if s <= seconds + 1e-9)])


@pytest.mark.real
@pytest.mark.parametrize("decoder", ["pyav", "decord"])
@pytest.mark.parametrize("name", [name for name, (_, colours) in GOLDEN.items() if colours])
def test_pictures_keep_their_colours(real_data, name, decoder):
    times_s, colours = GOLDEN[name]
    request = FrameRequest("uniform", len(times_s))
    found = read_media(real_data / "odd" / name, [request], [], decoder=decoder).frames[request]
    assert np.allclose(found.times_s, times_s, atol=1e-3)
    assert np.abs(found.pixels.mean((1, 2)) - colours).max() < 1


@pytest.mark.real
def test_a_song_with_a_cover_has_no_video_and_all_of_its_sound(real_data):
    path, request = real_data / "odd" / "moviepy__with-attached-pic.mp3", AudioRequest(44100)
    with av.open(str(path)) as container:
        parts = [frame.to_ndarray() for frame in container.decode(audio=0)]
    by_hand = np.concatenate(parts, axis=1)
    found = read_media(path, [FrameRequest("uniform", 2)], [request])
    assert [gap.cause for gap in found.frames.values()] == ["no-video"]
    assert by_hand.shape == (2, 44399)
    assert np.allclose(found.sound[request].samples, by_hand.mean(0), atol=1e-6)


def remux(path, sources, *, late_s=0.0, chosen=0):
    """Copy the first stream of each source into one file; the first begins late, one is default."""
    with av.open(str(path), "w") as target:
        opened = [av.open(str(source)) for source in sources]
        streams = [target.add_stream_from_template(c.streams[0]) for c in opened]
        for number, stream in enumerate(streams):
            stream.disposition = Disposition(Disposition.default if number == chosen else 0)
        for number, (container, stream) in enumerate(zip(opened, streams, strict=True)):
            for packet in container.demux(container.streams[0]):
                if packet.size:
                    late = round(late_s / packet.time_base) if number == 0 else 0
                    packet.pts, packet.dts = packet.pts + late, packet.dts + late
                    packet.stream = stream
                    target.mux(packet)
            container.close()
    return path


def write_tone(path, hz):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        samples = (tone(1.5, hz=hz)[:, ::3] * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 16000, 0, Fraction(1, 16000)
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return path


def loudest_hz(samples):
    return float(np.abs(np.fft.rfft(samples)).argmax()) * 16000 / len(samples)


@pytest.mark.parametrize("decoder", ["pyav", "decord"])
@pytest.mark.parametrize("suffix", ["mkv", "mov"])
def test_a_picture_that_begins_late_counts_from_its_own_first_frame(tmp_path, decoder, suffix):
    request = FrameRequest("uniform", 5)
    sources = [paint(tmp_path / "a.mp4", b_frames=2), write_tone(tmp_path / "a.wav", 440)]
    path = remux(tmp_path / f"late.{suffix}", sources, late_s=0.6)
    found = read_media(path, [request], [VOICE], decoder=decoder)
    assert np.allclose(found.frames[request].times_s, [0, 0.24, 0.48, 0.72, 0.96], atol=2e-3)
    expected = [LEVELS[k] for k in (0, 6, 12, 18, 24)]
    assert np.allclose(levels_of(found.frames[request].pixels), expected, atol=2)
    assert len(found.sound[VOICE].samples) == 24000


@pytest.mark.parametrize("chosen", [0, 1])
def test_of_several_streams_the_default_ones_are_read(tmp_path, chosen):
    request = FrameRequest("uniform", 2)
    films = [paint(tmp_path / f"{n}.mp4", [level] * 25) for n, level in enumerate((60, 180))]
    tones = [write_tone(tmp_path / f"{n}.wav", hz) for n, hz in enumerate((400, 1000))]
    path = remux(tmp_path / "films.mkv", films, chosen=chosen)
    frames = read_media(path, [request], [VOICE]).frames[request]
    assert np.allclose(levels_of(frames.pixels), (60, 180)[chosen], atol=2)
    song = remux(tmp_path / "tones.mka", tones, chosen=chosen)
    sound = read_media(song, [], [VOICE]).sound[VOICE]
    assert loudest_hz(sound.samples) == pytest.approx((400, 1000)[chosen], abs=1)
