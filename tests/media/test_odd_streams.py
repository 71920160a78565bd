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


@pytest.fixture
def changing(tmp_path):
    """A clip of two seconds whose pictures are smaller in the second one."""
    parts = [paint(tmp_path / "a.h264"), paint(tmp_path / "b.h264", size=(64, 48))]
    path = tmp_path / "both.h264"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def test_a_picture_that_changes_its_size_keeps_the_first_size(changing):
    frames = read_media(changing, [FrameRequest("uniform", 50)], []).frames
    pixels = next(iter(frames.values())).pixels
    assert pixels.shape == (50, 64, 96, 3)
    assert np.allclose(levels_of(pixels), LEVELS * 2, atol=2)


@pytest.mark.parametrize("side", [None, 24])
def test_what_else_is_asked_for_changes_no_picture_of_a_size_that_changes(changing, side):
    late = FrameRequest("segment_centres", 1, side=side)
    alone = read_media(changing, [late], []).frames[late].pixels
    others = [FrameRequest("uniform", 5, side=side), FrameRequest("uniform", 5, side=32)]
    together = read_media(changing, [*others, late], []).frames[late].pixels
    assert alone.shape == ((1, 48, 64, 3) if side is None else (1, 24, 32, 3))
    assert np.array_equal(alone, together)
