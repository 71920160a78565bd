"""Audio encoders of transformers on the sound track: AST, CLAP, the encoder of Whisper.

The track is cut into windows of the length that the model was trained on, one after another, and
the rest of it is one more if it has a second or more. `ast` is the mean over the windows by how
much sound is in each, float16 [D]; `ast/windows` float16 [window, D] each of them, on request.
Spectra are those of the published feature extractors, by the functions that these call in
transformers, without torchaudio.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.status import Gap, absent
from extract.contract import Inputs, Value
from extract.encoders.checkpoint import Weights, read_settings
from extract.encoders.chosen import Dims, arrays, choose, stated_width
from extract.encoders.encoder import Batch, Computing, Encoder, Forward, Prepare
from extract.encoders.encoding import Encoding
from extract.family import Family
from extract.opening import opened, with_opening
from media.request import AudioRequest

if TYPE_CHECKING:
    import torch

VERSION = 1
MOST_S = 60.0  # of a track; short videos have no more
LEAST_S = 0.1  # of sound that is measured at all
REST_S = 1.0  # of sound that is worth a window of its own
_WIDTHS = ("projection_dim", "d_model", "hidden_size")  # as configurations call it


@dataclass(frozen=True)
class Ear:
    """How a kind of model hears.

    rate_hz   samples per second
    window_s  length of one window
    spectrum  turns a window's samples and the folder's settings into the model's input
    """

    rate_hz: int
    window_s: float
    spectrum: Callable[[np.ndarray, Mapping[str, Any]], np.ndarray]


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
    ear = EARS[row.facts["ear"]]
    request = opened(AudioRequest(ear.rate_hz, seconds=MOST_S), seconds)
    recipe = chosen.recipe("encoders.audio", VERSION, window_s=ear.window_s, audio=request.recipe())
    whole, width = with_opening(name, seconds), chosen.width(width_of)
    dims: Dims = {whole: (width,), f"{whole}/windows": ("window", width)}
    network = AudioNetwork(name, whole, row.facts["ear"])
    return chosen.encoder(network, arrays(dims, ("audio",), recipe), audio=request)


def width_of(weights: Weights) -> int:
    """Return the length of the vector that a checkpoint gives, as its configuration says."""
    return stated_width(weights, *_WIDTHS)


@dataclass(frozen=True)
class AudioNetwork:
    """Windows of sound through an audio model; `whole` is the name of the track's one vector."""

    family: str
    whole: str
    ear: str

    def preparer(self, folder: Path) -> Prepare:
        """Return what cuts a track into windows and turns each into a spectrum."""
        settings, _ = read_settings(folder, self.family, parts=["feature_extractor"])
        return Track(EARS[self.ear], settings)

    def open(
        self, folder: Path, computing: Computing, device: str, wanted: Collection[str]
    ) -> Forward:
        """Load the audio part of a checkpoint."""
        import torch
        from transformers import AutoModel

        from extract.encoders.model import load_model

        model = load_model(AutoModel, folder, computing, device, prepare=_audio_only)
        dtype = getattr(torch, computing.dtype)

        def forward(batch: Batch) -> list[dict[str, Value]]:
            spectra = torch.from_numpy(np.concatenate([sample["spectra"] for sample in batch]))
            shares = torch.from_numpy(np.concatenate([sample["shares"] for sample in batch]))
            vectors = _ENCODE[self.ear](model, spectra.to(device, dtype), shares.to(device))
            ends = np.cumsum([len(sample["spectra"]) for sample in batch])[:-1]
            tracks = np.split(vectors.float().cpu().numpy(), ends)
            pairs = zip(tracks, batch, strict=True)
            return [self._values(track, sample["shares"], wanted) for track, sample in pairs]

        return forward

    def _values(
        self, windows: np.ndarray, shares: np.ndarray, wanted: Collection[str]
    ) -> dict[str, Value]:
        values: dict[str, Value] = {
            self.whole: np.average(windows, axis=0, weights=shares),
            f"{self.whole}/windows": windows,
        }
        return {name: value for name, value in values.items() if name in wanted}


@dataclass(frozen=True)
class Track:
    """Prepares "spectra" float32 [window, ...], and the part of each that is sound: "shares"."""

    ear: Ear
    settings: Mapping[str, Any]

    def __call__(self, inputs: Inputs) -> Mapping[str, Any] | Gap:
        assert inputs.sound is not None
        samples, rate_hz = inputs.sound.samples, self.ear.rate_hz
        if len(samples) < LEAST_S * rate_hz:
            return absent("too-short", f"{len(samples) / rate_hz:.3f} s of sound")
        length = round(self.ear.window_s * rate_hz)
        windows = cut(samples, rate_hz, self.ear.window_s)
        spectra = [self.ear.spectrum(window, self.settings) for window in windows]
        shares = [len(window) / length for window in windows]
        return {
            "spectra": np.stack(spectra).astype(np.float32),
            "shares": np.array(shares, np.float32),
        }


