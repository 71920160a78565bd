"""Names, tasks and options of heads."""

import pytest

from core.errors import UnknownName, UsageError
from heads.catalog import make_head
from heads.contract import Problem


def test_an_unknown_head_is_refused_with_a_near_name():
    with pytest.raises(UnknownName, match=r"head 'liner' is unknown; did you mean 'linear'\?"):
        make_head("liner", Problem("regression"))


def test_an_unknown_option_is_refused_with_a_near_name():
    with pytest.raises(UnknownName, match="option of head 'linear' 'penalti' is unknown"):
        make_head("linear", Problem("regression"), {"penalti": 1})


def test_options_may_be_texts_as_a_command_line_gives_them():
    head = make_head(
        "gbm", Problem("regression"), {"rounds": "30", "rate": "0.1", "leaves": "auto"}
    )
    assert head.describe() == {
        "rounds": 30, "rate": 0.1, "leaves": None, "leaf_rows": None, "columns": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("head", "option", "value", "text"),
    [
        ("linear", "penalty", 0, "penalty 0.0 is not above 0"),
        ("linear", "penalty", "nan", "penalty nan is not above 0"),
        ("linear", "balance", 2, "balance 2.0 is not in 0..1"),
        ("linear", "balance", None, "balance: None is not a number"),
        ("linear", "penalty", "much", "penalty: 'much' is not a number"),
        ("gbm", "rounds", "3.5", "rounds: '3.5' is not a whole number"),
        ("gbm", "rounds", 0, "rounds 0 is not 1 or more"),
        ("gbm", "rate", 0, "rate 0.0 is not in 0..1"),
        ("gbm", "leaves", 1, "leaves 1 is not 2 or more"),
        ("gbm", "leaf_rows", 0, "leaf_rows 0 is not 1 or more"),
        ("gbm", "columns", 1.5, "columns 1.5 is not in 0..1"),
    ],
)
def test_a_wrong_value_of_an_option_is_refused(head, option, value, text):
    with pytest.raises(UsageError) as raised:
        make_head(head, Problem("regression"), {option: value})
    assert str(raised.value) == f"head {head!r}: {text}"
