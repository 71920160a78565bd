"""The contract of extractors without weights, all of the catalog: registering one is testing it.

Those with weights are held to theirs in `encoders/test_contract.py`.
"""

import json

import numpy as np
import pytest

from cache.spec import FeatureSpec
from cache.values import check_value
from core.errors import UnknownName, UsageError
from core.status import Gap
from corpus.sample import Sample
from extract.catalog import all_extractors, resolve
from extract.families import CLASSIC, FAMILIES, PRESETS
from extract.sample_job import SampleJob, SampleTask
from tests.media.painted import paint, tone

EXTRACTORS = {
    extractor.family: extractor
    for family, extractor in all_extractors("title")
    if not family.weights
}
TEXTS = {
    "plain": "Wait for it! 3 tricks your cat knows #cats @friend https://example.org",
    "emoji": "😀😀🎉",
    "long": "word " * 2000,
    "one letter": "x",
    "right to left": "مرحبا بالعالم",
    "signs": "?!… — \u200b",
    "no words": "   ",
}


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Give clips with and without sound, one of a single frame, and texts of all kinds."""
    folder = tmp_path_factory.mktemp("clips")
    levels = [40 + (7 * k) % 160 for k in range(30)]
    noise = np.random.default_rng(1).normal(0, 0.1, (1, 48000)).astype(np.float32)
    clips = {
        "tone": paint(folder / "tone.mp4", levels, sound=tone(1.2)),
        "noise": paint(folder / "noise.mp4", levels, sound=noise, size=(64, 96)),
        "silent": paint(folder / "silent.mp4", levels, sound=0 * tone(1.2)),
        "short sound": paint(folder / "short.mp4", levels, sound=tone(0.02)),
        "no sound": paint(folder / "mute.mp4", levels),
        "one frame": paint(folder / "one.mp4", [100], sound=tone(1.0)),
        "still": paint(folder / "still.mp4", [100] * 30),
    }
    texts = list(TEXTS.values())
    return [
        Sample(name, video=path, text={"title": texts[n % len(texts)]})
        for n, (name, path) in enumerate(clips.items())
    ]


def compute(extractors, sample):
    """Return every value of some extractors for one sample, by feature."""
    job = SampleJob(extractors)
    answer = job(SampleTask(0, sample, tuple(range(len(extractors)))))
    values = {}
    for index, extractor in enumerate(extractors):
        prepared = answer.prepared[index]
        if isinstance(prepared, Gap):
            values |= {spec.name: prepared for spec in extractor.specs}
        else:
            values |= extractor.forward([prepared])[0]
    return values


def same(one, other):
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    return one == other


@pytest.mark.parametrize("family", EXTRACTORS)
def test_every_value_is_what_its_spec_says(family, samples):
    extractor = EXTRACTORS[family]
    for sample in samples:
        values = compute([extractor], sample)
        assert values.keys() == {spec.name for spec in extractor.specs}
        for spec in extractor.specs:
            value = values[spec.name]
            fault = None if isinstance(value, Gap) else check_value(spec, value)
            assert fault is None, f"{spec.name} of {sample.id}: {fault}"


@pytest.mark.parametrize("family", EXTRACTORS)
def test_the_same_twice_and_on_an_ordinary_clip_no_gap(family, samples):
    first, second = (compute([EXTRACTORS[family]], samples[0]) for _ in range(2))
    assert not any(isinstance(value, Gap) for value in first.values())
    assert all(same(first[name], second[name]) for name in first)


def test_alone_and_together_are_equal_bit_for_bit(samples):
    together = compute(list(EXTRACTORS.values()), samples[0])
    for extractor in EXTRACTORS.values():
        alone = compute([extractor], samples[0])
        assert all(same(alone[name], together[name]) for name in alone)


@pytest.mark.parametrize("family", EXTRACTORS)
def test_batches_of_one_and_of_many_are_equal(family, samples):
    extractor = EXTRACTORS[family]
    job = SampleJob([extractor])
    prepared = [job(SampleTask(0, sample, (0,))).prepared[0] for sample in samples]
    batch = [one for one in prepared if not isinstance(one, Gap)]
    singly = [extractor.forward([one])[0] for one in batch]
    for one, many in zip(singly, extractor.forward(batch), strict=True):
        assert all(same(one[name], many[name]) for name in one)


@pytest.mark.parametrize("family", [n for n, f in CLASSIC.items() if f.reads == "audio"])
def test_no_sound_is_absent_and_silence_is_not(family, samples):
    by_id = {sample.id: sample for sample in samples}
    mute = compute([EXTRACTORS[family]], by_id["no sound"])
    assert {gap.cause for gap in mute.values()} == {"no-audio"}
    silent = compute([EXTRACTORS[family]], by_id["silent"])
    assert not any(isinstance(value, Gap) for value in silent.values())


@pytest.mark.parametrize("family", [n for n, f in CLASSIC.items() if f.reads == "text"])
@pytest.mark.parametrize("kind", TEXTS)
def test_any_text_has_a_value_or_says_why_not(family, kind):
    extractor = EXTRACTORS[family]
    values = compute([extractor], Sample("x", text={"title": TEXTS[kind]}))
    for spec in extractor.specs:
        value = values[spec.name]
        assert isinstance(value, Gap) or check_value(spec, value) is None


@pytest.mark.parametrize("family", [n for n, f in CLASSIC.items() if f.reads == "text"])
def test_a_missing_text_is_absent(family):
    values = compute([EXTRACTORS[family]], Sample("x", text={"description": "other"}))
    assert {gap.cause for gap in values.values()} == {"not-given"}


@pytest.mark.parametrize("family", EXTRACTORS)
def test_a_recipe_is_plain_and_has_a_version(family):
    for spec in EXTRACTORS[family].specs:
        assert spec.recipe["version"] >= 1
        stored = FeatureSpec.from_json(json.loads(json.dumps(spec.to_json())))
        assert stored.fingerprint == spec.fingerprint


def test_features_have_names_and_fingerprints_of_their_own():
    specs = [spec for extractor in EXTRACTORS.values() for spec in extractor.specs]
    assert len({spec.name for spec in specs}) == len(specs)
    assert len({spec.fingerprint for spec in specs}) == len(specs)


@pytest.mark.parametrize("family", [n for n, f in CLASSIC.items() if f.reads != "text"])
def test_the_decoder_is_part_of_the_recipe(family):
    one, other = (
        resolve([family], parts=["video", "audio"], decoder=decoder).specs[0].fingerprint
        for decoder in ("pyav", "decord")
    )
    assert one != other


def test_a_family_of_text_stands_for_every_field():
    request = resolve(["words"], parts=["text:title", "text:description"])
    assert {spec.name.split("/")[0] for spec in request.specs} == {
        "words:title",
        "words:description",
    }


def test_a_preset_leaves_out_what_the_table_does_not_name():
    request = resolve(["classic"], parts=["text:title"])
    assert {e.family for e in request.extractors} == {
        name for name in PRESETS["classic"] if FAMILIES[name].reads == "text"
    }


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("motoin", UnknownName, "did you mean 'motion'"),
        ("words:titel", UnknownName, "did you mean 'title'"),
        ("motion/nothing", UnknownName, "motion/nothing"),
        ("motion", UsageError, "reads video, which the table does not name"),
    ],
)
def test_a_name_that_stands_for_nothing_is_refused(name, error, words):
    parts = ["text:title"] if error is UsageError or "words" in name else ["video", "text:title"]
    with pytest.raises(error, match=words):
        resolve([name], parts=parts)
