"""What becomes of broken, silent, one-frame and text-less samples in every encoder."""

import numpy as np
import pytest

from core.status import Gap
from corpus.sample import Sample
from extract.encoders.rows import ENCODERS
from extract.sample_job import SampleJob, SampleTask
from tests.extract.encoders.test_contract import encoder
from tests.media.painted import paint, tone

OK = "OK"
# by what an encoder reads; a still without sound is a video of one frame
EXPECTED = {
    "video": {
        "broken": "FAILED unreadable",
        "no sound": OK,
        "silent": OK,
        "one frame": OK,
        "nothing": "ABSENT not-given",
    },
    "audio": {
        "broken": "FAILED unreadable",
        "no sound": "ABSENT no-audio",
        "silent": OK,
        "one frame": "ABSENT no-audio",
        "nothing": "ABSENT not-given",
    },
    "text": {
        "broken": OK,
        "no sound": "ABSENT not-given",
        "silent": OK,
        "one frame": OK,
        "nothing": "ABSENT not-given",
    },
}


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Give a sample of each kind of trouble; the one without sound has no text either."""
    folder = tmp_path_factory.mktemp("odd")
    levels = [40 + (7 * k) % 160 for k in range(30)]
    (folder / "broken.mp4").write_bytes(b"\0" * 4000)
    text = {"title": "A title"}
    return {
        "broken": Sample("broken", video=folder / "broken.mp4", text=text),
        "no sound": Sample("no sound", video=paint(folder / "mute.mp4", levels)),
        "silent": Sample(
            "silent", video=paint(folder / "s.mp4", levels, sound=0 * tone(1.2)), text=text
        ),
        "one frame": Sample("one frame", video=paint(folder / "one.mp4", [100]), text=text),
        "nothing": Sample("nothing"),
    }


@pytest.mark.parametrize("family", ENCODERS)
def test_each_has_its_status_and_cause(family, samples, checkpoints):
    made = encoder(family, checkpoints, whole=False)
    job = SampleJob([made])
    found = {name: outcome(made, job, sample) for name, sample in samples.items()}
    assert found == EXPECTED[ENCODERS[family].reads]


def outcome(made, job, sample):
    """Return OK if every wanted value is there, else the gap's status and cause."""
    prepared = job(SampleTask(0, sample, (0,))).prepared[0]
    if isinstance(prepared, Gap):
        return f"{prepared.status.name} {prepared.cause}"
    values = made.forward([prepared])[0].values()
    assert all(np.isfinite(value).all() for value in values if isinstance(value, np.ndarray))
    return OK
