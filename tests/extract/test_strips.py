"""Strips of frames: small pictures of real clips, and the reason where there is none."""

import io

import numpy as np
import pytest
from PIL import Image

from corpus.sample import Sample
from extract.strips import FRAMES, LONGEST, SIDE, strips_of
from tests.media.painted import paint, tone


@pytest.fixture(scope="module")
def strips(tmp_path_factory):
    """Give the strips of clips and covers, good ones and bad ones, from one call."""
    folder = tmp_path_factory.mktemp("strips")
    paint(folder / "good.mp4", [40, 80, 120, 160, 200] * 4, sound=tone(0.5))
    (folder / "broken.mp4").write_bytes((folder / "good.mp4").read_bytes()[:300])
    (folder / "empty.mp4").write_bytes(b"")
    Image.new("RGB", (30, 4000), "red").save(folder / "tall.png")
    return strips_of(
        [
            Sample("good", video=folder / "good.mp4"),
            Sample("broken", video=folder / "broken.mp4"),
            Sample("gone", video=folder / "gone.mp4"),
            Sample("cover", image=folder / "tall.png"),
            Sample("both", video=folder / "empty.mp4", image=folder / "tall.png"),
            Sample("bad cover", image=folder / "broken.mp4"),
            Sample("words", text={"title": "only"}),
        ]
    )


def opened(strip):
    return Image.open(io.BytesIO(strip.picture))


def test_a_clip_gives_five_small_frames_side_by_side(strips):
    picture = opened(strips["good"])
    assert picture.format == "JPEG"
    assert picture.height <= LONGEST
    assert picture.width <= FRAMES * (LONGEST + 3)
    levels = np.asarray(picture.convert("L"), float).mean(axis=0)
    assert levels.std() > 10
    assert strips["good"].said.startswith("5 frames of good, from ")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("broken", "no frames: FAILED unreadable"),
        ("gone", "no frames: FAILED missing"),
        ("bad cover", "no cover: FAILED unreadable"),
    ],
)
def test_what_cannot_be_shown_has_its_reason_in_place_of_a_picture(strips, name, words):
    assert strips[name].picture == b""
    assert strips[name].said.startswith(words)


def test_a_cover_stands_where_there_is_no_frame(strips):
    assert max(opened(strips["cover"]).size) <= LONGEST
    assert min(opened(strips["cover"]).size) <= SIDE
    assert strips["cover"].said == "the cover of cover"
    assert strips["both"].picture
    assert "no frames: FAILED empty" in strips["both"].note


def test_a_row_without_files_has_no_strip(strips):
    assert "words" not in strips
