"""The texts of errors: near names, all problems at once, exit codes."""

from core.errors import (
    CacheError,
    ConfigError,
    FitError,
    ProjectError,
    TableError,
    UnknownName,
    UsageError,
)


def test_an_unknown_name_offers_near_names():
    error = UnknownName("feature", "timesfomer", ["timesformer", "videomae"], "List: features")
    assert str(error) == (
        "feature 'timesfomer' is unknown; did you mean 'timesformer'? List: features"
    )


def test_a_name_that_is_near_nothing_lists_what_is_known():
    assert "known: a, b" in str(UnknownName("head", "zzzzz", ["b", "a"]))


def test_an_unknown_name_among_none_says_so():
    assert "there are none" in str(UnknownName("run", "x", []))


def test_a_table_error_lists_every_problem_up_to_twenty():
    text = str(TableError("t.csv", [f"line {n}: bad" for n in range(25)], "mend them"))
    assert text.startswith("t.csv: 25 problems")
    assert "line 19: bad" in text
    assert "line 20: bad" not in text
    assert "and 5 more" in text
    assert text.endswith("mend them")


def test_misuse_ends_with_two_and_failure_with_one():
    assert {e.exit_code for e in (UsageError, UnknownName, ConfigError, TableError)} == {2}
    assert {e.exit_code for e in (ProjectError, CacheError, FitError)} == {1}
