"""A cache of all that may be stored, and its way out and back."""

import json
from pathlib import Path

import numpy as np

from cache.export import FORMATS, chosen, plan_export, write_export
from cache.exported import write_exported
from cache.importing import Imported, import_source, open_import
from cache.rows import select_best
from cache.spec import UNKNOWN_INPUTS, FeatureSpec, Row
from cache.store import Store
from core.status import absent, failed
from tests.cache.rows import SPECS, WORDS, digest, row, write

COUNTS = FeatureSpec("ngrams:Title.x", ("gram", 2), "int32", ("text:t",), {"layout": "counts"})
FLAGS = FeatureSpec("flags", (2, 2), "bool", ("video",), {})
WAYS = [(format, False) for format in FORMATS] + [("tar", True)]
GAPS = {1: absent("no-audio"), 4: failed("corrupt", "3 of 9 frames")}


def fill(store: Store) -> Store:
    """Write several features in shards of both formats, with gaps and odd ids."""
    for spec in SPECS:
        rows = [row(n, GAPS.get(n), spec=spec) for n in range(7)]
        write(store, rows[:4], spec=spec, format="tar")
        write(store, rows[4:], spec=spec)
    odd = [Row.of(name, digest(name), np.ones(3, "f2")) for name in ("../a.b", "长" * 150, "A/b")]
    write(store, [*odd, Row.of("gone", UNKNOWN_INPUTS, failed("missing"))])
    write(store, [Row.of("odd", digest("odd"), "half \ud800"), row(9, "", spec=WORDS)], spec=WORDS)
    write(store, [Row.of("c", digest("c"), np.array([[7, 2], [9, 1]], "i4"))], spec=COUNTS)
    write(store, [Row.of("f", digest("f"), np.array([[True, False], [False, True]]))], spec=FLAGS)
    return store


def told(store: Store) -> dict[str, list[tuple]]:
    """Return every row that counts, by feature."""
    found = {}
    for feature in store.features():
        rows = select_best(store, feature.spec).read()
        found[f"{feature.name} {feature.fingerprint}"] = sorted(
            (r.sample_id, r.inputs_digest, r.status, r.cause, r.reason, as_list(r.value))
            for r in rows
        )
    return found


def as_list(value: object) -> list[object]:
    """Return a value with its dtype, in a form that compares and sorts."""
    return [str(value.dtype), value.tolist()] if isinstance(value, np.ndarray) else [str(value)]


def export(
    store: Store, out: Path, format: str, joined: bool = False, names: list[str] = ()
) -> dict[str, int]:
    """Export features, and return the sizes of the files."""
    parts = plan_export(store, chosen(store.features(), names), joined=joined)
    return dict(write_export(parts, out, format=format, joined=joined))


def import_all(
    folder: Path, store: Store, *, format: str = "h5", dry_run: bool = False
) -> list[Imported]:
    """Import all that a folder has."""
    sources = open_import(folder)
    return [import_source(source, store, format=format, dry_run=dry_run) for source in sources]


def retell(folder: Path) -> None:
    """Make an export.json tell of the files that are there by now."""
    told = json.loads((folder / "export.json").read_text())
    write_exported(folder, told["format"], told["features"])
