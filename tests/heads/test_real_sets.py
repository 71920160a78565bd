"""What is claimed of real clips and captions, held against the baselines that the data states."""

import numpy as np
import pytest

from bench import real_data as sets

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture
def loaded(request, real_data, tmp_path):
    return sets.load(request.param, real_data, tmp_path)


@pytest.mark.parametrize("loaded", [sets.CAPTIONS], indirect=True)
def test_captions_are_told_apart_no_worse_than_by_tfidf(loaded):
    result = sets.fit(loaded, sets.TEXT, "linear")
    shares = sets.tfidf_shares(loaded, result)
    assert shares.sum(axis=1).min() == 1
    for metric in sets.METRICS:
        assert sets.paired(loaded, result, shares, metric).better != "second"
    assert result.metrics["f1_weighted"].value > 0.494


@pytest.mark.parametrize("loaded", [sets.EMOTION], indirect=True)
def test_emotions_of_unseen_actors_are_heard_better_than_by_the_cepstrum_alone(loaded):
    result = sets.fit(loaded, sets.AUDIO, "linear")
    assert len(result.folds) == 10
    assert result.metrics["accuracy"].value > 0.517
    shares = sets.cepstrum_shares(loaded, result)
    assert sets.paired(loaded, result, shares, "accuracy").better == "first"


@pytest.mark.parametrize("loaded", [sets.FIGHT], indirect=True)
def test_fights_in_unseen_scenes_are_told_by_motion(loaded):
    result = sets.fit(loaded, ["motion"], "linear")
    scenes = loaded.table.author
    for fold in result.folds:
        assert not np.intersect1d(scenes[fold.train], scenes[fold.test]).size
    assert result.metrics["accuracy"].value > 0.706
