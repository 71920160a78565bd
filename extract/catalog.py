"""The catalog: which families of extractors there are, and which features a request stands for.

A feature's name is `family[@variant][:field][/output]`. A request names features, or a family for
all of its features, or a preset. Families of text give one extractor for each text field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cache.spec import FeatureSpec
from core.errors import UnknownName, UsageError
from core.registry import Registry
from extract.contract import Extractor

REMEDY = "List: python cli.py features"


@dataclass(frozen=True)
class Family:
    """One row of the catalog.

    place     "module:Class", loaded when it is used
    reads     the kind of part it reads: "video", "audio", "image" or "text"
    measures  what it measures, in a few words
    """

    place: str
    reads: str
    measures: str


FAMILIES = {
    "colour": Family(
        "extract.classic.colour:Colour", "video", "colour, exposure, contrast, lightness layout"
    ),
    "sharpness": Family(
        "extract.classic.sharpness:Sharpness", "video", "sharpness, noise, blocking"
    ),
    "motion": Family(
        "extract.classic.motion:Motion", "video", "motion energy and direction over time, shot cuts"
    ),
    "loudness": Family("extract.classic.loudness:Loudness", "audio", "level, dynamics, silence"),
    "spectrum": Family("extract.classic.spectrum:Spectrum", "audio", "timbre, pitch, harmonicity"),
    "mfcc": Family("extract.classic.mfcc:Mfcc", "audio", "mel cepstrum and its changes"),
    "rhythm": Family("extract.classic.rhythm:Rhythm", "audio", "onsets, tempo, modulation, pauses"),
    "textstats": Family(
        "extract.classic.textstats:TextStats", "text", "lengths, signs, emoji, hashtags, scripts"
    ),
    "words": Family("extract.classic.ngrams:Words", "text", "hashed words and pairs of words"),
    "characters": Family("extract.classic.ngrams:Characters", "text", "hashed character n-grams"),
    "language": Family("extract.classic.language:Language", "text", "the language, by langid"),
}
PRESETS = {"classic": tuple(FAMILIES)}
DEFAULT_PRESET = "classic"


@dataclass(frozen=True)
class Request:
    """What was asked for: the extractors to run and the features wanted of them."""

    extractors: tuple[Extractor, ...]
    features: tuple[str, ...]

    @property
    def specs(self) -> tuple[FeatureSpec, ...]:
        """The specs of the wanted features, in the order they were asked for."""
        by_name = {spec.name: spec for e in self.extractors for spec in e.specs}
        return tuple(by_name[name] for name in self.features)


def resolve(asked: Sequence[str], *, text_fields: Sequence[str], decoder: str = "pyav") -> Request:
    """Turn names of features, families and presets into extractors.

    `text_fields` are the text columns of the table: a family of text stands for all of them.

    Raises:
        UnknownName: if a name is no feature, family or preset, or a field is no text of the table.
        UsageError: if a text family is asked for by name and the table has no text.
    """
    extractors: dict[tuple[str, str], Extractor] = {}
    features: dict[str, None] = {}
    for name in _expanded(asked):
        family = _family_of(name)
        for extractor in _extractors(family, name, text_fields, decoder, strict=name in asked):
            key = (family, extractor.reads[0])
            extractors.setdefault(key, extractor)
            features.update(dict.fromkeys(_features(extractor, name)))
    return Request(tuple(extractors.values()), tuple(features))


def all_extractors(text_fields: Sequence[str], decoder: str = "pyav") -> Iterable[Extractor]:
    """Yield an extractor of each family, for the catalog's own listing."""
    for name in FAMILIES:
        yield from _extractors(name, name, text_fields, decoder, strict=False)


def _expanded(asked: Sequence[str]) -> list[str]:
    """Replace presets by their families."""
    return [family for name in asked for family in PRESETS.get(name, (name,))]


def _family_of(name: str) -> str:
    family = name.partition("/")[0].partition(":")[0].partition("@")[0]
    if family not in FAMILIES:
        known = [*FAMILIES, *PRESETS]
        raise UnknownName("feature", name, known, REMEDY)
    return family


def _extractors(
    family: str, name: str, text_fields: Sequence[str], decoder: str, *, strict: bool
) -> list[Extractor]:
    """Make the extractors of one family: one, or for a text family one for each field."""
    row = FAMILIES[family]
    make: Callable[..., Extractor] = Registry[Any]("feature", {family: row.place}).load(family)
    if row.reads != "text":
        return [make(decoder=decoder)]
    field = name.partition("/")[0].partition(":")[2]
    if field and field not in text_fields:
        raise UnknownName(f"feature {name!r}: text field", field, text_fields)
    if not text_fields and strict:
        raise UsageError(
            f"feature {name!r} reads text, but no column is text; --columns text=title"
        )
    return [make(field=each) for each in ([field] if field else text_fields)]


def _features(extractor: Extractor, name: str) -> list[str]:
    """Return which of an extractor's features a name stands for: itself, or all of its family."""
    given = [spec.name for spec in extractor.specs]
    if name in given and "/" in name:
        return [name]
    if "/" in name:
        raise UnknownName("feature", name, given, REMEDY)
    return given
