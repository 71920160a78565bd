"""faiss, torch and LightGBM bring an OpenMP each: in any order they live in one process."""

import itertools
import subprocess
import sys

import pytest

ASK = """
import numpy, faiss, torch, lightgbm
rows = numpy.random.default_rng(0).normal(size=(3000, 64)).astype("float32")
near = faiss.knn(rows[:100], rows, 5)[1]
product = torch.from_numpy(rows)[:100] @ torch.from_numpy(rows).T
lightgbm.train({"verbosity": -1}, lightgbm.Dataset(rows, rows[:, 0].copy()), 3)
print(near.sum(), faiss.knn(rows[:100], rows, 5)[1].sum(), product.shape)
"""


@pytest.mark.slow
@pytest.mark.parametrize("order", [*itertools.permutations(["faiss", "torch", "lightgbm"])])
def test_libraries_with_an_openmp_each_work_in_any_order_of_import(order):
    code = f"import {', '.join(order)}\n{ASK}"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    first, again = done.stdout.split()[:2]
    assert first == again
