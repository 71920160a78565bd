"""What today's code gives under the name of a feature that a cache holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from cache.spec import FeatureSpec
from core.errors import CheckpointError, ProjectError
from extract.catalog import Request, resolve
from extract.encoders.checkpoint import Places
from extract.encoders.encoding import Encoding
from extract.families import family_of
from media.request import DECODERS

_MEDIA = ("video", "audio", "image")


def request_for(stored: Sequence[FeatureSpec], places: Places | None = None) -> Request:
    """Ask for stored features with the settings that their recipes tell; they have one decoder.

    Those are the decoder, the checkpoint, how it computes and its quantisation. All else is as
    today's code has it. Nobody is asked for anything that is not on this machine. A checkpoint that
    was read from a folder is known by its digest only: `places` says where it is.

    Raises:
        ProjectError: if there is no such feature, or its checkpoint is not to be had.
    """
    parts = [part for spec in stored for part in spec.reads]
    decoder = next((s.recipe["decoder"] for s in stored if "decoder" in s.recipe), DECODERS[0])
    names, encoding = [spec.name for spec in stored], _encoding(stored, places)
    return resolve(names, parts=parts, decoder=decoder, encoding=encoding)


def encoders_of(stored: Sequence[FeatureSpec]) -> dict[str, Mapping[str, Any]]:
    """Return the recipes of the encoders that gave some features, by family.

    Those whose texts another one read are among them.
    """
    found: dict[str, Mapping[str, Any]] = {}
    waiting = [(spec.name, spec.recipe) for spec in stored]
    while waiting:
        name, recipe = waiting.pop()
        if isinstance(recipe.get("checkpoint"), Mapping):
            found[family_of(name)] = recipe
        upstream: Mapping[str, Mapping[str, Any]] = recipe.get("after", {})
        waiting += [(each, told["recipe"]) for each, told in upstream.items()]
    return found


def _encoding(stored: Sequence[FeatureSpec], places: Places | None) -> Encoding:
    """Return how the encoders among some features computed, by family."""
    places = places or Places({})
    weights, dtype, quantize = dict(places.given), {}, {}
    for family, recipe in encoders_of(stored).items():
        dtype[family] = str(recipe.get("compute", "auto"))
        quantize[family] = str(recipe.get("quantize", "none"))
        checkpoint = recipe["checkpoint"]
        if "hub" in checkpoint:
            weights[family] = f"{checkpoint['hub']}@{checkpoint['revision']}"
    return Encoding(replace(places, given=weights), dtype=dtype, quantize=quantize)


def folders_lacking(stored: FeatureSpec, places: Places | None = None) -> list[str]:
    """Return the families whose checkpoint was read from a folder that `places` does not say."""
    given = places.given if places else {}
    recipes = encoders_of([stored])
    return [
        name for name in recipes if "hub" not in recipes[name]["checkpoint"] and name not in given
    ]


def is_stale(stored: FeatureSpec, places: Places | None = None) -> bool | None:
    """Say whether today's code, with the same settings, gives other values; None: nobody can tell.

    Nobody can tell where a checkpoint was read from a folder, unless `places` says where that is,
    or where one has to be looked into and is not to be had.
    """
    if folders_lacking(stored, places):
        return None
    try:
        specs = request_for([stored], places).specs
    except CheckpointError:
        return None
    except ProjectError:
        return True
    return stored.fingerprint not in {spec.fingerprint for spec in specs}


def find_spec(name: str, fingerprint: str) -> FeatureSpec | None:
    """Return the spec of this name and fingerprint if today's code gives it by any decoder."""
    field = name.partition(":")[2]
    for parts in (*_fields(field), _MEDIA):
        for decoder in DECODERS:
            try:
                found = resolve([name], parts=parts, decoder=decoder).specs
            except ProjectError:
                continue
            for spec in found:
                if (spec.name, spec.fingerprint) == (name, fingerprint):
                    return spec
    return None


def _fields(field: str) -> list[tuple[str]]:
    """Return the fields of text that a feature's name may be about; one may have a slash."""
    return [(f"text:{each}",) for each in dict.fromkeys([field, field.rpartition("/")[0]]) if each]
