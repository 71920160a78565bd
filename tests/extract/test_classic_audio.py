"""What holds for all families that describe sound: shapes, odd ones, golden values, cost."""

from pathlib import Path

import numpy as np
import pytest

from core.status import Gap
from extract.classic import loudness, mfcc, rhythm, silence, spectrum, speech
from extract.classic.sound import REQUEST
from tests.extract.sounds import buzz, golden, measured, noise, sine

MODULES = {
    "loudness": loudness,
    "spectrum": spectrum,
    "mfcc": mfcc,
    "rhythm": rhythm,
    "speech": speech,
    "silence": silence,
}
FAMILIES = tuple(module.extractor for module in MODULES.values())
every_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family().family)


def odd_sounds():
    yield "silence", np.zeros(32_000)
    yield "full scale", np.sign(sine(100, 1.0))
    yield "constant", np.full(16_000, 0.5)
    yield "one click", np.eye(1, 20_000, 9_000)[0]
    yield "faint", noise(1.0, 1e-6)
    yield "beyond full scale", 3 * noise(1.0, 1.0)
    yield "half a second", sine(440, 0.5)
    yield "just under two seconds", noise(1.99)
    yield "a sound after silence", np.concatenate([np.zeros(30_000), buzz(200.0, 0.3)])
    yield "odd length", noise(1.0)[:12_345]


ODD = dict(odd_sounds())


@every_family
@pytest.mark.parametrize("name", ODD)
def test_odd_sounds_have_finite_values_as_their_spec_says(family, name):
    values = measured(family(), ODD[name])
    for spec in family().specs:
        value = values[spec.name]
        assert value.dtype == np.float32
        assert value.shape[-1:] == spec.item_shape
        assert np.isfinite(value).all()


@every_family
def test_the_names_are_as_many_as_the_numbers(family):
    module, extractor = MODULES[family().family], family()
    tracks = getattr(module, "NAMES", ())
    lengths = {"frames": tracks, "windows": tracks, "": module.POOLED_NAMES}
    for spec in extractor.specs:
        names = lengths[spec.name.partition("/")[2]]
        assert spec.item_shape == (len(names),) == (len(set(names)),)


@every_family
@pytest.mark.parametrize("samples", [1, 160, 799])
def test_one_sample_or_less_than_a_window_is_too_short(family, samples):
    gap = measured(family(), noise(1.0)[:samples])
    assert isinstance(gap, Gap)
    assert gap.cause == "too-short"
    assert "of sound" in gap.reason


@pytest.mark.parametrize("family", FAMILIES[:3], ids=lambda family: family().family)
def test_fifty_milliseconds_are_enough_for_one_token(family):
    values = measured(family(), sine(440, 0.05))
    assert values[f"{family().family}/frames"].shape[0] == 1
    assert all(np.isfinite(value).all() for value in values.values())


def test_all_families_ask_for_the_same_sound():
    assert {family().audio for family in FAMILIES} == {REQUEST}


@every_family
def test_the_order_of_families_and_sounds_does_not_matter(family):
    """What is remembered of one sound must never be given for another."""
    first, second = golden(), noise(1.0)
    alone = measured(family(), first)
    for other in FAMILIES:
        measured(other(), second)
    again = measured(family(), golden())
    assert all(np.array_equal(alone[name], again[name]) for name in alone)


@every_family
def test_the_sound_is_not_changed(family):
    given = golden()
    before = given.samples.copy()
    measured(family(), given)
    assert np.array_equal(given.samples, before)


def test_tracks_of_all_families_have_the_same_length():
    lengths = {len(measured(f(), golden())[f"{f().family}/frames"]) for f in FAMILIES[:3]}
    assert lengths == {60}


GOLDEN = Path(__file__).parent / "golden_classic_audio.csv"


def golden_rows():
    for family in FAMILIES:
        name = family().family
        value = measured(family(), golden())[name]
        for label, number in zip(MODULES[name].POOLED_NAMES, value.tolist(), strict=True):
            yield f"{name}/{label}", number


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


@pytest.mark.parametrize("family", FAMILIES[:3], ids=lambda family: family().family)
def test_long_sounds_are_measured_in_pieces_without_seams(family, monkeypatch):
    """The same numbers, whether 3 s are one piece or ten."""
    whole = measured(family(), golden())
    monkeypatch.setattr("extract.classic.sound.PIECE", 30)
    parts = measured(family(), golden())
    for name, value in whole.items():
        assert parts[name] == pytest.approx(value, abs=1e-4, rel=1e-4)
