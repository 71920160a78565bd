"""What a media file says of itself: container, streams, size, length; nothing is decoded."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from core.status import Gap, failed

# What av raises for bad files: its own errors, and ValueError or OSError where it checks something.
# One of its own errors is a MemoryError as well, and that is no fault of the file.
FOREIGN_ERRORS = (av.FFmpegError, OSError, ValueError)

# Demuxers that read other files than the one they are given, or draw text as pictures.
_NO_MEDIA = {"concat", "dash", "hls", "image2", "imf", "tty"}
_ROTATION = re.compile(r"display ?matrix: rotation of (\S+) degrees", re.IGNORECASE)
_INDEX_BYTES = 64  # in memory, for each byte of a file; the index of a sound file takes 24
_STREAM = re.compile(r"^\s*Stream #\d+:(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Probe:
    """What a file says of itself; what it does not say is None.

    container    libav's name of the format, such as "mov,mp4,m4a,3gp,3g2,mj2"
    has_video    there is a video stream; the cover picture of a song is none
    width        of the upright picture, as `height`; pixels that are not square stay so
    rotation     degrees counter-clockwise that bring the stored picture upright: 0, 90, 180 or 270
    frame_rate   frames per second on average
    """

    container: str
    duration_s: float | None
    size_bytes: int
    has_video: bool
    has_audio: bool
    video_codec: str | None = None
    width: int | None = None
    height: int | None = None
    rotation: int = 0
    frame_rate: float | None = None
    audio_codec: str | None = None
    audio_rate_hz: int | None = None
    channels: int | None = None


def probe(path: Path) -> Probe | Gap:
    """Return what a file says of itself, or why it cannot be opened; a bad file never raises."""
    container = open_media(path)
    if isinstance(container, Gap):
        return container
    with container:
        return describe(container, path)


def open_media(path: Path) -> InputContainer | Gap:
    """Open a file for reading, to be closed by the caller; a gap says why it could not be opened.

    Only local files are read, whatever a playlist in the file may name.
    """
    try:
        size_bytes = path.stat().st_size
    except OSError as error:
        return failed("missing", f"{path.name}: {error.strerror or error}")
    if not path.is_file():
        return failed("missing", f"{path.name} is not a file")
    if size_bytes == 0:
        return failed("empty")
    try:
        # With "file:" a name such as "concat:a.mp4" is a name, not a protocol.
        container = av.open(
            f"file:{path.absolute()}",
            options={"protocol_whitelist": "file"},
            metadata_errors="replace",
        )
    except MemoryError:
        if has_room(_INDEX_BYTES * size_bytes):
            return failed("unreadable", "its index asks for more memory than it could ever fill")
        return failed("memory", "libav got no memory to open it; --memory-limit gives it more")
    except FOREIGN_ERRORS as error:
        return failed("unreadable", f"libav cannot open it: {reason(error)}")
    if set(container.format.name.split(",")) & _NO_MEDIA:
        container.close()
        return failed("unreadable", f"it is no media file but {container.format.name!r}")
    return container


def has_room(size_bytes: int) -> bool:
    """Say whether there is memory for so many bytes; none is used."""
    try:
        np.empty(size_bytes, np.uint8)
    except MemoryError:
        return False
    return True


def reason(error: BaseException) -> str:
    """Return an error of a media library as one line, without the path of the file."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(text.split())[:200]


def video_stream(container: InputContainer) -> VideoStream | None:
    """Return the stream that the picture is read from: the best that is no attached picture."""
    best = container.streams.best("video")
    streams = [best, *container.streams.video]
    moving = [
        stream
        for stream in streams
        if isinstance(stream, VideoStream) and not stream.disposition & Disposition.attached_pic
    ]
    return moving[0] if moving else None


def audio_stream(container: InputContainer) -> AudioStream | None:
    """Return the stream that the sound is read from, or None."""
    best = container.streams.best("audio")
    return best if isinstance(best, AudioStream) else None


def describe(container: InputContainer, path: Path) -> Probe:
    """Return what an open file says of itself."""
    video, audio = video_stream(container), audio_stream(container)
    duration_us = container.duration
    return Probe(
        container=container.format.name,
        duration_s=None if duration_us is None else duration_us / av.time_base,
        size_bytes=path.stat().st_size,
        has_video=video is not None,
        has_audio=audio is not None,
        **(_describe_video(container, video) if video else {}),
        **(_describe_audio(audio) if audio else {}),
    )


def _describe_video(container: InputContainer, stream: VideoStream) -> dict[str, Any]:
    codec = stream.codec_context
    if codec is None:
        return {}
    rotation = _rotation(container, stream.index)
    size = (codec.width or None, codec.height or None)
    width, height = size[::-1] if rotation in (90, 270) else size
    return {
        "video_codec": codec.name,
        "width": width,
        "height": height,
        "rotation": rotation,
        "frame_rate": float(stream.average_rate) if stream.average_rate else None,
    }


def _describe_audio(stream: AudioStream) -> dict[str, Any]:
    codec = stream.codec_context
    if codec is None:
        return {}
    return {
        "audio_codec": codec.name,
        "audio_rate_hz": codec.rate or None,
        "channels": codec.channels or None,
    }


def _rotation(container: InputContainer, index: int) -> int:
    """Read a stream's display matrix from libav's description: PyAV offers it on frames only."""
    level = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)  # below it the description is empty; nothing is printed
    try:
        text: str = cast(Any, container).dumps_format()
    finally:
        av.logging.set_level(level)
    parts = _STREAM.split(text)
    by_stream = dict(zip(parts[1::2], parts[2::2], strict=True))
    match = _ROTATION.search(by_stream.get(str(index), ""))
    return upright_turn(float(match[1])) if match else 0


def upright_turn(degrees: float) -> int:
    """Return 0, 90, 180 or 270 for an angle counter-clockwise; other angles are left alone: 0."""
    if not math.isfinite(degrees) or abs(degrees - 90 * round(degrees / 90)) > 1:
        return 0
    return round(degrees / 90) * 90 % 360
