"""Packets of a sound track -> one channel at the rates that are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet

from core.status import Gap, failed
from media.probe import FOREIGN_ERRORS, reason
from media.request import AudioRequest, Sound

LEAST_DECODED = 0.9  # of the packets; with less, what is there is not what was recorded
# To float samples libav adds channels up without dividing: two equal channels of 0.5 become 0.707.
_NORMALISED_MIX = {"rematrix_maxval": "1.0"}


def read_sound(
    stream: AudioStream, packets: Sequence[Packet[AudioStream]], requests: Iterable[AudioRequest]
) -> dict[AudioRequest, Sound | Gap]:
    """Decode a sound track once for all requests.

    Packets that cannot be decoded are left out, and what follows moves up, as it does over pauses
    in the packets' times. Fewer than 90 % decoded, no sample at all, or a sample that is not a
    finite number is a gap (failed, "corrupt").
    """
    wanted = list(requests)
    tracks = {rate_hz: _Track(rate_hz, _longest(wanted, rate_hz)) for rate_hz in _rates(wanted)}
    decoding = _Decoding(stream)
    try:
        for frame in decoding.frames(packets):
            for track in tracks.values():
                track.add(frame)
            if all(track.full for track in tracks.values()):
                break
        samples = {rate_hz: track.samples() for rate_hz, track in tracks.items()}
    except FOREIGN_ERRORS as error:
        gap = failed("corrupt", f"the sound cannot be resampled: {reason(error)}")
        return dict.fromkeys(wanted, gap)
    if decoding.decoded < LEAST_DECODED * decoding.tried:
        text = f"{decoding.decoded} of {decoding.tried} sound packets decoded"
        return dict.fromkeys(wanted, failed("corrupt", text))
    return {request: _cut(samples[request.rate_hz], request) for request in wanted}


def _rates(requests: Iterable[AudioRequest]) -> set[int]:
    return {request.rate_hz for request in requests}


def _longest(requests: Iterable[AudioRequest], rate_hz: int) -> int | None:
    """Return how many samples at this rate are wanted at most; None is all."""
    lengths = [request.seconds for request in requests if request.rate_hz == rate_hz]
    longest = max((length for length in lengths if length is not None), default=0.0)
    return None if None in lengths else round(longest * rate_hz)


def _cut(samples: np.ndarray, request: AudioRequest) -> Sound | Gap:
    if request.seconds is not None:
        samples = samples[: round(request.seconds * request.rate_hz)]
    if not len(samples):
        return failed("corrupt", "the sound track holds no samples")
    broken = int(np.sum(~np.isfinite(samples)))
    if broken:
        return failed("corrupt", f"{broken} of {len(samples)} sound samples are not finite")
    return Sound(samples, request.rate_hz)


class _Decoding:
    """Decodes packets in order and counts those that could not be."""

    def __init__(self, stream: AudioStream) -> None:
        self.stream, self.tried, self.decoded = stream, 0, 0
        stream.codec_context.thread_count = 1

    def frames(self, packets: Iterable[Packet[AudioStream]]) -> Iterator[AudioFrame]:
        for packet in packets:
            self.tried += 1
            try:
                frames = self.stream.decode(packet)
            except FOREIGN_ERRORS:
                continue
            self.decoded += 1
            yield from frames
        try:
            yield from self.stream.decode(None)
        except FOREIGN_ERRORS:
            return


class _Track:
    """Gathers the sound at one rate."""

    def __init__(self, rate_hz: int, limit: int | None) -> None:
        self._rate_hz, self._limit, self._count = rate_hz, limit, 0
        self._pieces: list[np.ndarray] = []
        self._resampler: av.AudioResampler | None = None
        self._source: tuple[str, str, int] | None = None

    @property
    def full(self) -> bool:
        return self._limit is not None and self._count >= self._limit

    def add(self, frame: AudioFrame) -> None:
        if self.full or not frame.samples:
            return
        source = (frame.format.name, frame.layout.name, frame.sample_rate)
        if source != self._source:  # a resampler takes one kind of frame; some files change theirs
            self._flush()
            self._source = source
            self._resampler = av.AudioResampler(
                format="flt", layout="mono", rate=self._rate_hz, options=_NORMALISED_MIX
            )
        assert self._resampler is not None
        frame.pts = None  # the resampler would fill or squeeze where times jump
        self._keep(self._resampler.resample(frame))

    def samples(self) -> np.ndarray:
        """Return float32 [n]: all that was added."""
        self._flush()
        return np.concatenate([*self._pieces, np.zeros(0, np.float32)])

    def _flush(self) -> None:
        if self._resampler is not None:
            self._keep(self._resampler.resample(None))
            self._resampler = None

    def _keep(self, frames: Iterable[AudioFrame]) -> None:
        for frame in frames:
            piece = frame.to_ndarray().reshape(-1)
            self._pieces.append(piece)
            self._count += len(piece)
