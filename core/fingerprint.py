"""Digests of values and files: what decides a number decides its digest, and nothing else does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

DIGEST_BYTES = 16
_CHUNK_BYTES = 1 << 20


def canonical_json(value: Any) -> str:
    """Return JSON that is equal for equal values: sorted keys, no spaces, no NaN, tuples as lists.

    Raises:
        TypeError: if the value holds something that JSON has no word for.
        ValueError: if it holds NaN or infinity.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )


def fingerprint(recipe: Mapping[str, Any]) -> str:
    """Return the digest of a recipe, 16 hexadecimal digits, the name of its folder in the cache."""
    return hashlib.blake2b(canonical_json(recipe).encode(), digest_size=8).hexdigest()


def digest_bytes(content: bytes) -> bytes:
    """Return the 16-byte digest of some content."""
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES).digest()


def digest_strings(parts: Iterable[str]) -> bytes:
    """Return the 16-byte digest of a list of texts; ("ab", "c") and ("a", "bc") differ."""
    pieces: list[bytes] = []
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        pieces += (len(encoded).to_bytes(8, "little"), encoded)
    return digest_bytes(b"".join(pieces))  # one call: half the time of one for each piece


def digest_file(path: Path) -> bytes:
    """Return the 16-byte digest of a file's content, read in pieces of 1 MiB.

    Raises:
        OSError: if the file cannot be read.
    """
    state = hashlib.blake2b(digest_size=DIGEST_BYTES)
    with path.open("rb", buffering=0) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            state.update(chunk)
    return state.digest()
