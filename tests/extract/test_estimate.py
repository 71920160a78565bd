"""What an extraction will take is told from what others took, or from a probe."""

import numpy as np
import pytest

from cache.keys import Keys
from cache.ledger import Entry, entry
from cache.marker import Costs
from cache.spec import Row
from cache.store import Store
from cache.writer import ShardWriter
from core.digests import FileDigests
from corpus.sample import Sample
from extract.ensure import OpenCache, ensure
from extract.estimate import estimate
from extract.pipeline import Settings
from extract.plan import Retry, make_plan
from extract.probe import forecast
from tests.cache.rows import digest
from tests.extract.levels import Level, Loud
from tests.extract.test_pipeline import Words, request

LEVEL, FRAMES = Level().specs
TOOK = Costs(rows=10, starts=2, start_s=4.0, decode_s=5.0, read_s=10.0, prepare_s=8.0,
             forward_s=5.0, write_s=0.5)  # fmt: skip


def known(spec, costs=TOOK, *, newest=1.0):
    """Return what a ledger says of a feature with one shard of ten rows."""
    return Entry(spec, 1, 10, 20_000, {"OK": 10}, {}, costs, newest)


def plan_of(tmp_path, samples, *extractors):
    store, keys = Store(tmp_path / "empty"), Keys(samples, FileDigests())
    return make_plan(samples, request(*extractors), store=store, keys=keys, retry=Retry())


def predict(tmp_path, samples, *extractors, ledger, workers=2, **more):
    plan = plan_of(tmp_path, samples, *extractors)
    return estimate(plan, ledger, Settings(workers=workers), **more)


def test_a_sample_takes_what_others_took_and_is_read_once(tmp_path, clips):
    expected = predict(tmp_path, clips, Level(), ledger=[known(LEVEL), known(FRAMES)])
    level, frames = expected.features
    assert (level.missing, level.worked, level.start_s) == (6, 6, 2.0)
    assert level.decode_s + frames.decode_s == pytest.approx(6.0)
    assert level.prepare_s == pytest.approx(6.0)  # the first of each worker is told apart
    assert level.forward_s == pytest.approx(3.0)
    assert level.basis == "10 rows of this recipe"


@pytest.mark.parametrize(
    ("workers", "wall_s"), [(1, 4 + 6 + 12), (2, 4 + (6 + 12) / 2), (6, 4 + 6 + 1)]
)
def test_workers_share_reading_until_the_device_is_what_is_waited_for(
    tmp_path, clips, workers, wall_s
):
    ledger = [known(LEVEL), known(FRAMES)]
    expected = predict(tmp_path, clips, Level(), ledger=ledger, workers=workers)
    assert expected.wall_s == pytest.approx(wall_s)
    assert expected.work_s == pytest.approx(4 * workers + 6 + 12 + 6 + 1)


def test_what_was_never_computed_is_told_apart(tmp_path, clips):
    expected = predict(tmp_path, clips, Level(), Loud(), ledger=[known(LEVEL)])
    assert expected.unknown == ("level/frames", "loud")
    _, frames, loud = expected.features
    assert (frames.decode_s > 0, frames.prepare_s) == (True, 0)  # reading is known of `level`
    assert loud.decode_s == 0


def test_the_nearest_recipe_and_the_latest_rows_count(tmp_path, clips):
    older, newer = Level(version=2).specs[0], Level(version=3).specs[0]
    ledger = [known(older, newest=1.0), known(newer, newest=2.0)]
    assert predict(tmp_path, clips, Level(), ledger=ledger).features[0].basis == (
        f"10 rows of recipe {newer.fingerprint}"
    )
    ledger.append(known(LEVEL, newest=0.0))
    assert predict(tmp_path, clips, Level(), ledger=ledger).features[0].basis == (
        "10 rows of this recipe"
    )
    probed = [known(LEVEL, Costs(rows=1))]
    expected = predict(tmp_path, clips, Level(), ledger=ledger, probed=probed)
    assert expected.features[0].basis == "1 rows of a probe"


def test_what_is_not_here_takes_no_work(tmp_path, clips):
    samples = [*clips[:2], Sample("gone", video=tmp_path / "gone.mp4"), Sample("none")]
    expected = predict(tmp_path, samples, Level(), Words(), ledger=[known(LEVEL), known(FRAMES)])
    level, _, words = expected.features
    assert (level.missing, level.worked) == (4, 2)
    assert (words.missing, words.worked, words.known) == (4, 0, True)


def level_rows(count):
    return [Row.of(f"clip-{n:05}", digest(n), np.zeros(1, np.float32)) for n in range(count)]


def test_what_every_shard_has_is_not_counted_for_every_row(tmp_path):
    few, many = Store(tmp_path / "few"), Store(tmp_path / "many")
    for store, count in ((few, 20), (many, 2000)):
        with ShardWriter(store, LEVEL) as writer:
            for row in level_rows(count):
                writer.add(row, Costs(rows=1))
    samples = [Sample(row.sample_id, video=tmp_path / "gone") for row in level_rows(2000)]
    expected = predict(tmp_path, samples, Level(), ledger=[entry(few, LEVEL)])
    size_bytes = entry(many, LEVEL).size_bytes
    assert expected.features[0].size_bytes == pytest.approx(size_bytes, rel=0.01)


def test_a_probe_keeps_what_it_computed_and_tells_of_the_rest(tmp_path, clips):
    opened, settings = OpenCache.at(tmp_path, clips), Settings(workers=1)
    plan, expected = forecast(clips, request(Level()), opened, settings, retry=Retry(), probe=4)
    assert (plan.count(), expected.samples, expected.unknown) == (2, 2, ())
    assert {each.basis for each in expected.features} == {"4 rows of a probe"}
    assert expected.wall_s > 0
    assert ensure(clips, request(Level()), opened, settings=settings).worked_on == 2


def test_without_a_probe_nothing_is_computed(tmp_path, clips):
    opened = OpenCache.at(tmp_path, clips)
    plan, expected = forecast(clips, request(Level()), opened, Settings(), retry=Retry())
    assert (plan.count(), expected.unknown) == (6, ("level", "level/frames"))
    assert opened.store.features() == []


def test_a_probe_of_what_takes_no_work_computes_nothing(tmp_path):
    samples = [Sample("gone", video=tmp_path / "gone.mp4")]
    opened = OpenCache.at(tmp_path / "c", samples)
    plan, _ = forecast(samples, request(Level()), opened, Settings(), retry=Retry(), probe=20)
    assert plan.count() == 1
    assert opened.store.features() == []
