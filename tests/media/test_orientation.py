"""Pictures stand upright as the display matrix of their video says, mirrored ones too."""

import numpy as np
import pytest

from media.decode import read_media
from media.orientation import upright
from media.request import FrameRequest
from tests.media.painted import paint

ONE = FrameRequest("uniform", 1)
PICTURE = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)


def read(path, decoder="pyav"):
    return read_media(path, [ONE], [], decoder=decoder).frames[ONE].pixels[0]


def matrix(a, b, c, d):
    """Return a display matrix of these four numbers, with 16 bits behind the point."""
    return np.array([[a, b, 0], [c, d, 0], [0, 0, 2**14]], np.float64).astype(np.int32) * 2**16


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_mirrored_video_is_turned_then_mirrored(tmp_path, rotation):
    flat = read(paint(tmp_path / "flat.mp4"))
    path = paint(tmp_path / "mirrored.mp4", rotation=rotation, mirrored=True)
    assert np.array_equal(read(path), np.fliplr(np.rot90(flat, rotation // 90)))


def test_decord_turns_but_does_not_mirror(tmp_path):
    turned = paint(tmp_path / "turned.mp4", rotation=90)
    mirrored = paint(tmp_path / "mirrored.mp4", rotation=90, mirrored=True)
    assert np.array_equal(read(mirrored, "decord"), read(turned, "decord"))


@pytest.mark.parametrize(
    ("entries", "shown"),
    [
        ((1, 0, 0, 1), PICTURE),
        ((0, 1, -1, 0), np.rot90(PICTURE, -1)),  # x runs down, y to the left: a turn clockwise
        ((-1, 0, 0, -1), np.rot90(PICTURE, 2)),
        ((0, -1, 1, 0), np.rot90(PICTURE, 1)),
        ((-1, 0, 0, 1), np.fliplr(PICTURE)),
        ((1, 0, 0, -1), np.flipud(PICTURE)),
        ((0, 1, 1, 0), PICTURE.swapaxes(0, 1)),
        ((0, -1, -1, 0), np.rot90(PICTURE.swapaxes(0, 1), 2)),
    ],
)
def test_a_place_is_shown_where_the_matrix_moves_it(entries, shown):
    assert np.array_equal(upright(PICTURE, matrix(*entries)), shown)


@pytest.mark.parametrize("entries", [(1, 1, -1, 1), (0, 0, 0, 0), (1, 1, 1, 1)])
def test_a_matrix_that_is_no_quarter_turn_is_left_alone(entries):
    assert np.array_equal(upright(PICTURE, matrix(*entries)), PICTURE)
