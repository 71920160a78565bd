"""Real little video files, in which frame k is painted in the grey level that the test says."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

LEVELS = [20 + 8 * k for k in range(25)]  # one for each second of 25 frames


def paint(
    path: Path,
    levels: Sequence[int] = LEVELS,
    *,
    times_ms: Sequence[int] | None = None,
    size: tuple[int, int] = (96, 64),
    rotation: int = 0,
    mirrored: bool = False,
    sound: np.ndarray | None = None,
    b_frames: int = 0,
) -> Path:
    """Write an H.264 file; `sound` is float32 [channels, n] at 48 kHz, `times_ms` uneven times."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=25, options={"bf": str(b_frames), "crf": "10"}
        )
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        tick = Fraction(1, 25 if times_ms is None else 1000)
        stream.codec_context.time_base = tick
        if rotation or mirrored:
            stream.set_display_rotation(rotation, hflip=mirrored)
        voice = None
        if sound is not None:
            layout = {1: "mono", 2: "stereo"}[len(sound)]
            voice = container.add_stream("aac", rate=48000, layout=layout)
        for k, level in enumerate(levels):
            frame = av.VideoFrame.from_ndarray(picture(level, size), format="rgb24")
            frame.pts = k if times_ms is None else times_ms[k]
            frame.time_base = tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if voice is not None:
            write_sound(container, voice, sound)
    return path


def picture(level: int, size: tuple[int, int]) -> np.ndarray:
    """Return uint8 [height, width, 3] in one grey with a white quarter at the top left."""
    width, height = size
    pixels = np.full((height, width, 3), level, np.uint8)
    pixels[: height // 2, : width // 2] = 255
    return pixels


def write_sound(container, stream, sound: np.ndarray) -> None:
    """Encode float32 [channels, n] at 48 kHz into a stream of an open container."""
    layout = {1: "mono", 2: "stereo"}[len(sound)]
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound), format="fltp", layout=layout)
    frame.sample_rate, frame.pts = 48000, 0
    frame.time_base = Fraction(1, 48000)
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def damage(path: Path, first: int = 0) -> Path:
    """Overwrite the video packets from number `first` on, leaving the container as it is."""
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    for packet in packets[first:]:
        place = content.index(bytes(packet))
        content[place : place + packet.size] = b"\xff" * packet.size
    path.write_bytes(content)
    return path


def levels_of(pixels: np.ndarray) -> list[int]:
    """Return the grey levels of frames uint8 [T, height, width, 3], read at the bottom right."""
    height, width = pixels.shape[1:3]
    corner = pixels[:, height * 5 // 8 :, width * 5 // 8 :]
    return [round(float(level)) for level in corner.mean(axis=(1, 2, 3))]


def tone(seconds: float, channels: int = 1, hz: float = 440.0) -> np.ndarray:
    """Return float32 [channels, n] at 48 kHz: a sine of amplitude 0.5, the same in all channels."""
    wave = 0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * 48000)) / 48000)
    return np.tile(wave.astype(np.float32), (channels, 1))
