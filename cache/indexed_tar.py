"""A tar that begins with an index of itself, so that any content of it is found without a walk.

    __shortcast__/index.json   what the rows are, and how many and how wide the tables are
    __shortcast__/members.npy  name and size of each member that follows, in order
    __shortcast__/rows.npy     ids, digests, statuses, causes, reasons, and the member of each value

Where a member begins follows from names and sizes, so that the index cannot point elsewhere; and
what stands before a content is compared, byte for byte, with what its name and size make of it. A
member that lies about itself, or that the index does not name, is refused.
"""

from __future__ import annotations

import json
import os
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cache.npy import npy_header
from cache.ustar import BLOCK, END, PRIVATE, described, headers, lead, lead_bytes, padding
from core.fingerprint import DIGEST_BYTES
from core.status import Status

VERSION = 1
NO_MEMBER = -1  # of a row without a value
_LONGEST_NAME = 1 << 14
_PLAIN = (string.ascii_letters + string.digits + "_.~%+@-\0").encode()  # of encoded names
Member = tuple[str, tuple[bytes, ...]]  # name, and content in pieces


@dataclass(frozen=True, eq=False)
class Index:
    """The index of M members and N rows.

    about   what index.json says
    rows    see `row_type` [N]
    names   bytes [M]
    sizes   int64 [M], of the contents
    starts  int64 [M], the byte of the file where each content begins
    """

    about: Mapping[str, Any]
    rows: np.ndarray
    names: np.ndarray
    sizes: np.ndarray
    starts: np.ndarray


def row_type(id_bytes: int) -> np.dtype[Any]:
    """Return the type of a row; `cause` and `reason` are places in tables of index.json."""
    digest = ("digest", "u1", (DIGEST_BYTES,))
    numbers = [("status", "u1"), ("cause", "<i4"), ("reason", "<i4"), ("member", "<i4")]
    return np.dtype([("id", f"S{id_bytes}"), digest, *numbers])


def _member_type(name_bytes: int) -> np.dtype[Any]:
    return np.dtype([("name", f"S{name_bytes}"), ("size", "<i8")])


def encode_tar(about: Mapping[str, Any], rows: np.ndarray, members: Sequence[Member]) -> bytes:
    """Return the whole tar; rows are of `row_type`, and members come in the order given."""
    names = np.array([name.encode() for name, _ in members], np.bytes_)
    if not members:
        names = names.astype("S1")
    table = np.empty(len(members), _member_type(names.itemsize))
    table["name"] = names
    table["size"] = [sum(map(len, pieces)) for _, pieces in members]
    counts = {"rows": len(rows), "id_bytes": rows.dtype["id"].itemsize}
    counts |= {"members": len(members), "name_bytes": names.itemsize}
    index = json.dumps({"version": VERSION, **counts, **about}, indent=1).encode()
    private = [("index.json", index), ("members.npy", _npy(table)), ("rows.npy", _npy(rows))]
    every = [(PRIVATE + name, (content,)) for name, content in private] + list(members)
    heads = headers(
        np.array([name.encode() for name, _ in every]),
        np.array([sum(map(len, pieces)) for _, pieces in every], np.int64),
    ).tobytes()
    whole: list[bytes] = []
    for number, (name, pieces) in enumerate(every):
        whole.append(lead(name.encode(), heads[number * BLOCK : (number + 1) * BLOCK]))
        whole += (*pieces, padding(sum(map(len, pieces))))
    return b"".join([*whole, END])


def _npy(table: np.ndarray) -> bytes:
    return npy_header(table.dtype, table.shape) + table.tobytes()


def read_index(handle: int) -> Index:
    """Read the index of an open file, which must be as long as the index says.

    Raises:
        ValueError, KeyError, TypeError: if it is not such a tar, or not whole.
    """
    whole = os.fstat(handle).st_size
    content, at = _private(handle, "index.json", 0, whole)
    about = json.loads(content)
    if about["version"] != VERSION:
        raise ValueError(f"its version is {about['version']}, not {VERSION}")
    content, at = _private(handle, "members.npy", at, whole)
    members = _table(content, _member_type(_width(about["name_bytes"])), about["members"])
    content, at = _private(handle, "rows.npy", at, whole)
    rows = _table(content, row_type(_width(about["id_bytes"])), about["rows"])
    _check_once(rows)
    names, sizes = (np.ascontiguousarray(members[name]) for name in ("name", "size"))
    _check_names(names)
    if len(sizes) and (sizes.min() < 0 or sizes.max() > whole):
        raise ValueError("a member has a size that the file does not have")
    filled = sizes + -sizes % BLOCK
    ends = at + np.cumsum(lead_bytes(names) + filled)
    _check_end(handle, int(ends[-1]) if len(ends) else at, whole)
    return Index(about, rows, names, sizes, ends - filled)


