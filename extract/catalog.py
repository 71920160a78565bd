"""The catalog: which families of extractors there are, and which features a request stands for.

A feature's name is `family[@variant][:field][/output]`. A request names features, or a family for
all of its features, or a preset. Families of text give one extractor for each text field; families
of video and sound one for each variant that is asked for (`opening.py`), as does a preset:
`classic@first3s`. An image encoder reads frames, or with the variant `@cover` a sample's image.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from cache.spec import FeatureSpec
from core.errors import UnknownName, UsageError
from core.registry import Registry
from extract.contract import Extractor
from extract.encoders.encoding import Encoding
from extract.encoders.rows import ENCODERS
from extract.families import (
    FAMILIES,
    PRESETS,
    REMEDY,
    family_of,
    fields_in,
    is_cover,
    reads_of,
    upstream_of,
)
from extract.family import Family
from extract.opening import OPENING_PARTS, seconds_of
from extract.presets import features_of, preset_of
from media.request import DECODERS

_MAKERS: Registry[Callable[..., Extractor]] = Registry(
    "feature", {name: family.place for name, family in FAMILIES.items()}, REMEDY
)


@dataclass(frozen=True)
class Request:
    """What was asked for: the extractors to run and the features wanted of them.

    `upstream` names features that nobody asked for, but that some of the others read.
    """

    extractors: tuple[Extractor, ...]
    features: tuple[str, ...]
    upstream: tuple[str, ...] = ()

    @property
    def specs(self) -> tuple[FeatureSpec, ...]:
        """The specs of the wanted features, in the order they were asked for."""
        by_name = {spec.name: spec for e in self.extractors for spec in e.specs}
        return tuple(by_name[name] for name in self.features)


def resolve(
    asked: Sequence[str],
    *,
    parts: Collection[str],
    decoder: str = "pyav",
    encoding: Encoding | None = None,
) -> Request:
    """Turn names of features, families and presets into extractors.

    `parts` are those that the table names: "video", "audio", "text:title", ... A preset stands for
    its families that read one of them; a family of text for all fields of text. `encoding` says how
    encoders with weights compute, and where the weights are.

    Raises:
        UnknownName: if a name is no feature, family or preset, its field no text of the table, or
            there is no such decoder.
        UsageError: if nothing is left, or the table has none of what a named family reads.
        CheckpointError: if a checkpoint that has to be looked into is not to be had.
    """
    if decoder not in DECODERS:
        raise UnknownName("decoder", decoder, DECODERS)
    encoding = encoding or Encoding()
    encoding.check_families(ENCODERS)
    extractors: dict[tuple[str, ...], Extractor] = {}
    features: dict[str, None] = {}
    for name in _expanded(asked, parts):
        for extractor in _extractors(name, _fields(parts), decoder, encoding):
            extractors.setdefault(_key(extractor), extractor)
            features.update(dict.fromkeys(_features(extractor, name)))
    upstream = _upstream(extractors, _fields(parts), decoder, encoding)
    if not features:
        raise UsageError("the table names no video and no text; say which columns are: --columns")
    _check_names(extractors.values())
    wanted = {*features, *upstream}
    made = tuple(each.only(wanted) for each in extractors.values())
    return Request(made, tuple(features), tuple(name for name in upstream if name not in features))


def _upstream(
    extractors: dict[tuple[str, ...], Extractor],
    text_fields: Sequence[str],
    decoder: str,
    encoding: Encoding,
) -> list[str]:
    """Add the extractors whose texts others read; return the names of those texts."""
    names = [spec.name for extractor in extractors.values() for spec in extractor.after]
    for name in names:
        for extractor in _extractors(name, text_fields, decoder, encoding):
            extractors.setdefault(_key(extractor), extractor)
    return names


def _key(extractor: Extractor) -> tuple[str, ...]:
    return tuple(spec.name for spec in extractor.specs)


def _check_names(extractors: Iterable[Extractor]) -> None:
    """Refuse two features of one name: the text column `title/scores` beside `title` makes such."""
    names = Counter(spec.name for extractor in extractors for spec in extractor.specs)
    for name, count in names.items():
        if count > 1:
            raise UsageError(
                f"feature {name!r} would stand for {count} things, as a text column has a '/' in "
                "its name; rename that column"
            )


def all_extractors(field: str) -> Iterator[tuple[Family, Extractor]]:
    """Yield each family with an extractor of it; `field` stands for a field of text.

    Families whose checkpoint the user is to name are not among them.
    """
    for name, family in FAMILIES.items():
        if family.checkpoint or not family.weights:
            for extractor in _extractors(name, (field,), "pyav", Encoding()):
                yield family, extractor


def _expanded(asked: Sequence[str], parts: Collection[str]) -> list[str]:
    """Replace presets by those of their families that the table has something for."""
    kinds = {part.partition(":")[0] for part in parts}
    names: list[str] = []
    for name in asked:
        if preset_of(name) in PRESETS:
            names += features_of(name, parts)
            continue
        if upstream := upstream_of(name, _fields(parts)):
            _expanded([upstream], parts)  # which is refused if the table has nothing for it
            names.append(name)
            continue
        reads, covers = reads_of(name), FAMILIES[family_of(name)].covers
        if reads not in kinds:
            instead = f", or ask for {family_of(name)}@cover" if covers and "image" in kinds else ""
            raise UsageError(
                f"feature {name!r} reads {reads}, which the table does not name; "
                f"say which column it is: --columns video=path,image=cover,text=title{instead}"
            )
        names.append(name)
    return names


def _fields(parts: Collection[str]) -> tuple[str, ...]:
    """Return the fields of text among some parts."""
    return tuple(part.partition(":")[2] for part in parts if part.startswith("text:"))


def _extractors(
    name: str, text_fields: Sequence[str], decoder: str, encoding: Encoding
) -> list[Extractor]:
    """Make the extractors that a name stands for: one, or for a text family one for each field."""
    family, reads = family_of(name), reads_of(name)
    row = FAMILIES[family]
    make = _MAKERS.load(family)
    if row.weights:
        make = functools.partial(make, family, row, encoding)
    if is_cover(name):
        return [make(cover=True)]
    seconds = seconds_of(name)
    if seconds is not None and reads not in OPENING_PARTS:
        raise UsageError(
            f"feature {name!r} reads {reads}, which has no opening seconds; ask for {family!r}"
        )
    if reads != "text":
        return [make(decoder=decoder, seconds=seconds)]
    if ":" not in name:
        return [make(field=each) for each in text_fields]
    if upstream := upstream_of(name, text_fields):
        return _after(upstream, make, _extractors(upstream, text_fields, decoder, encoding))
    for field in fields_in(name):
        if field in text_fields:
            return [make(field=field)]
    raise UnknownName(f"feature {name!r}: text field", fields_in(name)[-1], text_fields)


def _after(
    name: str, make: Callable[..., Extractor], upstream: Iterable[Extractor]
) -> list[Extractor]:
    """Make the extractor of the texts that another feature gives."""
    specs = {spec.name: spec for each in upstream for spec in each.specs if spec.is_text}
    if name not in specs:
        raise UnknownName("feature that gives a text", name, specs, REMEDY)
    return [make(field=name, upstream=specs[name])]


def _features(extractor: Extractor, name: str) -> list[str]:
    """Return which of an extractor's features a name stands for: itself, or all of its family."""
    given = [spec.name for spec in extractor.specs]
    field = extractor.after[0].name if extractor.after else extractor.reads[0].partition(":")[2]
    whole = name.partition(":")[0].partition("/")[0]
    if name in (whole, f"{whole}:{field}"):
        return [each for each in given if each not in extractor.on_request]
    if name not in given:
        raise UnknownName("feature", name, given, REMEDY)
    return [name]
