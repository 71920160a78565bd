"""Sounds that are known to be like speech or not, and silences at known places."""

import numpy as np
import pytest

from extract.classic import silence, speech
from extract.classic.sound import REQUEST
from extract.contract import Inputs
from media.decode import read_media
from tests.extract.sounds import RATE, buzz, clicks, measured, moments, noise, sine, syllables
from tests.media.painted import paint


def described(module, samples):
    name = module.__name__.rpartition(".")[2]
    values = measured(module.extractor(), samples)[name].tolist()
    return dict(zip(module.POOLED_NAMES, values, strict=True))


def modulated(hz, depth=0.8, seconds=4.0):
    return noise(seconds) * (1 + depth * np.sin(2 * np.pi * hz * moments(seconds)))


def talk(seconds=4.0):
    """Return syllables of a gliding voice with hissing between them, four times a second."""
    beat = np.sin(2 * np.pi * 4 * moments(seconds))
    voice = buzz(150 * 2 ** (0.5 * np.sin(2 * np.pi * 0.9 * moments(seconds))), seconds)
    return voice * np.maximum(beat, 0) + noise(seconds, 0.03) * np.maximum(-beat, 0)


@pytest.mark.parametrize("depth", [0.3, 0.8])
def test_noise_modulated_at_four_hertz_has_its_rate_and_depth(depth):
    numbers = described(speech, modulated(4, depth))
    assert numbers["syllabic:mean"] > 0.85
    assert numbers["peak:mean"] == pytest.approx(0, abs=0.1)
    assert numbers["peak.height:mean"] > 3
    assert numbers["depth:mean"] == pytest.approx(depth, abs=0.03)
    assert numbers["together:mean"] > 0.4


@pytest.mark.parametrize(
    ("hz", "part"), [(1, "slow"), (4, "syllabic"), (6, "syllabic"), (12, "fast")]
)
def test_modulation_falls_into_the_part_of_its_rate(hz, part):
    numbers = described(speech, modulated(hz))
    assert numbers[f"{part}:mean"] > 0.9
    assert 4 * 2 ** numbers["peak:mean"] == pytest.approx(hz, rel=0.2)


def test_a_steady_tone_is_not_modulated_and_is_held():
    numbers = described(speech, sine(440, 4.0))
    parts = ("slow", "syllabic", "fast", "peak", "peak.height", "depth", "low")
    assert [numbers[f"{name}:mean"] for name in parts] == pytest.approx([0] * 7, abs=0.01)
    assert numbers["held:mean"] == 1
    assert numbers["held.longest_s"] == pytest.approx(np.log2(1 + 4), abs=0.05)


def test_a_glide_is_not_held():
    assert described(speech, buzz(120 * 2 ** moments(4.0), 4.0))["held:mean"] == 0


def test_noise_is_modulated_fast_and_never_low():
    numbers = described(speech, noise(4.0))
    assert numbers["fast:mean"] > numbers["syllabic:mean"] > numbers["slow:mean"]
    assert numbers["low:mean"] == numbers["crossings.high:mean"] == 0


def test_syllables_are_speechlike_and_held_notes_noise_and_clicks_are_not():
    assert described(speech, talk())["speechlike"] == 1
    others = (syllables(4.0), sine(440, 4.0), noise(4.0), modulated(4), clicks(120))
    assert [described(speech, other)["speechlike"] for other in others] == [0] * 5


def test_hissing_between_syllables_shows_in_the_crossings():
    spoken, steady = described(speech, talk()), described(speech, buzz(150.0, 4.0))
    assert spoken["crossings.high:mean"] > 0.2 > steady["crossings.high:mean"]


def test_windows_tell_where_speech_is():
    both = np.concatenate([talk(4.0), sine(440, 4.0)])
    windows = measured(speech.extractor(), both)["speech/windows"]
    held = windows[:, speech.NAMES.index("held")]
    assert len(windows) == 13
    assert held[:4].max() == 0
    assert held[-5:].min() == 1


def test_speech_does_not_depend_on_the_level():
    quiet, loud = (described(speech, factor * talk()) for factor in (0.1, 1.0))
    assert quiet == pytest.approx(loud, abs=0.02)


def gaps():
    """Return 10 s of noise, silent from 0 to 1, 3 to 3.2, 5 to 5.5, 7 to 8.5 and 9 to 10 s."""
    samples = noise(10.0)
    for start, stop in ((0, 1), (3, 3.2), (5, 5.5), (7, 8.5), (9, 10)):
        samples[round(start * RATE) : round(stop * RATE)] = 0
    return samples


