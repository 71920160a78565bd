"""The demo on the disk: what the folder holds, twice the same, and what it leaves alone."""

import csv
import json
from pathlib import Path

import av
import pytest

from core.errors import UsageError
from core.fingerprint import digest_file
from corpus.columns import Columns
from corpus.demo.write import DemoSummary, write_demo
from corpus.manifest import read_manifest


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoSummary:
    return write_demo(tmp_path_factory.mktemp("demo"), videos=5, seed=2, days=4, workers=2)


def digests(folder: Path) -> dict[str, bytes]:
    files = (place for place in folder.rglob("*") if place.is_file())
    return {place.relative_to(folder).as_posix(): digest_file(place) for place in files}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_table_reads_as_a_manifest(demo):
    columns = Columns.parse(str(demo.columns))
    manifest = read_manifest(demo.table, columns=columns, targets=["engagement", "popular", "p"])
    sample = manifest.samples[0]
    assert len(manifest.samples) == demo.videos == 5
    assert sample.video.is_file()
    assert sample.image.is_file()
    assert sample.targets["p"].shape == (4,)
    assert set(sample.meta) == {"duration", "followers", "category"}


def test_new_clips_have_files_and_texts_but_no_targets(demo):
    new, truth = rows(demo.new_table), rows(demo.new_truth)
    assert [row["id"] for row in new] == [row["id"] for row in truth] == ["new-1", "new-2"]
    assert "engagement" not in new[0]
    assert all((demo.folder / row["video"]).is_file() for row in new)
    assert {row["id"]: float(row["engagement"]) for row in truth} == demo.new


def test_durations_are_those_of_the_files(demo):
    for row in rows(demo.table):
        with av.open(str(demo.folder / row["video"])) as container:
            assert container.duration / 1e6 == pytest.approx(float(row["duration"]), abs=0.05)


def test_the_cause_is_written_down(demo):
    facts = json.loads((demo.folder / "cause.json").read_text())
    page = (demo.folder / "README.md").read_text()
    assert facts["settings"] == {"videos": 5, "seed": 2, "days": 4, "broken": 0}
    assert facts["ceiling"]["srocc"] == demo.ceiling.srocc
    assert "| motion | picture | 16 % |" in page
    assert f"**{demo.ceiling.srocc:.3f}**" in page


def test_the_summary_is_json(demo):
    values = json.loads(json.dumps(demo.to_json()))
    assert values["table"].endswith("videos.csv")
    assert values["bytes"] == sum(p.stat().st_size for p in demo.folder.rglob("*") if p.is_file())


def test_the_same_seed_gives_the_same_bytes_alone_or_in_a_crew(demo, tmp_path):
    write_demo(tmp_path / "again", videos=5, seed=2, days=4, workers=1)
    assert digests(tmp_path / "again") == digests(demo.folder)


def test_broken_files_are_truncated_missing_and_empty(tmp_path):
    summary = write_demo(tmp_path, videos=3, seed=2, days=2, broken=3, workers=1)
    kinds = {kind: tmp_path / "videos" / f"{name}.mp4" for name, kind in summary.broken.items()}
    assert list(kinds) == ["truncated", "missing", "empty"]
    assert kinds["truncated"].stat().st_size > 1000
    assert not kinds["missing"].exists()
    assert kinds["empty"].read_bytes() == b""
    assert "clip-001 (truncated)" in (tmp_path / "README.md").read_text()


def test_a_truncated_file_opens_but_decodes_in_part(tmp_path):
    summary = write_demo(tmp_path, videos=1, seed=2, days=2, broken=1, workers=1)
    (row,) = rows(summary.table)
    with av.open(str(tmp_path / row["video"])) as container:
        promised = container.streams.video[0].frames
        found = sum(packet.size > 0 for packet in container.demux(video=0))
    assert 0 < found < 0.9 * promised


def test_a_second_demo_replaces_the_first_and_spares_other_files(tmp_path):
    write_demo(tmp_path, videos=3, seed=2, days=2, workers=1)
    (tmp_path / "videos" / "mine.mp4").write_bytes(b"mine")
    (tmp_path / "covers" / ".writing-0a.jpg").write_bytes(b"litter of a kill")
    write_demo(tmp_path, videos=1, seed=2, days=2, workers=1)
    left = {place.name for place in (tmp_path / "videos").iterdir()}
    assert left == {"clip-001.mp4", "mine.mp4"}
    assert [place.name for place in (tmp_path / "covers").iterdir()] == ["clip-001.jpg"]


def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("three years of work")
    with pytest.raises(UsageError, match=r"is not empty and was not made by.*choose a new folder"):
        write_demo(tmp_path, videos=1, workers=1)
    assert [place.name for place in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("content", ["", "[]", '{"made_by": "hand"}', "{"])
def test_a_foreign_cause_json_does_not_make_a_folder_ours(tmp_path, content):
    (tmp_path / "cause.json").write_text(content)
    with pytest.raises(UsageError, match="is not empty"):
        write_demo(tmp_path, videos=1, workers=1)


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "demo").write_text("")
    with pytest.raises(UsageError, match="is a file, but the demo needs a folder"):
        write_demo(tmp_path / "demo", videos=1, workers=1)


def test_all_wrong_numbers_are_named_at_once(tmp_path):
    with pytest.raises(UsageError) as caught:
        write_demo(tmp_path / "demo", videos=0, days=0, broken=-1)
    text = str(caught.value)
    assert "videos is 0, but must be at least 1" in text
    assert "days is 0" in text
    assert "broken is -1" in text
    assert not (tmp_path / "demo").exists()


def test_more_broken_than_there_are_is_refused(tmp_path):
    with pytest.raises(UsageError, match="broken is 3, but there are only 2 videos"):
        write_demo(tmp_path, videos=2, broken=3)
