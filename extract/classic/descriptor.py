"""What all descriptors without weights share: one function, in the worker, computes everything.

Each file of this folder gives an `extractor`: a name, a request, constants, dims, and the function
that turns frames, sound or a text into arrays by feature name, or into a gap.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cache.spec import TEXT, FeatureSpec
from core.status import Gap
from extract.contract import DeviceOf, Inputs, Value
from extract.opening import opened, with_opening
from media.request import AudioRequest, FrameRequest

Dims = Mapping[str, tuple[int | str, ...]]  # by feature name
Described = Mapping[str, Any] | Gap


@dataclass(frozen=True)
class Descriptor:
    """An extractor whose `prepare` does all the work.

    describe  takes `Frames`, `Sound` or str, whichever the extractor reads, and names features
              without a variant; a function of a module, as it goes to worker processes
    seconds   the opening seconds that it is a variant for, or None
    """

    family: str
    reads: tuple[str, ...]
    specs: tuple[FeatureSpec, ...]
    describe: Callable[[Any], Described]
    frames: FrameRequest | None = None
    audio: AudioRequest | None = None
    seconds: float | None = None
    after: tuple[FeatureSpec, ...] = ()
    on_request: frozenset[str] = frozenset()
    appetite: int = 1
    weight_bytes: int = 0

    def only(self, names: Collection[str]) -> Descriptor:
        """Return this extractor: what is not wanted costs it nothing, and is not stored."""
        del names
        return self

    def fetch(self) -> Descriptor:
        """Return this extractor: there are no files."""
        return self

    def prepare(self, inputs: Inputs) -> Described:
        """Describe the one part that this extractor reads."""
        described = self._described(inputs)
        if isinstance(described, Gap):
            return described
        return {with_opening(name, self.seconds): value for name, value in described.items()}

    def _described(self, inputs: Inputs) -> Described:
        if self.frames is not None:
            return self.describe(inputs.frames)
        if self.audio is not None:
            return self.describe(inputs.sound)
        return self.describe(inputs.text[self.reads[0].partition(":")[2]])

    def load(self, device: DeviceOf) -> None:
        """Do nothing: there are no weights."""

    def forward(self, batch: Sequence[Mapping[str, Any]]) -> list[dict[str, Value]]:
        """Return a batch as `prepare` made it."""
        return [dict(sample) for sample in batch]

    def unload(self) -> None:
        """Do nothing: there are no weights."""


def of_frames(
    describe: Callable[[Any], Described],
    request: FrameRequest,
    dims: Dims,
    recipe: dict[str, Any],
    *,
    seconds: float | None = None,
) -> Descriptor:
    """Return the descriptor of a video's frames, or of those of its first `seconds`."""
    reads, asked = ("video",), opened(request, seconds)
    whole = {**recipe, "frames": asked.recipe()}
    specs = _specs(dims, reads, whole, seconds)
    return Descriptor(_family(recipe), reads, specs, describe, frames=asked, seconds=seconds)


def of_sound(
    describe: Callable[[Any], Described],
    request: AudioRequest,
    dims: Dims,
    recipe: dict[str, Any],
    *,
    seconds: float | None = None,
) -> Descriptor:
    """Return the descriptor of a sound track, or of what is heard in its first `seconds`."""
    reads, asked = ("audio",), opened(request, seconds)
    whole = {**recipe, "audio": asked.recipe()}
    specs = _specs(dims, reads, whole, seconds)
    return Descriptor(_family(recipe), reads, specs, describe, audio=asked, seconds=seconds)


def of_text(
    describe: Callable[[Any], Described], field: str, dims: Dims, recipe: dict[str, Any]
) -> Descriptor:
    """Return the descriptor of one field of text."""
    reads = (f"text:{field}",)
    return Descriptor(_family(recipe), reads, _specs(dims, reads, recipe), describe)


def _family(recipe: Mapping[str, Any]) -> str:
    """Return the family that a recipe's code belongs to: "classic.motion" is "motion"."""
    return str(recipe["code"]).removeprefix("classic.")


def _specs(
    dims: Dims, reads: tuple[str, ...], recipe: Mapping[str, Any], seconds: float | None = None
) -> tuple[FeatureSpec, ...]:
    return tuple(
        FeatureSpec(with_opening(name, seconds), dim, "float32" if dim else TEXT, reads, recipe)
        for name, dim in dims.items()
    )
