"""Choices of a head that is made of others: "gbm.iterations" is what its part "gbm" has chosen."""

from __future__ import annotations

from collections.abc import Mapping


def of_part(name: str, given: Mapping[str, float]) -> dict[str, float]:
    """Return what is said of one part, without its name."""
    start = f"{name}."
    return {key.removeprefix(start): value for key, value in given.items() if key.startswith(start)}


def with_part(name: str, given: Mapping[str, float]) -> dict[str, float]:
    """Return the choices of one part with its name before them."""
    return {f"{name}.{key}": float(value) for key, value in given.items()}
