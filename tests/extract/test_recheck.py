"""Stored values are computed again with today's code, and what differs is named."""

from dataclasses import replace

import numpy as np
import pytest

from cache.reading import read_known
from cache.spec import FeatureSpec, Row
from cache.store import Store
from cache.writer import ShardWriter
from corpus.sample import Sample
from extract.catalog import resolve
from extract.encoders.checkpoint import Places
from extract.encoders.encoding import Encoding
from extract.ensure import OpenCache, ensure
from extract.pipeline import Settings
from extract.recheck import recompute, tolerance
from extract.today import find_spec, is_stale, request_for
from tests.extract.levels import Level

SETTINGS = Settings(workers=1)


@pytest.fixture(scope="module")
def samples(clips):
    return [replace(sample, text={"title": f"A title of clip {sample.id}"}) for sample in clips]


@pytest.fixture
def cache(tmp_path, samples):
    """Give a cache of features of the video and the title of each sample."""
    request = resolve(["colour", "textstats"], parts=["video", "text:title"])
    ensure(samples, request, OpenCache.at(tmp_path, samples), settings=SETTINGS)
    return tmp_path


@pytest.fixture
def no_hub(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


def stored(cache, name):
    return next(f.spec for f in Store(cache).features() if f.name == name)


def store_anew(cache, sample, name, change):
    """Store another value of one sample, as code that gives other numbers would have."""
    opened, spec = OpenCache.at(cache, [sample]), stored(cache, name)
    (key,) = opened.keys.digests(spec.reads)
    known = opened.store.known(spec, [sample.id], [key])
    with ShardWriter(opened.store, spec) as writer:
        writer.add(Row.of(sample.id, key, change(read_known(known).values[0])))


def drifts(cache, samples, count=6):
    found = recompute(samples, OpenCache.at(cache, samples), SETTINGS, count=count, seed=0)
    return {drift.spec.name: drift for drift in found}


def test_unchanged_code_gives_the_same_bits(cache, samples):
    found = drifts(cache, samples, count=4)
    assert {"colour", "colour/frames", "textstats:title"} <= found.keys()
    assert {(one.compared, one.equal, one.differing) for one in found.values()} == {(4, 4, ())}


def test_other_numbers_are_named_with_their_samples(cache, samples):
    store_anew(cache, samples[2], "colour", lambda value: value + np.abs(value).max())
    found = drifts(cache, samples)
    ((name, how),) = found["colour"].differing
    assert (name, how[:3], found["colour"].equal) == ("v2", "by ", 5)
    assert found["textstats:title"].differing == ()


def test_the_last_bits_may_differ_between_machines(cache, samples):
    store_anew(cache, samples[2], "colour", lambda value: value * np.float32(1 + 1e-6))
    colour = drifts(cache, samples)["colour"]
    assert (colour.equal, colour.differing) == (5, ())
    assert 0 < colour.worst <= tolerance(colour.spec)


def test_what_cannot_be_computed_again_is_passed_over(cache, samples):
    gone = [Sample("v0", video=cache / "gone.mp4"), *samples[1:3]]
    with ShardWriter(Store(cache), Level().specs[0]) as writer:
        writer.add(Row.of("v1", b"0" * 16, np.ones(1, np.float32)))
    found = drifts(cache, gone)
    assert found["level"].passed_over == "today's code gives another recipe under its name"
    assert (found["colour"].compared, found["colour"].passed_over) == (2, "")
    far = drifts(cache, [Sample("elsewhere", video=cache / "gone.mp4")])
    assert "none has a value and its file here" in far["colour"].passed_over


@pytest.mark.parametrize("hub", ["who/other", "Qwen/Qwen3-Embedding-0.6B"])
def test_a_checkpoint_that_is_not_to_be_had_costs_no_other_feature(hub, cache, samples, no_hub):
    encoding = Encoding(Places({"qwen3embedding": f"Qwen/Qwen3-Embedding-0.6B@{'0' * 40}"}))
    name = "qwen3embedding:title"
    (spec,) = resolve([name], parts=["text:title"], encoding=encoding).specs
    other = {"checkpoint": {"hub": hub, "revision": "0" * 40}}
    spec = replace(spec, recipe={**spec.recipe, **other, "compute": "float32"})
    (key,) = OpenCache.at(cache, samples[:1]).keys.digests(spec.reads)
    with ShardWriter(Store(cache), spec) as writer:
        writer.add(Row.of(samples[0].id, key, np.ones(1024, np.float16)))
    found = drifts(cache, samples[:2])
    assert f"the checkpoint {hub} is not on this machine" in found[name].passed_over
    assert (found["colour"].compared, found["textstats:title"].compared) == (2, 2)


def test_a_stored_feature_is_stale_when_todays_code_gives_another():
    colour = resolve(["colour"], parts=["video"]).specs[0]
    assert is_stale(colour) is False
    assert is_stale(replace(colour, recipe={**colour.recipe, "version": 99})) is True
    assert is_stale(FeatureSpec("gone", (1,), "float32", ("video",), {"version": 1})) is True


@pytest.mark.parametrize("decoder", ["pyav", "decord"])
def test_stored_features_are_asked_for_with_their_own_decoder(decoder):
    specs = resolve(["colour", "mfcc"], parts=["video", "audio"], decoder=decoder).specs
    asked = {spec.fingerprint for spec in request_for(specs).specs}
    assert asked == {spec.fingerprint for spec in specs}
    for spec in specs:
        assert find_spec(spec.name, spec.fingerprint).fingerprint == spec.fingerprint


@pytest.mark.parametrize(
    ("name", "field"), [("textstats:title", "title"), ("language:a/b/scores", "a/b")]
)
def test_a_spec_is_found_by_its_name_and_fingerprint(name, field):
    specs = resolve([name.partition(":")[0]], parts=[f"text:{field}"]).specs
    spec = next(spec for spec in specs if spec.name == name)
    assert find_spec(name, spec.fingerprint) == spec
    assert find_spec(name, "0" * 16) is None


def test_a_spec_of_no_feature_is_not_found():
    assert find_spec("gone", "0" * 16) is None
