"""When the frames of a video are shown, and whether it is all there, before anything is decoded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream

from core.status import Gap, failed
from media.packets import lost_packets
from media.request import FrameRequest

LEAST_THERE = 0.9  # of the frames; with less, too many pictures stand for others
_RATE_IF_UNKNOWN = 25.0


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """When the frames of a stream are shown, as its packets say without being decoded.

    ticks       int64 [n] sorted, distinct, in units of `tick_s`
    by_count    the packets do not say which frame is shown when: frame k is shown at ticks[k]
    duration_s  from the first frame to the end of the last one
    lost        frames that the file's index names beside these, and that are not in the file
    """

    ticks: np.ndarray
    tick_s: float
    by_count: bool
    duration_s: float
    lost: int = 0

    @property
    def times_s(self) -> np.ndarray:
        """Return float64 [n]: seconds after the first frame."""
        return np.asarray((self.ticks - self.ticks[0]) * self.tick_s)


def timeline(stream: VideoStream, packets: Iterable[Packet[VideoStream]]) -> Timeline | None:
    """Return when the frames of a stream are shown; None if it has none.

    Packets that an edit list cuts out do not count. Where presentation times are missing decoding
    times are taken, in order; where those are missing too, the average rate. AVI has no place for
    presentation times: what libav gives for them is a guess, wrong for frames that are reordered.
    """
    told = [(p.pts, p.dts, p.duration, p.is_discard, p.size) for p in packets]
    shown = [(pts, dts, duration) for pts, dts, duration, is_discard, _ in told if not is_discard]
    if not shown:
        return None
    tick_s = float(stream.time_base or 1 / _RATE_IF_UNKNOWN)
    presented = [pts for pts, _, _ in shown if pts is not None]
    decoded = [dts for _, dts, _ in shown if dts is not None]
    by_count = len(presented) < len(shown) or stream.container.format.name == "avi"
    if not by_count:
        ticks = np.unique(presented)
    elif len(decoded) == len(shown):
        ticks = np.unique(decoded)
    else:
        ticks = np.arange(len(shown))
        tick_s = 1 / float(stream.average_rate or _RATE_IF_UNKNOWN)
    span = float(ticks[-1] - ticks[0])
    last = max(shown, key=lambda packet: packet[0] or 0)[2]
    duration_s = (span + (last or span / len(ticks))) * tick_s
    lost = lost_packets(stream, [size for *_, size in told])
    return Timeline(ticks, tick_s, by_count, duration_s, lost)


def broken_off(times: Timeline, request: FrameRequest) -> Gap | None:
    """Return the gap of a request that means more of a video than is in its file; None if not."""
    there, whole = len(times.ticks), len(times.ticks) + times.lost
    is_in_what_is_there = request.seconds is not None and request.seconds <= times.duration_s
    if is_in_what_is_there or there >= LEAST_THERE * whole:
        return None
    return failed("corrupt", f"{there} of {whole} frames are in the file")
