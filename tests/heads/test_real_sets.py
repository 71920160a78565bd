"""What is claimed of real clips and captions, held against the baselines that the data states."""

import numpy as np
import pytest

from bench import real_data

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture
def loaded(request, real_data, tmp_path):
    return real_data.load(request.param, real_data, tmp_path)


@pytest.mark.parametrize("loaded", [real_data.CAPTIONS], indirect=True)
def test_captions_are_told_apart_no_worse_than_by_tfidf(loaded):
    result = real_data.fit(loaded, real_data.TEXT, "linear")
    shares = real_data.tfidf_shares(loaded, result)
    assert shares.sum(axis=1).min() == 1
    for metric in real_data.METRICS:
        assert real_data.paired(loaded, result, shares, metric).better != "second"
    assert result.metrics["f1_weighted"].value > 0.494


@pytest.mark.parametrize("loaded", [real_data.EMOTION], indirect=True)
def test_emotions_of_unseen_actors_are_heard_better_than_by_the_cepstrum_alone(loaded):
    result = real_data.fit(loaded, real_data.AUDIO, "linear")
    assert len(result.folds) == 10
    assert result.metrics["accuracy"].value > 0.517
    shares = real_data.cepstrum_shares(loaded, result)
    assert real_data.paired(loaded, result, shares, "accuracy").better == "first"


@pytest.mark.parametrize("loaded", [real_data.FIGHT], indirect=True)
def test_fights_in_unseen_scenes_are_told_by_motion(loaded):
    result = real_data.fit(loaded, ["motion"], "linear")
    scenes = loaded.table.author
    for fold in result.folds:
        assert not np.intersect1d(scenes[fold.train], scenes[fold.test]).size
    assert result.metrics["accuracy"].value > 0.706
