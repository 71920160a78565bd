"""A family with the weights and the arithmetic that a run chose, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cache.spec import FeatureSpec
from core.errors import CheckpointError
from extract.encoders.checkpoint import Weights, read_json
from extract.encoders.encoder import Computing, Encoder, Network
from extract.encoders.encoding import Encoding
from extract.family import Family

STORED = "float16"
Dims = Mapping[str, tuple[int | str, ...]]  # of each feature, by name
_UNKNOWN_M = 100.0  # millions of parameters of a checkpoint that no row describes
_BYTES = {"none": 0.0, "int8": 1.0, "nf4": 0.56}  # per weight, NF4 with its scales


@dataclass(frozen=True)
class Chosen:
    """What the features of a family are made with.

    name       of the family
    row        its row in the catalog
    weights    where its checkpoint is, and what it is known by
    computing  number format and quantisation
    """

    name: str
    row: Family
    weights: Weights
    computing: Computing

    def width(self, found: Callable[[Weights], int]) -> int:
        """Return the length of a vector: the row's if these are its weights, else what is found."""
        return self.row.width if self._published and self.row.width else found(self.weights)

    @property
    def _published(self) -> bool:
        return self.row.checkpoint is not None and self.weights.hub == self.row.checkpoint.hub

    def recipe(self, code: str, version: int, **facts: Any) -> dict[str, Any]:
        """Return all that decides a value: code, facts of the family, checkpoint and arithmetic."""
        return {
            "code": code,
            "version": version,
            **facts,
            "checkpoint": dict(self.weights.identity),
            "compute": self.computing.dtype,
            "quantize": self.computing.quantize,
            # LLM.int8() once rounded what comes in as well: its features are others
            **({"int8": "weights"} if self.computing.quantize == "int8" else {}),
        }

    def encoder(self, network: Network, specs: Sequence[FeatureSpec], **asks: Any) -> Encoder:
        """Return the encoder of some features; the first is what the family's name stands for.

        `asks` are further fields of `Encoder`; unless they say otherwise, all features but the
        first are made on request only.
        """
        asks = {"on_request": frozenset(spec.name for spec in specs[1:])} | asks
        return Encoder(
            family=self.name,
            reads=specs[0].reads,
            specs=tuple(specs),
            network=network,
            weights=self.weights,
            computing=self.computing,
            weight_bytes=self._weight_bytes(),
            **asks,
        )

    def _weight_bytes(self) -> int:
        """Return about how many bytes the weights take on the device.

        Those of a folder are counted, halves that nobody needs among them.
        """
        stated_m = self.row.checkpoint.parameters_m if self.row.checkpoint else _UNKNOWN_M
        parameters_m = stated_m if self._published else self.weights.count_m() or stated_m
        width = 4 if self.computing.dtype in ("float32", "auto") else 2
        return int(parameters_m * 1e6 * (_BYTES[self.computing.quantize] or width))


def choose(name: str, row: Family, encoding: Encoding) -> Chosen:
    """Choose weights and arithmetic for a family, as the options say.

    Raises:
        UsageError: if there is no checkpoint, or the device that was asked for is not there.
        CheckpointError: if the commit of a hub id cannot be found out.
    """
    weights = encoding.places.find(name, row.checkpoint)
    return Chosen(name, row, weights, encoding.computing(name, weights))


def arrays(dims: Dims, reads: tuple[str, ...], recipe: Mapping[str, Any]) -> list[FeatureSpec]:
    """Return the specs of features that are stored as float16 and share a recipe."""
    return [FeatureSpec(name, each, STORED, reads, recipe) for name, each in dims.items()]


def hidden_size(*path: str) -> Callable[[Weights], int]:
    """Return what reads a width out of a configuration, such as encoder.hidden_size.

    It raises CheckpointError where there is none.
    """
    return lambda weights: stated_width(weights, ".".join([*path, "hidden_size"]))


def config_of(weights: Weights) -> Any:
    """Return the configuration of a checkpoint that is here, the library's defaults filled in.

    Published files leave out what is as the library has it.

    Raises:
        CheckpointError: if it has none, or one that the library does not understand.
    """
    from transformers import AutoConfig

    from extract.encoders.model import quietly

    family, folder = weights.family, weights.folder
    assert folder is not None
    kind = read_json(folder / "config.json", family).get("model_type")
    try:
        with quietly():
            return AutoConfig.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
    except Exception as error:  # whatever is wrong in the file, the remedy is the same
        first = str(error).strip().partition("\n")[0]
        raise CheckpointError(
            f"{family}: {folder}/config.json, of model_type {kind!r}, is nothing that transformers "
            f"reads ({type(error).__name__}: {first}); name another: --weights {family}=FOLDER"
        ) from error


def stated_width(weights: Weights, *names: str) -> int:
    """Return the first of some numbers that a checkpoint's configuration has; dots lead into parts.

    Raises:
        CheckpointError: if it has none of them.
    """
    config = config_of(weights.fetched())
    for name in names:
        found = config
        for part in name.split("."):
            found = getattr(found, part, None)
        if isinstance(found, int):
            return found
    raise CheckpointError(
        f"{weights.family}: a checkpoint of model_type {config.model_type!r} has no "
        f"{' or '.join(names)}; it is of another kind of encoder; name one of this kind: "
        f"--weights {weights.family}=FOLDER"
    )
