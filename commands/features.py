"""`features`: the catalog of what can be extracted."""

from __future__ import annotations

from typing import Any

from commands import options as o

EXAMPLES = o.examples("features", "features --json")
_FIELD = "FIELD"  # stands for the name of a text column in the listing


def run(as_json: o.JsonOption = False) -> int:
    """List the features that can be extracted.

    Families of text give one feature for each text column of the table: FIELD is its name. A name
    with a slash is a sequence; without, a vector of fixed length.
    """
    from extract.catalog import PRESETS, all_extractors

    rows: list[dict[str, Any]] = [
        {
            "feature": spec.name,
            "reads": family.reads,
            "dims": list(spec.dims),
            "dtype": spec.dtype,
            "download": False,
            "measures": family.measures,
            "fingerprint": spec.fingerprint,
        }
        for family, extractor in all_extractors(_FIELD)
        for spec in extractor.specs
    ]
    if as_json:
        o.print_json({"features": rows, "presets": {k: list(v) for k, v in PRESETS.items()}})
        return 0
    print(f"{'feature':24} {'reads':6} {'dims':14} {'stored':8} measures")
    for row in rows:
        dims = " x ".join(str(axis) for axis in row["dims"]) or "text"
        print(f"{row['feature']:24} {row['reads']:6} {dims:14} {row['dtype']:8} {row['measures']}")
    for preset, families in PRESETS.items():
        print(f"preset {preset}: {', '.join(families)}")
    print("none of these needs a download, a GPU or a model hub")
    return 0
