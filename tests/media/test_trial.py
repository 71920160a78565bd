"""Trial clips: made, read back, and told apart from what is not."""

import pytest

from media.trial import ENCODERS, SOUND, Trial, frame_trouble, try_codec
from tests.media.painted import paint


@pytest.mark.parametrize("codec", ["h264", SOUND])
def test_what_nearly_all_short_videos_are_made_of_is_decoded(codec):
    found = try_codec(codec)
    assert found.made
    assert found.troubles == {}


@pytest.mark.parametrize("codec", sorted(set(ENCODERS) - {"h264"}))
def test_pyav_decodes_the_other_codecs(codec):
    assert "pyav" not in try_codec(codec).troubles


def test_without_an_encoder_the_decoder_is_only_looked_for():
    assert try_codec("h264", "no-such-encoder") == Trial("h264", "", {})
    assert try_codec("nonsense", "no-such-encoder").troubles == {"pyav": "no decoder"}


def test_wrong_colours_are_a_trouble(tmp_path):
    paint(tmp_path / "a.mp4", [200, 160, 120, 80, 40], size=(128, 128))
    assert "other colours" in frame_trouble(tmp_path / "a.mp4", "pyav")


def test_a_clip_that_cannot_be_read_says_why(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    assert "libav cannot open it" in frame_trouble(tmp_path / "a.mp4", "pyav")
