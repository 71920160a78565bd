"""One clip on the disk: an mp4 with H.264 and AAC, and a cover."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from core.files import replacing
from corpus.demo.picture import HEIGHT, WIDTH
from corpus.demo.plan import ClipPlan
from corpus.demo.shots import draw_clip
from corpus.demo.sound import RATE_HZ, play_clip

# One thread and no version strings: the same build of the codecs gives the same bytes.
VIDEO_OPTIONS = {"preset": "ultrafast", "crf": "27", "threads": "1", "flags": "+bitexact"}
CONTAINER_OPTIONS = {"movflags": "faststart", "fflags": "+bitexact"}
SOUND_OPTIONS = {"aac_coder": "fast", "flags": "+bitexact"}
SOUND_BITS = 64_000
COVER_AT = 0.35  # of the clip
COVER_QUALITY = 88


def write_clip(plan: ClipPlan, video: Path, cover: Path) -> None:
    """Write the mp4 and the jpg of a clip, each whole or not at all.

    Raises:
        StorageError: if the disk is full, read-only or failing.
    """
    frames = list(draw_clip(plan))
    with replacing(video) as temporary:
        _encode(temporary, frames, plan.rate, play_clip(plan))
    with replacing(cover) as temporary:
        Image.fromarray(frames[int(COVER_AT * len(frames))]).save(temporary, quality=COVER_QUALITY)


def _encode(path: Path, frames: Iterable[np.ndarray], rate: int, sound: np.ndarray | None) -> None:
    with av.open(str(path), "w", format="mp4", container_options=CONTAINER_OPTIONS) as container:
        video = container.add_stream("libx264", rate=rate, options=VIDEO_OPTIONS)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        audio = None
        if sound is not None:
            audio = container.add_stream("aac", rate=RATE_HZ, layout="mono", options=SOUND_OPTIONS)
            audio.bit_rate = SOUND_BITS
            track = av.AudioFrame.from_ndarray(sound[None], format="fltp", layout="mono")
            track.sample_rate, track.pts = RATE_HZ, 0
            track.time_base = Fraction(1, RATE_HZ)
            container.mux(audio.encode(track))
            container.mux(audio.encode(None))
        for number, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            picture.pts, picture.time_base = number, Fraction(1, rate)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
