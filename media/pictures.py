"""Packets of a video -> the few pictures that are asked for, each at the size that is asked for.

Small pictures are made at once. Those of full size stay decoded frames, half of RGB's bytes and
shared by all who ask, until an encoder looks at them one by one: at 2160p 64 of them in RGB would
take 1.6 GB for each encoder.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream

from core.status import Gap, failed
from media.orientation import display_matrix, upright
from media.probe import FOREIGN_ERRORS
from media.request import FrameRequest, Frames, Pictures
from media.sampling import plan
from media.timeline import LEAST_THERE, Timeline, broken_off, timeline

_SPARING_CODECS = {"h264"}  # whose frames say for certain that no other refers to them
# Against area averaging of the full RGB picture these differ by 0.8 to 1.5 grey levels on average,
# plain AREA by 1.3 to 1.9: without the second flag chroma is halved once more if the width is even.
_REDUCING = Interpolation.AREA | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND

Plans = Mapping[FrameRequest, np.ndarray]  # which frames a request means, by index, in its order


def read_frames(
    stream: VideoStream, packets: Iterable[Packet[VideoStream]], requests: Iterable[FrameRequest]
) -> dict[FrameRequest, Frames | Gap]:
    """Decode a video once for all requests, as far as the last frame that is asked for.

    The packets are gone through two or three times: for the times, and to be decoded.

    The picture of a moment is that of the frame on screen; where that frame cannot be decoded, the
    last one before it that can. A request is a gap if fewer than 90 % of the frames up to its last
    one can be decoded, or of those that it means are in the file.

    Raises:
        MemoryError: if libav or a picture got no memory.
    """
    wanted = list(requests)
    times = timeline(stream, packets)
    if times is None:
        return dict.fromkeys(wanted, failed("corrupt", "the video stream holds no frames"))
    gaps = {request: gap for request in wanted if (gap := broken_off(times, request))}
    plans = {request: plan(request, times.times_s) for request in wanted if request not in gaps}
    reading = _read(stream, packets, times, plans)
    return gaps | {request: _frames(reading, times, request) for request in plans}


def _frames(reading: _Reading, times: Timeline, request: FrameRequest) -> Frames | Gap:
    indices = reading.plans[request]
    expected = int(indices[-1]) + 1
    decoded = expected if reading.complete else sum(i < expected for i in reading.decoded)
    if decoded < LEAST_THERE * expected:
        return failed("corrupt", f"{decoded} of {expected} frames decoded")
    return Frames(
        pictures=reading.pictures(request),
        times_s=times.times_s[indices],
        duration_s=times.duration_s,
    )


def _read(
    stream: VideoStream,
    packets: Iterable[Packet[VideoStream]],
    times: Timeline,
    plans: Plans,
) -> _Reading:
    """Read the frames of `plans`; what they do not need is decoded only if something is wrong.

    Frames that no other frame refers to and nobody asked for are left out at first, which spares
    10 to 40 % of the time and changes no picture (measured on 60 clips, bit for bit). If a packet
    fails or a frame does not come, all are decoded again, to count how many can be.
    """
    stream.codec_context.thread_count = 1  # as many worker processes as cores are the parallelism
    if stream.codec_context.name in _SPARING_CODECS and not times.by_count:
        reading = _Reading(times, plans, sparing=True)
        reading.run(stream, packets)
        if reading.complete:
            return reading
        del reading  # its pictures are made again
        stream.codec_context.flush_buffers()
        stream.codec_context.skip_frame = "DEFAULT"
    reading = _Reading(times, plans)
    reading.run(stream, packets)
    return reading


class _Reading:
    """One pass over the packets of a video.

    decoded   indices of the frames that came out of the decoder, rising
    complete  nothing failed, and every frame that was asked for came
    """

    def __init__(self, times: Timeline, plans: Plans, *, sparing: bool = False) -> None:
        self.plans, self.decoded = plans, list[int]()
        self._small: dict[FrameRequest, np.ndarray] = {}  # where a side is asked for
        self._whole: dict[int, VideoFrame] = {}  # by index, where none is
        self._times, self._sparing = times, sparing
        self._askers: dict[int, list[FrameRequest]] = {}
        for request, indices in plans.items():
            for index in set(indices.tolist()):
                self._askers.setdefault(index, []).append(request)
        self._waiting, self._errors = deque(sorted(self._askers)), 0
        self._converters: dict[FrameRequest, _Converter] = {}

    @property
    def complete(self) -> bool:
        return self._sparing and not self._errors and set(self._askers) <= set(self.decoded)

    def run(self, stream: VideoStream, packets: Iterable[Packet[VideoStream]]) -> None:
        """Decode until no frame is waited for; `held` is the frame on screen."""
        held: VideoFrame | None = None
        last = -1
        for frame in self._decode(stream, packets):
            index = self._index(frame, last)
            if index <= last:  # a second field, or a frame that comes too late to be shown
                continue
            self.decoded.append(index)
            last = index
            while self._waiting and self._waiting[0] < index:
                self._take(held or frame)
            if self._waiting and self._waiting[0] == index:
                self._take(frame)
            if not self._waiting:
                return
            held = frame
        while self._waiting and held is not None:
            self._take(held)

    def _take(self, frame: VideoFrame) -> None:
        """Keep a frame as all those want it who asked for the next one that is waited for."""
        index = self._waiting.popleft()
        for converter, askers in self._by_converter(index, frame).items():
            if converter.side is None:
                self._whole[index] = frame
                continue
            picture = converter.picture(frame)
            for request in askers:
                indices = self.plans[request]
                if request not in self._small:
                    self._small[request] = np.empty((len(indices), *picture.shape), np.uint8)
                self._small[request][indices == index] = picture

    def _by_converter(self, index: int, frame: VideoFrame) -> dict[_Converter, list[FrameRequest]]:
        """Return who asked for a frame, by what makes their pictures: for most it is the same."""
        askers: dict[_Converter, list[FrameRequest]] = {}
        for request in self._askers[index]:
            if request not in self._converters:
                self._converters[request] = _Converter.beginning(frame, request.side)
            askers.setdefault(self._converters[request], []).append(request)
        return askers

    def pictures(self, request: FrameRequest) -> np.ndarray | Pictures:
        """Return the pictures of a request, of which a frame was decoded."""
        if request.side is not None:
            return self._small[request]
        whole = [self._whole[index] for index in self.plans[request].tolist()]
        return _Whole(whole, self._converters[request])

    def _index(self, frame: VideoFrame, last: int) -> int:
        """Return which of the times a decoded frame is shown at."""
        ticks = self._times.ticks
        if self._times.by_count or frame.pts is None:
            return min(last + 1, len(ticks) - 1)
        return max(int(np.searchsorted(ticks, frame.pts, side="right")) - 1, 0)

    def _decode(
        self, stream: VideoStream, packets: Iterable[Packet[VideoStream]]
    ) -> Iterator[VideoFrame]:
        """Give the frames in the order they are shown; what cannot be decoded is skipped."""
        asked = {int(self._times.ticks[index]) for index in self._askers}
        for packet in itertools.chain(packets, [None]):  # None brings out what is still held
            if self._sparing and packet is not None:
                needed = packet.pts in asked
                stream.codec_context.skip_frame = "DEFAULT" if needed else "NONREF"
            try:
                frames = stream.decode(packet)
            except MemoryError:  # one of libav's errors too, but no fault of the packet
                raise
            except FOREIGN_ERRORS:
                _check_memory(stream)
                self._errors += 1
                continue
            yield from frames


def _check_memory(stream: VideoStream) -> None:
    """Raise MemoryError if one more picture has no room: the H.264 decoder calls that bad data."""
    np.empty((stream.codec_context.height, stream.codec_context.width, 4), np.uint8)


@dataclass(frozen=True, slots=True)
class _Converter:
    """Turns frames into RGB, upright and of one size, as the first frame of a request says.

    It is that of the request, not of all: what else is asked for changes no picture. Those that
    are equal make the same pictures.
    """

    side: int | None
    size: tuple[int, int]
    matrix: bytes  # none if it is stored as it is shown
    reformatter: VideoReformatter = field(default_factory=VideoReformatter, compare=False)

    @classmethod
    def beginning(cls, frame: VideoFrame, side: int | None) -> _Converter:
        """Return what makes the pictures of a request of which this is the first frame."""
        matrix = display_matrix(frame)
        size = reduced(frame.width, frame.height, side)
        return cls(side, size, b"" if matrix is None else matrix.tobytes())

    def picture(self, frame: VideoFrame) -> np.ndarray:
        """Return uint8 [height, width, 3], reduced straight from the planes of the source."""
        same = self.size == (frame.width, frame.height)
        converted = self.reformatter.reformat(
            frame,
            *self.size,
            "rgb24",
            interpolation=Interpolation.POINT if same else _REDUCING,
            threads=1,
        )
        matrix = np.frombuffer(self.matrix, np.int32).reshape(3, 3) if self.matrix else None
        return upright(converted.to_ndarray(), matrix)


@dataclass(frozen=True, slots=True, eq=False)
class _Whole:
    """Pictures of full size, each made whenever it is looked at."""

    frames: list[VideoFrame]
    converter: _Converter

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, place: int) -> np.ndarray:
        return self.converter.picture(self.frames[place])


def reduced(width: int, height: int, side: int | None) -> tuple[int, int]:
    """Return (width, height) with the shorter one at most `side`, in proportion."""
    shorter = min(width, height)
    if side is None or shorter <= side:
        return width, height
    return max(1, round(width * side / shorter)), max(1, round(height * side / shorter))
