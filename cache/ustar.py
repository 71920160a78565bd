"""Members of a tar as POSIX writes them (ustar), thousands at a time; names that webdataset splits.

A tar's bytes are decided by the names and the contents alone: no times, no users. So a reader can
say what must stand before a member, and compare.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from urllib.parse import quote, unquote

import numpy as np

BLOCK = 512
END = bytes(2 * BLOCK)
PRIVATE = "__shortcast__/"  # webdataset passes over what lies in a folder of this form
_NAME_BYTES = 100  # what a header has room for; a longer name takes two more blocks or so
_LONG_NAME = (PRIVATE + "name").encode()
_SIZE_DIGITS, _SUM_DIGITS = 3 * np.arange(10, -1, -1), 3 * np.arange(5, -1, -1)  # in bits
_KINDS = {
    b"1": "a hard link",
    b"2": "a link",
    b"3": "a device",
    b"4": "a device",
    b"5": "a folder",
    b"6": "a pipe",
    b"S": "a sparse file",
    b"g": "attributes of all members",
    b"x": "attributes of the next member",
}


def _template() -> np.ndarray:
    """Return the header of a regular file without name, size and sum: uint8 [512]."""
    block = bytearray(BLOCK)
    for start, content in {
        100: b"0000644\0" + b"0000000\0" * 2 + b"0" * 11 + b"\0" + b"0" * 11 + b"\0",
        148: b" " * 8,
        156: b"0",
        257: b"ustar\x0000",
        329: b"0000000\0" * 2,
    }.items():
        block[start : start + len(content)] = content
    return np.frombuffer(bytes(block), np.uint8)


_TEMPLATE = _template()


def headers(names: np.ndarray, sizes: np.ndarray, kind: bytes = b"0") -> np.ndarray:
    """Return the header blocks of members: bytes [M] and int64 [M] give uint8 [M, 512].

    Only the first 100 bytes of a name have room; see `lead`.
    """
    blocks = np.repeat(_TEMPLATE[None], len(names), axis=0)
    name = names.astype(f"S{_NAME_BYTES}").view(np.uint8).reshape(-1, _NAME_BYTES)
    digits = _octal(sizes, _SIZE_DIGITS)
    blocks[:, :_NAME_BYTES], blocks[:, 124:135], blocks[:, 156] = name, digits, kind[0]
    unnamed = int(_TEMPLATE.sum()) - 11 * ord("0") - ord("0") + kind[0]
    total = unnamed + name.sum(1, np.uint16).astype(np.int64) + digits.sum(1, np.uint16)
    blocks[:, 148:154], blocks[:, 154] = _octal(total, _SUM_DIGITS), 0
    return blocks


def _octal(numbers: np.ndarray, digits: np.ndarray) -> np.ndarray:
    written: np.ndarray = (numbers[:, None] >> digits & 7).astype(np.uint8) + np.uint8(ord("0"))
    return written


def lead(name: bytes, header: bytes) -> bytes:
    """Return all that stands before a member's content: the header, and a long name before it."""
    if len(name) <= _NAME_BYTES:
        return header
    record = _name_record(name)
    before = headers(np.array([_LONG_NAME]), np.array([len(record)]), b"x").tobytes()
    return before + record + padding(len(record)) + header


def lead_bytes(names: np.ndarray) -> np.ndarray:
    """Return how many bytes stand before each content: int64 [M]."""
    lengths = np.strings.str_len(names).astype(np.int64)
    room = np.full(int(lengths.max(initial=0)) + 1, BLOCK)
    for length in np.unique(lengths[lengths > _NAME_BYTES]).tolist():
        record = _name_record(b"x" * length)
        room[length] += BLOCK + len(record) + len(padding(len(record)))
    return room[lengths]


def _name_record(name: bytes) -> bytes:
    """Return the record of a long name (pax), which begins with its own length in digits."""
    rest = b" path=" + name + b"\n"
    size = len(rest) + len(str(len(rest)))
    return str(len(rest) + len(str(size))).encode() + rest


def padding(size: int) -> bytes:
    """Return the zeros after a content of this size, up to a whole block."""
    return bytes(-size % BLOCK)


def described(block: bytes) -> str:
    """Return what a header block says of its member, for an error."""
    if not block.strip(b"\0"):
        return "the end of the tar"
    if block[257:262] != b"ustar":
        return "no member of a tar"
    name = block[:_NAME_BYTES].partition(b"\0")[0].decode("utf-8", "backslashreplace")
    kind = block[156:157]
    return f"{name!r}, {_KINDS[kind]}" if kind in _KINDS else repr(name)


def keys_of(ids: Iterable[str]) -> list[str]:
    """Return the names of samples without their endings: percent-encoded, and each another one.

    webdataset ends a key at its first dot and takes a slash for a folder: both are encoded. An id
    that comes again, with other inputs, gets "+2", which encoding gives no id.
    """
    seen: Counter[str] = Counter()
    found = []
    for sample_id in ids:
        seen[sample_id] += 1
        again = "" if seen[sample_id] == 1 else f"+{seen[sample_id]}"
        found.append(quote(sample_id, safe="").replace(".", "%2E") + again)
    return found


def id_of_key(key: str) -> str:
    """Return the id of a sample's key."""
    return unquote(key.partition("+")[0])


def ending_of(feature: str, suffix: str) -> str:
    """Return a member's ending, such as "mbert%3atitle.npy", in which one sample has many features.

    webdataset makes endings lower case, so that capitals are encoded as well, in small digits.
    """
    encoded = re.sub(rb"[^a-z0-9_@-]", lambda found: b"%%%02x" % ord(found[0]), feature.encode())
    return f"{encoded.decode()}.{suffix}"
