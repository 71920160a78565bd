"""Loading a checkpoint of transformers: frozen, in the number format and place that were asked for.

Nothing is ever fetched here and no code of a checkpoint is run. A checkpoint that lacks weights of
its architecture is refused: transformers would fill them with random numbers.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import nn

from core.device import full_line
from core.errors import CheckpointError, UsageError
from extract.encoders.encoder import Computing

QUANTIZED = ("none", "int8", "nf4")


def load_model(
    make: Any,
    folder: Path,
    computing: Computing,
    device: str,
    *,
    unused: str = "",
    prepare: Callable[[nn.Module], None] | None = None,
) -> Any:
    """Return a model in eval mode without gradients, on the device.

    Args:
        make: a class of transformers with `from_pretrained`, such as AutoModel.
        folder: where the checkpoint's files are.
        computing: number format and quantisation.
        device: such as "cpu" or "cuda:1".
        unused: pattern of weights that may lack, as nobody reads what they compute.
        prepare: changes the model before it goes to the device, such as cutting layers off.

    Raises:
        CheckpointError: if the files are no checkpoint of this architecture, or not all of it.
        MemoryError, RuntimeError: if the memory does not suffice, see `core.device.is_full`.
        UsageError: if nothing of it would be quantised.
    """
    options: dict[str, Any] = {
        "dtype": getattr(torch, computing.dtype),
        "local_files_only": True,
        "trust_remote_code": False,
        "output_loading_info": True,
    }
    if computing.quantize != "none":
        logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it warns of every product
        options |= {"quantization_config": _quantization(computing), "device_map": {"": device}}
    try:
        with quietly(), _reported() as said:
            model, report = make.from_pretrained(folder, **options)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        if full := full_line("\n".join([str(error), *said])):
            raise MemoryError(full) from None
        raise CheckpointError(
            f"{folder} cannot be loaded as {make.__name__} ({type(error).__name__}: {error}); is "
            "it the checkpoint of another encoder, or not whole?"
        ) from error
    _check_whole(folder, report, unused)
    if computing.quantize != "none" and not _quantised(model):
        raise UsageError(
            f"--quantize {computing.quantize}: {folder.name} has no linear layer to quantise; "
            "leave it as it is: --quantize none, or FAMILY=MODE for the others only"
        )
    if computing.quantize == "int8":
        _keep_activations_whole(model)
    if computing.quantize == "nf4":
        _leave_unpacked(model)
    model.eval().requires_grad_(requires_grad=False)
    if prepare is not None:
        prepare(model)
    return model if computing.quantize != "none" else model.to(device)


def _quantization(computing: Computing) -> Any:
    """Return bitsandbytes' settings; NF4 as in QLoRA (Dettmers et al. 2023, section 3)."""
    whole = list(computing.whole) or None  # None: the output layer, as bitsandbytes has it
    if computing.quantize == "int8":
        return transformers.BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=whole)
    return transformers.BitsAndBytesConfig(
        load_in_4bit=True,
        llm_int8_skip_modules=whole,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=getattr(torch, computing.dtype),
    )


def _keep_activations_whole(model: nn.Module) -> None:
    """Let int8 be of the weights alone, as NF4 is.

    LLM.int8() (Dettmers et al. 2022) makes int8 of what comes in too, except for columns with a
    value above 6 anywhere in the batch: a vector depends on its neighbours. Without exceptions
    (threshold 0) it does not, but large values cost precision: with six channels of 30 times the
    others' size a TimeSformer came to a cosine of 0.973 with float32, by LLM.int8() to 0.998, and
    with whole activations to 0.999.
    """
    from bitsandbytes.nn.modules import Linear8bitLt

    layers: list[Any] = [each for each in model.modules() if isinstance(each, Linear8bitLt)]
    for layer in layers:
        layer.forward = functools.partial(_by_whole_activations, layer)


def _by_whole_activations(layer: Any, given: torch.Tensor) -> torch.Tensor:
    from bitsandbytes.functional import int8_vectorwise_dequant

    weights = int8_vectorwise_dequant(layer.weight.data, layer.weight.SCB).to(given.dtype)
    bias = None if layer.bias is None else layer.bias.to(given.dtype)
    return nn.functional.linear(given, weights, bias)


def _leave_unpacked(model: nn.Module) -> None:
    """Let layers be computed as on other CPUs where one with AVX512-BF16 could not.

    There bitsandbytes packs weights in blocks of 32 rows and 64 columns, and fails at others, such
    as the 96 columns of CLAP.
    """
    from bitsandbytes.nn.modules import Linear4bit

    for layer in model.modules():
        if isinstance(layer, Linear4bit) and (layer.out_features % 32 or layer.in_features % 64):
            layer.support_avx512bf16_for_cpu = False


def _quantised(model: nn.Module) -> bool:
    return any(type(module).__module__.startswith("bitsandbytes") for module in model.modules())


def _check_whole(folder: Path, report: dict[str, Any], unused: str) -> None:
    reshaped = report["mismatched_keys"]
    missing = sorted(
        name for name in report["missing_keys"] if not (unused and re.search(unused, name))
    )
    wrong = [str(found[0] if isinstance(found, tuple) else found) for found in reshaped]
    faults = [*missing, *wrong]
    if faults:
        raise CheckpointError(
            f"{folder} lacks weights, or has them in another shape ({len(faults)}: "
            f"{', '.join(faults[:3])}, ...); it is another model's checkpoint, or not whole"
        )


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Keep the library's own bars and reports away: what matters of them is checked here."""
    words = transformers.utils.logging
    level, bar = words.get_verbosity(), words.is_progress_bar_enabled()
    words.set_verbosity_error()
    words.disable_progress_bar()
    try:
        yield
    finally:
        words.set_verbosity(level)
        if bar:
            words.enable_progress_bar()


@contextlib.contextmanager
def _reported() -> Iterator[list[str]]:
    """Give what the library would log of a load: what fails while quantising is told there only."""
    said: list[str] = []
    logger = logging.getLogger("transformers.modeling_utils")
    level = logger.level

    def keep(record: logging.LogRecord) -> bool:
        said.append(record.getMessage())
        return False

    logger.setLevel(logging.WARNING)
    logger.addFilter(keep)
    try:
        yield said
    finally:
        logger.removeFilter(keep)
        logger.setLevel(level)
