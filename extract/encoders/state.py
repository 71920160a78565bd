"""Reading a bare state dict, as networks outside of transformers are published: never a pickle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.device import is_full
from core.errors import CheckpointError, UsageError
from extract.encoders.encoder import Computing

if TYPE_CHECKING:
    import torch

_FORMS = ("*.safetensors", "*.pt", "*.pth", "*.bin")


def read_state(place: Path, family: str) -> dict[str, torch.Tensor]:
    """Return the tensors by name of a file, or of the one such file of a folder, on the CPU.

    Raises:
        CheckpointError: if there is none or more than one, or it holds anything but tensors.
    """
    return tensors_of(read_checkpoint(place, family), place, family)


def read_checkpoint(place: Path, family: str) -> Any:
    """Return what a file holds: tensors, numbers, texts and mappings of them; nothing that runs.

    Raises:
        CheckpointError: if there is no such file, or it holds anything else.
    """
    import torch
    from safetensors.torch import load_file

    path = _file_of(place, family)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a foreign file does to its reader, the remedy is the same
        if is_full(error):
            raise
        told = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CheckpointError(
            f"{family}: {path} is no file of tensors ({told}); "
            "fetch it again, or convert it to safetensors where you trust it"
        ) from error


def not_quantised(family: str, computing: Computing) -> None:
    """Refuse to quantise a network that bitsandbytes does not load.

    Raises:
        UsageError: if that was asked for.
    """
    if computing.quantize != "none":
        raise UsageError(
            f"--quantize {computing.quantize}: {family} cannot be quantised; leave it as it is: "
            f"--quantize {family}=none,OTHER={computing.quantize}"
        )


def _file_of(place: Path, family: str) -> Path:
    if place.is_file():
        return place
    found = sorted(path for form in _FORMS for path in place.glob(form))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise CheckpointError(
            f"{family}: {place} should hold one file of weights, but has {names}; "
            f"name the file: --weights {family}=FILE"
        )
    return found[0]


def tensors_of(content: Any, place: Path, family: str) -> dict[str, torch.Tensor]:
    """Return what a file holds if it is a state dict.

    Raises:
        CheckpointError: if it is anything else.
    """
    import torch

    if not isinstance(content, dict) or not all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in content.items()
    ):
        raise CheckpointError(
            f"{family}: {place} holds no mapping of names to tensors; expected a state dict"
        )
    return content
