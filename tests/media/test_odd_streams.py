"""Streams without times, and with changing sizes."""

import numpy as np
import pytest

from media.decode import read_media
from media.request import FrameRequest
from tests.media.painted import LEVELS, levels_of, paint

FIVE = FrameRequest("uniform", 5)
EXPECTED = [LEVELS[k] for k in (0, 6, 12, 18, 24)]


@pytest.mark.parametrize("suffix", ["avi", "h264", "ts", "mkv", "mov", "flv"])
@pytest.mark.parametrize("b_frames", [0, 3])
def test_any_container_gives_the_same_frames(tmp_path, suffix, b_frames):
    path = paint(tmp_path / f"clip.{suffix}", b_frames=b_frames)
    frames = read_media(path, [FIVE], []).frames[FIVE]
    assert np.allclose(levels_of(frames.pixels), EXPECTED, atol=2)
    assert np.allclose(frames.times_s, [0, 0.24, 0.48, 0.72, 0.96], atol=2e-3)


def test_a_picture_that_changes_its_size_keeps_the_first_size(tmp_path):
    parts = [paint(tmp_path / "a.h264"), paint(tmp_path / "b.h264", size=(64, 48))]
    path = tmp_path / "both.h264"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames = read_media(path, [FrameRequest("uniform", 50)], []).frames
    pixels = next(iter(frames.values())).pixels
    assert pixels.shape == (50, 64, 96, 3)
    assert np.allclose(levels_of(pixels), LEVELS * 2, atol=2)
