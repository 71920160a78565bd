"""The families of extractors, and what a name says: `family[@variant][:field][/output]`."""

from __future__ import annotations

from collections.abc import Collection

from core.errors import UnknownName, UsageError
from extract.encoders.rows import ENCODERS
from extract.family import Family

REMEDY = "List: python cli.py features"


_CLASSIC = "extract.classic."
CLASSIC = {
    name: Family(_CLASSIC + place, reads, measures)
    for name, place, reads, measures in (
        ("colour", "colour:extractor", "video", "colour, exposure, contrast, lightness layout"),
        ("sharpness", "sharpness:extractor", "video", "sharpness, noise, blocking"),
        ("motion", "motion:extractor", "video", "motion energy and direction over time, cuts"),
        ("shake", "shake:extractor", "video", "camera shake, pan, zoom and turn"),
        ("pace", "pace:extractor", "video", "editing and activity over time, gradual changes"),
        ("composition", "composition:extractor", "video", "edges, lines, symmetry, balance"),
        ("overlay", "overlay:extractor", "video", "captions, logos, bars, borders; no reading"),
        ("loudness", "loudness:extractor", "audio", "level, dynamics, silence"),
        ("spectrum", "spectrum:extractor", "audio", "timbre, pitch, harmonicity"),
        ("mfcc", "mfcc:extractor", "audio", "mel cepstrum and its changes"),
        ("rhythm", "rhythm:extractor", "audio", "onsets, tempo, modulation, pauses"),
        ("speech", "speech:extractor", "audio", "speech or music: syllables, voice, held notes"),
        ("silence", "silence:extractor", "audio", "where it is quiet, pauses, dropouts, clipping"),
        ("textstats", "textstats:extractor", "text", "lengths, signs, emoji, hashtags, scripts"),
        ("words", "ngrams:word_extractor", "text", "hashed words and pairs of words"),
        ("characters", "ngrams:character_extractor", "text", "hashed character n-grams"),
        ("language", "language:extractor", "text", "the language, by langid"),
    )
}
FAMILIES = CLASSIC | ENCODERS
_SEEN = ("timesformer", "smolvlm2", "resnet101", "ast")
_OPENED_S = "first8s"  # what EVQA's participants judge by
_READ = ("mbert", *(name for name, row in CLASSIC.items() if row.reads == "text"))
PRESETS: dict[str, tuple[str, ...]] = {
    "classic": tuple(CLASSIC),
    "smtpd": ("resnet101@cover", "mbert"),
    "popularity": (*_SEEN, "mbert", *CLASSIC),
    "evqa": (
        *(f"{name}@{_OPENED_S}" for name in (*_SEEN, *CLASSIC) if name not in _READ),
        f"mbert:smolvlm2@{_OPENED_S}/caption",
        *(f"{name}:{field}" for name in _READ for field in ("title", "description")),
    ),
    "action": ("videomae", "timesformer", "i3d/tokens"),
    "modern": ("siglip2", "vjepa2", "clap", "e5"),
}
DEFAULT_PRESET = "classic"
_OF_FITS = {
    "meta": "it is the table's own numbers and categories; there is nothing to extract",
    "knn()": "it tells what became of neighbours by a feature; extract that one",
}


def family_of(name: str) -> str:
    """Return the family that a feature's name begins with.

    Raises:
        UnknownName: if there is no such family.
        UsageError: if it is what a fit has of itself.
    """
    family = name.partition("/")[0].partition(":")[0].partition("@")[0]
    kind = "knn()" if name.startswith("knn(") and name.endswith(")") else family
    if kind in _OF_FITS:
        raise UsageError(f"feature {name!r} is of fit-head: {_OF_FITS[kind]}")
    if family not in FAMILIES:
        raise UnknownName("feature", name, [*FAMILIES, *PRESETS], REMEDY)
    return family


def reads_of(name: str) -> str:
    """Return the kind of part that a feature reads, by its name: "video", "image", ...

    Raises:
        UnknownName: if there is no such family.
        UsageError: if it is to read covers and cannot.
    """
    family = FAMILIES[family_of(name)]
    if not is_cover(name):
        return family.reads
    if not family.covers:
        able = ", ".join(each for each, row in FAMILIES.items() if row.covers)
        raise UsageError(f"feature {name!r} cannot read covers; those that can: {able}")
    return "image"


def is_cover(name: str) -> bool:
    """Say whether a feature's name has the variant that reads a sample's image."""
    return name.partition("/")[0].partition(":")[0].endswith("@cover")


def fields_in(name: str) -> list[str]:
    """Return what the field of a text's feature may be: a slash begins an output, or is its own."""
    field = name.partition(":")[2]
    return [field, field.rpartition("/")[0]] if "/" in field else [field]


def upstream_of(name: str, text_fields: Collection[str]) -> str | None:
    """Return the feature whose texts an encoder reads: `smolvlm2/caption` of `e5:smolvlm2/caption`.

    A column of the table comes first, whatever it is called.
    """
    if not FAMILIES[family_of(name)].weights or FAMILIES[family_of(name)].reads != "text":
        return None
    fields = fields_in(name)
    if any(field in text_fields for field in fields):
        return None
    return next((f for f in fields if f.partition("/")[0].partition("@")[0] in FAMILIES), None)
