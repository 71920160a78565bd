"""`features`: the catalog of what can be extracted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from commands import options as o

EXAMPLES = o.examples("features", "features --json")
_FIELD = "FIELD"  # stands for the name of a text column in the listing


def run(as_json: o.JsonOption = False) -> int:
    """List the features that can be extracted.

    Families of text give one feature for each text column of the table: FIELD is its name. A name
    with a slash is a sequence; without, a vector of fixed length. Families that read video or audio
    have variants for the opening seconds, any number of them: motion@first3s sees the first 3.
    """
    from extract.catalog import all_extractors
    from extract.families import FAMILIES, PRESETS
    from extract.opening import OPENING_PARTS, USUAL_S, with_opening

    rows: list[dict[str, Any]] = [
        {
            "feature": spec.name,
            "reads": family.reads,
            "dims": list(spec.dims),
            "dtype": spec.dtype,
            "checkpoint": family.checkpoint.hub if family.checkpoint else None,
            "parameters_m": family.checkpoint.parameters_m if family.checkpoint else None,
            "licence": family.checkpoint.licence if family.checkpoint else None,
            "on_request": spec.name in extractor.on_request,
            "measures": family.measures,
            "fingerprint": None if family.weights else spec.fingerprint,  # weights decide it
        }
        for family, extractor in all_extractors(_FIELD)
        for spec in extractor.specs
    ]
    variants = [with_opening("FAMILY", seconds) for seconds in USUAL_S]
    if as_json:
        presets = {name: list(families) for name, families in PRESETS.items()}
        opening = {"reads": list(OPENING_PARTS), "such_as": variants}
        o.print_json({"features": rows, "presets": presets, "opening_seconds": opening})
        return 0
    _print_features(rows)
    for preset, families in PRESETS.items():
        print(f"preset {preset}: {', '.join(families)}")
    print(f"opening seconds of {' or '.join(OPENING_PARTS)}: {', '.join(variants)}, any number")
    print(
        "  motion@first3s/steps is a sequence of them; classic@first3s all families of the preset"
    )
    print("checkpoints, fetched at first use; --weights NAME=FOLDER or NAME=HUB_ID names another:")
    for name, family in FAMILIES.items():
        if found := family.checkpoint:
            size = f"{found.parameters_m:,.0f} M parameters"
            print(f"  {name:22} {found.hub:44} {size:20} {found.licence}")
        elif family.weights:
            print(f"  {name:22} any, by --weights {name}=...")
    print("the preset classic needs no download, no GPU and no model hub")
    return 0


def _print_features(rows: Sequence[dict[str, Any]]) -> None:
    """Print a line for each feature, and those that are made on request in one line a family."""
    print(f"{'feature':24} {'reads':6} {'dims':14} {'stored':8} measures")
    asked = [row["feature"] for row in rows if row["on_request"]]
    for row in rows:
        if row["on_request"]:
            continue
        name, dims = row["feature"], " x ".join(str(axis) for axis in row["dims"]) or "text"
        print(f"{name:24} {row['reads']:6} {dims:14} {row['dtype']:8} {row['measures']}")
        more = [other for other in asked if other.startswith(f"{name}/")]
        if more:
            print(f"{'':24} on request: {', '.join(other[len(name) :] for other in more)}")
