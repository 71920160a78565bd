"""Extractors that read other extractors, that do not fit together, and batches that do not fit."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest

from cache.spec import TEXT, FeatureSpec
from core.status import absent, failed
from corpus.sample import Sample
from extract.catalog import Request
from extract.ensure import OpenCache, ensure
from extract.pipeline import Settings
from extract.plan import Retry
from extract.stages import stages
from tests.extract.levels import Level, Weightless

GAPS = {"mute": absent("too-short", "no words"), "broken": failed("model", "lost its words")}


@dataclass
class Caption(Weightless):
    """Tells a title in capitals; of some it tells something else, or nothing."""

    told: Mapping = field(default_factory=lambda: GAPS)
    family = "caption"
    reads = ("text:title",)
    specs = (FeatureSpec("caption", (), TEXT, reads, {"version": 1}),)

    def prepare(self, inputs):
        title = inputs.text["title"]
        return self.told.get(title) or {"caption": title.upper()}


@dataclass
class Letters(Weightless):
    """The number of letters of a caption."""

    family = "letters"
    reads = Caption.reads
    after = Caption.specs
    specs = (FeatureSpec("letters", (1,), "float32", reads, {"version": 1}),)

    def prepare(self, inputs):
        assert inputs.upstream["caption"].isupper()
        return {"letters": np.array([len(inputs.upstream["caption"])], np.float32)}


@dataclass
class Heavy(Weightless):
    """Has so many bytes of weights."""

    family: str
    weight_bytes: int
    reads = ("text:title",)

    @property
    def specs(self):
        return (FeatureSpec(self.family, (1,), "float32", self.reads, {"version": 1}),)


@dataclass
class Greedy(Level):
    """Has memory for two samples at once, or for none."""

    room: int = 2

    def forward(self, batch):
        if len(batch) > self.room:
            raise MemoryError("full")
        return super().forward(batch)


def run(folder, samples, request, retry=None, **settings):
    opened = OpenCache.at(folder, samples)
    return ensure(samples, request, opened, settings=Settings(workers=1, **settings), retry=retry)


def families(request, room):
    return [[each.family for each in stage.extractors] for stage in stages(request, lambda: room)]


def chain(features=("letters",), told=GAPS):
    return Request((Letters(), Caption(told)), features, upstream=("caption",))


def test_a_text_of_another_extractor_is_there_when_it_is_read(tmp_path):
    samples = [Sample(title, text={"title": title}) for title in ("cat", "sleep")]
    state = run(tmp_path, samples, chain())
    assert state.coverage["letters"].ok == 2
    assert state.worked_on == 2
    assert "caption" not in state.coverage


def test_gaps_upstream_are_gaps_here(tmp_path):
    samples = [Sample(title, text={"title": title}) for title in ("cat", "mute", "broken")]
    state = run(tmp_path, samples, chain())
    assert dict(state.coverage["letters"].absent) == {"too-short": 1}
    assert [failure[2] for failure in state.failures] == ["upstream"]
    assert state.failures[0][3] == "needs caption, which failed: model: lost its words"


@pytest.mark.parametrize("healed", [{"caption": "CAT"}, absent("too-short", "no words")])
def test_gaps_here_end_with_those_upstream(tmp_path, healed):
    samples = [Sample(title, text={"title": title}) for title in ("cat", "broken")]
    run(tmp_path, samples, chain(told=GAPS | {"cat": failed("timeout", "too slow")}))
    mended = Request((Caption(GAPS | {"cat": healed}),), ("caption",))
    run(tmp_path, samples, mended, retry=Retry(causes=["timeout"]))
    state = run(tmp_path, samples, chain())
    assert [failure[0] for failure in state.failures] == ["broken"]
    assert run(tmp_path, samples, chain()).worked_on == 0


def test_what_was_told_already_is_not_told_again(tmp_path):
    samples = [Sample("cat", text={"title": "cat"})]
    run(tmp_path, samples, chain())
    assert run(tmp_path, samples, chain()).worked_on == 0
    assert run(tmp_path, samples, chain(("letters", "caption"))).worked_on == 0


def test_weights_that_do_not_fit_together_take_turns(caplog):
    given = Request((Heavy("a", 5), Level(), Heavy("b", 4), Heavy("c", 9)), ("a", "b", "c"))
    assert families(given, 10) == [["level", "a", "b"], ["c"]]
    assert families(given, 100) == [["level", "a", "b", "c"]]
    assert families(given, 1) == [["level", "a"], ["b"], ["c"]]


def test_room_is_asked_for_only_where_there_are_weights():
    def refuse():
        raise AssertionError

    assert len(stages(Request((Level(),), ("level",)), refuse)) == 1


@pytest.fixture
def clips(tmp_path):
    from tests.media.painted import paint

    return [Sample(f"v{n}", video=paint(tmp_path / f"{n}.mp4", [50 + n] * 8)) for n in range(5)]


def features_of(extractor):
    return Request((extractor,), tuple(spec.name for spec in extractor.specs))


class Ear(logging.Handler):
    """Keeps what is said."""

    def __init__(self):
        super().__init__()
        self.heard = []

    def emit(self, record):
        self.heard.append(record.getMessage())


def test_a_batch_that_does_not_fit_is_halved_once_and_said(tmp_path, clips, monkeypatch):
    ear = Ear()
    monkeypatch.setattr(logging.getLogger("shortcast"), "handlers", [ear])
    state = run(tmp_path / "c", clips, features_of(Greedy()), batch_size=4)
    assert state.coverage["level"].ok == 5
    assert ear.heard == ["level: too little memory for 4 samples at once; going on with 2"]


def test_a_sample_too_large_alone_is_a_gap_and_the_run_goes_on(tmp_path, clips):
    state = run(tmp_path / "c", clips, features_of(Greedy(room=0)), batch_size=4)
    assert {failure[2] for failure in state.failures} == {"device"}
    assert state.failed_samples == 5
