"""Whether this machine decodes what short videos are made of: tiny clips, made and read back."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal

import av
import numpy as np
from av.video.stream import VideoStream

from core.status import Gap
from media.decode import read_media
from media.probe import FOREIGN_ERRORS, reason
from media.request import DECODERS, AudioRequest, FrameRequest, Sound

ENCODERS = {"h264": "libx264", "hevc": "libx265", "vp9": "libvpx-vp9", "av1": "libsvtav1"}
SOUND: Final = "aac"
_OPTIONS = {
    "libx264": {"preset": "ultrafast"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none:pools=1"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
    "libsvtav1": {"preset": "12", "svtav1-params": "lp=1"},
}
_LEVELS = (40, 80, 120, 160, 200)  # grey of each frame
_TOLERANCE = 12  # of 255: what a lossy codec may change of a plain grey
_SIDE, _RATE_HZ = 128, 16_000


@dataclass(frozen=True)
class Trial:
    """What came of one codec.

    made      the encoder that made the clip; "" where there is none, and nothing was tried
    troubles  by decoder, why it did not read the clip; without those that did
    """

    codec: str
    made: str
    troubles: dict[str, str]


def try_codec(codec: str, encoder: str | None = None) -> Trial:
    """Make a clip of a codec and read it back with every decoder; never raises for a codec.

    `encoder` makes it instead of the usual one.
    """
    encoder = encoder or ENCODERS.get(codec, codec)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trial.mkv"
        try:
            if not _is_there(encoder, "w"):
                return Trial(codec, "", {} if _is_there(codec, "r") else {"pyav": "no decoder"})
            if codec == SOUND:
                _write_sound(path)
            else:
                _write_frames(path, encoder)
        except (*FOREIGN_ERRORS, RuntimeError) as error:
            return Trial(codec, "", {"pyav": reason(error)})
        if codec == SOUND:
            found = {"pyav": _sound_trouble(path)}
        else:
            found = {decoder: frame_trouble(path, decoder) for decoder in DECODERS}
    return Trial(codec, encoder, {name: trouble for name, trouble in found.items() if trouble})


def _is_there(name: str, mode: Literal["r", "w"]) -> bool:
    try:
        av.codec.Codec(name, mode)
    except (av.FFmpegError, ValueError):
        return False
    return True


def _write_frames(path: Path, encoder: str) -> None:
    """Write one frame of each level."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=10, options=_OPTIONS.get(encoder, {}))
        assert isinstance(stream, VideoStream)
        stream.width = stream.height = _SIDE
        stream.pix_fmt = "yuv420p"
        for place, level in enumerate(_LEVELS):
            picture = np.full((_SIDE, _SIDE, 3), level, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = place, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def frame_trouble(path: Path, decoder: str) -> str:
    """Return why a decoder does not give the frames that were written; "" where it does."""
    request = FrameRequest("uniform", len(_LEVELS))
    try:
        frames = read_media(path, [request], [], decoder=decoder).frames[request]
    except ImportError as error:
        return str(error)
    if isinstance(frames, Gap):
        return frames.reason
    found = frames.pixels.reshape(len(frames.pixels), -1).mean(axis=1)
    if np.abs(found - _LEVELS).max() > _TOLERANCE:
        return f"the frames have other colours: {found.round().astype(int).tolist()}"
    return ""


def _write_sound(path: Path) -> None:
    """Write half a second of a tone."""
    samples = np.sin(np.arange(_RATE_HZ // 2) * 0.2).astype(np.float32)[None]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(SOUND, rate=_RATE_HZ, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.rate = _RATE_HZ
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _sound_trouble(path: Path) -> str:
    request = AudioRequest(_RATE_HZ)
    sound = read_media(path, [], [request]).sound[request]
    if not isinstance(sound, Sound):
        return sound.reason
    loudness = float(np.sqrt(np.square(sound.samples).mean())) if len(sound.samples) else 0.0
    return "" if loudness > 0.3 else f"the tone came back at {loudness:.2f} instead of 0.7"
