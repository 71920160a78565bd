"""What becomes of a device whose memory does not suffice, in whatever words it says so."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import bitsandbytes
import pytest
import torch
from transformers import AutoModel, PreTrainedModel

from core.errors import CheckpointError, ProjectError
from extract.batch import compute
from extract.catalog import resolve
from extract.encoders.encoding import Encoding
from tests.extract.encoders.test_contract import PARTS

SAYINGS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
    torch.AcceleratorError("CUDA error: out of memory\nCUDA kernel errors might be reported late"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("MPS backend out of memory (MPS allocated: 5 GB)"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"),
]


@dataclass
class Full:
    """A network with memory for `room` samples at once; keeps the sizes of batches it was given."""

    error: Exception
    room: int
    tried: list[int] = field(default_factory=list)

    def open(self, folder, computing, device, wanted):
        def forward(batch):
            self.tried.append(len(batch))
            if len(batch) > self.room:
                raise self.error
            return [dict.fromkeys(wanted, 1.0) for _ in batch]

        return forward


def encoder(family, checkpoints, quantize="none", dtype="float32"):
    """Return a family's encoder, not loaded yet."""
    given = {"weights": {family: str(checkpoints(family))}, "dtype": dtype}
    encoding = Encoding.parse(checkpoints(family).parent, **given, quantize=quantize)
    return resolve([family], parts=PARTS, encoding=encoding).extractors[0].fetch()


def full(checkpoints, error, room):
    """Return an encoder that computes nothing and has memory for so many samples."""
    made = replace(encoder("mbert", checkpoints), network=Full(error, room))
    made.load(lambda: "cpu")
    return made


@pytest.mark.parametrize(
    ("dtype", "quantize", "width"),
    [
        ("float32", "none", 4),
        ("bfloat16", "none", 2),
        ("float32", "int8", 1),
        ("auto", "nf4", 0.56),
    ],
)
def test_weights_of_a_folder_are_counted_as_they_will_lie_there(
    dtype, quantize, width, checkpoints
):
    made = encoder("mbert", checkpoints, quantize, dtype)
    model = AutoModel.from_pretrained(checkpoints("mbert"))
    assert made.weight_bytes == int(sum(each.numel() for each in model.parameters()) * width)


def test_weights_that_tell_no_number_are_as_large_as_their_file(checkpoints):
    file = checkpoints("beats") / "beats.pt"
    assert encoder("beats", checkpoints).weight_bytes == file.stat().st_size // 4 * 4


def test_weights_that_are_not_here_yet_are_as_large_as_the_catalog_has_it():
    encoding = Encoding.parse(Path("cache"), weights={"beats": "who/beats@" + 40 * "0"})
    made = resolve(["beats"], parts=PARTS, encoding=encoding).extractors[0]
    assert made.weight_bytes in {200_000_000, 400_000_000}


@pytest.mark.parametrize("error", SAYINGS, ids=lambda error: str(error)[:24])
def test_a_batch_too_large_is_halved_once_in_whatever_words_it_is_said(error, checkpoints):
    made = full(checkpoints, error, 4)
    values, most = compute(made, [{}] * 16, most=16)
    assert (len(values), most) == (16, 4)
    assert made.network.tried == [16, 8, 4, 4, 4, 4]


@pytest.mark.parametrize("error", SAYINGS, ids=lambda error: str(error)[:24])
def test_a_sample_too_large_alone_is_the_devices_fault(error, checkpoints):
    values, _ = compute(full(checkpoints, error, 0), [{}], most=1)
    gap = values[0]["mbert:title"]
    assert gap.cause == "device"
    assert "one sample alone" in gap.reason
    assert "\n" not in gap.reason


def test_what_a_model_fails_at_otherwise_is_no_matter_of_memory(checkpoints):
    made = full(checkpoints, RuntimeError("shapes cannot be multiplied"), 0)
    assert compute(made, [{}], most=1)[0][0]["mbert:title"].cause == "model"


@pytest.mark.parametrize("place", [(AutoModel, "from_pretrained"), (PreTrainedModel, "to")])
@pytest.mark.parametrize("error", SAYINGS, ids=lambda error: str(error)[:24])
def test_weights_that_do_not_fit_are_said_with_what_to_do(error, place, checkpoints, monkeypatch):
    def fail(*given, **options):
        raise error

    monkeypatch.setattr(*place, fail)
    told = "mbert: its weights do not fit the memory of cuda .*--device cpu.*--quantize mbert=nf4"
    with pytest.raises(ProjectError, match=told) as raised:
        encoder("mbert", checkpoints).load(lambda: "cuda")
    assert not isinstance(raised.value, CheckpointError)


def test_memory_that_ends_while_quantising_is_said_too(checkpoints, monkeypatch):
    def fail(*given, **options):
        raise SAYINGS[0]

    monkeypatch.setattr(bitsandbytes.nn.Params4bit, "to", fail)
    with pytest.raises(ProjectError, match=r"memory of cpu \(.*CUDA out of memory") as raised:
        encoder("mbert", checkpoints, "nf4").load(lambda: "cpu")
    assert "--quantize" not in str(raised.value)


@pytest.mark.parametrize("family", ["i3d", "beats"])
def test_a_bare_state_dict_that_does_not_fit_is_not_called_broken(family, checkpoints, monkeypatch):
    def fail(*given, **options):
        raise SAYINGS[-1]

    monkeypatch.setattr(torch, "load", fail)
    with pytest.raises(ProjectError, match=f"{family}: its weights do not fit the memory of cpu"):
        encoder(family, checkpoints).load(lambda: "cpu")
