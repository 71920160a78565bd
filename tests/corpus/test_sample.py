from pathlib import Path

import pytest

from corpus.sample import Sample

SAMPLE = Sample(
    "a1",
    video=Path("a1.mp4"),
    text={"title": "A goal"},
    meta={"duration": 12.5, "category": "Sport"},
    author="ann",
)
FILES = {"a1.mp4": b"\x01", "b.mp4": b"\x02"}


def digest(sample, *parts):
    return sample.digest(parts, lambda path: FILES.get(path.name))


def test_only_the_named_parts_decide_the_digest():
    other = Sample("b", video=Path("b.mp4"), text={"title": "A goal"})
    assert digest(SAMPLE, "text:title") == digest(other, "text:title")
    assert digest(SAMPLE, "text:title", "video") != digest(other, "text:title", "video")


def test_the_digest_of_a_moved_file_stays():
    moved = Sample("a1", video=Path("elsewhere/a1.mp4"))
    assert digest(SAMPLE, "video") == digest(moved, "video")


def test_the_order_of_parts_does_not_matter():
    assert digest(SAMPLE, "text:title", "video") == digest(SAMPLE, "video", "text:title")


def test_sound_is_identified_by_the_file_it_is_read_from():
    assert digest(SAMPLE, "video") == digest(SAMPLE, "audio")


def test_a_file_that_is_not_here_leaves_the_digest_unknown():
    assert digest(Sample("c", video=Path("c.mp4")), "text:title", "video") is None


def test_an_absent_part_is_not_the_word_absent():
    assert digest(Sample("a"), "text:title") != digest(
        Sample("a", text={"title": "absent"}), "text:title"
    )


def test_a_number_and_a_category_that_look_alike_differ():
    number, word = Sample("a", meta={"n": 1.0}), Sample("a", meta={"n": "1.0"})
    assert digest(number, "meta:n") != digest(word, "meta:n")


@pytest.mark.parametrize("part", ["video", "audio", "text:title", "meta:duration"])
def test_a_named_part_is_there(part):
    assert SAMPLE.has(part)


@pytest.mark.parametrize("part", ["image", "text:description", "meta:followers"])
def test_a_part_that_the_row_does_not_name_is_not_there(part):
    assert not SAMPLE.has(part)
