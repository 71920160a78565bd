"""Packets of a video -> the few pictures that are asked for, each at the size that is asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream

from core.status import Gap, failed
from media.probe import FOREIGN_ERRORS, upright_turn
from media.request import FrameRequest, Frames
from media.sampling import plan

LEAST_DECODED = 0.9  # of the frames; with less, too many pictures stand for others
_RATE_IF_UNKNOWN = 25.0
# Against area averaging of the full RGB picture these differ by 0.8 to 1.5 grey levels on average, and
# plain AREA by 1.3 to 1.9: without the second flag chroma is halved once more where the width is even.
_REDUCING = Interpolation.AREA | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND

Picture = tuple[int, int | None]  # index of the frame, side


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """When the frames of a stream are shown, as its packets say; nothing needs to be decoded for it.

    ticks       int64 [n] sorted, distinct, in units of `tick_s`
    by_count    the packets do not say which frame is shown when: frame k is shown at ticks[k]
    duration_s  from the first frame to the end of the last one
    """

    ticks: np.ndarray
    tick_s: float
    by_count: bool
    duration_s: float

    @property
    def times_s(self) -> np.ndarray:
        """Return float64 [n]: seconds after the first frame."""
        return (self.ticks - self.ticks[0]) * self.tick_s


def timeline(stream: VideoStream, packets: Iterable[Packet[VideoStream]]) -> Timeline | None:
    """Return when the frames of a stream are shown; None if it has none.

    Packets that an edit list cuts out do not count. Where presentation times are missing decoding times
    are taken, in order; where those are missing too, the average rate.
    """
    shown = [packet for packet in packets if not packet.is_discard]
    if not shown:
        return None
    tick_s = float(stream.time_base or 1 / _RATE_IF_UNKNOWN)
    presented = [packet.pts for packet in shown if packet.pts is not None]
    decoded = [packet.dts for packet in shown if packet.dts is not None]
    by_count = len(presented) < len(shown)
    if not by_count:
        ticks = np.unique(presented)
    elif len(decoded) == len(shown):
        ticks = np.unique(decoded)
    else:
        ticks = np.arange(len(shown))
        tick_s = 1 / float(stream.average_rate or _RATE_IF_UNKNOWN)
    span = float(ticks[-1] - ticks[0])
    last = max(shown, key=lambda packet: packet.pts or 0).duration
    return Timeline(ticks, tick_s, by_count, (span + (last or span / len(ticks))) * tick_s)


def read_frames(
    stream: VideoStream, packets: Sequence[Packet[VideoStream]], requests: Iterable[FrameRequest]
) -> dict[FrameRequest, Frames | Gap]:
    """Decode a video once for all requests, as far as the last frame that is asked for.

    The picture of a moment is that of the frame on screen; where that frame cannot be decoded, the
    last one before it that can. Fewer than 90 % decoded, as far as was read, is a gap.
    """
    wanted = list(requests)
    times = timeline(stream, packets)
    if times is None:
        return dict.fromkeys(wanted, failed("corrupt", "the video stream holds no frames"))
    plans = {request: plan(request, times.times_s) for request in wanted}
    sides: dict[int, set[int | None]] = {}
    for request, indices in plans.items():
        for index in indices.tolist():
            sides.setdefault(index, set()).add(request.side)
    pictures = _collect(stream, packets, times, sides)
    if isinstance(pictures, Gap):
        return dict.fromkeys(wanted, pictures)
    return {
        request: Frames(
            pixels=np.stack([pictures[index, request.side] for index in indices.tolist()]),
            times_s=times.times_s[indices],
            duration_s=times.duration_s,
        )
        for request, indices in plans.items()
    }


def _collect(
    stream: VideoStream,
    packets: Iterable[Packet[VideoStream]],
    times: Timeline,
    sides: Mapping[int, set[int | None]],
) -> dict[Picture, np.ndarray] | Gap:
    """Return the picture of each index at each of its sides, or a gap if too little is decoded."""
    converter, pictures = _Converter(), dict[Picture, np.ndarray]()
    waiting = deque(sorted(sides))
    held: VideoFrame | None = None
    last, decoded = -1, 0

    def take(frame: VideoFrame) -> None:
        index = waiting.popleft()
        pictures.update({(index, side): converter.picture(frame, side) for side in sides[index]})

    for frame in _decode(stream, packets):
        index = _index(frame, times, last)
        if index <= last:  # a second field, or a frame that comes too late to be shown
            continue
        decoded, last = decoded + 1, index
        while waiting and waiting[0] < index:
            take(held or frame)
        if waiting and waiting[0] == index:
            take(frame)
        if not waiting:
            break
        held = frame
    expected = len(times.ticks) if waiting else last + 1
    if held is None and waiting or decoded < LEAST_DECODED * expected:
        return failed("corrupt", f"{decoded} of {expected} frames decoded")
    while waiting and held is not None:
        take(held)
    return pictures


def _index(frame: VideoFrame, times: Timeline, last: int) -> int:
    """Return which of the times a decoded frame is shown at."""
    if times.by_count or frame.pts is None:
        return min(last + 1, len(times.ticks) - 1)
    return max(int(np.searchsorted(times.ticks, frame.pts, side="right")) - 1, 0)


def _decode(stream: VideoStream, packets: Iterable[Packet[VideoStream]]) -> Iterator[VideoFrame]:
    """Give the frames in the order they are shown; packets that cannot be decoded are skipped."""
    stream.codec_context.thread_count = 1  # as many worker processes as cores are the parallelism
    for packet in packets:
        try:
            frames = stream.decode(packet)
        except FOREIGN_ERRORS:
            continue
        yield from frames
    try:
        yield from stream.decode(None)
    except FOREIGN_ERRORS:
        return


class _Converter:
    """Turns frames upright and into RGB; all pictures of one side get the size of the first."""

    def __init__(self) -> None:
        self._sizes: dict[int | None, tuple[int, int]] = {}
        self._reformatters: dict[int | None, VideoReformatter] = {}
        self._turn: int | None = None

    def picture(self, frame: VideoFrame, side: int | None) -> np.ndarray:
        """Return uint8 [height, width, 3], reduced straight from the planes of the source."""
        if self._turn is None:
            self._turn = upright_turn(frame.rotation)
        width, height = self._sizes.setdefault(side, reduced(frame.width, frame.height, side))
        reformatter = self._reformatters.setdefault(side, VideoReformatter())
        same = (width, height) == (frame.width, frame.height)
        converted = reformatter.reformat(
            frame,
            width,
            height,
            "rgb24",
            interpolation=Interpolation.POINT if same else _REDUCING,
            threads=1,
        )
        pixels = converted.to_ndarray()
        return np.ascontiguousarray(np.rot90(pixels, self._turn // 90))


def reduced(width: int, height: int, side: int | None) -> tuple[int, int]:
    """Return (width, height) with the shorter one at most `side`, in proportion."""
    shorter = min(width, height)
    if side is None or shorter <= side:
        return width, height
    return max(1, round(width * side / shorter)), max(1, round(height * side / shorter))
