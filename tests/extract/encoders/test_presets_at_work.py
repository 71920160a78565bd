"""Every preset with weights goes through a table at once, broken and text-less samples included."""

import pytest

from corpus.sample import Sample
from extract.catalog import resolve
from extract.encoders.encoding import Encoding
from extract.encoders.rows import ENCODERS
from extract.ensure import OpenCache, ensure
from extract.families import PRESETS, family_of
from extract.pipeline import Settings
from tests.extract.encoders.test_contract import cover
from tests.media.painted import paint, tone

PARTS = ["video", "audio", "image", "text:title", "text:description"]
DEEP = [name for name in PRESETS if any(family_of(each) in ENCODERS for each in PRESETS[name])]


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    levels = [40 + (7 * k) % 160 for k in range(30)]
    whole = paint(folder / "whole.mp4", levels, sound=tone(1.2))
    (folder / "broken.mp4").write_bytes(b"\0" * 4000)
    texts = {"title": "Wait for it", "description": "A cat and a box"}
    return [
        Sample("whole", video=whole, image=cover(folder, 0), text=texts),
        Sample("broken", video=folder / "broken.mp4", image=cover(folder, 1), text=texts),
        Sample("mute", video=paint(folder / "mute.mp4", levels)),
    ]


@pytest.mark.parametrize("preset", DEEP)
def test_a_whole_sample_has_everything_and_the_others_their_causes(
    preset, samples, checkpoints, tmp_path
):
    families = {family_of(name) for name in PRESETS[preset]} & ENCODERS.keys()
    families |= {"smolvlm2"} if preset == "evqa" else set()
    weights = {family: str(checkpoints(family)) for family in families}
    encoding = Encoding.parse(tmp_path, weights=weights, dtype="float32")
    request = resolve([preset], parts=PARTS, encoding=encoding)
    opened = OpenCache.at(tmp_path / "cache", samples)
    state = ensure(samples, request, opened, settings=Settings(workers=1, batch_size=2))
    assert {sample for sample, *_ in state.failures} <= {"broken"}
    assert {cause for _, _, cause, _ in state.failures} <= {"unreadable", "upstream"}
    for name, coverage in state.coverage.items():
        assert coverage.ok >= 1, name
        assert coverage.never == 0, name
        assert coverage.ok + sum(coverage.absent.values()) + sum(coverage.failed.values()) == 3
