"""Sounds whose loudness, pitch, timbre and tempo are known beforehand."""

import numpy as np
import pytest

from extract.classic import loudness, mfcc, rhythm, spectrum
from extract.classic.pitch import pitch
from tests.extract.sounds import buzz, clicks, measured, moments, noise, sine, sound, syllables

EXTRACTORS = {
    "loudness": (loudness, loudness.extractor()),
    "spectrum": (spectrum, spectrum.extractor()),
    "mfcc": (mfcc, mfcc.extractor()),
    "rhythm": (rhythm, rhythm.extractor()),
}


def described(family, samples):
    module, extractor = EXTRACTORS[family]
    values = measured(extractor, samples)[family].tolist()
    return dict(zip(module.POOLED_NAMES, values, strict=True))


def track(family, samples, name):
    module, extractor = EXTRACTORS[family]
    return measured(extractor, samples)[f"{family}/frames"][:, module.NAMES.index(name)]


def test_a_full_scale_sine_of_one_kilohertz_is_three_decibel_below_zero():
    """BS.1770: 0 dB FS at 997 Hz on one channel is -3.01 LUFS."""
    numbers = described("loudness", sine(997, 4.0, height=1.0))
    assert numbers["lufs"] == pytest.approx(-3.01, abs=0.05)
    assert numbers["peak"] == pytest.approx(0, abs=0.01)
    assert numbers["crest"] == pytest.approx(3.01, abs=0.02)


@pytest.mark.parametrize(("hz", "gain"), [(40, -6.7), (100, -1.8), (2000, 2.3), (5000, 3.3)])
def test_low_tones_count_less_and_high_ones_more(hz, gain):
    """Gains of the K weighting at 48 kHz against that of 997 Hz; at 16 kHz they hold to 0.5 dB."""
    lufs = [described("loudness", sine(tone, 4.0))["lufs"] for tone in (hz, 997)]
    assert lufs[0] - lufs[1] == pytest.approx(gain, abs=0.5)


def test_six_decibel_louder_is_six_decibel():
    quiet, loud = (described("loudness", factor * noise(2.0, 0.05)) for factor in (1.0, 2.0))
    for name in ("lufs", "rms", "peak", "level.p50", "heard.mean"):
        assert loud[name] - quiet[name] == pytest.approx(6.02, abs=0.01)
    for name in ("crest", "level.span.95.10", "heard.std", "silent"):
        assert loud[name] == pytest.approx(quiet[name], abs=0.01)


def test_the_gate_leaves_silence_out_of_the_loudness():
    tone = sine(997, 4.0)
    both = described("loudness", np.concatenate([tone, np.zeros_like(tone)]))
    assert both["lufs"] == pytest.approx(described("loudness", tone)["lufs"], abs=0.3)
    assert both["silent"] == pytest.approx(0.5, abs=0.01)
    assert both["last.heard"] == pytest.approx(4.0, abs=0.05)


def test_silence_has_the_floor():
    numbers = described("loudness", np.zeros(32_000))
    assert (numbers["lufs"], numbers["rms"], numbers["silent"]) == (-70, -100, 1)
    assert numbers["attack"] == numbers["heard.change"] == numbers["peaks"] == 0


def test_a_sudden_sound_has_an_attack_where_it_begins():
    samples = np.concatenate([noise(1.2, 0.001), noise(2.8, 0.1)])
    numbers = described("loudness", samples)
    assert numbers["attack"] == pytest.approx(40, abs=1.5)
    assert numbers["attack.at"] == pytest.approx(0.3, abs=0.02)
    assert numbers["opening"] < -30
    assert numbers["decay"] < 5


@pytest.mark.parametrize("hz", [70, 110, 220, 440, 700])
def test_a_tone_has_its_pitch(hz):
    found, periodicity = pitch(sound(sine(hz)))
    assert found == pytest.approx(hz, rel=0.005)
    assert periodicity.min() > 0.98


@pytest.mark.parametrize("hz", [80, 150, 300, 500])
def test_a_voice_in_noise_keeps_its_pitch(hz):
    found, _ = pitch(sound(buzz(float(hz)) + noise(2.0, 0.03)))
    assert np.median(found) == pytest.approx(hz, rel=0.01)
    assert (np.abs(np.log2(found / hz)) < 0.05).mean() > 0.95


def test_noise_and_silence_have_no_pitch():
    for samples in (noise(2.0), np.zeros(32_000)):
        assert (pitch(sound(samples))[0] > 0).mean() < 0.05


def test_an_octave_is_twelve_semitones():
    low, high = (described("spectrum", buzz(hz)) for hz in (120.0, 240.0))
    assert high["pitch.mean"] - low["pitch.mean"] == pytest.approx(12, abs=0.05)
    assert low["voiced"] == high["voiced"] == 1
    assert low["pitch.range.90"] < 0.1


def test_a_glide_of_an_octave_in_two_seconds_has_its_slope():
    glide = buzz(150 * 2 ** (moments(2.0) / 2), 2.0)
    numbers = described("spectrum", glide)
    assert numbers["pitch.slope"] == pytest.approx(6, abs=0.1)
    assert numbers["pitch.change"] == pytest.approx(0.06, abs=0.01)
    assert numbers["pitch.last"] > 5 > -5 > numbers["pitch.first"]


