"""Seeds for many purposes from one number, so that adding a purpose does not move the others."""

from __future__ import annotations

import numpy as np

from core.fingerprint import digest_strings


def derived_seed(seed: int, *purpose: str) -> int:
    """Return a seed in 0..2**31-1 for one purpose, such as `derived_seed(7, "fold 3", "gbm")`."""
    return int.from_bytes(digest_strings([str(seed), *purpose])[:4], "little") & 0x7FFFFFFF


def generator(seed: int, *purpose: str) -> np.random.Generator:
    """Return a random generator of its own for one purpose."""
    return np.random.default_rng(derived_seed(seed, *purpose))
