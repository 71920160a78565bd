"""Whether tier 1 can work here: codecs tried in workers, checkpoints looked for on this machine."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from pathlib import Path

from core.checks import Check
from core.status import Gap
from extract.encoders.checkpoint import PINS
from extract.families import FAMILIES
from extract.pool import Limits, run_tasks
from media.trial import ENCODERS, SOUND, Trial, try_codec

_LIMITS = Limits(time_s=20.0)
_NEEDED = {"h264", SOUND}  # what nearly all short videos are made of
_REINSTALL = "python -m pip install --force-reinstall av decord"
_FORMS = ("*.safetensors", "*.bin")


def codec_checks() -> list[Check]:
    """Make a tiny clip of each codec and read it back, in workers that may crash."""
    found = dict(run_tasks(_try, [*ENCODERS, SOUND], workers=2, limits=_LIMITS))
    return [_of_codec(codec, found[codec]) for codec in (*ENCODERS, SOUND)]


def _try(task: str) -> Trial:
    """Try one codec; this runs in a worker."""
    os.environ["SVT_LOG"] = "1"  # of SVT-AV1: errors only
    return try_codec(task)


def _of_codec(codec: str, trial: Trial | Gap) -> Check:
    if isinstance(trial, Gap):
        return _trouble(codec, f"{trial.cause}: {trial.reason}")
    pyav, decord = (trial.troubles.get(name, "") for name in ("pyav", "decord"))
    if pyav:
        return _trouble(codec, f"pyav: {pyav}")
    if not trial.made:
        return Check("OK", codec, "a decoder is there; no encoder to make a clip and try it")
    if decord:
        found = f"decoded by pyav, not by decord ({decord.removeprefix('decord: ')})"
        remedy = "keep --decoder pyav, the default, for such files"
        return Check("WARN" if codec in _NEEDED else "OK", codec, found, remedy)
    by = "pyav" if codec == SOUND else "pyav and decord"
    return Check("OK", codec, f"a clip made here is decoded by {by}")


def _trouble(codec: str, found: str) -> Check:
    return Check("FAIL" if codec in _NEEDED else "WARN", codec, found, _REINSTALL)


def hub_checks(cache: Path, *, online: bool = False) -> list[Check]:
    """Say where checkpoints are kept, which encoders find theirs there, and whether more may come.

    `online` asks the hub for an answer; otherwise nothing leaves this machine.
    """
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE)
    hubs = {name: row.checkpoint.hub for name, row in FAMILIES.items() if row.checkpoint}
    here = [name for name, hub in hubs.items() if _is_here(folder, hub)]
    lacking = [name for name in hubs if name not in here]
    offline = bool(constants.HF_HUB_OFFLINE)
    found = f"{folder}, {'offline' if offline else 'online'}: {_listed(here)} of the encoders there"
    checks = [Check("OK", "hub cache", found)]
    if lacking:
        words = f"no checkpoint here of {', '.join(lacking)}; the preset classic needs none"
        remedy = "with a network they are fetched at first use; else --weights NAME=FOLDER"
        if offline:
            remedy = "unset HF_HUB_OFFLINE to fetch them, or name files: --weights NAME=FOLDER"
        checks.append(Check("WARN" if offline else "OK", "checkpoints", words, remedy))
    checks += _pin_checks(cache / PINS, folder)
    return [*checks, _reach(constants.ENDPOINT)] if online else checks


def _listed(names: list[str]) -> str:
    return ", ".join(names) if names else "none"


def _is_here(folder: Path, hub: str, commit: str = "*") -> bool:
    """Say whether the hub's cache has weights of a checkpoint, of one commit or of any."""
    place = folder / f"models--{hub.replace('/', '--')}" / "snapshots"
    return any(next(place.glob(f"{commit}/{form}"), None) for form in _FORMS)


def _pin_checks(path: Path, folder: Path) -> list[Check]:
    """Look for the commits that a cache's features were computed with."""
    try:
        pins: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        gone = [n for n, commit in pins.items() if not _is_here(folder, n.split("@")[0], commit)]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, AttributeError) as error:
        return [Check("WARN", "pins", f"{path} cannot be read: {error}", "remove it to pin anew")]
    if gone:
        found = f"{path} names commits that are not here: {', '.join(gone)}"
        remedy = "they are fetched when features of them are computed; those in the cache stay"
        return [Check("OK", "pins", found, remedy)]
    return [Check("OK", "pins", f"{path}: {len(pins)} checkpoints pinned, all here")]


def _reach(endpoint: str) -> Check:
    try:
        with urllib.request.urlopen(f"{endpoint}/api/models?limit=1", timeout=5) as answer:
            return Check("OK", "hub", f"{endpoint} answers ({answer.status})")
    except (OSError, urllib.error.URLError, ValueError) as error:
        remedy = "check the network and proxies, or copy checkpoints: --weights NAME=FOLDER"
        return Check("WARN", "hub", f"{endpoint} does not answer: {error}", remedy)
