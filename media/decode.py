"""One file, opened and read through once: every frame and every sound that is asked of it.

Each stream counts time from its own beginning. In most files the two begin within some tens of
milliseconds of each other; a longer delay of one of them is not made up for. Only where the first
so many seconds are asked for is a late sound given less: what is heard by then.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from av.audio.stream import AudioStream
from av.packet import Packet
from av.video.stream import VideoStream

from core.errors import UnknownName
from core.status import Gap, absent, failed
from media.packets import demux
from media.pictures import read_frames
from media.probe import (
    FOREIGN_ERRORS,
    Probe,
    audio_stream,
    describe,
    open_media,
    reason,
    video_stream,
)
from media.request import DECODERS, AudioRequest, FrameRequest, Frames, Sound
from media.sound import read_sound
from media.timeline import broken_off, timeline


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """What was asked of one file; every request has its own outcome.

    probe      what the file says of itself, or why it could not be opened
    seconds    wall-clock time that reading took
    sound_s    how much of it the sound took, beside opening the file
    """

    frames: dict[FrameRequest, Frames | Gap]
    sound: dict[AudioRequest, Sound | Gap]
    probe: Probe | Gap
    seconds: float
    sound_s: float = 0.0


def read_media(
    path: Path,
    frames: Sequence[FrameRequest],
    audio: Sequence[AudioRequest],
    *,
    decoder: str = "pyav",
) -> Decoded:
    """Read all that is asked of a file in one pass; a bad file gives gaps, never an exception.

    If the pictures do not fit the memory, the request for the most of them is given up and the
    file is read again for the others.

    The compressed packets of both streams are held in memory meanwhile; short videos are a few
    MB, and a file of more than 256 MB is read three times instead. `decoder` reads the frames:
    "pyav", or "decord", which fails on more odd files; the sound is always read by PyAV.

    Raises:
        UnknownName: if there is no such decoder.
        MemoryError: if there is no memory for the packets.
    """
    if decoder not in DECODERS:
        raise UnknownName("decoder", decoder, DECODERS)
    decoded = _read_once(path, frames, audio, decoder)
    left = sorted(frames, key=lambda request: (request.side or math.inf, request.frames))
    while len(left) > 1 and all(_lacks_memory(decoded.frames[request]) for request in left):
        left.pop()
        again = _read_once(path, left, [], decoder)
        seconds = decoded.seconds + again.seconds
        decoded = replace(decoded, frames=decoded.frames | again.frames, seconds=seconds)
    return decoded


def _lacks_memory(outcome: Frames | Gap) -> bool:
    return isinstance(outcome, Gap) and outcome.cause == "memory"


def _read_once(
    path: Path, frames: Sequence[FrameRequest], audio: Sequence[AudioRequest], decoder: str
) -> Decoded:
    """Read in one pass; when this returns the decoder's own memory is free again."""
    start = time.perf_counter()
    container = open_media(path)
    if isinstance(container, Gap):
        gap = container
        return Decoded(dict.fromkeys(frames, gap), dict.fromkeys(audio, gap), gap, _since(start))
    with container:
        found = describe(container, path)
        video = video_stream(container) if frames else None
        sound = audio_stream(container) if audio else None
        if decoder == "decord" and video is not None:
            packets = demux(container, path, video, sound)
            pictures = _through_decord(path, video, packets[video.index], frames)
        else:
            packets = demux(container, path, video, sound)
            pictures = _pictures(video, packets, frames)
        late_s = _lateness_s(video_stream(container), sound)
        begun = time.perf_counter()
        sounds = _sounds(sound, packets, audio, late_s)
    return Decoded(pictures, sounds, found, _since(start), _since(begun))


def _since(start: float) -> float:
    return time.perf_counter() - start


def _pictures(
    stream: VideoStream | None,
    packets: Mapping[int, Iterable[Packet[Any]]],
    requests: Sequence[FrameRequest],
) -> dict[FrameRequest, Frames | Gap]:
    if stream is None:
        return dict.fromkeys(requests, absent("no-video"))
    if stream.codec_context is None:
        return dict.fromkeys(requests, failed("unreadable", "libav cannot decode such video"))
    try:
        return read_frames(stream, packets[stream.index], requests)
    except MemoryError as error:
        return dict.fromkeys(requests, _no_memory("the video", error))
    except FOREIGN_ERRORS as error:
        return dict.fromkeys(requests, failed("corrupt", f"the video: {reason(error)}"))


def _lateness_s(video: VideoStream | None, sound: AudioStream | None) -> float:
    """Return how long after the first frame the sound begins; 0 if before, or if it is not said."""
    starts = [
        float(stream.start_time * stream.time_base)
        for stream in (video, sound)
        if stream is not None and stream.start_time is not None and stream.time_base is not None
    ]
    return max(0.0, starts[1] - starts[0]) if len(starts) == 2 else 0.0


def _sounds(
    stream: AudioStream | None,
    packets: Mapping[int, Iterable[Packet[Any]]],
    requests: Sequence[AudioRequest],
    late_s: float,
) -> dict[AudioRequest, Sound | Gap]:
    if stream is None:
        return dict.fromkeys(requests, absent("no-audio"))
    if stream.codec_context is None:
        return dict.fromkeys(requests, failed("unreadable", "libav cannot decode such sound"))
    try:
        return read_sound(stream, packets[stream.index], requests, late_s=late_s)
    except MemoryError as error:
        return dict.fromkeys(requests, _no_memory("the sound", error))


def _through_decord(
    path: Path,
    stream: VideoStream,
    packets: Iterable[Packet[Any]],
    requests: Sequence[FrameRequest],
) -> dict[FrameRequest, Frames | Gap]:
    """Read by decord what is all there: it would take half a video for a whole one."""
    from media.decord_reader import read_frames_by_decord  # a second set of libav libraries

    times = timeline(stream, packets)
    found: dict[FrameRequest, Frames | Gap] = {
        request: gap for request in requests if times and (gap := broken_off(times, request))
    }
    rest = [request for request in requests if request not in found]
    try:
        return found | read_frames_by_decord(path, rest) if rest else found
    except MemoryError as error:
        return dict.fromkeys(requests, _no_memory("the video", error))


def _no_memory(what: str, error: MemoryError) -> Gap:
    return failed("memory", f"{what}: {reason(error)}; --memory-limit gives it more")
