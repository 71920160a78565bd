"""Registry, seeds, device, progress."""

import re

import pytest
import torch

from core.device import choose_device, choose_dtype
from core.errors import UnknownName, UsageError
from core.progress import Meter
from core.registry import Registry
from core.seeding import derived_seed, generator

NUMBERS = Registry[type]("number", {"int": "builtins:int", "lost": "nowhere.at.all:X"})


def test_a_registry_loads_on_use_only():
    assert list(NUMBERS) == ["int", "lost"]
    assert NUMBERS.load("int") is int
    with pytest.raises(ModuleNotFoundError):
        NUMBERS.load("lost")


def test_a_registry_refuses_what_it_does_not_have():
    with pytest.raises(UnknownName, match="number 'imt' is unknown; did you mean 'int'"):
        NUMBERS.load("imt")


def test_each_purpose_has_a_seed_of_its_own():
    assert derived_seed(7, "fold 1") == derived_seed(7, "fold 1")
    assert derived_seed(7, "fold 1") != derived_seed(7, "fold 2")
    assert generator(7, "a").random() == generator(7, "a").random()


def test_the_device_that_is_asked_for_must_be_there():
    assert choose_device("cpu").value == "cpu"
    with pytest.raises(UsageError, match="'gpu0' is not a device"):
        choose_device("gpu0")
    with pytest.raises(UsageError, match="'mtia' is not a device of this machine"):
        choose_device("mtia")
    with pytest.raises(UsageError, match=re.escape("try --device cpu")):
        choose_device(f"cuda:{torch.cuda.device_count()}")


def test_float32_is_not_rounded_in_convolutions_on_the_device_that_is_chosen():
    torch.backends.cudnn.allow_tf32 = True
    choose_device("cpu")
    assert not torch.backends.cudnn.allow_tf32


def test_the_number_format_has_a_reason():
    assert choose_dtype("float16", "cpu").value == "float16"
    assert choose_dtype("auto", "cpu").value in {"float32", "bfloat16"}
    assert "CPU has" in str(choose_dtype("auto", "cpu"))
    with pytest.raises(UsageError, match="expected one of auto, float32"):
        choose_dtype("fp8", "cpu")


def test_a_meter_counts_failures():
    with Meter("extract", 2) as meter:
        meter.advance()
        meter.advance(failed=True)
    assert re.match(r"2 samples in .* s, .* samples/s, 1 failed", meter.summary())


def test_a_meter_leaves_the_start_of_the_workers_out_of_what_is_left(capsys):
    hour = [0.0]
    with Meter("extract", 11, clock=lambda: hour[0]) as meter:
        for hour[0] in (100.0, 120.0):
            meter.advance(size_bytes=60_000_000)
    first, second = capsys.readouterr().err.splitlines()
    assert first == "extract: 1 of 11, 0.0 samples/s, 1 MB/s, 0 failed"
    assert second == "extract: 2 of 11, 0.0 samples/s, 1 MB/s, 0 failed, 180 s left"


def test_a_meter_is_silent_about_what_is_soon_done(capsys):
    hour = [0.0]
    with Meter("digest", 2, patience_s=30, clock=lambda: hour[0]) as meter:
        hour[0] = 29.0
        meter.advance()
    assert capsys.readouterr().err == ""