def _private(handle: int, name: str, at: int, whole: int) -> tuple[bytes, int]:
    """Read a member of the index, and return it with the place of the next."""
    block = read_at(handle, at, BLOCK)
    digits = block[124:135]
    size = int(digits, 8) if digits.isdigit() else whole
    expected = headers(np.array([(PRIVATE + name).encode()]), np.array([size])).tobytes()
    if block != expected:
        raise ValueError(f"at byte {at} is {described(block)}, where {PRIVATE}{name} was expected")
    if at + BLOCK + size > whole:
        raise ValueError(f"it ends before its {name} does")
    return read_at(handle, at + BLOCK, size), at + BLOCK + size + len(padding(size))


def _table(content: bytes, kind: np.dtype[Any], rows: int) -> np.ndarray:
    header = npy_header(kind, (rows,))
    if not content.startswith(header) or len(content) != len(header) + rows * kind.itemsize:
        raise ValueError("a table of its index is not what its index.json says")
    return np.frombuffer(content, kind, offset=len(header))


def _width(size: object) -> int:
    if isinstance(size, int) and 0 < size < _LONGEST_NAME:
        return size
    raise ValueError(f"a table of its index is {size!r} bytes wide")


def _check_names(names: np.ndarray) -> None:
    """Refuse names that lead elsewhere when a tar is unpacked, or that come twice."""
    if names.tobytes().translate(None, _PLAIN) or np.strings.startswith(names, b".").any():
        strange = next(n for n in names.tolist() if n.translate(None, _PLAIN) or n[:1] == b".")
        raise ValueError(f"a member's name leads elsewhere: {strange.decode(errors='replace')!r}")
    every = names.tolist()
    if len(set(every)) != len(every):
        twice = next(name for name, count in Counter(every).items() if count > 1)
        raise ValueError(f"two members have the name {twice.decode()!r}")


def _check_once(rows: np.ndarray) -> None:
    """Refuse values that several rows name: read for each of them, they would fill the memory."""
    member = rows["member"][rows["status"] == Status.OK]
    if len(np.unique(member)) != len(member):
        raise ValueError("two rows name one value")


def _check_end(handle: int, end: int, whole: int) -> None:
    if end + len(END) > whole:
        raise ValueError("it ends before its values do")
    tail = read_at(handle, end, len(END))
    if tail != END:
        raise ValueError(f"after its last row is {described(tail[:BLOCK])}, which no row names")
    if end + len(END) != whole:
        raise ValueError(f"it has {whole - end - len(END)} bytes after its end")


def check_rows(rows: np.ndarray, causes: int, reasons: int, members: int) -> None:
    """Compare the rows of an index with the lengths of its tables.

    Raises:
        ValueError: if a row points at nothing, or a value is where none belongs.
    """
    if not len(rows):
        return
    if rows["status"].max() > Status.FAILED:
        raise ValueError("it has a status that does not exist")
    for name, size in (("cause", causes), ("reason", reasons)):
        if rows[name].min() < 0 or rows[name].max() >= size:
            raise ValueError(f"it has a {name} that does not exist")
    member, ok = rows["member"], rows["status"] == Status.OK
    if (member[~ok] != NO_MEMBER).any():
        raise ValueError("it has a value for a row that has none")
    if ok.any() and (member[ok].min() < 0 or member[ok].max() >= members):
        raise ValueError("it has a row whose value is not there")


def read_at(handle: int, start: int, size: int) -> bytes:
    """Read so many bytes from a place in a file; one call of the system reads at most 2 GiB.

    Raises:
        ValueError: if the file is shorter.
    """
    content = os.pread(handle, size, start)
    while len(content) < size:
        more = os.pread(handle, size - len(content), start + len(content))
        if not more:
            raise ValueError("it ends before its values do")
        content += more
    return content


def difference(handle: int, expected: bytes) -> str | None:
    """Return where and how a file is not what its rows make of it, or None if it is."""
    found = read_at(handle, 0, os.fstat(handle).st_size)
    if found == expected:
        return None
    size = min(len(found), len(expected)) // BLOCK
    blocks = [
        np.frombuffer(one, np.uint8, size * BLOCK).reshape(-1, BLOCK) for one in (found, expected)
    ]
    rows = np.flatnonzero((blocks[0] != blocks[1]).any(axis=1))
    at = int(rows[0]) * BLOCK if len(rows) else size * BLOCK
    return (
        f"at byte {at} is {described(found[at : at + BLOCK])}, where its rows make something else"
    )
