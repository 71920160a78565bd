"""What the text features of real captions are worth."""

import pytest

from bench import real_data as captions
from tests.heads.ablations import Asked

pytestmark = [pytest.mark.real, pytest.mark.slow]


def test_words_tell_of_engagement_and_lengths_add_nothing_to_them(real_data, tmp_path):
    loaded = captions.load(captions.CAPTIONS, real_data, tmp_path / "cache")
    table = loaded.table.select(["words:caption", "textstats:caption"])
    asked = {"values": list(loaded.labels), "task": "classification", "split": "stratified-kfold:5"}
    one = Asked(table, **asked)
    with one.journal(tmp_path / "run") as journal:
        one.run(journal)
        words, lengths = one.result(journal).players
    assert words.name == "words:caption"
    assert words.shapley.low > 0.05
    assert lengths.alone.low > 0
    assert lengths.last.low < 0.01