def cut(samples: np.ndarray, rate_hz: int, window_s: float) -> list[np.ndarray]:
    """Cut a track into windows; the rest is one more if it is long enough, or all there is."""
    length = round(window_s * rate_hz)
    windows = [samples[start : start + length] for start in range(0, len(samples), length)]
    if len(windows) > 1 and len(windows[-1]) < REST_S * rate_hz:
        windows.pop()
    return windows


@cache
def mel_bank(bins: int, bands: int, rate_hz: int, kind: str, low_hz: float, high_hz: float) -> Any:
    """Return the weights [bins, bands] of a mel scale: "kaldi", "slaney" or "htk"."""
    from transformers.audio_utils import mel_filter_bank

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # AST's lowest band is empty, as published
        return mel_filter_bank(
            num_frequency_bins=bins,
            num_mel_filters=bands,
            min_frequency=low_hz,
            max_frequency=high_hz,
            sampling_rate=rate_hz,
            norm="slaney" if kind == "slaney" else None,
            mel_scale=kind,
            triangularize_in_mel_space=kind == "kaldi",
        )


def ast_spectrum(samples: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """Return AST's normalised log-mel energies, [frames, 128]: Kaldi's, with a Hann window."""
    from transformers.audio_utils import spectrogram, window_function

    frames, bands = int(settings.get("max_length", 1024)), int(settings.get("num_mel_bins", 128))
    energies = spectrogram(
        np.pad(samples, (0, max(0, 400 - len(samples)))),
        window_function(400, "hann", periodic=False),
        frame_length=400,
        hop_length=160,
        fft_length=512,
        power=2.0,
        center=False,
        preemphasis=0.97,
        mel_filters=mel_bank(257, bands, 16_000, "kaldi", 20.0, 8000.0),
        log_mel="log",
        mel_floor=1.192092955078125e-07,
        remove_dc_offset=True,
    ).T[:frames]
    padded = np.pad(energies, ((0, frames - len(energies)), (0, 0)))
    mean, std = settings.get("mean", -4.2677393), settings.get("std", 4.5689974)
    return (padded - mean) / (2 * std)


def clap_spectrum(samples: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """Return CLAP's log-mel energies in dB, [1, 1001, 64]; a short sound is repeated."""
    from transformers.audio_utils import spectrogram, window_function

    length = 480_000
    whole = np.tile(samples, max(1, length // len(samples)))
    low, high = settings.get("frequency_min", 0), settings.get("frequency_max", 14_000)
    energies = spectrogram(
        np.pad(whole, (0, length - len(whole))).astype(np.float64),
        window_function(1024, "hann"),
        frame_length=1024,
        hop_length=480,
        power=2.0,
        mel_filters=mel_bank(513, 64, 48_000, "slaney", low, high),
        log_mel="dB",
    )
    return np.asarray(energies.T[None])


def whisper_spectrum(samples: np.ndarray, settings: Mapping[str, Any]) -> np.ndarray:
    """Return Whisper's log-mel energies, [80, 3000]; a short sound is followed by silence."""
    from transformers.audio_utils import spectrogram, window_function

    bands = int(settings.get("feature_size", 80))
    energies = spectrogram(
        np.pad(samples, (0, 480_000 - len(samples))),
        window_function(400, "hann"),
        frame_length=400,
        hop_length=160,
        power=2.0,
        mel_filters=mel_bank(201, bands, 16_000, "slaney", 0.0, 8000.0),
        log_mel="log10",
    )[:, :-1]
    return (np.maximum(energies, energies.max() - 8.0) + 4.0) / 4.0


EARS = {
    "ast": Ear(16_000, 10.24, ast_spectrum),
    "clap": Ear(48_000, 10.0, clap_spectrum),
    "whisper": Ear(16_000, 30.0, whisper_spectrum),
}


def _audio_only(model: Any) -> None:
    """Drop the parts that never hear: text towers, and Whisper's decoder."""
    for half in ("text_model", "text_projection", "decoder"):
        if hasattr(model, half):
            delattr(model, half)


def _encode_ast(model: Any, spectra: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    del shares
    return model(input_values=spectra).pooler_output


def _encode_clap(model: Any, spectra: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    del shares
    found = model.get_audio_features(input_features=spectra)
    return getattr(found, "pooler_output", found)


def _encode_whisper(model: Any, spectra: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Return the mean over the steps that have sound: the silence after it says nothing."""
    import torch

    last = model.encoder(spectra).last_hidden_state.float()  # [windows, 1500, D]
    heard = (shares * last.shape[1]).ceil().clamp(min=1)
    mask = torch.arange(last.shape[1], device=last.device) < heard[:, None]
    return (last * mask.unsqueeze(2)).sum(dim=1) / heard[:, None]


_ENCODE = {"ast": _encode_ast, "clap": _encode_clap, "whisper": _encode_whisper}
