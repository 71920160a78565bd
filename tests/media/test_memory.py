"""What large files and large pictures cost: little memory, or a gap that says so."""

import os
import pickle
import struct

import av
import numpy as np
import pytest

from core.status import Gap
from extract.pool import Limits, run_tasks
from media.decode import read_media
from media.packets import demux
from media.pictures import read_frames
from media.request import AudioRequest, FrameRequest, Sound
from tests.media.painted import paint, tone

FIVE = FrameRequest("uniform", 5)
SMALL = FrameRequest("uniform", 2, side=64)
VOICE = AudioRequest(16000)
MANY, DENSE = FrameRequest("uniform", 40), FrameRequest("dense", 60)


class Read:
    """Says in a worker process what became of a file's pictures and sound."""

    def __call__(self, path):
        decoded = read_media(path, [SMALL], [VOICE])
        return decoded.frames[SMALL], decoded.sound[VOICE]


class Thinned:
    """Says in a worker process what became of each request; pictures of which it keeps little."""

    def __call__(self, task):
        path, requests = task
        found = read_media(path, requests, []).frames
        return [
            each if isinstance(each, Gap) else each.each(lambda picture: picture[::90, ::90])
            for each in map(found.get, requests)
        ]


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    return paint(tmp_path_factory.mktemp("large") / "x.mp4", range(20, 140, 2), size=(1280, 720))


def thinned(path, requests, memory_bytes):
    limits = Limits(memory_bytes=memory_bytes)
    ((_, found),) = run_tasks(Thinned(), [(path, requests)], workers=1, limits=limits)
    return found


@pytest.fixture
def clip(tmp_path):
    return paint(tmp_path / "clip.mp4", b_frames=3, sound=tone(1))


def contents(packets):
    return [(packet.pts, packet.dts, bytes(packet)) for packet in packets]


@pytest.mark.parametrize("kept_bytes", [0, 1 << 20])
def test_packets_can_be_gone_through_again_kept_or_not(clip, kept_bytes):
    with av.open(str(clip)) as container:
        alone = [packet for packet in container.demux(0) if packet.size]
        container.seek(0)
        packets = demux(container, clip, *container.streams, kept_bytes=kept_bytes)
        assert contents(packets[0]) == contents(packets[0]) == contents(alone)
        assert isinstance(packets[1], list) == (kept_bytes > 0)


def test_frames_of_a_file_that_is_read_again_are_the_same(clip):
    kept = read_media(clip, [FIVE], []).frames[FIVE]
    with av.open(str(clip)) as container:
        video = container.streams.video[0]
        again = read_frames(video, demux(container, clip, video, kept_bytes=0)[0], [FIVE])[FIVE]
    assert np.array_equal(again.pixels, kept.pixels)
    assert np.array_equal(again.times_s, kept.times_s)


def test_a_file_that_went_away_meanwhile_has_no_packets(clip):
    with av.open(str(clip)) as container:
        packets = demux(container, clip, container.streams[0], kept_bytes=0)
        clip.unlink()
        assert contents(packets[0]) == []


def test_pictures_beyond_the_memory_limit_cost_the_video_and_not_the_sound(tmp_path):
    path = paint(tmp_path / "huge.mp4", [90], size=(8192, 6144), sound=tone(1))
    limits = Limits(memory_bytes=200 << 20)  # a third of it is Python and libav
    ((_, (frames, sound)),) = run_tasks(Read(), [path], workers=1, limits=limits)
    assert frames.cause == "memory"
    assert frames.reason.endswith("--memory-limit gives it more")
    assert isinstance(sound, Sound)


def test_pictures_of_full_size_are_never_all_in_memory(large):
    many, dense = thinned(large, [MANY, DENSE], 240 << 20)  # as RGB they would take 264 MiB
    assert many.shape == (40, 8, 15, 3)
    whole = read_media(large, [DENSE], []).frames[DENSE].pixels
    assert np.array_equal(dense, whole[:, ::90, ::90])


def test_what_does_not_fit_the_memory_costs_the_largest_request_alone(large):
    dense, five, small = thinned(large, [DENSE, FIVE, SMALL], 150 << 20)
    assert dense.cause == "memory"
    assert (five.shape, small.shape) == ((5, 8, 15, 3), (2, 1, 2, 3))


def test_pictures_that_are_made_late_can_be_sent(clip):
    frames = read_media(clip, [FIVE], []).frames[FIVE]
    sent = pickle.loads(pickle.dumps(frames))
    assert np.array_equal(sent.pixels, frames.pixels)


def test_packets_beyond_the_memory_limit_are_no_damage(tmp_path):
    path, size = tmp_path / "silence.wav", 200 << 20
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 16000, 32000, 2, 16)
    riff = struct.pack("<4sI4s", b"RIFF", size - 8, b"WAVE")
    path.write_bytes(riff + form + struct.pack("<4sI", b"data", size - 44))
    os.truncate(path, size)  # takes no room on the disk
    limits = Limits(memory_bytes=250 << 20)
    ((_, gap),) = run_tasks(Read(), [path], workers=1, limits=limits)
    assert (gap.cause, gap.reason) == ("memory", "more than 0.2 GiB were needed")
