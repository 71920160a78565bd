"""Of several rows of one key, which counts: OK, then ABSENT, then FAILED; else the younger."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cache.known import whole_digests
from cache.shard import Header
from core.status import Status


def best_rows(headers: Sequence[Header]) -> list[np.ndarray]:
    """Return which rows of each header are the best of their key, as reading takes them: bool.

    A key is an id with the digest of its inputs. Headers come oldest first.
    """
    ids = [name for header in headers for name in header.ids.tolist()]
    if len(set(ids)) == len(ids):  # the common case, in a quarter of the time
        return [np.ones(len(header), bool) for header in headers]
    keys = [key for header in headers for key in keys_of(header.ids, header.digests)]
    number = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    key = np.array([number[key] for key in keys])
    status = np.concatenate([header.status for header in headers]).astype(np.int64)
    rank = (Status.FAILED - status) * len(keys) + np.arange(len(keys))
    highest = np.zeros(len(number), np.int64)
    np.maximum.at(highest, key, rank)
    ends = np.cumsum([len(header) for header in headers])
    return np.split(rank == highest[key], ends[:-1])


def keys_of(ids: np.ndarray, digests: np.ndarray) -> list[bytes]:
    """Return the keys of N rows: ids, bytes [N], with digests of inputs, uint8 [N, 16]."""
    whole = whole_digests(digests).tolist()
    return [name + digest for name, digest in zip(ids.tolist(), whole, strict=True)]
