"""Half a download is no short video: an MP4's index tells what is not there."""

import av
import pytest

from core.status import Gap
from extract.pool import Limits, run_tasks
from media.decode import read_media
from media.request import AudioRequest, FrameRequest, Frames, Sound
from tests.media.painted import paint, tone

FIVE = FrameRequest("uniform", 5)
BEGINNING = FrameRequest("uniform", 2, seconds=0.2)
VOICE = AudioRequest(16000)
VOICE_AT_FIRST = AudioRequest(16000, seconds=0.2)
DECODERS = ["pyav", "decord"]


@pytest.fixture
def clip(tmp_path):
    """Return a video of 50 frames and its sound, with its index in front."""
    source = paint(tmp_path / "source.mp4", list(range(50, 150, 2)), sound=tone(2))
    path = tmp_path / "clip.mp4"
    with av.open(str(source)) as given, av.open(path, "w", options={"movflags": "faststart"}) as to:
        streams = [to.add_stream_from_template(stream) for stream in given.streams]
        for packet in given.demux():
            if packet.size:
                packet.stream = streams[packet.stream_index]
                to.mux(packet)
    return path


def cut(path, share):
    """Leave a share of what comes after the index."""
    content = path.read_bytes()
    media = content.index(b"mdat")
    path.write_bytes(content[: media + int(share * (len(content) - media))])
    return path


def change_index(path, box, place, number):
    """Write a number into one of the tables of an MP4's index, so many bytes after its name."""
    content = bytearray(path.read_bytes())
    start = content.index(box) + place
    content[start : start + 4] = number.to_bytes(4, "big")
    path.write_bytes(content)
    return path


class Read:
    """Says in a worker process what became of a file's pictures and sound."""

    def __call__(self, path):
        decoded = read_media(path, [FIVE], [VOICE])
        return decoded.frames[FIVE], decoded.sound[VOICE]


def read_in_little_memory(path):
    limits = Limits(memory_bytes=600 << 20)
    return next(run_tasks(Read(), [path], workers=1, limits=limits))[1]


@pytest.mark.parametrize("decoder", DECODERS)
def test_half_a_download_is_corrupt(clip, decoder):
    decoded = read_media(cut(clip, 0.5), [FIVE], [VOICE], decoder=decoder)
    frames, sound = decoded.frames[FIVE], decoded.sound[VOICE]
    assert (frames.cause, sound.cause) == ("corrupt", "corrupt")
    assert frames.reason.endswith("of 50 frames are in the file")
    assert sound.reason.endswith("of 95 sound packets decoded")


def test_the_beginning_of_half_a_download_is_there(clip):
    decoded = read_media(cut(clip, 0.5), [BEGINNING, FIVE], [VOICE_AT_FIRST])
    assert isinstance(decoded.frames[BEGINNING], Frames)
    assert isinstance(decoded.sound[VOICE_AT_FIRST], Sound)
    assert isinstance(decoded.frames[FIVE], Gap)


def test_a_few_frames_less_do_no_harm(clip):
    frames = read_media(cut(clip, 0.97), [FIVE], []).frames[FIVE]
    assert 1.8 <= frames.duration_s < 2


def test_a_packet_that_no_memory_could_hold_is_no_lack_of_memory(clip):
    size_of_the_tenth = 16 + 4 * 9
    frames, _ = read_in_little_memory(change_index(clip, b"stsz", size_of_the_tenth, 0x3FFFFFF0))
    assert frames.cause == "corrupt"
    assert frames.reason.endswith("of 50 frames are in the file")


def test_an_index_that_no_memory_could_hold_is_unreadable(clip):
    frames, sound = read_in_little_memory(change_index(clip, b"stts", 8, 0x10000000))
    assert frames.reason == "its index asks for more memory than it could ever fill"
    assert frames.cause == sound.cause == "unreadable"
