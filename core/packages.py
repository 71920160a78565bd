"""The packages of requirements.txt: installed, new enough, importable. Needs none of them."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from core.checks import Check, gibibytes
from core.trial import DEVICE

ROOT = Path(__file__).resolve().parent.parent
TIME_LIMIT_S = 60.0
_MODULES = {  # where they differ
    "faiss-cpu": "faiss",
    "pillow": "PIL",
    "pyyaml": "yaml",
    "scikit-learn": "sklearn",
}
_NEEDED_FOR = {  # what goes on without them, and for what they are needed
    "decord": "--decoder decord",
    "transformers": "encoders with weights",
    "accelerate": "--quantize",
    "bitsandbytes": "--quantize",
    "faiss-cpu": "nearest neighbours, such as --head knn",
    "langid": "the features language:FIELD",
    "lightgbm": "--head gbm",
    "optuna": "--tune",
    "pyarrow": "tables in Parquet",
    "sqlalchemy": "--tune",
}
_WITH_TORCH = ("torch", "transformers", "accelerate", "bitsandbytes")  # torch is imported once
_REQUIREMENT = re.compile(r"([A-Za-z0-9_.-]+)\s*((?:[<>=!~]=?[\d.]+,?\s*)*)")
_INSTALL = "python -m pip install -r requirements.txt"
_DRIVER = Path("/proc/driver/nvidia/version")


def package_checks(requirements: Path = ROOT / "requirements.txt") -> list[Check]:
    """Return a line for all packages that are fine, one for each that is not, and the device."""
    wanted = dict(_wanted(requirements))
    checks, versions = [], {}
    for name, limits in wanted.items():
        version = _version(name)
        if version is None or not _within(version, limits):
            checks.append(_trouble(name, version or "not installed", f"{_INSTALL}: {name}{limits}"))
        else:
            versions[name] = version
    answers = _try_all(module_of(name) for name in versions)
    for name in list(versions):
        if error := answers[module_of(name)].get("error"):
            found = f"{versions.pop(name)} cannot be imported: {error}"
            checks.append(_trouble(name, found, f"{_INSTALL} --force-reinstall {name}"))
    words = ", ".join(f"{name} {version}" for name, version in versions.items())
    slowest = max((answer["seconds"] for answer in answers.values()), default=0.0)
    fine = Check("OK", "packages", f"{words}; the slowest import took {slowest:.1f} s")
    return [fine, *checks, *_device_checks(answers.get(DEVICE, {"error": "torch is not there"}))]


def module_of(package: str) -> str:
    """Return the name that a package of the requirements is imported by."""
    return _MODULES.get(package, package)


def _wanted(requirements: Path) -> Iterator[tuple[str, str]]:
    """Yield (name, limits) of each line, such as ("torch", ">=2.11,<2.14")."""
    for line in requirements.read_text(encoding="utf-8").splitlines():
        if match := _REQUIREMENT.match(line.partition("#")[0].strip()):
            yield match[1].lower(), match[2].strip()


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _within(version: str, limits: str) -> bool:
    """Say whether a version is within limits such as ">=2.11,<2.14"; others are taken as met."""
    have = _numbers(version)
    for limit in filter(None, limits.split(",")):
        if limit.startswith(">=") and have < _numbers(limit[2:]):
            return False
        if limit.startswith("<") and not limit.startswith("<=") and have >= _numbers(limit[1:]):
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.split("+")[0])[:4])


def _trouble(name: str, found: str, remedy: str) -> Check:
    if name in _NEEDED_FOR:
        return Check("WARN", name, f"{found}; needed for {_NEEDED_FOR[name]}", remedy)
    return Check("FAIL", name, found, remedy)


def _try_all(modules: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Import modules in two processes of their own; return what each came to, by name."""
    every = list(modules)
    first = [name for name in _WITH_TORCH if name in every]
    if "torch" in first:
        first.insert(1, DEVICE)
    rest = [name for name in every if name not in first]
    with ThreadPoolExecutor(2) as pool:
        return {
            name: one for part in pool.map(try_imports, (first, rest)) for name, one in part.items()
        }


def try_imports(names: Sequence[str], seconds: float = TIME_LIMIT_S) -> dict[str, dict[str, Any]]:
    """Import names in another process: "error", "" where there is none, and "seconds", by name.

    One that ends or hangs the process is blamed, and the rest go on in a new one.
    """
    answers: dict[str, dict[str, Any]] = {}
    left = list(names)
    ends = time.monotonic() + seconds
    while left:
        given, why = _run(left, max(1.0, ends - time.monotonic()))
        answers.update(given)
        left = [name for name in left if name not in answers]
        if left:
            culprit = left.pop(0)
            answers[culprit] = {"name": culprit, "error": why, "seconds": 0.0}
    return answers


def _run(names: Sequence[str], seconds: float) -> tuple[dict[str, dict[str, Any]], str]:
    """Return what a process said before it ended, and how it ended."""
    command = [sys.executable, "-m", "core.trial", *names]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False
        )
        said, why = done.stdout, f"it ended the process with exit code {done.returncode}"
    except subprocess.TimeoutExpired as error:
        said = (error.stdout or b"").decode("utf-8", "replace") if error.stdout else ""
        why = f"nothing after {seconds:.0f} s"
    answers = {}
    for line in said.splitlines():
        if line.startswith("{") and line.endswith("}"):
            answer = json.loads(line)
            answers[answer["name"]] = answer
    return answers, why


def _device_checks(answer: dict[str, Any]) -> list[Check]:
    if answer["error"]:
        return [Check("WARN", "device", f"not known: {answer['error']}", _INSTALL)]
    found = answer["found"]
    words = f"{found['device']}, {found['dtype']}, {found['threads']} threads of torch"
    checks = [Check("OK", "device", words)]
    driver = _driver()
    checks += [
        Check(
            "OK",
            f"gpu {index}",
            f"{gpu['name']}, {gibibytes(gpu['free'])} free of {gibibytes(gpu['total'])}, "
            f"compute capability {gpu['capability']}, driver {driver or 'unknown'}, "
            f"torch for CUDA {found['built_for']}",
        )
        for index, gpu in enumerate(found["gpus"])
    ]
    if driver and not found["gpus"]:
        checks.append(_unused_gpu(driver, found["built_for"]))
    return checks


def _unused_gpu(driver: str, built_for: str | None) -> Check:
    if built_for is None:
        remedy = "install a torch that is built for CUDA: https://pytorch.org/get-started"
        return Check("WARN", "gpu", f"driver {driver}, but this torch is built for CPUs", remedy)
    found = f"driver {driver}, but torch, built for CUDA {built_for}, sees no GPU"
    return Check("WARN", "gpu", found, "check CUDA_VISIBLE_DEVICES, and nvidia-smi for the driver")


def _driver() -> str:
    """Return the version of NVIDIA's driver; "" where there is none."""
    try:
        match = re.search(r"Kernel Module\D*([\d.]+)", _DRIVER.read_text(encoding="utf-8"))
    except OSError:
        return ""
    return match[1] if match else "unknown"
