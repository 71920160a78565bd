"""What names of features stand for, whatever the columns of text are called."""

import re

import pytest

from core.errors import UnknownName, UsageError
from extract.catalog import resolve


@pytest.mark.parametrize(
    ("asked", "features"),
    [
        ("language", ("language:a/b", "language:a/b/scores")),
        ("language:a/b", ("language:a/b", "language:a/b/scores")),
        ("language:a/b/scores", ("language:a/b/scores",)),
        ("words:a/b", ("words:a/b",)),
    ],
)
def test_a_column_may_have_a_slash_in_its_name(asked, features):
    assert resolve([asked], parts=["text:a/b"]).features == features


def test_two_features_of_one_name_are_refused():
    parts = ["text:title", "text:title/scores"]
    with pytest.raises(UsageError, match="'language:title/scores' would stand for 2 things"):
        resolve(["language"], parts=parts)
    assert resolve(["words"], parts=parts).features == ("words:title", "words:title/scores")


@pytest.mark.parametrize(
    "name", ["motion:title", "motion@other", "words:other", "language/no", "knn"]
)
def test_a_name_that_no_feature_has_is_refused(name):
    with pytest.raises(UnknownName):
        resolve([name], parts=["video", "text:title"])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("meta", "own numbers and categories; there is nothing to extract"),
        ("meta:duration", "own numbers and categories; there is nothing to extract"),
        ("knn(motion/frames)", "neighbours by a feature; extract that one"),
    ],
)
def test_what_a_fit_has_of_itself_is_not_extracted(name, words):
    with pytest.raises(UsageError, match=re.escape(f"feature {name!r} is of fit-head: it ")) as got:
        resolve(["motion", name], parts=["video"])
    assert str(got.value).endswith(words)


def test_a_name_asked_for_twice_is_one_feature():
    assert resolve(["words", "words:title"], parts=["text:title"]).features == ("words:title",)
