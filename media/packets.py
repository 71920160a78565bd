"""The compressed packets of a file's streams: kept in memory, or of a large file read again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from core.status import Gap
from media.probe import FOREIGN_ERRORS, has_room, open_media

KEPT_BYTES = 256 << 20  # the size of a file; a minute of 1080p is 30 to 60 MB, of 4K up to 400


def demux(
    container: InputContainer, path: Path, *streams: Stream | None, kept_bytes: int = KEPT_BYTES
) -> dict[int, Iterable[Packet[Any]]]:
    """Return the packets by index of their stream, in the order of the file.

    They can be gone through several times. Of a file of up to `kept_bytes` they are in memory, and
    it is read once; a larger one is read again each time, which takes little memory. A file that
    breaks off ends there: whether enough is left is for what decodes it to say.

    Raises:
        MemoryError: if there is no memory for them.
    """
    chosen = [stream for stream in streams if stream is not None]
    if container.size > kept_bytes:
        return {stream.index: _Again(path, stream.index) for stream in chosen}
    packets: dict[int, list[Packet[Any]]] = {stream.index: [] for stream in chosen}
    for packet in _until_it_breaks_off(container, chosen):
        packets[packet.stream_index].append(packet)
    return dict(packets)


@dataclass(frozen=True, slots=True)
class _Again:
    """The packets of one stream of a file, which is opened each time they are gone through."""

    path: Path
    stream: int

    def __iter__(self) -> Iterator[Packet[Any]]:
        container = open_media(self.path)
        if isinstance(container, Gap):  # it was there a moment ago; now it has no packets
            return
        with container:
            yield from _until_it_breaks_off(container, [container.streams[self.stream]])


def _until_it_breaks_off(container: InputContainer, streams: list[Stream]) -> Iterator[Packet[Any]]:
    """Yield the packets that are there.

    A packet larger than its file is none: the demuxer of raw DV fills up what is missing, and four
    macroblocks would pass for a picture. Of a damaged index libav says that it has no memory for a
    packet, as if more would help.

    Raises:
        MemoryError: if there is no memory for what the file can hold.
    """
    try:
        for packet in container.demux(*streams) if streams else ():
            if packet.size > container.size:
                return
            if packet.size:  # the last packet of a stream is empty and only says so
                yield packet
    except MemoryError:  # one of libav's errors too
        if not has_room(container.size):
            raise
    except FOREIGN_ERRORS:
        return


def lost_packets(stream: Stream, sizes: Sequence[int]) -> int:
    """Return how many packets the file's index names beside those of some sizes, which came.

    An MP4's index names them all, so that half a download is told from a short video. Those of
    other containers name some, or stand behind the last packet: what they lost nobody knows, 0.
    """
    if "mp4" not in stream.container.format.name.split(","):
        return 0
    lost = len(stream.index_entries) - len(sizes)
    named_bytes = sum(abs(entry.size) for entry in stream.index_entries) if lost > 0 else 0
    # Where no byte is missing, libav has made one packet of two fields, say.
    return lost if named_bytes > sum(sizes) else 0
