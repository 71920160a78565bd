"""Options of encoders with weights, which several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands import options as o

if TYPE_CHECKING:
    from extract.encoders.checkpoint import Places
    from extract.encoders.encoding import Encoding

WeightsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--weights",
        help="checkpoint of an encoder: FAMILY=FOLDER, FAMILY=HUB_ID or FAMILY=HUB_ID@REVISION; "
        "may be repeated  [default: the catalog's, see `features`]",
        metavar="FAMILY=WHERE",
    ),
]
DtypeOption = Annotated[
    str,
    typer.Option(
        "--dtype",
        help="numbers that encoders compute in: auto, float32, bfloat16, float16, or "
        "FAMILY=DTYPE,...; auto is bfloat16 where the device multiplies it, else float32",
        metavar="DTYPE",
    ),
]
QuantizeOption = Annotated[
    str,
    typer.Option(
        "--quantize",
        help="weights of linear layers: none, int8, nf4, or FAMILY=MODE,...; for GPUs: on a CPU "
        "it saves nothing",
        metavar="MODE",
    ),
]
DeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device", help="cpu, cuda, cuda:1; no effect on names  [default: the best there is]"
    ),
]


def encoding(
    cache: Path, weights: Sequence[str] | None, dtype: str, quantize: str, device: str | None
) -> Encoding:
    """Return how encoders are to compute, from the options of a command."""
    from extract.encoders.encoding import Encoding

    given = o.assignments(weights, "--weights")
    return Encoding.parse(cache, weights=given, dtype=dtype, quantize=quantize, device=device)


def places(cache: Path, weights: Sequence[str] | None) -> Places:
    """Return where the checkpoints of stored features are, which say themselves how they compute.

    Raises:
        UsageError: if a family is unknown, or there is no checkpoint where --weights says.
    """
    from extract.encoders.rows import ENCODERS

    made = encoding(cache, weights, "auto", "none", None)
    made.check_families(ENCODERS)
    for family in made.places.given:
        made.places.find(family, None)
    return made.places
