"""How the encoders of a run are to compute: weights, number format, quantisation, device."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cache.store import SPEC_FILE, feature_folders, read_spec
from core.device import DTYPES, choose_device, choose_dtype
from core.errors import UnknownName, UsageError
from core.log import logger
from extract.encoders.checkpoint import Places, Weights
from extract.encoders.encoder import Computing

QUANTIZE = ("none", "int8", "nf4")
_FAMILY_END = re.compile("@|%")  # in a folder's name, where ":" and "/" are percent-encoded
_ALL = ""  # the key of what holds for every family that is not named


@dataclass(frozen=True)
class Encoding:
    """What was asked for; without a cache it only serves to list what there is.

    places    where checkpoints come from
    dtype     by family, one of `core.device.DTYPES`; "" is all others
    quantize  by family, one of `QUANTIZE`; likewise
    device    None takes the best there is
    length    what is not the family's own `captions.Length` of the texts that models write
    """

    places: Places = field(default_factory=lambda: Places({}))
    dtype: Mapping[str, str] = field(default_factory=dict)
    quantize: Mapping[str, str] = field(default_factory=dict)
    device: str | None = None
    length: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def parse(
        cls,
        cache: Path,
        *,
        weights: Mapping[str, str],
        dtype: str = "auto",
        quantize: str = "none",
        device: str | None = None,
    ) -> Encoding:
        """Read options as the command line gives them: a word for all, or FAMILY=WORD,...

        Raises:
            UnknownName: if a word is none of those that there are.
        """
        return cls(
            Places(dict(weights), cache),
            _by_family("--dtype", dtype, DTYPES),
            _by_family("--quantize", quantize, QUANTIZE),
            device,
        )

    def computing(self, family: str, weights: Weights) -> Computing:
        """Return how a family computes.

        "auto" is what the cache has of these weights, so that features which were extracted on one
        machine serve on another; else what suits the device of this one.

        Raises:
            UsageError: if the device that was asked for is not there.
        """
        asked = self.dtype.get(family, self.dtype.get(_ALL, "auto"))
        quantize = self.quantize.get(family, self.quantize.get(_ALL, "none"))
        if asked == "auto" and self.places.cache is not None:
            asked = choose_dtype("auto", choose_device(self.device).value).value
            stored = stored_dtypes(self.places.cache, family, weights, quantize)
            if len(stored) == 1 and asked not in stored:
                there, asked = asked, stored.pop()
                logger.info("%s: %s as in the cache, not %s", family, asked, there)
        return Computing(asked, quantize)

    def check_families(self, known: Collection[str]) -> None:
        """Make sure that options name families that there are.

        Raises:
            UnknownName: with the nearest names.
        """
        options = {"--weights": self.places.given, "--dtype": self.dtype}
        for option, given in (options | {"--quantize": self.quantize}).items():
            for family in given:
                if family != _ALL and family not in known:
                    raise UnknownName(f"{option}: feature", family, known)


def stored_dtypes(cache: Path, family: str, weights: Weights, quantize: str) -> set[str]:
    """Return the number formats in which a cache has features of a family, of these weights."""
    wanted = {"checkpoint": dict(weights.identity), "quantize": quantize}
    recipes = [
        read_spec(folder).recipe
        for folder in feature_folders(cache)
        if _FAMILY_END.split(folder.parent.name)[0] == family and (folder / SPEC_FILE).exists()
    ]
    return {recipe["compute"] for recipe in recipes if wanted.items() <= recipe.items()}


def _by_family(option: str, text: str, words: Collection[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in text.split(","):
        family, equals, word = item.strip().rpartition("=")
        if word not in words:
            raise UnknownName(f"{option}: word", word, words)
        if family in found:
            named = family if equals else "all features"
            raise UsageError(f"{option} {text!r} says two things of {named}")
        found[family] = word
    return found