def test_a_voice_that_swells_as_it_rises_shows_effort():
    glide = buzz(150 * 2 ** (moments(2.0) / 2), 2.0)
    assert described("spectrum", glide * (0.2 + moments(2.0)))["pitch~level"] > 0.9
    assert described("spectrum", glide * (2.2 - moments(2.0)))["pitch~level"] < -0.9


def test_a_tone_has_its_centroid_and_no_width():
    assert track("spectrum", sine(1000), "centroid") == pytest.approx(1.0, abs=0.005)
    assert track("spectrum", sine(1000), "rolloff.85") == pytest.approx(1.0, abs=0.04)
    assert track("spectrum", sine(1000), "crossings") == pytest.approx(0.125, abs=0.003)
    assert track("spectrum", sine(1000), "flatness").max() < -30


def test_white_noise_is_flat():
    samples = noise(4.0)
    assert track("spectrum", samples, "centroid").mean() == pytest.approx(4.0, abs=0.05)
    assert track("spectrum", samples, "rolloff.25").mean() == pytest.approx(2.0, abs=0.1)
    assert track("spectrum", samples, "flatness").mean() == pytest.approx(-2.5, abs=0.3)
    assert track("spectrum", samples, "slope.1500").mean() == pytest.approx(0, abs=0.2)
    assert track("spectrum", samples, "harmonics").mean() < 0


def test_harmonics_stand_as_far_over_noise_as_they_are_mixed():
    """A buzz of power P and white noise of power P / 10: 10 dB."""
    voice = buzz(200.0, 3.0)
    hiss = noise(3.0, float(np.sqrt(np.mean(voice**2) / 10)))
    assert track("spectrum", voice + hiss, "harmonics").mean() == pytest.approx(10, abs=1.5)


def test_timbre_does_not_depend_on_the_level():
    samples = buzz(200.0) + noise(2.0, 0.05)
    quiet, loud = (described("spectrum", factor * samples) for factor in (0.3, 0.9))
    assert loud == pytest.approx(quiet, abs=0.05, rel=0.01)


def test_a_level_moves_the_first_coefficient_only():
    """An orthonormal transform of 40 bands that all rise by 6.02 dB: 6.02 * sqrt(40)."""
    quiet, loud = (described("mfcc", f * noise(2.0, 0.05)) for f in (1.0, 2.0))
    assert loud["c0:mean"] - quiet["c0:mean"] == pytest.approx(6.0206 * np.sqrt(40), abs=0.01)
    rest = [name for name in loud if name != "c0:mean" and name != "c0:voiced.mean"]
    assert [loud[n] for n in rest] == pytest.approx([quiet[n] for n in rest], abs=1e-3)


def test_a_steady_sound_has_no_deltas():
    assert track("mfcc", sine(440), "c1.delta")[1:-1] == pytest.approx(0, abs=0.05)


def test_a_steady_fade_has_its_slope_as_delta():
    """60 dB in 3 s are 0.2 dB per hop, in each of 40 bands."""
    fading = noise(3.0) * 10 ** (-moments(3.0))
    slope = track("mfcc", fading, "c0.delta")[1:-1].mean()
    assert slope == pytest.approx(-0.2 * np.sqrt(40), abs=0.05)


@pytest.mark.parametrize("per_minute", [60, 90, 120, 150])
def test_clicks_have_their_tempo(per_minute):
    numbers = described("rhythm", clicks(per_minute))
    octaves = numbers["tempo.1"] - np.log2(per_minute / 120)
    assert octaves == pytest.approx(round(octaves), abs=0.02)
    assert numbers["tempo.1.strength"] > 0.7
    assert numbers["onset.rate"] == pytest.approx(per_minute / 60, rel=0.15)


def test_clicks_at_the_usual_tempo_are_not_taken_for_half_or_double():
    numbers = described("rhythm", clicks(120))
    assert 120 * 2 ** numbers["tempo.1"] == pytest.approx(120, abs=1)
    assert numbers["onset.interval_s"] == pytest.approx(0.5, abs=0.02)
    assert numbers["onset.uneven"] < 0.1
    assert numbers["beat"] > 3


def test_noise_has_a_weak_beat_and_silence_none():
    assert described("rhythm", noise(8.0))["tempo.1.strength"] < 0.4
    silent = described("rhythm", np.zeros(64_000))
    assert silent["tempo.1"] == silent["beat"] == silent["onset.rate"] == 0


@pytest.mark.parametrize(("rate", "band"), [(1, "0.5hz"), (4, "3hz"), (6, "5hz"), (10, "8hz")])
def test_syllables_show_at_their_rate(rate, band):
    numbers = described("rhythm", syllables(rate))
    bands = {name: value for name, value in numbers.items() if name.startswith("syllables.")}
    assert max(bands, key=bands.get) == f"syllables.{band}"


def test_pauses_are_counted_and_measured():
    silence = np.zeros(8_000)
    samples = np.concatenate([noise(1.0), silence, noise(1.0), silence, noise(1.0)])
    numbers = described("rhythm", samples)
    assert numbers["pause.rate"] == pytest.approx(2 / 4, abs=0.02)
    assert numbers["pause.longest_s"] == pytest.approx(0.5, abs=0.05)
    assert numbers["pause.part"] == pytest.approx(0.25, abs=0.02)
    assert numbers["run.mean_s"] == pytest.approx(1.0, abs=0.06)
