"""Weights after every epoch as safetensors files, and what it takes to go on after a kill.

    EPOCHS/fold1/epoch-001.safetensors, ...   the weights that are learnt, and what they predict for
                                              the validation rows; written whole or not at all
    EPOCHS/fold1/valid.safetensors            the labels of those rows
    EPOCHS/fold1/state.safetensors            the last epoch's optimiser and random state; it comes
                                              last, and an epoch file that it does not know is
                                              written again

Frozen encoders are in no file, so that an epoch of the published network takes 92 MB, not 970.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from core.errors import RunError
from core.files import replacing
from heads.networks.training import State

_WEIGHTS, _PREDICTED, _TARGET = "weights.", "predicted", "target"
_STATE, _VALID = "state.safetensors", "valid.safetensors"

_RUN: ContextVar[Path | None] = ContextVar("run", default=None)
_FOLD: ContextVar[Path | None] = ContextVar("fold", default=None)


def keeping_folds(folder: Path | None) -> AbstractContextManager[None]:
    """Let the folds of this block keep their epochs below a folder; None: they keep none."""
    return _set(_RUN, folder)


def keeping_fold(name: str) -> AbstractContextManager[None]:
    """Let the fits of this block keep their epochs, if their head has any, where folds do."""
    run = _RUN.get()
    return keeping(run and run / name)


def keeping(folder: Path | None) -> AbstractContextManager[None]:
    """Let the fits of this block keep their epochs in a folder; None: they keep none."""
    return _set(_FOLD, folder)


def kept_in() -> Path | None:
    """Return the folder for the epochs of a fit that begins now; None where none are kept."""
    return _FOLD.get()


@contextmanager
def _set(place: ContextVar[Path | None], folder: Path | None) -> Iterator[None]:
    token = place.set(folder)
    try:
        yield
    finally:
        place.reset(token)


class EpochFiles:
    """The files of one training; `identity` says what is learnt from what, in any words.

    `predicted` gives what the network, as it is, predicts for the validation rows, float64 [N, T].
    """

    def __init__(self, folder: Path, identity: str, target: np.ndarray) -> None:
        self._folder, self._identity, self._target = folder, identity, target
        self.predicted = np.zeros_like(target)

    def kept(self) -> State | None:
        """Return the state after the last whole epoch of this very training; None without one.

        Raises:
            RunError: if a file that must be there cannot be read.
        """
        memory, said = (
            _read(self._folder / _STATE) if (self._folder / _STATE).exists() else ({}, {})
        )
        if said.get("identity") != self._identity:
            self._clear()
            return None
        words = json.loads(said["words"])
        weights, best = (self._weights(words[name]) for name in ("epoch", "best"))
        return State(words, weights, best, memory)

    def keep(self, state: State) -> None:
        """Write the files of an epoch."""
        tensors = {_WEIGHTS + name: value for name, value in state.weights.items()}
        tensors[_PREDICTED] = torch.from_numpy(self.predicted.astype(np.float32))
        row = json.dumps(state.words["history"][-1])
        _write(epoch_file(self._folder, state.words["epoch"]), tensors, {"row": row})
        said = {"identity": self._identity, "words": json.dumps(state.words)}
        _write(self._folder / _STATE, dict(state.memory), said)

    def _weights(self, epoch: int) -> dict[str, torch.Tensor]:
        tensors, _ = _read(epoch_file(self._folder, epoch))
        return {
            name.removeprefix(_WEIGHTS): value
            for name, value in tensors.items()
            if name.startswith(_WEIGHTS)
        }

    def _clear(self) -> None:
        """Take away the epochs of another training, and write the labels of this one."""
        for path in (self._folder / _STATE, *self._folder.glob("epoch-*.safetensors")):
            path.unlink(missing_ok=True)
        _write(self._folder / _VALID, {_TARGET: torch.from_numpy(self._target)}, {})


def epoch_file(folder: Path, epoch: int) -> Path:
    """Return the file of an epoch, from 1."""
    return folder / f"epoch-{epoch:03d}.safetensors"


def read_epochs(folder: Path) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """Return the labels of a fold's validation rows, and by epoch what was predicted for them.

    All are float64 [N, T], on the scale that was learnt.

    Raises:
        RunError: if a file cannot be read.
    """
    target = _read(folder / _VALID)[0][_TARGET].numpy()
    found = {}
    for path in sorted(folder.glob("epoch-*.safetensors")):
        tensors, said = _read(path, only=_PREDICTED)
        found[int(json.loads(said["row"])["epoch"])] = tensors[_PREDICTED].double().numpy()
    return target, found


def _write(path: Path, tensors: Mapping[str, torch.Tensor], said: Mapping[str, str]) -> None:
    with replacing(path) as temporary:
        save_file(
            {name: value.contiguous() for name, value in tensors.items()}, temporary, dict(said)
        )


def _read(path: Path, only: str | None = None) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Return the tensors of a file, or one of them, and what its header says.

    Raises:
        RunError: if it is not there, or not a whole file of this kind.
    """
    try:
        with safe_open(path, framework="pt") as stream:
            names = [only] if only else stream.keys()
            return {name: stream.get_tensor(name) for name in names}, stream.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise RunError(f"{path} cannot be read ({error}); fit again, into a new folder") from error
