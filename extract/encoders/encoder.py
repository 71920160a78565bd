"""What all encoders with weights share: files fetched, prepared for in workers, run on a device.

A family says what is its own as a `Network`: how one sample is prepared, and how a batch becomes
values. Everything else (pickling to workers without weights, out of memory, what a run asked for)
is here, once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from cache.spec import FeatureSpec
from core.device import is_full
from core.errors import ProjectError
from core.status import Gap
from extract.contract import DeviceOf, Inputs, Value
from extract.encoders.checkpoint import Weights
from media.request import AudioRequest, FrameRequest

Prepare = Callable[[Inputs], Mapping[str, Any] | Gap]
Batch = Sequence[Mapping[str, Any]]
Forward = Callable[[Batch], list[dict[str, Value]]]


@dataclass(frozen=True)
class Computing:
    """How an encoder computes: resolved, and part of the recipe.

    dtype     of the weights and the arithmetic: "float32", "bfloat16" or "float16"
    quantize  of the linear layers' weights: "none", "int8" or "nf4"
    whole     parts of the network whose weights are left as they are; the family's code says which
    """

    dtype: str = "float32"
    quantize: str = "none"
    whole: tuple[str, ...] = ()


class Network(Protocol):
    """What differs from one family to the next; plain data, as it goes to worker processes."""

    def preparer(self, folder: Path) -> Prepare:
        """Return what turns one sample's parts into arrays; it runs in workers, without weights."""
        ...

    def open(
        self, folder: Path, computing: Computing, device: str, wanted: Collection[str]
    ) -> Forward:
        """Load the weights; return what computes the wanted features of a batch."""
        ...


@dataclass(frozen=True)
class Encoder:
    """An extractor with weights, see `extract/contract.py`.

    on_request    features that are computed only where they are named: large or slow ones
    appetite      a forward takes so many times the batch size: texts are small, and sorting many by
                  length wastes less
    weight_bytes  what the weights take on the device, about
    """

    family: str
    reads: tuple[str, ...]
    specs: tuple[FeatureSpec, ...]
    network: Network
    weights: Weights
    computing: Computing
    frames: FrameRequest | None = None
    audio: AudioRequest | None = None
    after: tuple[FeatureSpec, ...] = ()
    on_request: frozenset[str] = frozenset()
    appetite: int = 1
    weight_bytes: int = 0
    _state: _State = field(default_factory=lambda: _State(), repr=False, compare=False)

    def only(self, names: Collection[str]) -> Encoder:
        """Return the encoder that computes just these of its features."""
        specs = tuple(spec for spec in self.specs if spec.name in names)
        return replace(self, specs=specs, _state=_State())

    def fetch(self) -> Encoder:
        """Return the encoder with its files on this machine.

        Raises:
            CheckpointError: if they are neither here nor to be had.
        """
        return replace(self, weights=self.weights.fetched(), _state=_State())

    def prepare(self, inputs: Inputs) -> Mapping[str, Any] | Gap:
        """Turn one sample's parts into arrays of the model's own size."""
        if self._state.prepare is None:
            self._state.prepare = self.network.preparer(self._folder)
        return self._state.prepare(_encodable(inputs))

    def load(self, device: DeviceOf) -> None:
        """Load the weights, in eval mode and without gradients.

        Raises:
            ProjectError: if the device, or the machine, has too little memory for them.
            CheckpointError: if they are not what the encoder needs.
        """
        wanted, place = {spec.name for spec in self.specs}, device()
        try:
            self._state.forward = self.network.open(self._folder, self.computing, place, wanted)
        except (RuntimeError, OSError, MemoryError) as error:
            if not is_full(error):
                raise
            told = _first_line(error)
        else:
            return
        _free_device_memory()  # only here: the error held on to what had been loaded
        raise ProjectError(self._too_large(place, told))

    def _too_large(self, device: str, told: str) -> str:
        elsewhere = "" if device == "cpu" else "compute on the CPU (--device cpu), "
        smaller = f"make them smaller (--quantize {self.family}=nf4), "
        return (
            f"{self.family}: its weights do not fit the memory of {device} ({told}); {elsewhere}"
            f"{smaller if self.computing.quantize == 'none' else ''}or ask for fewer encoders at "
            f"once (--features {self.family})"
        )

    def unload(self) -> None:
        """Let go of the weights; others need the memory."""
        self._state.forward = None
        _free_device_memory()

    def forward(self, batch: Batch) -> list[dict[str, Value]]:
        """Compute a batch.

        Raises:
            MemoryError: if the device has too little memory for it; a smaller one may go.
        """
        import torch

        assert self._state.forward is not None
        try:
            with torch.inference_mode():
                return self._state.forward(batch)
        except RuntimeError as error:
            if not is_full(error):
                raise
            told = _first_line(error)
        _free_device_memory()  # only here: the error held on to what had been computed
        raise MemoryError(told)

    @property
    def _folder(self) -> Path:
        assert self.weights.folder is not None, "fetch() comes first"
        return self.weights.folder


@dataclass
class _State:
    """What one process has of an encoder; it stays behind when the encoder goes to another."""

    prepare: Prepare | None = None
    forward: Forward | None = None

    def __reduce__(self) -> tuple[type[_State], tuple[()]]:
        return _State, ()


def _encodable(inputs: Inputs) -> Inputs:
    """Put U+FFFD for half a surrogate pair, with which texts end that were cut within an emoji.

    No tokenizer takes such a text.
    """
    text = {
        name: words.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        for name, words in inputs.text.items()
    }
    return replace(inputs, text=text)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _free_device_memory() -> None:
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
