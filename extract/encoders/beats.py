"""BEATs on the sound track: windows of 10 seconds, a token for every 160 ms and 16 of 128 bands.

`beats` is the mean over all tokens float16 [768]; on request `beats/windows` float16
[window, 768] and `beats/tokens` float16 [token, 768], the windows one after another, of each the
steps of time, of each step the bands from low to high. There is no checkpoint on the hub in the
layout of transformers: `--weights beats=BEATs_iter3_plus_AS2M.pt` takes the published file, or a
folder with it, as it is; one that was fine-tuned, too, without its classes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import CheckpointError
from core.status import Gap, absent
from extract.contract import Inputs, Value
from extract.encoders.audio import MOST_S, cut, mel_bank
from extract.encoders.chosen import Dims, arrays, choose
from extract.encoders.encoder import Batch, Computing, Encoder, Forward, Prepare
from extract.encoders.encoding import Encoding
from extract.encoders.state import not_quantised, read_checkpoint, tensors_of
from extract.family import Family
from extract.opening import opened, with_opening
from media.request import AudioRequest

if TYPE_CHECKING:
    import torch

    from extract.encoders.beats_network import BEATs

VERSION = 1
RATE_HZ = 16_000
WINDOW_S = 10.0  # the clips of AudioSet, which it was trained on
BANDS, PATCH = 128, 16
TOGETHER = 16  # windows in one pass
_MEAN, _STD = 15.41663, 6.55582  # of the log energies of AudioSet; the published scale has 2 std
_FRAME, _STEP = 400, 160  # samples: 25 and 10 ms
_LEAST = _FRAME + (PATCH - 1) * _STEP  # samples of one patch
# What no shape of a weight tells, as every iter3+ checkpoint has it:
_TRAITS = {
    "deep_norm": True,
    "layer_norm_first": False,
    "relative_position_embedding": True,
    "gru_rel_pos": True,
    "conv_bias": False,
    "activation_fn": "gelu",
}


def extractor(
    name: str,
    row: Family,
    encoding: Encoding,
    *,
    decoder: str = "pyav",
    seconds: float | None = None,
) -> Encoder:
    """Return the encoder of a sound track."""
    del decoder  # sound is read by PyAV whatever reads the frames
    chosen = choose(name, row, encoding)
    request = opened(AudioRequest(RATE_HZ, seconds=MOST_S), seconds)
    recipe = chosen.recipe("encoders.beats", VERSION, window_s=WINDOW_S, audio=request.recipe())
    whole, width = with_opening(name, seconds), row.width or 0
    dims: Dims = {
        whole: (width,),
        f"{whole}/windows": ("window", width),
        f"{whole}/tokens": ("token", width),
    }
    network = BEATsNetwork(whole, width)
    return chosen.encoder(network, arrays(dims, ("audio",), recipe), audio=request)


@dataclass(frozen=True)
class BEATsNetwork:
    """Windows of sound through BEATs; `whole` is the name of the track's one vector."""

    whole: str
    width: int

    def preparer(self, folder: Path) -> Prepare:
        """Return what cuts a track into windows and turns each into a spectrum."""
        return spectra_of

    def open(
        self, folder: Path, computing: Computing, device: str, wanted: Collection[str]
    ) -> Forward:
        """Load the state dict by the names of its modules."""
        import torch

        not_quantised("beats", computing)
        dtype = getattr(torch, computing.dtype)
        network = loaded(folder, self.width).to(device, dtype)

        def forward(batch: Batch) -> list[dict[str, Value]]:
            windows = [window for sample in batch for window in sample["spectra"]]
            order = sorted(range(len(windows)), key=lambda index: len(windows[index]))
            tokens: dict[int, np.ndarray] = {}
            for start in range(0, len(order), TOGETHER):
                chosen = order[start : start + TOGETHER]
                found = _encoded(network, [windows[index] for index in chosen], device, dtype)
                tokens |= dict(zip(chosen, found, strict=True))
            each = iter([tokens[index] for index in range(len(windows))])
            tracks = [[next(each) for _ in sample["spectra"]] for sample in batch]
            return [self._values(track, wanted) for track in tracks]

        return forward

    def _values(self, windows: list[np.ndarray], wanted: Collection[str]) -> dict[str, Value]:
        tokens = np.concatenate(windows)
        values: dict[str, Value] = {
            self.whole: tokens.mean(axis=0),
            f"{self.whole}/windows": np.stack([window.mean(axis=0) for window in windows]),
            f"{self.whole}/tokens": tokens,
        }
        return {name: value for name, value in values.items() if name in wanted}


