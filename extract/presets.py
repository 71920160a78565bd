"""Which features of a preset a table has something for."""

from __future__ import annotations

from collections.abc import Collection

from core.errors import UsageError
from extract.families import PRESETS, fields_in, reads_of, upstream_of
from extract.opening import OPENING_PARTS, seconds_of, with_opening


def preset_of(name: str) -> str:
    """Return the name without its variant: that of the preset, if it names one."""
    return name.partition("@")[0]


def features_of(name: str, parts: Collection[str]) -> list[str]:
    """Return the features of a preset that read parts of a table, in the variant that is named.

    `parts` are such as "video" and "text:title". A preset of opening seconds has no texts.

    Raises:
        UsageError: if opening seconds are asked of a preset that has none.
    """
    seconds, preset = seconds_of(name), PRESETS[preset_of(name)]
    if seconds is None:
        return [each for each in preset if part_of(each, parts)]
    able = [each for each in preset if "@" not in each and reads_of(each) in OPENING_PARTS]
    if not able:
        raise UsageError(
            f"preset {name!r}: its features have no opening seconds of your choice "
            f"({', '.join(preset)}); ask for {preset_of(name)!r}"
        )
    return [with_opening(each, seconds) for each in able if part_of(each, parts)]


def part_of(name: str, parts: Collection[str]) -> str | None:
    """Return the kind of part that a feature reads if the table has it: "video"; else None.

    Of a text encoder's feature on the texts of another, it is what that other reads.
    """
    kinds = {part.partition(":")[0] for part in parts}
    fields = {part.partition(":")[2] for part in parts if part.startswith("text:")}
    if upstream := upstream_of(name, fields):
        return part_of(upstream, parts)
    reads = reads_of(name)
    if reads == "text" and ":" in name and not fields.intersection(fields_in(name)):
        return None
    return reads if reads in kinds else None
