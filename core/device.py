"""Which device and which number format a model runs in, and why: the reason is printed too."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import UsageError

_WEIGHTS_SHARE = 0.6
_UNKNOWN_MEMORY = 8 * 2**30  # where the system does not tell
_FULL = ("out of memory", "alloc_failed", "allocation_failed", "allocate memory")  # so they say it
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

    From here on float32 is float32 on it: left alone, cuDNN rounds it to TF32's 10 bits.

    Raises:
        UsageError: if the device that was asked for is not there.
    """
    import torch

    torch.backends.cudnn.allow_tf32 = False
    if asked is None:
        if torch.cuda.is_available():
            return Choice("cuda", torch.cuda.get_device_name())
        return Choice("cpu", "no CUDA device")
    try:
        device = torch.device(asked)
        if device.type != "cuda":  # of that it is known, below, how many there are
            torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(
            f"--device {asked!r} is not a device of this machine; expected cpu, cuda or cuda:1"
        ) from error
    count = torch.cuda.device_count()
    if device.type == "cuda" and (device.index or 0) >= count:
        raise UsageError(
            f"--device {asked}: this machine has {count} CUDA devices; try --device cpu"
        )
    return Choice(asked, "asked for")


def is_full(error: BaseException) -> bool:
    """Tell whether an error says that the memory of a device, or of the machine, did not suffice.

    PyTorch has a class for what its own allocator says; cuBLAS, cuDNN, MPS, the CPU's allocator and
    the system say it in words only.
    """
    return isinstance(error, MemoryError) or full_line(str(error)) != ""


def full_line(text: str) -> str:
    """Return the first line of a text which says that memory did not suffice, "" if none does."""
    lines = (line.strip() for line in text.splitlines())
    return next((line for line in lines if any(words in line.lower() for words in _FULL)), "")


def room_for_weights(device: str) -> int:
    """Return how many bytes of weights the device takes beside the work on them: 60 % of its room.

    The rest is for what is computed; a batch that turns out too large is halved, and goes on.
    """
    import torch

    if device.startswith("cuda"):
        return int(torch.cuda.mem_get_info(device)[0] * _WEIGHTS_SHARE)
    return int(_available_bytes() * _WEIGHTS_SHARE)


def _available_bytes() -> int:
    """Return how much memory this process may still take: the machine's, or its group's limit."""
    found = [
        int(line.split()[1]) * 1024
        for line in _lines(Path("/proc/meminfo"))
        if line.startswith("MemAvailable")
    ]
    limits = _lines(Path("/sys/fs/cgroup/memory.max"))
    used = _lines(Path("/sys/fs/cgroup/memory.current"))
    if limits and used and limits[0].isdecimal():
        found.append(int(limits[0]) - int(used[0]))
    return min(found, default=_UNKNOWN_MEMORY)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").splitlines()
    except OSError:
        return []


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
