"""`features`: the catalog of what can be extracted."""

from __future__ import annotations

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
    from extract.catalog import PRESETS, all_extractors
    from extract.opening import OPENING_PARTS, USUAL_S, with_opening

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
    variants = [with_opening("FAMILY", seconds) for seconds in USUAL_S]
    if as_json:
        presets = {name: list(families) for name, families in PRESETS.items()}
        opening = {"reads": list(OPENING_PARTS), "such_as": variants}
        o.print_json({"features": rows, "presets": presets, "opening_seconds": opening})
        return 0
    print(f"{'feature':24} {'reads':6} {'dims':14} {'stored':8} measures")
    for row in rows:
        dims = " x ".join(str(axis) for axis in row["dims"]) or "text"
        print(f"{row['feature']:24} {row['reads']:6} {dims:14} {row['dtype']:8} {row['measures']}")
    for preset, families in PRESETS.items():
        print(f"preset {preset}: {', '.join(families)}")
    print(f"opening seconds of {' or '.join(OPENING_PARTS)}: {', '.join(variants)}, any number")
    print(
        "  motion@first3s/steps is a sequence of them; classic@first3s all families of the preset"
    )
    print("none of these needs a download, a GPU or a model hub")
    return 0
