"""The way of samples from files to rows: once, whole, whatever is wrong with some of them."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from cache.reading import read_column
from cache.spec import FeatureSpec
from cache.writer import Limits as ShardLimits
from core.errors import ProjectError
from corpus.sample import Sample
from extract.catalog import Request
from extract.ensure import OpenCache, ensure
from extract.pipeline import Settings, run_plan
from extract.plan import Retry, make_plan, share
from tests.extract.levels import Level, Loud, Weightless
from tests.media.painted import paint

ROOT = Path(__file__).resolve().parents[2]


def request(*extractors):
    return Request(extractors, tuple(s.name for e in extractors for s in e.specs))


def extract(cache, samples, *extractors, retry=None, **settings):
    opened = OpenCache.at(cache, samples)
    wanted = request(*extractors)
    state = ensure(samples, wanted, opened, settings=Settings(workers=2, **settings), retry=retry)
    return state.worked_on, state, opened


def values(opened, extractor, index=0):
    spec = extractor.specs[index]
    return read_column(opened.store, spec, opened.keys.index, opened.keys.digests(spec.reads))


def test_values_are_those_of_the_files(tmp_path, clips):
    worked, state, opened = extract(tmp_path, clips, Level(), batch_size=4)
    assert worked == 6
    assert not state.failures
    levels = values(opened, Level()).values[:, 0]
    assert np.allclose(np.diff(levels), 15, atol=1)  # a quarter of the picture stays white


def test_what_is_there_is_not_computed_again(tmp_path, clips):
    extract(tmp_path, clips, Level())
    assert extract(tmp_path, clips, Level())[0] == 0
    assert extract(tmp_path, clips, Level(), Loud())[0] == 6


def test_absence_is_told_apart_from_silence(tmp_path, clips):
    _, state, _ = extract(tmp_path, clips, Loud())
    assert state.coverage["loud"].ok == 2
    assert dict(state.coverage["loud"].absent) == {"too-short": 1, "no-audio": 3}


def test_alone_and_together_are_equal_bit_for_bit(tmp_path, clips):
    _, _, alone = extract(tmp_path / "a", clips, Level(), batch_size=1)
    _, _, together = extract(tmp_path / "b", clips, Loud(), Level(), batch_size=5)
    for index in (0, 1):
        one, other = values(alone, Level(), index), values(together, Level(), index)
        assert np.array_equal(one.values, other.values)


def test_files_that_cannot_be_read_are_rows_with_their_cause(tmp_path, clips):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("this is no video at all")
    bad = [
        Sample("empty", video=tmp_path / "empty.mp4"),
        Sample("text", video=tmp_path / "text.mp4"),
        Sample("gone", video=tmp_path / "gone.mp4"),
        Sample("none"),
    ]
    _, state, opened = extract(tmp_path / "c", [*bad, *clips], Level())
    causes = {sample_id: cause for sample_id, _, cause, _ in state.failures}
    assert causes == {"empty": "empty", "text": "unreadable", "gone": "missing"}
    assert dict(state.coverage["level"].absent) == {"not-given": 1}
    assert values(opened, Level()).present.tolist() == [False] * 4 + [True] * 6


def test_failures_are_retried_only_when_asked(tmp_path, clips):
    (tmp_path / "x.mp4").write_text("no video")
    samples = [Sample("x", video=tmp_path / "x.mp4"), Sample("y", video=tmp_path / "gone.mp4")]
    cache = tmp_path / "c"
    assert extract(cache, samples, Level())[0] == 2
    assert extract(cache, samples, Level())[0] == 0
    assert extract(cache, samples, Level(), retry=Retry(causes=["missing"]))[0] == 1
    assert extract(cache, samples, Level(), retry=Retry(everything=True))[0] == 2


def test_a_missing_file_is_computed_when_it_comes(tmp_path):
    sample = Sample("x", video=tmp_path / "x.mp4")
    assert extract(tmp_path / "c", [sample], Level())[1].failed_samples == 1
    paint(tmp_path / "x.mp4", [100] * 8)
    assert extract(tmp_path / "c", [sample], Level())[1].failed_samples == 0


def test_a_file_that_went_away_keeps_its_value(tmp_path):
    sample = Sample("x", video=paint(tmp_path / "x.mp4", [100] * 8))
    extract(tmp_path / "c", [sample], Level())
    sample.video.unlink()
    worked, state, _ = extract(tmp_path / "c", [sample], Level())
    assert (worked, state.by_id, state.coverage["level"].ok) == (0, 1, 1)


def test_a_file_that_changed_is_computed_again(tmp_path):
    sample = Sample("x", video=paint(tmp_path / "x.mp4", [100] * 8))
    extract(tmp_path / "c", [sample], Level())
    paint(sample.video, [40] * 8)
    worked, _, opened = extract(tmp_path / "c", [sample], Level())
    assert worked == 1
    assert values(opened, Level()).values[0, 0] < 100


def test_a_new_version_of_the_code_is_another_feature(tmp_path, clips):
    extract(tmp_path, clips, Level())
    assert extract(tmp_path, clips, Level(version=2))[0] == 6


def fail_on_dark(batch):
    if any(one["levels"].mean() < 110 for one in batch):
        raise RuntimeError("too dark")


def test_one_sample_does_not_cost_the_others_of_its_batch(tmp_path, clips):
    _, state, _ = extract(tmp_path, clips, Level(fail_on_dark), batch_size=6)
    failed = {sample_id: reason for sample_id, _, _, reason in state.failures}
    assert set(failed) == {"v0", "v1"}
    assert failed["v0"] == "level: RuntimeError: too dark"


def fail(batch):
    raise RuntimeError("out of order")


def test_a_model_that_keeps_failing_stops_the_run(tmp_path, clips):
    many = [Sample(f"{n}", video=clips[0].video) for n in range(30)]
    with pytest.raises(ProjectError, match=r"20 failures in a row.*out of order.*--retry model"):
        extract(tmp_path, many, Level(fail))


@dataclass
class Words(Weightless):
    """The number of words of a title; "bomb" asks for more memory than there is."""

    family = "count"
    reads = ("text:title",)
    specs = (FeatureSpec("count:title", (1,), "float32", reads, {"version": 1}),)

    def prepare(self, inputs):
        if inputs.text["title"] == "bomb":
            np.zeros(1 << 44, np.uint8).sum()
        return {"count:title": np.array([len(inputs.text["title"].split())], np.float32)}


@dataclass
class Slow(Words):
    """Takes its time."""

    def prepare(self, inputs):
        time.sleep(5)
        return super().prepare(inputs)


def specs(plan):
    return {spec.name: spec for spec in plan.specs}


def test_memory_that_one_extractor_needs_does_not_cost_the_others(tmp_path, clips):
    samples = [Sample("x", video=clips[0].video, text={"title": "bomb"})]
    _, state, _ = extract(tmp_path, samples, Words(), Level())
    assert [failure[1:3] for failure in state.failures] == [("count:title", "memory")]
    assert state.coverage["level"].ok == 1


def test_a_decoder_that_cannot_be_imported_stops_the_run(tmp_path, clips):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "av.py").write_text("raise ImportError('no codecs here')")
    rows = [f"v{n},{clips[0].video}" for n in range(25)]
    (tmp_path / "t.csv").write_text("\n".join(["id,video", *rows]))
    command = [sys.executable, ROOT / "cli.py", "extract", "t.csv", "--features", "motion"]
    command += ["--root", clips[0].video.parent]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "broken")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "20 failures in a row" in done.stderr
    assert "no codecs here" in done.stderr
    assert "--retry crash" in done.stderr


def test_a_broken_model_stops_the_run_whatever_the_others_do(tmp_path, clips):
    many = [
        Sample(f"{n}", video=clips[0].video, text={"title": "a b"} if n % 3 else {})
        for n in range(40)
    ]
    with pytest.raises(ProjectError, match="20 failures in a row"):
        extract(tmp_path, many, Words(), Level(fail))


def test_one_sample_with_many_broken_features_stops_nothing(tmp_path, clips):
    _, state, _ = extract(tmp_path, clips, Level(fail), batch_size=1)
    assert len(state.failures) == 12


def forget(batch):
    batch.pop()


def test_a_model_that_forgets_a_sample_fails_for_it_alone(tmp_path, clips):
    _, state, _ = extract(tmp_path, clips[:3], Level(forget), batch_size=3)
    assert {cause for _, _, cause, _ in state.failures} == {"model"}
    assert "it gave 0 values for 1 samples" in state.failures[0][3]


def test_a_file_that_changes_under_way_is_not_stored_as_what_it_was(tmp_path, clips):
    sample = Sample("x", video=paint(tmp_path / "x.mp4", [100] * 8))
    opened = OpenCache.at(tmp_path / "c", [sample])
    opened.keys.digests(("video",))
    paint(sample.video, [40] * 9)
    state = ensure([sample], request(Level()), opened, settings=Settings())
    assert {failure[2:] for failure in state.failures} == {
        ("unreadable", "its file changed since it was digested; run again")
    }
    assert extract(tmp_path / "c", [sample], Level())[1].coverage["level"].ok == 1


def test_rows_reach_the_disk_while_a_slow_sample_is_waited_for(tmp_path, clips):
    samples = [clips[0], Sample("slow", text={"title": "slow"})]
    opened = OpenCache.at(tmp_path, samples)
    settings = Settings(workers=2, shards=ShardLimits(age_s=0.5))
    plan = make_plan(
        samples, request(Level(), Slow()), store=opened.store, keys=opened.keys, retry=Retry()
    )
    run_plan(plan, opened.store, settings)
    shards = {name: opened.store.shards(spec) for name, spec in specs(plan).items()}
    assert shards["count:title"][-1].marker.created - shards["level"][0].marker.created > 2


def nan(batch):
    batch[0]["levels"][:] = np.nan


def test_a_number_that_is_not_finite_is_a_failure(tmp_path, clips):
    _, state, _ = extract(tmp_path, clips[:1], Level(nan))
    assert state.failures[0][2:] == ("model", "1 of 1 numbers are not finite")


def test_shares_are_disjoint_and_complete(clips):
    many = [Sample(f"id {n}") for n in range(200)]
    shares = [share(many, (i, 3)) for i in (1, 2, 3)]
    assert sorted(s.id for part in shares for s in part) == sorted(s.id for s in many)
    assert min(map(len, shares)) > 40


def test_a_plan_reads_no_file_it_does_not_need(tmp_path):
    samples = [Sample("x", video=tmp_path / "x.mp4", text={"title": "t"})]

    def refuse(path):
        raise AssertionError(path)

    opened = OpenCache.at(tmp_path, samples)
    opened.keys._digest_of = refuse
    plan = make_plan(samples, Request((), ()), store=opened.store, keys=opened.keys, retry=Retry())
    assert plan.count() == 0
