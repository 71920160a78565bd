"""Where the weights of an encoder come from: a hub id, pinned at first use, or a folder.

A hub id stands for one commit for as long as a cache lives: the first use writes the commit into
CACHE/checkpoints.json, later uses read it there, so that weights which move on the hub never mix
with features of the older ones. `--weights NAME=ID@COMMIT` names another commit, and
`--weights NAME=FOLDER` files of this machine, which are known by their digest.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.digests import FileDigests
from core.errors import CheckpointError, UsageError
from core.files import storage_errors, write_json
from core.fingerprint import digest_strings
from core.log import logger

PINS = "checkpoints.json"
SETTINGS = "preprocessor_config.json"
UNPINNED = "unpinned"  # the revision of a listing, which asks nobody
_COMMIT = re.compile(r"[0-9a-f]{40}")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_DESCRIBING = ("*.json", "*.txt", "*.model", "*.jinja")
_WEIGHTS = ("*.safetensors", "*.bin", "*.pt", "*.pth")


@dataclass(frozen=True)
class Checkpoint:
    """A published checkpoint, a row of the catalog; facts as its model card gives them.

    hub           id on the hub
    parameters_m  millions of parameters; of two halves, those of the one that is used
    licence       its short name
    """

    hub: str
    parameters_m: float
    licence: str


@dataclass(frozen=True)
class Weights:
    """One checkpoint as a run uses it.

    family    the encoder that it is for, in messages
    hub       its id on the hub; "" for a folder
    identity  what stands in recipes: hub id and commit, or the digest of a folder's files
    folder    where its files are, or the one file of a bare state dict; None for a hub id that was
              not fetched yet
    """

    family: str
    hub: str
    identity: Mapping[str, str]
    folder: Path | None = None

    def fetched(self) -> Weights:
        """Return the same checkpoint with its files on this machine; the hub is asked if need be.

        Raises:
            CheckpointError: if they are neither here nor to be had, with what to do.
        """
        if self.folder is not None:
            return self
        return replace(self, folder=_downloaded(self.family, self.hub, self.identity["revision"]))

    def count_m(self) -> float | None:
        """Return how many millions of weights its files have, None if none are on this machine.

        Safetensors tell it; of other files each 4 bytes are taken for one.
        """
        here = self.folder or _fetched_before(self.hub, self.identity["revision"])
        if here is None:
            return None
        found = [[here]] if here.is_file() else [sorted(here.glob(form)) for form in _WEIGHTS]
        return sum(map(_count, next(filter(None, found), []))) / 1e6


@dataclass(frozen=True)
class Places:
    """Where a run takes checkpoints from.

    given  by family, what --weights says: a folder, a hub id, or ID@REVISION
    cache  the folder that keeps pins and remembers digests; None pins nothing and asks nobody
    """

    given: Mapping[str, str]
    cache: Path | None = None

    def find(self, family: str, row: Checkpoint | None) -> Weights:
        """Return the checkpoint of a family: what --weights gives for it, else its row's.

        Raises:
            UsageError: if there is no row and none was given, or what was given is no checkpoint.
            CheckpointError: if the commit of a hub id cannot be found out.
        """
        where = self.given.get(family) or (row.hub if row else None)
        if where is None:
            raise UsageError(
                f"feature {family!r} has no checkpoint of its own; name one: "
                f"--weights {family}=FOLDER or --weights {family}=HUB_ID"
            )
        place = Path(where).expanduser().resolve()
        if place.is_dir():
            return self._of_folder(family, place)
        if place.is_file():
            return Weights(family, "", {"digest": self._digest([(place.name, place)])}, place)
        hub, _, revision = where.partition("@")
        if not _HUB_ID.fullmatch(hub):
            raise UsageError(
                f"--weights {family}={where}: there is no such folder, and it is no hub id such as "
                "facebook/timesformer-base-finetuned-k400"
            )
        try:
            identity = {"hub": hub, "revision": self._commit(family, hub, revision)}
        except CheckpointError as error:
            if revision or family not in self.given:
                raise
            no_folder = f"--weights {family}={where}: there is no such folder, {place}"
            raise CheckpointError(f"{no_folder}; taken for a hub id, {error}") from error
        return Weights(family, hub, identity)

    def _of_folder(self, family: str, folder: Path) -> Weights:
        files = sorted(
            {path for form in (*_DESCRIBING, *_WEIGHTS) for path in folder.rglob(form)},
            key=lambda path: path.relative_to(folder).as_posix(),
        )
        if not any(path.match(form) for path in files for form in _WEIGHTS):
            raise UsageError(
                f"--weights {family}={folder}: the folder has no weights; expected a file such as "
                "model.safetensors beside config.json"
            )
        named = [(path.relative_to(folder).as_posix(), path) for path in files]
        return Weights(family, "", {"digest": self._digest(named)}, folder)

    def _digest(self, files: Sequence[tuple[str, Path]]) -> str:
        digest_of = FileDigests(self.cache / "digests.sqlite" if self.cache else None)
        words = [word for name, path in files for word in (name, (digest_of(path) or b"").hex())]
        digest_of.save()
        return digest_strings(words).hex()

    def _commit(self, family: str, hub: str, revision: str) -> str:
        if _COMMIT.fullmatch(revision):
            return revision
        if self.cache is None:
            return revision or UNPINNED
        name = f"{hub}@{revision}" if revision else hub
        pins = _pins(self.cache / PINS)
        if name not in pins:
            pins[name] = _commit_of(family, hub, revision or "main")
            with storage_errors(self.cache):
                write_json(self.cache / PINS, dict(sorted(pins.items())))
            logger.info("%s: %s is pinned to commit %s", family, name, pins[name])
        return pins[name]


def read_settings(
    folder: Path, family: str, *, parts: Sequence[str], files: Sequence[str] = (SETTINGS,)
) -> tuple[dict[str, Any], Path]:
    """Return how a checkpoint's processor prepares what it reads, and the file that says it.

    Those of transformers 5 write all into processor_config.json, each part by its name, and look
    there first; before, a part had a file of its own.

    Raises:
        CheckpointError: if there is none of these.
    """
    whole = folder / "processor_config.json"
    content = read_json(whole, family) if whole.exists() else {}
    for part in parts:
        if isinstance(content.get(part), dict):
            return content[part], whole
    path = next((folder / name for name in files if (folder / name).exists()), folder / files[0])
    return read_json(path, family), path


def read_json(path: Path, family: str) -> dict[str, Any]:
    """Return a JSON object that a checkpoint must have.

    Raises:
        CheckpointError: if it is not there, or is none.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{family}: {path} cannot be read ({error}); the checkpoint is not whole: fetch it "
            f"again, or name another: --weights {family}=FOLDER"
        ) from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{family}: {path} holds no JSON object; fetch the checkpoint again")
    return content


