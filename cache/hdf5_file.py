"""A shard's HDF5 file: opened, and its datasets read where they lie.

The low level of h5py, and reading by a system call where HDF5 only told the place, take two thirds
of the time that its files and datasets do, which counts in a folder of many small shards.
"""

from __future__ import annotations

import contextlib
import functools
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from cache.shard import shard_errors
from cache.spec import FeatureSpec

VERSION = 1


@contextlib.contextmanager
def opened(path: Path, spec: FeatureSpec) -> Iterator[h5py.h5f.FileID]:
    """Open a shard of this feature for reading; what goes wrong below is a CacheError about it."""
    with shard_errors(path):
        file = h5py.h5f.open(os.fsencode(path), h5py.h5f.ACC_RDONLY, _access())
        try:
            found = _attribute(file, "fingerprint").decode()
            if found != spec.fingerprint:
                feature = _attribute(file, "feature").decode()
                raise ValueError(f"it is of {feature} {found}, not of {spec.name}")
            if (version := _attribute(file, "version")) != VERSION:
                raise ValueError(f"its version is {version}, not {VERSION}")
            yield file
        finally:
            file.close()


@functools.cache
def _access() -> h5py.h5p.PropFAID:
    """Return how shards are opened: without locks, which shared file systems often refuse."""
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_file_locking(False, True)
    return access


def _attribute(file: h5py.h5f.FileID, name: str) -> Any:
    """Return a number, or a text as bytes."""
    attribute = h5py.h5a.open(file, name.encode())
    single = attribute.get_space().get_simple_extent_type() == h5py.h5s.SCALAR
    if not single or attribute.dtype.subdtype:  # h5py would write it all over what is one place
        raise ValueError(f"its {name} is not a single value")
    value = np.zeros((), attribute.dtype)
    attribute.read(value)
    return value[()]


def dataset_of(file: h5py.h5f.FileID, name: str) -> h5py.h5d.DatasetID:
    """Return a dataset that lies whole and plain in this file.

    A file of somebody else's could link to other files, or claim a size that it does not have.
    """
    key = name.encode()
    if file.links.get_info(key).type != h5py.h5l.TYPE_HARD:
        raise ValueError(f"{name!r} is a link to another place")
    found = h5py.h5d.open(file, key)
    if found.dtype.hasobject:
        raise ValueError(f"{name!r} is not of plain numbers")
    size = found.dtype.itemsize * math.prod(found.shape)
    if found.get_storage_size() != size:
        raise ValueError(f"{name!r} is not whole")
    if size and found.get_offset() is None:  # in chunks, compact, or in other files
        raise ValueError(f"{name!r} is not stored in one piece")
    return found


def read_whole(file: h5py.h5f.FileID, name: str) -> np.ndarray:
    """Read a dataset, of the type and the shape that it has."""
    found = dataset_of(file, name)
    values = np.empty(found.shape, found.dtype)
    if values.size:
        piece = values.reshape(-1).view(np.uint8).data
        read_at(file.get_vfd_handle(), found.get_offset(), piece)
    return values


def read_at(handle: int, offset: int, piece: memoryview) -> None:
    """Fill `piece` from a place in a file; one call reads at most 2 GiB."""
    while piece:
        count = os.preadv(handle, [piece], offset)
        if not count:
            raise ValueError("it ends before its values do")
        piece, offset = piece[count:], offset + count
