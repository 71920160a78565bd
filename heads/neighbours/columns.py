"""`knn(X)` among the features of a request: columns of what became of neighbours by the feature X.

They need labels, so they are no features of the cache: `heads/retrieval.py` computes them in each
fold, of its train rows out of fold.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from heads.result import FitConfig

_START, _END = "knn(", ")"


def column_name(source: str) -> str:
    """Return the name of the columns that tell of the neighbours by a feature."""
    return f"{_START}{source}{_END}"


def source_of(feature: str) -> str | None:
    """Return X of `knn(X)`; None for another feature."""
    inside = feature.removeprefix(_START).removesuffix(_END)
    return inside if inside and feature == column_name(inside) else None


def with_neighbours(config: FitConfig) -> FitConfig:
    """Return a request for a head that reads `knn(X)` as one for the head `retrieval`."""
    of = tuple(source for name in config.features if (source := source_of(name)))
    if not of:
        return config
    own = tuple(name for name in config.features if source_of(name) is None)
    options: dict[str, Any] = {"head": config.head, "of": of}
    options["only"] = tuple(name for name in of if name not in own)
    for name, value in config.options.items():
        options[name if "." in name else f"{config.head}.{name}"] = value
    return replace(
        config, head="retrieval", options=options, features=tuple(dict.fromkeys((*own, *of)))
    )
