"""Fixtures of the heads' tests."""

import numpy as np
import pytest

from cache.table import FeatureTable
from heads.fit import fit_head
from heads.result import FitResult
from tests.heads.tables import config, plant, raw


@pytest.fixture(scope="session")
def planted() -> FeatureTable:
    return plant()


@pytest.fixture(scope="session")
def numbers(planted) -> FitResult:
    return fit_head(planted, raw(planted), config("linear", "regression"))


@pytest.fixture(scope="session")
def classes(planted) -> FitResult:
    names = ["up" if value > 1.5 else "down" for value in planted.target]
    asked = config("gbm", "classification", split="random:0.6,0.2,0.2", options={"rounds": 80})
    return fit_head(planted, names, asked)


@pytest.fixture(scope="session")
def sequences(planted) -> FitResult:
    steps = np.stack([planted.target, planted.target + 2, -planted.target], axis=1)
    steps[::11, 2] = np.nan
    return fit_head(planted, list(steps), config("linear", "sequence", split="kfold:3"))
