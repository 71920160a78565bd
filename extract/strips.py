"""Small frames of some clips, for people to look at: decoded in workers that can be killed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from core.status import Gap, Status
from corpus.sample import Sample
from extract.pool import Limits, run_tasks
from media.decode import read_media
from media.image import read_image
from media.request import FrameRequest, Frames
from scoring.report_data import Strip

FRAMES = 5
SIDE = 96  # pixels of a frame's shorter side ...
LONGEST = 192  # ... and at most of its longer one
GAP = 3  # between two frames
QUALITY = 72  # of the JPEG: a strip of five frames takes 5 to 20 kB
_LIMITS = Limits(time_s=20.0, memory_bytes=2 << 30)
_REQUEST = FrameRequest("segment_centres", FRAMES, side=SIDE)


@dataclass(frozen=True)
class _Clip:
    """What a worker is sent: it needs no more of a sample."""

    id: str
    video: Path | None
    image: Path | None


def strips_of(samples: Sequence[Sample], *, workers: int = 2) -> dict[str, Strip]:
    """Return by id a strip of five frames of the video, or the cover where there is no frame.

    Where neither can be shown the strip has no picture but a reason. A row that names no file is
    not in the answer. One clip may take 20 seconds and 2 GiB.

    Raises:
        ProjectError: if no worker process can be started.
    """
    clips = [_Clip(sample.id, sample.video, sample.image) for sample in samples]
    named = [clip for clip in clips if clip.video or clip.image]
    return {
        clip.id: _of_gap(found) if isinstance(found, Gap) else found
        for clip, found in run_tasks(_strip, named, workers=workers, limits=_LIMITS)
    }


def _of_gap(gap: Gap) -> Strip:
    """Return the strip of a clip that has none."""
    if gap.cause == "timeout":
        return Strip(b"", f"no frames: nothing after {_LIMITS.time_s:g} s")
    state = "FAILED" if gap.status is Status.FAILED else "ABSENT"
    return Strip(b"", f"no frames: {state} {gap.cause}, {gap.reason}")


def _strip(task: _Clip) -> Strip:
    """Return what can be shown of a clip; this runs in a worker."""
    frames: Frames | Gap | None = None
    if task.video is not None:
        frames = read_media(task.video, [_REQUEST], []).frames[_REQUEST]
        if isinstance(frames, Frames):
            first, last = frames.times_s[[0, -1]].tolist()
            said = f"{len(frames.pixels)} frames of {task.id}, from {first:.1f} s to {last:.1f} s"
            return Strip(_jpeg(list(frames.pixels)), said)
    why = _of_gap(frames).said if isinstance(frames, Gap) else ""
    if task.image is None:
        return Strip(b"", why)
    picture = read_image(task.image)
    if isinstance(picture, Gap):
        return Strip(b"", why or _of_gap(picture).said.replace("frames", "cover"))
    note = f"its cover; {why}" if why else "its cover"
    return Strip(_jpeg([picture]), f"the cover of {task.id}", note)


def _jpeg(pictures: Sequence[np.ndarray]) -> bytes:
    """Put pictures, uint8 [height, width, 3] each, side by side into a JPEG."""
    small = [_small(pixels) for pixels in pictures]
    width = sum(each.width for each in small) + GAP * (len(small) - 1)
    sheet = Image.new("RGB", (width, max(each.height for each in small)), "white")
    left = 0
    for each in small:
        sheet.paste(each, (left, 0))
        left += each.width + GAP
    stream = io.BytesIO()
    sheet.save(stream, "JPEG", quality=QUALITY, optimize=True)
    return stream.getvalue()


def _small(pixels: np.ndarray) -> Image.Image:
    picture = Image.fromarray(pixels)
    scale = min(SIDE / min(picture.size), LONGEST / max(picture.size), 1.0)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.BOX) if size != picture.size else picture