def spectra_of(inputs: Inputs) -> Mapping[str, Any] | Gap:
    """Prepare "spectra", for each window float32 [frames, 128], frames a multiple of 16."""
    assert inputs.sound is not None
    samples = inputs.sound.samples
    if len(samples) < _LEAST:
        return absent("too-short", f"{len(samples) / RATE_HZ:.3f} s of sound")
    return {"spectra": [spectrum(window) for window in cut(samples, RATE_HZ, WINDOW_S)]}


def spectrum(samples: np.ndarray) -> np.ndarray:
    """Return normalised log-mel energies as Kaldi's, float32 [frames, 128]; whole patches only."""
    from transformers.audio_utils import spectrogram, window_function

    energies = spectrogram(
        samples.astype(np.float64) * 2**15,
        window_function(_FRAME, "povey", periodic=False),
        frame_length=_FRAME,
        hop_length=_STEP,
        fft_length=512,
        power=2.0,
        center=False,
        preemphasis=0.97,
        mel_filters=mel_bank(257, BANDS, RATE_HZ, "kaldi", 20.0, 8000.0),
        log_mel="log",
        mel_floor=1.192092955078125e-07,
        remove_dc_offset=True,
    ).T
    energies = energies[: len(energies) // PATCH * PATCH]
    return ((energies - _MEAN) / (2 * _STD)).astype(np.float32)


def loaded(place: Path, width: int) -> BEATs:
    """Return the network of a published file, in eval mode.

    Raises:
        CheckpointError: if it is no BEATs of that width, with the names that lack or are too many.
    """
    from extract.encoders.beats_network import BEATs, Sizes, without_copies

    state, config = _read(place)
    try:
        sizes = Sizes.of(state, **_far(config))
        state = without_copies(state)
    except (KeyError, ValueError, ZeroDivisionError) as error:
        raise CheckpointError(f"beats: {place} is no BEATs: {error}; {_EXPECTED}") from error
    network = BEATs(sizes)
    _check_names(place, state, network.state_dict())
    if (sizes.width, sizes.patch) != (width, PATCH):
        raise CheckpointError(
            f"beats: {place} is {sizes.width} wide on patches of {sizes.patch}, but {width} on "
            f"{PATCH} were expected; {_EXPECTED}"
        )
    network.load_state_dict(state)
    return network.eval().requires_grad_(requires_grad=False)


_EXPECTED = "expected the state dict of a published checkpoint, such as BEATs_iter3_plus_AS2M.pt"


def _read(place: Path) -> tuple[dict[str, torch.Tensor], Mapping[str, Any]]:
    """Return weights without those of classes, and the configuration; {} if there is none.

    Raises:
        CheckpointError: if the configuration is of another kind of network.
    """
    content = read_checkpoint(place, "beats")
    nested = isinstance(content, dict) and isinstance(content.get("model"), dict)
    config = content.get("cfg", {}) if nested else {}
    state = tensors_of(content["model"] if nested else content, place, "beats")
    if not isinstance(config, dict):
        raise CheckpointError(f"beats: the cfg in {place} is no mapping; {_EXPECTED}")
    other = [
        f"{name}={config[name]!r} instead of {usual!r}"
        for name, usual in _TRAITS.items()
        if config.get(name, usual) != usual
    ]
    if other:
        raise CheckpointError(f"beats: {place} has {', '.join(other)}; {_EXPECTED}")
    return {k: v for k, v in state.items() if not k.startswith("predictor.")}, config


def _far(config: Mapping[str, Any]) -> dict[str, int]:
    return {"far": int(config["max_distance"])} if "max_distance" in config else {}


def _check_names(
    place: Path, state: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]
) -> None:
    both = state.keys() & wanted.keys()
    reshaped = {name for name in both if state[name].shape != wanted[name].shape}
    faults = {
        "lacks": wanted.keys() - state.keys(),
        "has unknown": state.keys() - wanted.keys(),
        "has of another shape": reshaped,
    }
    told = [
        f"{fault} {len(names)}: {', '.join([*sorted(names)[:3], *['...'] * (len(names) > 3)])}"
        for fault, names in faults.items()
        if names
    ]
    if told:
        raise CheckpointError(f"beats: {place} {'; it '.join(told)}; {_EXPECTED}")


def _encoded(
    network: BEATs, windows: Sequence[np.ndarray], device: str, dtype: torch.dtype
) -> list[np.ndarray]:
    """Return the tokens float32 [P, D] of each window; shorter ones are padded and masked."""
    import torch

    longest, bands = max(map(len, windows)), BANDS // PATCH
    counts = [len(window) // PATCH * bands for window in windows]
    real = np.arange(longest // PATCH * bands) < np.array(counts)[:, None]
    spectra = np.stack([np.pad(w, ((0, longest - len(w)), (0, 0))) for w in windows])
    tokens = network(torch.from_numpy(spectra).to(device, dtype), torch.from_numpy(real).to(device))
    found = tokens.float().cpu().numpy()
    return [found[row, :count] for row, count in enumerate(counts)]
