"""The contract of encoders with weights, over the whole catalog, on tiny checkpoints."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from cache.values import check_value
from core.status import Gap
from corpus.sample import Sample
from extract.catalog import resolve
from extract.encoders.encoding import Encoding
from extract.encoders.rows import ENCODERS
from extract.sample_job import SampleJob, SampleTask
from tests.media.painted import paint, tone

TEXTS = [
    "Wait for it! 3 tricks #cats",
    "😀😀🎉",
    "word " * 2000,
    "x",
    "مرحبا بالعالم",
    "?!… — \u200b",
]
PARTS = ["video", "audio", "image", "text:title"]
# batches of another size change the order of sums, by no more than this share of the value
CLOSE = {"rtol": 2e-3, "atol": 2e-3}


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Give clips with and without sound, one of a single frame, covers and texts of all kinds."""
    folder = tmp_path_factory.mktemp("clips")
    levels = [40 + (7 * k) % 160 for k in range(30)]
    clips = {
        "tone": paint(folder / "tone.mp4", levels, sound=tone(1.2)),
        "tall": paint(folder / "tall.mp4", levels, sound=tone(3.0), size=(96, 64)),
        "silent": paint(folder / "silent.mp4", levels, sound=0 * tone(1.2)),
        "no sound": paint(folder / "mute.mp4", levels),
        "one frame": paint(folder / "one.mp4", [100], sound=tone(1.0)),
    }
    return [
        Sample(name, video=path, image=cover(folder, n), text={"title": TEXTS[n]})
        for n, (name, path) in enumerate(clips.items())
    ]


def cover(folder, n):
    from PIL import Image

    pixels = np.random.default_rng(n).integers(0, 256, (40 + n, 60, 3), np.uint8)
    Image.fromarray(pixels).save(folder / f"{n}.png")
    return Path(folder / f"{n}.png")


def encoder(family, checkpoints, *, dtype="float32", whole=True, variant=""):
    """Return a family's encoder of all its features, loaded on the CPU."""
    folder = checkpoints(family)
    encoding = Encoding.parse(folder.parent, weights={family: str(folder)}, dtype=dtype)
    made = resolve([family + variant], parts=PARTS, encoding=encoding).extractors[0]
    names = [name for name in made.on_request if whole]
    asked = [family + variant, *sorted(names)]
    made = resolve(asked, parts=PARTS, encoding=encoding).extractors[0].fetch()
    made.load(lambda: "cpu")
    return made


def prepared_of(extractor, samples):
    """Return what workers make of samples, gaps left out; the encoder travels to them unloaded."""
    job = pickle.loads(pickle.dumps(SampleJob([extractor])))
    answers = [job(SampleTask(0, sample, (0,))).prepared[0] for sample in samples]
    return [answer for answer in answers if not isinstance(answer, Gap)]


def close(one, other):
    if isinstance(one, np.ndarray):
        return np.allclose(one, other, **CLOSE)
    return one == other


@pytest.mark.parametrize("family", ENCODERS)
def test_every_value_is_what_its_spec_says(family, samples, checkpoints):
    extractor = encoder(family, checkpoints)
    for values in extractor.forward(prepared_of(extractor, samples)):
        assert values.keys() == {spec.name for spec in extractor.specs}
        for spec in extractor.specs:
            value = values[spec.name]
            fault = None if isinstance(value, Gap) else check_value(spec, value)
            assert fault is None, f"{spec.name}: {fault}"


@pytest.mark.parametrize("family", ENCODERS)
def test_the_same_twice_and_different_samples_differ(family, samples, checkpoints):
    extractor = encoder(family, checkpoints)
    batch = prepared_of(extractor, samples)
    first, second = extractor.forward(batch), extractor.forward(batch)
    for one, other in zip(first, second, strict=True):
        assert all(np.array_equal(one[name], other[name]) for name in one)
    name = extractor.specs[0].name
    assert not np.array_equal(first[0][name], first[-1][name])


@pytest.mark.parametrize("family", ENCODERS)
def test_a_batch_of_one_equals_a_batch_of_many(family, samples, checkpoints):
    extractor = encoder(family, checkpoints)
    batch = prepared_of(extractor, samples)
    together = extractor.forward(batch)
    for one, many in zip(batch, together, strict=True):
        alone = extractor.forward([one])[0]
        assert all(close(alone[name], many[name]) for name in alone)


@pytest.mark.parametrize("family", ENCODERS)
def test_only_what_is_wanted_is_computed(family, samples, checkpoints):
    extractor = encoder(family, checkpoints, whole=False)
    values = extractor.forward(prepared_of(extractor, samples)[:1])[0]
    assert values.keys() == {spec.name for spec in extractor.specs}
    assert not any(name in extractor.on_request for name in values)


@pytest.mark.parametrize("family", ENCODERS)
def test_bfloat16_is_near_float32_and_another_feature(family, samples, checkpoints):
    exact, short = (encoder(family, checkpoints, dtype=each) for each in ("float32", "bfloat16"))
    assert {s.fingerprint for s in exact.specs}.isdisjoint({s.fingerprint for s in short.specs})
    batch = prepared_of(exact, samples)[:1]
    name = exact.specs[0].name
    one, other = (np.ravel(each.forward(batch)[0][name]) for each in (exact, short))
    cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    assert cosine > 0.99


@pytest.mark.parametrize("family", ENCODERS)
def test_other_weights_make_another_feature_and_a_moved_folder_does_not(
    family, checkpoints, tmp_path
):
    import shutil

    moved, changed = tmp_path / "moved", tmp_path / "changed"
    for folder in (moved, changed):
        shutil.copytree(checkpoints(family), folder)
    stated = sorted(changed.iterdir())[0]
    stated.write_bytes(stated.read_bytes() + b" ")
    prints = [
        resolve(
            [family], parts=PARTS, encoding=Encoding.parse(tmp_path, weights={family: str(folder)})
        )
        .specs[0]
        .fingerprint
        for folder in (checkpoints(family), moved, changed)
    ]
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize("family", ENCODERS)
def test_a_broken_file_is_a_gap_with_its_cause(family, checkpoints, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"\0" * 4000)
    sample = Sample("x", video=tmp_path / "broken.mp4", image=tmp_path / "none.png")
    extractor = encoder(family, checkpoints)
    gap = SampleJob([extractor])(SampleTask(0, sample, (0,))).prepared[0]
    assert gap.cause in {"unreadable", "not-given"}


@pytest.mark.parametrize("family", [name for name, row in ENCODERS.items() if row.covers])
def test_a_cover_gives_a_vector_of_its_own_feature(family, samples, checkpoints):
    extractor = encoder(family, checkpoints, variant="@cover")
    assert [spec.name for spec in extractor.specs] == [f"{family}@cover"]
    values = extractor.forward(prepared_of(extractor, samples))
    assert all(
        check_value(extractor.specs[0], value[f"{family}@cover"]) is None for value in values
    )
