"""What an extractor is: the contract between an encoder and the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from cache.spec import FeatureSpec
from core.status import Gap
from media.request import AudioRequest, FrameRequest, Frames, Sound

Value = np.ndarray | str | Gap
DeviceOf = Callable[[], str]


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """The parts of one sample that one extractor asked for.

    A part that is not there never reaches an extractor: the pipeline writes its gap instead. A text
    extractor that reads several fields gets those that are present, and a gap only if none is.
    """

    frames: Frames | None = None
    sound: Sound | None = None
    image: np.ndarray | None = None  # uint8 [height, width, 3], RGB, upright
    text: Mapping[str, str] = field(default_factory=dict)  # by field name, without "text:"
    upstream: Mapping[str, str] = field(default_factory=dict)  # by feature, see `Extractor.after`


class Extractor(Protocol):
    """A frozen encoder of one family. All but `load` and `forward` work before weights are loaded.

    family        its name in the catalog
    reads         the parts it reads; all its specs read the same
    frames        what it wants of the video, or None
    audio         what it wants of the sound track, or None
    specs         the features it gives
    after         texts of other extractors that it reads, such as a caption; their gaps are its own
    on_request    those of its features that a family's name does not stand for: large or slow ones
    appetite      it wants batches so many times the batch size
    weight_bytes  what its weights take on the device, about
    """

    @property
    def family(self) -> str: ...
    @property
    def reads(self) -> tuple[str, ...]: ...
    @property
    def frames(self) -> FrameRequest | None: ...
    @property
    def audio(self) -> AudioRequest | None: ...
    @property
    def specs(self) -> tuple[FeatureSpec, ...]: ...
    @property
    def after(self) -> tuple[FeatureSpec, ...]: ...
    @property
    def on_request(self) -> frozenset[str]: ...
    @property
    def appetite(self) -> int: ...
    @property
    def weight_bytes(self) -> int: ...

    def only(self, names: Collection[str]) -> Extractor:
        """Return the extractor that computes just these of its features."""
        ...

    def fetch(self) -> Extractor:
        """Return the extractor with its files on this machine; called before workers start.

        Raises:
            CheckpointError: if they are neither here nor to be had.
        """
        ...

    def prepare(self, inputs: Inputs) -> Mapping[str, Any] | Gap:
        """Turn one sample's parts into what `forward` takes; runs in a worker without a model."""
        ...

    def load(self, device: DeviceOf) -> None:
        """Bring the weights to the device that `device()` names; called once, before `forward`.

        Who has no weights does not ask: the answer imports torch, which takes seconds.
        """
        ...

    def forward(self, batch: Sequence[Mapping[str, Any]]) -> list[dict[str, Value]]:
        """Compute a batch: for each sample, each spec's name with its value or its gap.

        Raises:
            MemoryError: if the batch is too large for the device.
        """
        ...

    def unload(self) -> None:
        """Let go of the weights; `load` brings them back."""
        ...
