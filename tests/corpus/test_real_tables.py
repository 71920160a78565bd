import numpy as np
import pytest

from corpus.columns import Columns
from corpus.manifest import read_manifest
from corpus.splits import SplitPlan
from corpus.targets import TargetPlan

pytestmark = pytest.mark.real


def test_acted_emotions_leave_one_actor_out(real_data):
    columns = Columns.parse("video=path,author=group")
    path = real_data / "clips/javanese_emotion.csv"
    manifest = read_manifest(path, columns=columns, targets=["label"])
    folds = SplitPlan.parse("author-kfold:10").folds(manifest.split_rows())
    assert {len(fold.test) for fold in folds} == {24}
    fitted = TargetPlan("label", "classification").fit(
        manifest.target("label"), np.isin(np.arange(240), folds[0].train)
    )
    assert fitted.classes == ("anger", "fear", "happiness", "neutral", "sadness", "surprise")
    assert all(sample.video.is_file() for sample in manifest.samples)


def test_fights_stay_in_their_scene(real_data):
    columns = Columns.parse("video=path,author=group,number=duration_s+fps")
    manifest = read_manifest(real_data / "clips/surv_fight.csv", columns=columns, targets=["label"])
    for fold in SplitPlan.parse("author-kfold:5").folds(manifest.split_rows()):
        assert not set(manifest.author[fold.train]) & set(manifest.author[fold.test])
        assert 40 <= len(fold.test) <= 75


def test_engagement_classes_of_captions_are_numbers_in_order(real_data):
    columns = Columns.parse("id=id,text=caption")
    path = real_data / "snapugc/captions.csv"
    plan = TargetPlan("label", "classification")
    manifest = read_manifest(path, columns=columns, targets=[plan])
    values = manifest.target("label")
    rows = manifest.split_rows(labels=plan.strata(values))
    for fold in SplitPlan.parse("stratified-kfold:5").folds(rows):
        train = np.isin(np.arange(len(manifest)), fold.train)
        assert plan.fit(values, train).classes == ("0", "1", "2")


def test_ranked_videos_have_numbers_and_many_gaps(real_data):
    columns = Columns.parse("number=duration")
    path = real_data / "snapugc/ranked.csv"
    targets = ["ecr_rank", "nawp_rank"]
    manifest = read_manifest(path, columns=columns, source="snapugc", targets=targets)
    fitted = TargetPlan("ecr_rank", transform="rank").fit(
        manifest.target("ecr_rank"), np.ones(600, bool)
    )
    assert fitted.encode(manifest.target("ecr_rank"))[1].all()
    assert sum(bool(sample.text) for sample in manifest.samples) == 192


def test_unlabelled_titles_are_mostly_empty(real_data):
    manifest = read_manifest(real_data / "snapugc/titles_unlabelled.csv", source="snapugc")
    titles = sum("title" in sample.text for sample in manifest.samples)
    texts = sum("description" in sample.text for sample in manifest.samples)
    assert (len(manifest), round(1 - titles / 6000, 2)) == (6000, 0.62)
    assert round(1 - texts / 6000, 2) == 0.56


def test_days_are_read_by_header_and_their_gaps_stay(real_data):
    columns = Columns.parse(
        "id=video_id,text=title+keywords+description,number=first_day+p1,category=category,"
        "author=user_id,time=published_at"
    )
    path = real_data / "timeseries/yt_trending2021_22d.csv"
    manifest = read_manifest(path, columns=columns, targets=["p2..p22"])
    curves = np.array(manifest.target("p2..p22"))
    assert curves.shape == (6573, 21)
    complete = np.isfinite(curves).all(axis=1) & ["p1" in s.meta for s in manifest.samples]
    assert complete.sum() == 6545
    assert np.isfinite(manifest.posted_at).all()


def test_thirty_days_make_a_target(real_data):
    columns = Columns.parse("id=video_id,category=category,author=user_id")
    path = real_data / "timeseries/active_yt_30d.csv"
    plan = TargetPlan("p", "sequence")
    manifest = read_manifest(path, columns=columns, targets=[plan])
    fitted = plan.fit(manifest.target("p"), np.ones(len(manifest), bool))
    assert (len(manifest), fitted.steps) == (11222, 30)


def test_odd_media_have_their_paths_as_ids(real_data):
    path = real_data / "odd/manifest.csv"
    manifest = read_manifest(path, columns=Columns.parse("video=file,text=what"))
    assert len(manifest) == 77
    assert all(sample.video.is_file() for sample in manifest.samples)
