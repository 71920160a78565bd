"""Packets of a sound track -> one channel at the rates that are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet

from core.status import Gap, absent, failed
from media.packets import lost_packets
from media.probe import FOREIGN_ERRORS, reason
from media.request import AudioRequest, Sound

LEAST_DECODED = 0.9  # of the packets; with less, what is there is not what was recorded
# To float samples libav adds channels up without dividing: two equal channels of 0.5 become 0.707.
_NORMALISED_MIX = {"rematrix_maxval": "1.0"}


def read_sound(
    stream: AudioStream,
    packets: Iterable[Packet[AudioStream]],
    requests: Iterable[AudioRequest],
    *,
    late_s: float = 0.0,
) -> dict[AudioRequest, Sound | Gap]:
    """Decode a sound track once for all requests; it begins `late_s` seconds after the picture.

    Packets that cannot be decoded are left out, and what follows moves up, as it does over pauses
    in the packets' times. A gap (failed, "corrupt") is a request with fewer than 90 % of the
    packets decoded up to its end, those that the file has lost among them, with no sample, or with
    one that is not a finite number; what comes after its end does not count. A track that begins
    only there is absent, "too-short".

    Raises:
        MemoryError: if libav or the samples got no memory.
    """
    ends = {request: _end(request, late_s) for request in requests}
    waiting = {request: end for request, end in ends.items() if end > 0}
    found: dict[AudioRequest, Sound | Gap]
    found = {request: _too_late(request, late_s) for request in ends if request not in waiting}
    tracks = {request.rate_hz: _Track(request.rate_hz) for request in waiting}
    decoding = _Decoding(stream)
    try:
        for frame in decoding.frames(packets) if waiting else ():
            for rate_hz in {request.rate_hz for request in waiting}:
                tracks[rate_hz].add(frame)
            for request in [r for r, end in waiting.items() if tracks[r.rate_hz].count >= end]:
                found[request] = _outcome(tracks[request.rate_hz], decoding, waiting.pop(request))
            if not waiting:
                break
        for rate_hz in {request.rate_hz for request in waiting}:
            tracks[rate_hz].flush()
    except MemoryError:
        raise
    except FOREIGN_ERRORS as error:
        gap = failed("corrupt", f"the sound cannot be resampled: {reason(error)}")
        return found | dict.fromkeys(waiting, gap)
    decoding.count_lost()
    for request, end in waiting.items():
        found[request] = _outcome(tracks[request.rate_hz], decoding, end)
    return found


def _too_late(request: AudioRequest, late_s: float) -> Gap:
    text = f"the sound begins {late_s:.2f} s after the picture, not in its first"
    return absent("too-short", f"{text} {request.seconds:g} s")


def _end(request: AudioRequest, late_s: float) -> float:
    """Return how many samples a request means at most; they are counted from the first frame."""
    if request.seconds is None:
        return float("inf")
    return round((request.seconds - late_s) * request.rate_hz)


def _outcome(track: _Track, decoding: _Decoding, end: float) -> Sound | Gap:
    if decoding.decoded < LEAST_DECODED * decoding.tried:
        return failed("corrupt", f"{decoding.decoded} of {decoding.tried} sound packets decoded")
    samples = track.samples(end)
    if not len(samples):
        return failed("corrupt", "the sound track holds no samples")
    broken = int(np.sum(~np.isfinite(samples)))
    if broken:
        return failed("corrupt", f"{broken} of {len(samples)} sound samples are not finite")
    return Sound(samples, track.rate_hz)


class _Decoding:
    """Decodes packets in order and counts those that could not be."""

    def __init__(self, stream: AudioStream) -> None:
        self.stream, self.tried, self.decoded = stream, 0, 0
        self._sizes: list[int] = []
        stream.codec_context.thread_count = 1

    def frames(self, packets: Iterable[Packet[AudioStream]]) -> Iterator[AudioFrame]:
        for packet in packets:
            self.tried += 1
            self._sizes.append(packet.size)
            try:
                frames = self.stream.decode(packet)
            except MemoryError:  # one of libav's errors too, but no fault of the packet
                raise
            except FOREIGN_ERRORS:
                continue
            self.decoded += 1
            yield from frames
        try:
            yield from self.stream.decode(None)
        except FOREIGN_ERRORS:
            return

    def count_lost(self) -> None:
        """Count as tried what the file has lost."""
        self.tried += lost_packets(self.stream, self._sizes)


class _Track:
    """Gathers the sound at one rate; `count` samples so far."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz, self.count = rate_hz, 0
        self._pieces: list[np.ndarray] = []
        self._resampler: av.AudioResampler | None = None
        self._source: tuple[str, str, int] | None = None

    def add(self, frame: AudioFrame) -> None:
        if not frame.samples:
            return
        source = (frame.format.name, frame.layout.name, frame.sample_rate)
        if source != self._source:  # a resampler takes one kind of frame; some files change theirs
            self.flush()
            self._source = source
            self._resampler = av.AudioResampler(
                format="flt", layout="mono", rate=self.rate_hz, options=_NORMALISED_MIX
            )
        assert self._resampler is not None
        frame.pts = None  # the resampler would fill or squeeze where times jump
        self._keep(self._resampler.resample(frame))

    def samples(self, end: float) -> np.ndarray:
        """Return float32 [n]: what was added, up to a number of samples."""
        whole = np.concatenate([*self._pieces, np.zeros(0, np.float32)])
        return whole[: int(end)] if end < len(whole) else whole

    def flush(self) -> None:
        """Take what the resampler still holds; nothing is added after it."""
        if self._resampler is not None:
            self._keep(self._resampler.resample(None))
            self._resampler = None

    def _keep(self, frames: Iterable[AudioFrame]) -> None:
        for frame in frames:
            piece = frame.to_ndarray().reshape(-1)
            self._pieces.append(piece)
            self.count += len(piece)
