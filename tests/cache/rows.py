"""Specs, rows and stores that the tests of the cache share."""

import hashlib
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from cache.reading import read_column
from cache.shard import Segments, ShardFormat
from cache.spec import TEXT, Column, FeatureSpec, Row
from cache.store import Store
from cache.values import separated, stored_dtype
from cache.writer import Limits, ShardWriter
from core.status import Gap, Status, absent, failed

VECTOR = FeatureSpec("net@small", (3,), "float16", ("video",), {"version": 1})
RAGGED = FeatureSpec("net/tokens", ("token", 2), "float32", ("video",), {"version": 1})
WORDS = FeatureSpec("caption:title", (), TEXT, ("text:title",), {"version": 1})
SPECS = [VECTOR, RAGGED, WORDS]

PRINTABLE = st.characters(exclude_categories=["C", "Z"], include_characters=" ")
IDS = st.text(PRINTABLE, min_size=1, max_size=200).filter(lambda name: not name.isspace())
GAPS = st.sampled_from(
    [absent("no-audio"), failed("corrupt", "3 of 9 frames"), failed("model", "")]
)


def digest(word: object) -> bytes:
    """Return 16 bytes that stand for some content."""
    return hashlib.blake2b(str(word).encode(), digest_size=16).digest()


def value_of(spec: FeatureSpec, number: int) -> np.ndarray | str:
    """Return a value that another number does not have."""
    if spec.is_text:
        return f"text {number}"
    if spec.is_ragged:
        return np.full((number % 3 + 1, 2), number, np.float32)
    return np.full(3, number, np.float16)


def row(
    number: int, value: object = None, *, spec: FeatureSpec = VECTOR, key: object = None
) -> Row:
    """Return the row of sample `clip-<number>`; its digest stands for `key`, else the number."""
    given = (
        value if isinstance(value, Gap) else value_of(spec, value if value is not None else number)
    )
    return Row.of(f"clip-{number}", digest(number if key is None else key), given)


def write(
    store: Store,
    rows: list[Row],
    *,
    spec: FeatureSpec = VECTOR,
    rows_per_shard: int = 5000,
    format: str = "h5",
):
    """Write rows, at least one shard per call, and return the store."""
    with ShardWriter(store, spec, limits=Limits(rows=rows_per_shard), format=format) as writer:
        for one in rows:
            writer.add(one)
    return store


def keys(*numbers: int) -> tuple[list[str], list[bytes | None]]:
    """Return the ids and digests of the samples that `row` makes."""
    return [f"clip-{number}" for number in numbers], [digest(number) for number in numbers]


def read(store: Store, *numbers: int, spec: FeatureSpec = VECTOR) -> Column:
    """Read the column of the samples that `row` makes."""
    return read_column(store, spec, *keys(*numbers))


def values_of(column: Column) -> list[object]:
    """Return the value of each sample as lists; None where there is none."""
    taken = []
    for number, present in enumerate(column.present):
        if column.offsets is None:
            value = column.values[number]
        else:
            value = column.values[column.offsets[number] : column.offsets[number + 1]]
        taken.append((value if isinstance(value, str) else value.tolist()) if present else None)
    return taken


def stored_rows(shard_format: ShardFormat, path: Path, spec: FeatureSpec) -> list[tuple]:
    """Read the id and the value, as lists, of every row with a value of one shard."""
    header = shard_format.read_header(path, spec)
    names = [name.decode() for name in header.ids[header.status == Status.OK].tolist()]
    offsets = np.arange(len(names) + 1)
    if spec.is_text or spec.is_ragged:
        offsets = shard_format.read_offsets(path, spec)
    out, items = np.empty((offsets[-1], *spec.item_shape), stored_dtype(spec)), offsets[-1:]
    shard_format.read_values(path, spec, Segments(items * 0, items * 0, items), out)
    found = separated(spec, out, offsets)
    return [(n, v if spec.is_text else v.tolist()) for n, v in zip(names, found, strict=True)]


@st.composite
def values(draw: st.DrawFn, spec: FeatureSpec):
    """Draw any value that the spec allows, or a gap."""
    if draw(st.booleans()):
        return draw(GAPS)
    if spec.is_text:
        return draw(st.text(st.characters()))  # half surrogate pairs and NUL included
    width = 32 if spec.dtype == "float32" else 16
    numbers = st.floats(allow_nan=False, allow_infinity=False, width=width)
    length = draw(st.integers(1, 4)) if spec.is_ragged else 1
    size = int(np.prod(spec.item_shape)) * length
    drawn = draw(st.lists(numbers, min_size=size, max_size=size))
    return np.array(drawn, spec.dtype).reshape(*([length] * spec.is_ragged), *spec.item_shape)


@st.composite
def rows(draw: st.DrawFn, spec: FeatureSpec) -> list[Row]:
    """Draw rows of different ids."""
    ids = draw(st.lists(IDS, max_size=12, unique=True))
    return [
        Row.of(name, draw(st.binary(min_size=16, max_size=16)), draw(values(spec))) for name in ids
    ]
