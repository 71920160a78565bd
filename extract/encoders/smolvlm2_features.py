"""The names of SmolVLM2's features, and what each of them is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DEPTHS = {"": 1.0, "early": 0.25, "middle": 0.5, "late": 0.75}  # parts of the layers


@dataclass(frozen=True)
class Wanted:
    """Features by what they are; `whole` is the name of the vector, `names` those to compute."""

    whole: str
    names: frozenset[str] = frozenset()

    @property
    def states(self) -> Mapping[str, tuple[float, str]]:
        """All that are hidden states: after which part of the layers, and pooled "mean" or "last".

        Those after the last layer (1.0) are normalised.
        """
        found = {}
        for depth, part in DEPTHS.items():
            found[f"{self.whole}/{depth}" if depth else self.whole] = (part, "mean")
            found[f"{self.whole}/{depth}-last" if depth else f"{self.whole}/last"] = (part, "last")
        return found

    @property
    def yes(self) -> str:
        """The logit of "yes" minus that of "no"."""
        return f"{self.whole}/yes"

    @property
    def vision(self) -> str:
        """The frames, as the language model gets them."""
        return f"{self.whole}/vision"

    @property
    def caption(self) -> str:
        """A sentence about the video."""
        return f"{self.whole}/caption"
