"""Frames through decord: the second opinion on the default decoder, with the same requests.

decord turns pictures upright by itself, but mirrors none. It finds kept frames by seeking, and
several of them are in memory at full size. docs/media.md lists what else it does otherwise.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import decord
import numpy as np
from PIL import Image

from core.status import Gap, failed
from media.pictures import reduced
from media.probe import FOREIGN_ERRORS
from media.request import FrameRequest, Frames
from media.sampling import plan

_ERRORS = (*FOREIGN_ERRORS, RuntimeError, decord.DECORDError, decord.DECORDLimitReachedError)
_PLACE = re.compile(r"\[[\d:]+\] \S+?:\d+: |\[\S+\] ")
_NO_SUCH_WIDTH = "from_size == to_size"  # of a width that divides 48 it takes rows to be padded
_AT_ONCE = 8  # frames at full size in one array

_Picture = tuple[int, int | None]  # index of the frame, side


def read_frames_by_decord(
    path: Path, requests: Iterable[FrameRequest]
) -> dict[FrameRequest, Frames | Gap]:
    """Return what `media.pictures.read_frames` does, read by decord; its errors become gaps."""
    wanted = list(requests)
    decord.logging.set_level(decord.logging.QUIET)
    try:
        with _silence():
            reader = decord.VideoReader(str(path.absolute()), ctx=decord.cpu(0), num_threads=1)
        shown = np.asarray(reader.get_frame_timestamp(range(len(reader))), np.float64)
    except _ERRORS as error:
        return dict.fromkeys(wanted, failed("unreadable", _first_line(error, path)))
    if not len(shown):
        return dict.fromkeys(wanted, failed("corrupt", "the video stream holds no frames"))
    times_s = np.maximum.accumulate(shown[:, 0] - shown[0, 0])
    plans = {request: plan(request, times_s) for request in wanted}
    try:
        pictures = _pictures(reader, plans)
    except _ERRORS as error:
        return dict.fromkeys(wanted, _broken(error, path))
    found: dict[FrameRequest, Frames | Gap] = {}
    for request, indices in plans.items():
        chosen = [pictures[index, request.side] for index in indices.tolist()]
        found[request] = Frames(
            pictures=chosen if request.side is None else np.stack(chosen),
            times_s=times_s[indices],
            duration_s=float(shown[-1, 1] - shown[0, 0]),
        )
    return found


def _broken(error: BaseException, path: Path) -> Gap:
    if _NO_SUCH_WIDTH in str(error):
        return failed("unreadable", "decord reads no picture of such a width; --decoder pyav does")
    return failed("corrupt", _first_line(error, path))


def _pictures(
    reader: decord.VideoReader, plans: Mapping[FrameRequest, np.ndarray]
) -> dict[_Picture, np.ndarray]:
    sides: dict[int, set[int | None]] = {}
    for request, indices in plans.items():
        for index in indices.tolist():
            sides.setdefault(index, set()).add(request.side)
    kept, pictures = sorted(sides), dict[_Picture, np.ndarray]()
    for start in range(0, len(kept), _AT_ONCE):
        part = kept[start : start + _AT_ONCE]
        for index, pixels in zip(part, reader.get_batch(part).asnumpy(), strict=True):
            pictures.update({(index, side): _reduce(pixels, side) for side in sides[index]})
    return pictures


def _reduce(pixels: np.ndarray, side: int | None) -> np.ndarray:
    """Reduce by area averaging: uint8 [height, width, 3], the shorter side at most `side`."""
    height, width = pixels.shape[:2]
    size = reduced(width, height, side)
    if size == (width, height):
        return pixels.copy()
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep what decord itself writes to this process's standard error from appearing there."""
    kept = os.dup(2)
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _first_line(error: BaseException, path: Path) -> str:
    """Return what decord's error says, without folders, the place in its sources and its stack."""
    text = str(error).strip().partition("\n")[0].replace(str(path.absolute()), path.name)
    return f"decord: {_PLACE.sub('', text)[:200] or type(error).__name__}"
