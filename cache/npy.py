"""The header of a .npy file: written here, so that its bytes do not depend on numpy's version."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

_ALIGNED, _DIGITS = 64, 20  # the first axis may grow to so many digits without moving the values


@functools.lru_cache
def npy_header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """Return what stands before the values of an array in a .npy file (version 1.0, C order).

    Its length depends on the first axis for no array that there is: values of one feature begin at
    the same distance from their header, however long they are.
    """
    described = np.lib.format.dtype_to_descr(dtype)
    axes = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
    text = f"{{'descr': {described!r}, 'fortran_order': False, 'shape': ({axes}), }}"
    text += " " * (_DIGITS - len(str(shape[0])) if shape else 0)
    size = len(text) + 11
    text += " " * (-size % _ALIGNED) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode("latin-1")