def _count(path: Path) -> int:
    """Return how many weights a file has."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            names = file.keys()
            return sum(math.prod(file.get_slice(name).get_shape()) for name in names)
    except (SafetensorError, OSError):
        return path.stat().st_size // 4


def _fetched_before(hub: str, revision: str) -> Path | None:
    """Return the folder of a commit in the hub's cache of this machine, if it is there."""
    from huggingface_hub import try_to_load_from_cache

    try:
        here = try_to_load_from_cache(hub, "config.json", revision=revision)
    except ValueError:  # it is no id on the hub, which is said where it is asked for
        return None
    return Path(here).parent if isinstance(here, str) else None


def _pins(path: Path) -> dict[str, str]:
    try:
        pins: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        if all(_COMMIT.fullmatch(commit) for commit in pins.values()):
            return pins
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}; remove it to pin anew") from error
    raise CheckpointError(f"{path} holds what is no commit; remove it to pin anew")


def _commit_of(family: str, hub: str, revision: str) -> str:
    """Return the commit of a revision: as the hub's cache of this machine has it, else the hub."""
    from huggingface_hub import HfApi

    here = _fetched_before(hub, revision)
    if here is not None and _COMMIT.fullmatch(here.name):
        return here.name
    try:
        commit = HfApi().model_info(hub, revision=revision).sha
    except Exception as error:  # whatever the network does, the remedy is the same
        raise CheckpointError(_not_here(family, hub, "", error)) from error
    if commit is None:
        raise CheckpointError(f"{family}: the hub knows no commit of {hub} at {revision}")
    return commit


def _downloaded(family: str, hub: str, revision: str) -> Path:
    from huggingface_hub import snapshot_download

    for weights in _WEIGHTS[:2]:  # pickled weights only where there are no others
        try:
            place = snapshot_download(
                hub, revision=revision, allow_patterns=[*_DESCRIBING, weights], max_workers=2
            )
        except Exception as error:  # as above
            raise CheckpointError(_not_here(family, hub, revision, error)) from error
        if any(Path(place).rglob(weights)):
            return Path(place)
    raise CheckpointError(
        f"{family}: {hub} at {revision} has neither safetensors nor pytorch_model.bin; "
        f"convert it and name the folder: --weights {family}=FOLDER"
    )


def _not_here(family: str, hub: str, revision: str, error: Exception) -> str:
    from huggingface_hub import constants
    from huggingface_hub.errors import GatedRepoError

    at = f" --revision {revision}" if revision else ""
    first = str(error).strip().partition("\n")[0]
    remedy = f"With a network: hf download {hub}{at}; without one: "
    if isinstance(error, GatedRepoError):
        page = f"{constants.ENDPOINT}/{hub}"
        remedy = f"It is gated: accept the licence on {page}, then hf auth login; or "
    return (
        f"{family}: the checkpoint {hub} is not on this machine and could not be fetched "
        f"({type(error).__name__}: {first}). {remedy}"
        f"copy its folder here and say --weights {family}=FOLDER. The preset classic needs none"
    )
