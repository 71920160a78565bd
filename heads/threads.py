"""How many threads a fit is worth: small sums lose more in waiting than they gain by sharing.

Measured on two cores that others used as well: logistic regression on 2,431 x 20,000 counts took 29
s with two threads of the linear algebra library and 5 s with one.
"""

from __future__ import annotations

import os

from threadpoolctl import threadpool_limits

SMALL = 200_000  # cells of a matrix for trees, which share work column by column
SMALL_PRODUCT = 2_000_000  # cells of a matrix for linear algebra


def thread_count(cells: int) -> int:
    """Return how many threads trees on a matrix of so many cells are worth; it changes no result.

    That is every core that this process may use, or `OMP_NUM_THREADS` if that is fewer; and one for
    a small matrix.
    """
    if cells < SMALL:
        return 1
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(int(wanted), cores or 1) if wanted.isdigit() and int(wanted) else cores or 1


def calm(cells: int) -> threadpool_limits:
    """Return a context in which linear algebra on few cells takes one thread."""
    return threadpool_limits(1 if cells < SMALL_PRODUCT else None)
