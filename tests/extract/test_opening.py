"""Opening seconds: names, identities, and what they see and hear."""

import numpy as np
import pytest

from core.errors import UnknownName, UsageError
from core.status import Gap
from corpus.sample import Sample
from extract.catalog import resolve
from extract.families import CLASSIC, PRESETS
from extract.opening import OPENING_PARTS, with_opening
from extract.sample_job import SampleJob, SampleTask
from tests.media.painted import paint, tone

PARTS = ("video", "audio", "text:title")
OPENING = [name for name, family in CLASSIC.items() if family.reads in OPENING_PARTS]
BEFORE_VARIANTS = {
    "colour/frames": "fd28c1118365eae6",
    "colour": "fa166465f697e92c",
    "sharpness/frames": "2b579017436b8fd6",
    "sharpness": "a841cdd0e04496e2",
    "motion/steps": "907783a1a3dfa96a",
    "motion": "aad93d72b621b08f",
    "loudness/frames": "31e1474bd0df2e66",
    "loudness": "5d8d4a1396055fd3",
    "spectrum/frames": "c56939313c69233d",
    "spectrum": "a559e3be4299c88b",
    "mfcc/frames": "dcd79e128a6237b5",
    "mfcc": "f510394681fa6747",
    "rhythm": "faa06c6bd9147326",
}


def values_of(asked, path):
    """Return every value of some features of one file, by name; all come out of one reading."""
    request = resolve(asked, parts=["video", "audio"])
    every = tuple(range(len(request.extractors)))
    answer = SampleJob(request.extractors)(SampleTask(0, Sample("x", video=path), every))
    values = {}
    for index, extractor in enumerate(request.extractors):
        prepared = answer.prepared[index]
        gap = {spec.name: prepared for spec in extractor.specs}
        values |= gap if isinstance(prepared, Gap) else extractor.forward([prepared])[0]
    return values


def same(one, other):
    return one == other if isinstance(one, Gap) else np.array_equal(one, other)


def test_features_without_a_variant_keep_the_fingerprints_they_had_before_there_were_any():
    """Recorded before; a cache of that day stays valid. Who raises a version updates its line."""
    specs = resolve(["classic"], parts=PARTS).specs
    found = {spec.name: spec.fingerprint for spec in specs if spec.name in BEFORE_VARIANTS}
    assert found == BEFORE_VARIANTS


@pytest.mark.parametrize("family", OPENING)
def test_every_family_of_video_or_sound_has_variants_of_their_own(family):
    names = [with_opening(family, seconds) for seconds in (None, 1, 2.5, 8)]
    assert names[1:] == [f"{family}@first1s", f"{family}@first2.5s", f"{family}@first8s"]
    specs = resolve(names, parts=PARTS).specs
    assert len({spec.fingerprint for spec in specs}) == len(specs)
    assert {spec.name.partition("/")[0] for spec in specs} == set(names)


def test_a_variant_asks_for_so_many_seconds_and_says_so_in_its_recipe():
    request = resolve(["motion@first3s", "mfcc@first2.5s/frames"], parts=PARTS)
    motion, mfcc = request.extractors
    assert (motion.frames.seconds, mfcc.audio.seconds) == (3.0, 2.5)
    assert motion.specs[0].recipe["frames"]["seconds"] == 3.0
    assert request.features == ("motion@first3s/steps", "motion@first3s", "mfcc@first2.5s/frames")


def test_a_variant_that_is_longer_than_a_family_looks_is_what_the_family_looks_at():
    plain, long = resolve(["motion", "motion@first90s"], parts=PARTS).extractors
    assert plain.frames == long.frames
    assert plain.specs[0].fingerprint != long.specs[0].fingerprint


def test_the_variant_of_a_preset_is_that_of_its_families_of_video_and_sound():
    request = resolve(["classic@first3s"], parts=PARTS)
    expected = [f"{name}@first3s" for name in PRESETS["classic"] if name in OPENING]
    assert [spec.name for spec in request.specs if "/" not in spec.name] == expected


@pytest.mark.parametrize(
    "variant", ["first", "first0s", "first3.0s", "first03s", "first3", "3s", "first-1s", "", "x"]
)
@pytest.mark.parametrize("name", ["motion", "classic"])
def test_another_variant_is_refused_with_those_there_are(name, variant):
    with pytest.raises(UnknownName, match="any number of seconds will do, such as first2"):
        resolve([f"{name}@{variant}"], parts=PARTS)


def test_a_text_has_no_opening_seconds():
    with pytest.raises(UsageError, match="reads text, which has no opening seconds; ask for 'wor"):
        resolve(["words@first3s"], parts=PARTS)


LEVELS = [40 + (7 * k) % 160 for k in range(50)]  # 2 s
ASKED = ["classic", "classic@first1s", "classic@first8s"]


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Return 2 s of picture and of a tone that rises, and a file of only its first second."""
    folder = tmp_path_factory.mktemp("opening")
    rising = tone(2.0) * np.linspace(0.2, 1, 96_000, dtype=np.float32)
    whole = paint(folder / "whole.mp4", LEVELS, sound=rising)
    first = paint(folder / "first.mp4", LEVELS[:25], sound=rising[:, :48_000])
    return whole, first


@pytest.fixture(scope="module")
def together(clips):
    return values_of(ASKED, clips[0])


@pytest.mark.parametrize("family", OPENING)
def test_a_video_shorter_than_the_variant_gives_what_all_gives(together, family):
    names = [name for name in together if name.partition("/")[0] == family]
    assert names
    assert all(same(together[name], together[with_opening(name, 8)]) for name in names)


@pytest.mark.parametrize("family", OPENING)
def test_a_variant_computed_alone_equals_that_computed_with_all_others(clips, together, family):
    alone = values_of([f"{family}@first1s"], clips[0])
    assert all(same(value, together[name]) for name, value in alone.items())
    assert any(not same(together[with_opening(n, 1)], together[n]) for n in BEFORE_VARIANTS)


@pytest.mark.parametrize("family", [name for name in OPENING if CLASSIC[name].reads == "video"])
def test_what_comes_after_the_opening_changes_nothing(clips, together, family):
    """The encoder of the shorter file may choose other bits, so values are near, not equal."""
    cut = values_of([family], clips[1])
    for name, value in cut.items():
        opening = together[with_opening(name, 1)]
        assert opening.shape == value.shape
        assert np.median(np.abs(opening - value)) < 0.02


def test_a_video_whose_first_second_holds_one_frame_has_colour_and_no_motion(tmp_path):
    path = paint(tmp_path / "slow.mp4", [50, 100, 150], times_ms=[0, 2000, 4000])
    values = values_of(["colour@first1s", "motion@first1s", "motion"], path)
    assert isinstance(values["colour@first1s"], np.ndarray)
    assert values["motion@first1s"].cause == "too-short"
    assert isinstance(values["motion"], np.ndarray)
