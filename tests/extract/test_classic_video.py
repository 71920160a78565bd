"""What holds for all families that describe videos: shapes, odd ones, golden values, cost."""

from pathlib import Path

import numpy as np
import pytest

from core.fingerprint import canonical_json
from core.status import Gap
from extract.classic import colour, composition, motion, overlay, pace, shake, sharpness, steps
from media.decode import read_media
from tests.extract.scenes import golden_clip, inputs, panned, times

FAMILIES = tuple(
    module.extractor for module in (colour, sharpness, motion, shake, pace, composition, overlay)
)
NEED_TWO = {"motion", "shake", "pace", "overlay"}  # frames
TABLES = {
    "colour": (colour.NAMES, colour.POOLED_NAMES),
    "sharpness": (sharpness.NAMES, sharpness.POOLED_NAMES),
    "motion": (steps.NAMES, motion.POOLED_NAMES),
    "shake": (shake.NAMES,),
    "pace": (pace.NAMES,),
    "composition": (composition.NAMES, composition.POOLED_NAMES),
    "overlay": (overlay.NAMES,),
}
every_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family().family)


def odd_videos():
    rng = np.random.default_rng(0)
    yield "portrait", panned(times(1), (0.2, 0), (170, 96))
    yield "landscape", panned(times(1), (0.2, 0), (96, 170))
    yield "two frames", panned(times(1), (0.2, 0))[:2]
    yield "black", np.zeros((5, 96, 128, 3), np.uint8)
    yield "white", np.full((5, 96, 128, 3), 255, np.uint8)
    yield "one pixel", rng.integers(0, 256, (4, 1, 1, 3), dtype=np.uint8)
    yield "a line", rng.integers(0, 256, (4, 2, 300, 3), dtype=np.uint8)
    yield "odd sides", rng.integers(0, 256, (4, 97, 131, 3), dtype=np.uint8)
    yield "every frame a cut", rng.integers(0, 256, (6, 12, 16, 3)).repeat(8, 1).repeat(8, 2)


ODD = {name: video.astype(np.uint8) for name, video in odd_videos()}


@every_family
@pytest.mark.parametrize("name", ODD)
def test_values_have_the_shape_of_their_specs_and_are_finite(family, name):
    extractor = family()
    prepared = extractor.prepare(inputs(ODD[name]))
    for spec in extractor.specs:
        value = prepared[spec.name]
        assert value.dtype == np.dtype(spec.dtype) == np.float32
        assert value.shape[-1] == spec.item_shape[0]
        assert value.ndim == len(spec.dims)
        assert np.isfinite(value).all()


@every_family
def test_every_dimension_has_a_name_of_its_own(family):
    extractor = family()
    for spec, names in zip(extractor.specs, TABLES[extractor.family], strict=True):
        assert len(names) == len(set(names)) == spec.item_shape[0]


@every_family
def test_one_frame_gives_a_value_or_says_why_not(family):
    prepared = family().prepare(inputs(ODD["landscape"][:1]))
    if isinstance(prepared, Gap):
        assert family().family in NEED_TWO
        assert prepared.cause == "too-short"
    else:
        assert all(np.isfinite(value).all() for value in prepared.values())


@every_family
def test_the_same_video_gives_the_same_numbers_and_forward_passes_them_on(family):
    extractor = family()
    first, second = (extractor.prepare(inputs(ODD["portrait"])) for _ in range(2))
    extractor.load("cpu")
    for row in extractor.forward([first, second]):
        assert row.keys() == {spec.name for spec in extractor.specs}
        assert all(np.array_equal(row[name], first[name]) for name in row)


@every_family
def test_frames_are_left_as_they_were(family):
    video = ODD["portrait"].copy()
    family().prepare(inputs(video))
    np.testing.assert_array_equal(video, ODD["portrait"])


@every_family
def test_the_decoder_is_part_of_the_recipe_and_the_recipe_is_json(family):
    ours, other = family(), family(decoder="decord")
    for spec, elsewhere in zip(ours.specs, other.specs, strict=True):
        assert spec.fingerprint != elsewhere.fingerprint
        assert spec.fingerprint == family().specs[ours.specs.index(spec)].fingerprint
        assert '"version":1' in canonical_json(spec.recipe)


GOLDEN = Path(__file__).parent / "golden_classic_video.csv"


def golden_rows():
    video, moments = golden_clip()
    for family in FAMILIES:
        extractor = family()
        value = extractor.prepare(inputs(video, moments))[extractor.family]
        for name, number in zip(TABLES[extractor.family][-1], value.tolist(), strict=True):
            yield f"{extractor.family}/{name}", number


def test_numbers_are_those_of_this_version():
    """Whoever changes them raises `version` in the recipe, then writes the file anew."""
    stored = dict(line.rsplit(",", 1) for line in GOLDEN.read_text().splitlines())
    found = dict(golden_rows())
    assert found.keys() == stored.keys()
    wrong = {
        name: (number, float(stored[name]))
        for name, number in found.items()
        if abs(number - float(stored[name])) > 2e-3 + 2e-3 * abs(number)
    }
    assert wrong == {}, "numbers changed: raise the version of the recipe"


@pytest.mark.real
def test_a_real_phone_video_is_described(real_data):
    path = sorted((real_data / "snapugc" / "videos").glob("*.mp4"))[0]
    extractors = [family() for family in FAMILIES]
    decoded = read_media(path, [extractor.frames for extractor in extractors], [])
    for extractor in extractors:
        frames = decoded.frames[extractor.frames]
        prepared = extractor.prepare(inputs(frames.pixels, frames.times_s))
        assert prepared[extractor.family].shape == extractor.specs[-1].item_shape
        assert np.isfinite(prepared[extractor.family]).all()
