"""Presets stand for the features that a table has something for."""

import pytest

from core.errors import UsageError
from extract.families import FAMILIES, PRESETS, family_of
from extract.presets import features_of, part_of

ALL = ["video", "audio", "image", "text:title", "text:description"]


@pytest.mark.parametrize("preset", PRESETS)
def test_every_name_of_a_preset_has_a_part_in_a_table_with_everything(preset):
    assert features_of(preset, ALL) == list(PRESETS[preset])
    assert all(family_of(name) in FAMILIES for name in PRESETS[preset])


@pytest.mark.parametrize(
    ("preset", "parts", "expected"),
    [
        ("smtpd", ["image"], ["resnet101@cover"]),
        ("smtpd", ["text:title", "video"], ["mbert"]),
        ("modern", ["audio"], ["clap"]),
        ("modern@first3s", ALL, ["siglip2@first3s", "vjepa2@first3s", "clap@first3s"]),
        (
            "action@first3s",
            ["video"],
            ["videomae@first3s", "timesformer@first3s", "i3d@first3s/tokens"],
        ),
        ("action", ["text:title"], []),
    ],
)
def test_a_preset_leaves_out_what_a_table_does_not_name(preset, parts, expected):
    assert features_of(preset, parts) == expected


@pytest.mark.parametrize(
    ("name", "parts", "part"),
    [
        ("resnet101@cover", ["image"], "image"),
        ("resnet101@cover", ["video"], None),
        ("e5:title", ["text:title"], "text"),
        ("e5:title", ["text:words"], None),
        ("e5:spacetimegpt/caption", ["video"], "video"),
        ("e5:spacetimegpt/caption", ["text:title"], None),
    ],
)
def test_a_feature_has_the_part_that_it_or_the_texts_of_its_upstream_read(name, parts, part):
    assert part_of(name, parts) == part


def test_a_preset_of_covers_and_texts_has_no_opening_seconds():
    with pytest.raises(UsageError, match="ask for 'smtpd'"):
        features_of("smtpd@first3s", ALL)
