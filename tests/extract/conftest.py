"""Clips that the tests of extraction share."""

import pytest

from corpus.sample import Sample
from tests.media.painted import paint, tone


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """Give six clips of grey levels 40, 60, ... 140; the first three have sound."""
    folder = tmp_path_factory.mktemp("clips")
    return [
        Sample(f"v{n}", video=paint(folder / f"{n}.mp4", [40 + 20 * n] * 8, sound=sound))
        for n, sound in enumerate([tone(0.4), tone(0.4), 0 * tone(0.4), None, None, None])
    ]
