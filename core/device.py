"""Which device and which number format a model runs in, and why: the reason is printed too."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import UsageError

DTYPES = ("auto", "float32", "bfloat16", "float16")


@dataclass(frozen=True)
class Choice:
    """A resolved setting with the reason it was chosen."""

    value: str
    reason: str

    def __str__(self) -> str:
        return f"{self.value} ({self.reason})"


def choose_device(asked: str | None = None) -> Choice:
    """Return the device to compute on: what was asked for, else the best there is.

    Raises:
        UsageError: if the device that was asked for is not there.
    """
    import torch

    if asked is None:
        if torch.cuda.is_available():
            return Choice("cuda", torch.cuda.get_device_name())
        return Choice("cpu", "no CUDA device")
    try:
        device = torch.device(asked)
    except RuntimeError as error:
        raise UsageError(
            f"--device {asked!r} is not a device; expected cpu, cuda or cuda:1"
        ) from error
    count = torch.cuda.device_count()
    if device.type == "cuda" and (device.index or 0) >= count:
        raise UsageError(
            f"--device {asked}: this machine has {count} CUDA devices; try --device cpu"
        )
    return Choice(asked, "asked for")


def choose_dtype(asked: str, device: str) -> Choice:
    """Return the number format of the weights: bfloat16 where hardware multiplies it, else float32.

    bfloat16 without such instructions was measured 3 to 9 times slower than float32, and autocast
    under `inference_mode` 3 times slower; so weights are converted, or nothing is.

    Raises:
        UsageError: if `asked` is none of `DTYPES`.
    """
    import torch

    if asked not in DTYPES:
        raise UsageError(f"--dtype {asked!r} is unknown; expected one of {', '.join(DTYPES)}")
    if asked != "auto":
        return Choice(asked, "asked for")
    if device.startswith("cuda"):
        if torch.cuda.get_device_capability(device) >= (8, 0):
            return Choice("bfloat16", "the GPU multiplies bfloat16")
        return Choice("float32", "the GPU is older than compute capability 8.0")
    if torch.cpu._is_amx_tile_supported():
        return Choice("bfloat16", "the CPU has AMX")
    if torch.cpu._is_avx512_bf16_supported():
        return Choice("bfloat16", "the CPU has AVX512-BF16")
    return Choice("float32", "the CPU has neither AMX nor AVX512-BF16")
