"""Captions from the command line: as a table, and as what a text encoder reads."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

import cli
from cache.store import Store
from core.errors import UnknownName, UsageError
from tests.extract.encoders.conftest import checkpoints
from tests.media.painted import paint

__all__ = ["checkpoints"]


def run(*words):
    return cli.app(list(map(str, words)), standalone_mode=False)


@pytest.fixture
def caption(tmp_path, monkeypatch, checkpoints, capsys):
    """Give a function that captions clips of a folder: two that can be read, one that cannot."""
    monkeypatch.chdir(tmp_path)
    paint(Path("dark.mp4"), [20] * 16)
    paint(Path("bright.mp4"), [230, 20] * 8)
    Path("broken.mp4").write_bytes(b"\0" * 4000)
    weights = f"spacetimegpt={checkpoints('spacetimegpt')}"

    def call(*words):
        code = run("caption", *words, "--weights", weights, "--workers", 1, "--dtype", "float32")
        return code, capsys.readouterr().out

    return call


def test_every_clip_is_a_row_whatever_became_of_it(caption):
    code, out = caption("dark.mp4", "broken.mp4", "bright.mp4")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 3
    assert [row["id"] for row in rows] == ["dark.mp4", "broken.mp4", "bright.mp4"]
    assert [row["status"] for row in rows] == ["OK", "FAILED", "OK"]
    assert rows[1]["caption"] == ""
    assert rows[1]["cause"] == "unreadable"
    assert rows[0]["caption"] != rows[2]["caption"] != ""


def test_clips_are_kept_by_what_they_hold_and_told_by_their_paths(caption):
    Path("copies").mkdir()
    shutil.copy("dark.mp4", "copies/dark.mp4")
    _, out = caption("dark.mp4", "copies/dark.mp4", "--json")
    rows = json.loads(out)["captions"]
    assert [row["id"] for row in rows] == ["dark.mp4", "copies/dark.mp4"]
    assert rows[0]["caption"] == rows[1]["caption"]
    store = Store(Path("var/cache"))
    kept = [header.ids for spec in store.features() for _, header in store.headers(spec.spec)]
    assert [name.partition(b":")[0] for name in kept[0].tolist()] == [b"clip"]


def test_captions_of_a_table_are_kept_and_written(caption):
    Path("videos.csv").write_text("id,video,title\na,dark.mp4,x\nb,bright.mp4,y\n")
    code, out = caption("--manifest", "videos.csv", "--out", "captions.csv")
    assert (code, out) == (0, "")
    code, out = caption("--manifest", "videos.csv", "--json")
    found = json.loads(out)
    assert found["feature"] == "spacetimegpt/caption"
    written = list(csv.DictReader(io.StringIO(Path("captions.csv").read_text())))
    assert [row["caption"] for row in found["captions"]] == [row["caption"] for row in written]


def test_a_caption_of_another_length_is_another_caption(caption):
    _, short = caption("dark.mp4", "--min-tokens", 2, "--max-tokens", 4, "--beams", 1)
    _, long = caption("dark.mp4", "--min-tokens", 30, "--max-tokens", 30)
    _, opening = caption("dark.mp4", "--by", "spacetimegpt@first1s", "--json")
    assert len(short) < len(long)
    assert json.loads(opening)["feature"] == "spacetimegpt@first1s/caption"


@pytest.mark.parametrize(
    ("words", "error", "told"),
    [
        ([], UsageError, "name either clips or a table"),
        (["dark.mp4", "--manifest", "x.csv"], UsageError, "name either clips or a table"),
        (["videos.csv"], UsageError, "videos.csv is a table, not a clip"),
        (["dark.mp4", "dark.mp4"], UsageError, "dark.mp4 is named twice"),
        (["--manifest", "dark.mp4", "--out", "dark.mp4"], UsageError, "is the table that is read"),
        (["dark.mp4", "--out", "dark.mp4"], UsageError, "dark.mp4 is the clip that is read"),
        (["dark.mp4", "--by", "clip"], UnknownName, "--by 'clip' is unknown"),
        (["dark.mp4", "--max-tokens", 3], UsageError, "10 to 3 tokens cannot be written"),
    ],
)
def test_what_cannot_be_captioned_is_refused(caption, words, error, told):
    with pytest.raises(error, match=told):
        caption(*words)


def test_a_run_learns_from_captions_that_a_text_encoder_read(
    tmp_path, monkeypatch, checkpoints, capsys
):
    monkeypatch.chdir(tmp_path)
    lines = ["id,video,light"]
    for n in range(24):
        paint(Path(f"{n}.mp4"), [20 + 9 * n, 20] * 4)
        lines.append(f"v{n},{n}.mp4,{n}")
    Path("videos.csv").write_text("\n".join(lines))
    options = ["videos.csv", "--features", "e5:spacetimegpt/caption"]
    for family in ("e5", "spacetimegpt"):
        options += ["--weights", f"{family}={checkpoints(family)}"]
    assert not run("extract", *options, "--workers", 1)
    assert not run("fit-head", *options, "--head", "linear", "--target", "light", "--out", "r")
    capsys.readouterr()
    assert not run("predict", "r", "3.mp4", "--json", "--workers", 1)
    assert json.loads(capsys.readouterr().out)["missing"] == []