def test_silences_are_found_where_they_are():
    numbers = described(silence, gaps())
    tenths = [numbers[f"quiet.{tenth}"] for tenth in range(10)]
    assert tenths == pytest.approx([1, 0, 0, 0.2, 0, 0.5, 0, 1, 0.5, 1], abs=0.04)
    assert 2 ** numbers["first"] - 1 == pytest.approx(1, abs=0.04)
    assert 2 ** numbers["end"] - 1 == pytest.approx(1, abs=0.04)
    assert 2 ** numbers["longest"] - 1 == pytest.approx(1.5, abs=0.04)
    assert numbers["longest.at"] == pytest.approx(0.775, abs=0.005)
    assert numbers["digital"] == pytest.approx(0.42, abs=0.01)


def test_pauses_are_counted_by_length_without_the_silence_around_the_sound():
    numbers = described(silence, gaps())
    assert 2 ** numbers["pauses"] - 1 == pytest.approx(3 / 10, abs=0.01)
    parts = [numbers[f"pauses.{kind}"] for kind in ("short", "middle", "long")]
    assert parts == pytest.approx([1 / 3] * 3)
    assert numbers["pauses.depth"] == pytest.approx(80, abs=3)
    assert numbers["pauses.sudden"] == 1


def test_a_silent_track_is_quiet_from_its_beginning_to_its_end():
    numbers = described(silence, np.zeros(3 * RATE))
    assert {numbers[f"quiet.{tenth}"] for tenth in range(10)} == {1}
    assert {numbers[name] for name in ("first", "end", "longest")} == {numbers["first"]}
    assert 2 ** numbers["first"] - 1 == pytest.approx(3, abs=0.05)
    rest = ("pauses", "dropouts", "clipped", "loudest.crest")
    assert [numbers[name] for name in rest] == pytest.approx([0] * 4, abs=1e-4)
    assert set(described(speech, np.zeros(3 * RATE)).values()) == {0}


def test_fades_are_not_sudden():
    fading = 10 ** (-0.05 * 25 * (1 - np.cos(2 * np.pi * 0.5 * moments(8.0))))
    numbers = described(silence, noise(8.0) * fading)
    assert numbers["pauses"] > 0
    assert numbers["pauses.sudden"] == 0


def test_dropouts_are_counted_and_pauses_of_a_second_are_not():
    samples = noise(4.0)
    for start_s, length_s in ((0.5, 0.02), (1.5, 0.1), (2.5, 1.0)):
        samples[round(start_s * RATE) : round((start_s + length_s) * RATE)] = 0
    numbers = described(silence, samples)
    assert 2 ** numbers["dropouts"] - 1 == pytest.approx(2 / 4, abs=0.01)
    assert numbers["dropouts.part"] == pytest.approx(0.03, abs=0.001)


@pytest.mark.parametrize("hz", [50, 100, 440])
def test_a_clipped_tone_has_two_flat_tops_a_period_and_a_whole_one_none(hz):
    tone = sine(hz, 2.0, height=1.0)
    assert described(silence, tone)["clipped"] == 0
    numbers = described(silence, np.clip(3 * tone, -1, 1))
    assert 2 ** numbers["clipped"] - 1 == pytest.approx(2 * hz, rel=0.03)
    assert numbers["clipped.part"] == pytest.approx(0.78, abs=0.03)


def test_clipping_and_dropouts_survive_lossy_coding(tmp_path):
    time = np.arange(96_000) / 48_000
    found = []
    for gain in (1.0, 3.0):
        wave = np.clip(gain * np.sin(2 * np.pi * 440 * time), -1, 1) * 0.9
        wave[48_000:49_440] = 0
        path = paint(tmp_path / f"{gain}.mp4", [50] * 50, sound=wave[None].astype(np.float32))
        given = read_media(path, [], [REQUEST]).sound[REQUEST]
        values = silence.extractor().prepare(Inputs(sound=given))["silence"].tolist()
        found.append(dict(zip(silence.POOLED_NAMES, values, strict=True)))
    whole, clipped = found
    assert whole["loudest.crest"] == pytest.approx(3, abs=0.4)
    assert clipped["loudest.crest"] < 1.5
    assert min(whole["dropouts"], clipped["dropouts"]) == pytest.approx(np.log2(1.5), abs=0.02)
