"""Why a value is stored or would be computed again, told by what differs in its key."""

from dataclasses import replace
from pathlib import Path

import pytest

from cache.spec import UNKNOWN_INPUTS, Row
from cache.why import differences, explain, stored_rows
from core.status import absent, failed
from corpus.sample import Sample
from tests.cache.rows import RAGGED, VECTOR, WORDS, digest, row, write

FILE = Path("clip.mp4")
SAMPLE = Sample("clip-0", video=FILE, text={"title": "a title"})


def digest_of(path):
    """Stand for the digest of the only file that there is."""
    return digest("clip") if path == FILE else None


def of_sample(value=None, *, sample=SAMPLE, spec=VECTOR):
    """Return the row that extracting a sample as it is now would have stored."""
    key = sample.digest(spec.reads, digest_of)
    return replace(row(0, value, spec=spec), inputs_digest=key or UNKNOWN_INPUTS)


def why(store, sample=SAMPLE, *, today=VECTOR):
    stored = {f.spec: stored_rows(store, f.spec, sample.id) for f in store.features()}
    return explain(today, stored, sample, digest_of)


def test_a_row_that_counts_is_the_answer(store):
    write(store, [of_sample(failed("timeout", "after 9 s"))])
    assert why(store).row.reason == "after 9 s"
    write(store, [of_sample()])
    assert (why(store).row.status.name, why(store).differences) == ("OK", ())


def test_what_was_never_extracted_differs_in_nothing(store):
    assert (why(store).row, why(store).differences) == (None, ())


def test_an_edited_part_is_named_and_the_others_are_not(store):
    old = replace(SAMPLE, text={"title": "another"})
    write(store, [of_sample(sample=old, spec=WORDS)], spec=WORDS)
    assert why(store, today=WORDS).differences == ("text:title changed",)


def test_of_two_parts_the_one_that_others_know_unchanged_is_not_blamed(store):
    both = replace(VECTOR, name="both", reads=("video", "text:title"))
    old = replace(SAMPLE, text={"title": "another"})
    write(store, [of_sample(sample=old, spec=both)], spec=both)
    assert why(store, today=both).differences == ("text:title or video changed",)
    write(store, [of_sample()])
    assert why(store, today=both).differences == ("text:title changed",)


@pytest.mark.parametrize(
    ("then", "now", "text"),
    [
        ({"video": Path("gone.mp4")}, {}, "the file of video has come"),
        ({"video": None}, {}, "video was not given, is now"),
        ({}, {"video": None}, "video was given, is not now"),
    ],
)
def test_a_part_that_comes_or_goes_is_told(store, then, now, text):
    value = failed("missing") if then.get("video") else absent("not-given") if then else None
    write(store, [of_sample(value, sample=replace(SAMPLE, **then))])
    assert why(store, replace(SAMPLE, **now)).differences == (text,)


def test_a_file_that_is_not_here_is_known_by_its_id(store):
    write(store, [of_sample()])
    assert why(store, replace(SAMPLE, video=Path("gone.mp4"))).row.status.name == "OK"


def test_another_recipe_is_named_with_the_keys_that_differ(store):
    write(store, [of_sample()])
    today = replace(VECTOR, dtype="float32", recipe={"version": 2, "frames": {"count": 8}})
    (text,) = why(store, today=today).differences
    assert text == (
        f"{VECTOR.fingerprint}: dtype was 'float16', is 'float32', recipe.version was 1, is 2, "
        "recipe.frames.count was not there, is 8"
    )


def test_a_recipe_of_other_samples_is_named_only_where_nothing_is_nearer(store):
    write(store, [row(1)])
    today = replace(VECTOR, recipe={"version": 2})
    text = f"{VECTOR.fingerprint} (without this sample): recipe.version was 1, is 2"
    assert why(store, today=today).differences == (text,)


def test_a_spec_that_was_read_from_disk_is_the_same_one(store):
    sides = replace(VECTOR, recipe={"sides": (1, 2)})  # JSON has lists only
    write(store, [of_sample(spec=sides)], spec=sides)
    assert why(store, today=sides).row is not None


def test_of_each_input_the_best_row_is_told(store):
    write(store, [row(0, failed("timeout")), row(1)])
    write(store, [row(0), row(0, key="edited")])
    write(store, [Row.of("clip-0", digest(0), failed("crash"))])
    found = stored_rows(store, VECTOR, "clip-0")
    assert [(one.status.name, one.digest) for one in found] == [
        ("OK", digest(0)), ("OK", digest("edited"))
    ]  # fmt: skip


def test_specs_that_are_equal_differ_in_nothing():
    assert differences(VECTOR, VECTOR) == []
    assert "name was 'net@small', is 'net/tokens'" in differences(VECTOR, RAGGED)
