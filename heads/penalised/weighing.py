"""How much each feature weighs in a linear fit, chosen inside the train rows.

One penalty for all columns lets every feature weigh the same, of use or not. A feature's columns
times a weight W are a penalty of their own, 1 / W² of that of the others; a weight of 0 leaves the
feature out. The weights are gone through one after another, and each takes the value with the
smallest loss over inner folds: a plain descent by coordinates, as thousands of combinations would
find by chance what a few hundred rows cannot tell.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse

from heads.penalised.rotation import Matrix

WEIGHTS = (0.0, 0.5, 1.0, 2.0)
_LEAST_GAIN = 1e-4  # a smaller one is none


def choose_weights(count: int, loss: Callable[[np.ndarray], float], *, passes: int) -> np.ndarray:
    """Return weights float64 [count] for features, beginning with 1 for each.

    `loss` says how good weights are, the less the better. It is asked up to four times a feature
    in each of the `passes`.
    """
    weights = np.ones(count)
    least = loss(weights)
    for _ in range(passes):
        before = least
        for place in range(count):
            for value in WEIGHTS:
                tried = weights.copy()
                tried[place] = value
                if value == weights[place] or not tried.any():
                    continue
                found = loss(tried)
                if found < least - _LEAST_GAIN:
                    weights, least = tried, found
        if least == before:
            break
    return weights


def weighed(matrix: Matrix, weights: np.ndarray) -> Matrix:
    """Return the columns of float32 [N, D] times float64 [D]."""
    scale = weights.astype(np.float32)
    if isinstance(matrix, np.ndarray):
        product: np.ndarray = matrix * scale
        return product
    return sparse.csr_array(matrix @ sparse.diags_array(scale))
