"""Every odd file of the real data has the outcome that the table beside this test decides."""

import csv
from pathlib import Path

import numpy as np
import pytest

from core.status import Gap
from extract.pool import Limits, run_tasks
from media.decode import read_media
from media.image import read_image
from media.probe import probe
from media.request import AudioRequest, FrameRequest

FIVE = FrameRequest("uniform", 5)
BEGINNING = FrameRequest("uniform", 3, seconds=0.5)
VOICE = AudioRequest(16000)
DECODERS = ["pyav", "decord"]
LIMITS = Limits(time_s=30)  # the longest takes one second
pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def odd(real_data):
    return real_data / "odd"


@pytest.fixture(scope="module")
def table():
    with Path(__file__).with_name("odd_outcomes.csv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


class Outcomes:
    """Says in a worker process what became of a file's video and sound."""

    def __call__(self, task):
        path, decoder = task
        decoded = read_media(path, [FIVE], [VOICE], decoder=decoder)
        return said(decoded.frames[FIVE]), said(decoded.sound[VOICE])


def said(found):
    if isinstance(found, Gap):
        return f"{found.status.name} {found.cause}"
    content = getattr(found, "pixels", getattr(found, "samples", found))
    return "OK" if len(content) and np.isfinite(content).all() else "nothing"


def test_the_table_names_every_file(odd, table):
    files = {path.name for path in odd.iterdir()} - {"manifest.csv"}
    assert {row["file"] for row in table} == files
    assert len(table) == 77


@pytest.fixture(scope="module")
def outcomes(odd, table):
    tasks = [(odd / row["file"], decoder) for row in table for decoder in DECODERS]
    results = run_tasks(Outcomes(), tasks, workers=2, limits=LIMITS)
    return {(path.name, decoder): outcome for (path, decoder), outcome in results}


def test_every_odd_file_comes_out_as_decided(table, outcomes):
    decided = {row["file"]: (row["video"], row["audio"]) for row in table}
    assert {name: outcomes[name, "pyav"] for name in decided} == decided


def test_by_decord_odd_files_come_out_alike_but_for_those_of_its_column(table, outcomes):
    decided = {row["file"]: (row["decord"] or row["video"], row["audio"]) for row in table}
    assert {name: outcomes[name, "decord"] for name in decided} == decided


def test_odd_pictures_come_out_as_decided(odd, table):
    decided = {row["file"]: row["image"] for row in table if row["image"]}
    assert {name: said(read_image(odd / name)) for name in decided} == decided


def test_a_gap_of_an_odd_file_counts_what_there_was(odd):
    frames = read_media(odd / "derived__pancake_bitflips.mkv", [FIVE], []).frames[FIVE]
    assert frames.reason == "78 of 94 frames decoded"


def test_decord_says_nothing_of_folders_and_nothing_aloud(odd, capfd):
    path = odd / "exiftool__QuickTime.heic"
    gap = read_media(path, [FIVE], [], decoder="decord").frames[FIVE]
    assert gap.reason == "decord: Error reading exiftool__QuickTime.heic..."
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("asked", [BEGINNING, pytest.param(FIVE, marks=pytest.mark.slow)])
def test_what_both_decoders_read_they_read_alike(odd, table, asked):
    found = []
    for name in [r["file"] for r in table if r["video"] == "OK" and not r["decord"]]:
        ours, theirs = (
            read_media(odd / name, [asked], [], decoder=decoder).frames[asked]
            for decoder in DECODERS
        )
        if not np.array_equal(ours.pixels, theirs.pixels):
            found.append(name)
    assert found == ["torchcodec__h264_10bits.mp4", "torchcodec__h265_10bits.mp4"]


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("angle", [90, 270])
def test_phone_videos_stand_upright(odd, decoder, angle):
    path = odd / f"decord__video_{angle}.mov"
    frames = read_media(path, [FIVE], [], decoder=decoder).frames[FIVE]
    assert frames.pixels.shape == (5, 568, 320, 3)
    assert (probe(path).width, probe(path).height) == (320, 568)
