"""The page of a run: whole, alone, escaped."""

import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from core.errors import StorageError
from scoring import page
from scoring.bootstrap import Score
from scoring.classification import ClassScore
from scoring.decades import Decade
from scoring.report import extremes, render, write_report
from scoring.report_data import Example, Gaps, ReportData, Steps, Strip, Tried
from scoring.report_scores import number
from scoring.spread import GroupError, Spread

EVIL = "<script>alert('x')</script>\"&'><img src=x onerror=y>"
UNDEFINED = Score(math.nan, math.nan, math.nan, 9)


class Reader(HTMLParser):
    """Collects what a browser would see: tags, and attributes beside them."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self, source: str):
        super().__init__()
        self.tags, self.open, self.attributes, self.words = [], [], [], ""
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data


def report(word: str = "plain", **other) -> ReportData:
    example = Example(word, word, word, 0.5, {word: word}, Strip(b"\xff\xd8", word))
    unseen = Example(word, word, word, 0.5, strip=Strip(b"", word))
    score = Score(0.5, 0.4, 0.6, 9)
    parts = {
        "title": word,
        "facts": {word: word},
        "scores": {"srocc": score, word: UNDEFINED},
        "baselines": {word: {"srocc": score}},
        "subtitle": word,
        "forest": b"\x89PNG",
        "coverage": {word: Gaps(3, {word: 1}, {"corrupt": 2}, 4), "none": Gaps(0)},
        "plots": {word: b"\x89PNG"},
        "classes": [ClassScore(word, 0.5, 0.5, 0.5, math.nan, 9)],
        "spread": {word: Spread(9, 0.5, 0.4, (GroupError(word, 0.9, 7),))},
        "tried": [Tried(word, 3, 0.25, word, chosen=True), Tried(word, 0, math.nan, word, False)],
        "steps": Steps([word], np.array([1.0]), np.array([math.nan])),
        "decades": [Decade(1e6, 1e7, 0.5, 1234)],
        "importances": {word: 0.7, "rest": 0.3},
        "rows": {word: 9},
        "repeat": {word: [word]},
        "best": [example],
        "worst": [example, unseen],
        "notes": [word],
        "error_name": word,
    }
    return ReportData(**{**parts, **other})


def test_foreign_texts_become_no_tags_and_no_attributes():
    evil, plain = Reader(render(report(EVIL))), Reader(render(report()))
    assert evil.tags == plain.tags
    assert "script" not in evil.tags
    assert not any(name.startswith("on") for name, _ in evil.attributes)
    assert evil.words.count(EVIL) >= 20
    assert not evil.open


def test_the_page_loads_nothing_from_elsewhere():
    source = render(report())
    assert not re.search(r"(src|href)=\"(?!data:)", source)
    assert "url(" not in source
    assert "default-src 'none'" in source
    assert 'name="viewport"' in source
    assert "@media print" in source


def test_cells_of_wide_tables_say_their_column_where_headings_have_no_room():
    columns = [(name, "") for name in ("", "mean", '"', "d")]
    cells = [page.head(page.text("row")), *[page.cell(page.text("x"), "number")] * 3]
    wide, narrow = (Reader(page.table(columns[:n], [cells[:n]])) for n in (4, 3))
    assert [v for name, v in wide.attributes if name == "data-column"] == ["mean", '"', "d"]
    assert ("class", "wide stack") in wide.attributes
    assert "data-column" not in dict(narrow.attributes)


def lines(curve):
    """Return what is drawn of a curve: the true line and the predicted one."""
    drawn = render(report(best=[Example("x", "", "", 0.5, curve=curve)], worst=[]))
    return re.findall('<path class="(?:true|said)" d="(.*?)"', drawn)


def test_a_row_of_a_sequence_shows_both_curves_broken_at_gaps():
    true, said = lines([(0.0, 1.0), (1.0, 1.0), (math.nan, 0.5), (2.0, 0.0), (2.0, 2.0)])
    assert true == "M0.0,30.0 L25.0,15.0 M75.0,0.0 L100.0,0.0"
    assert said == "M0.0,15.0 L25.0,15.0 L50.0,22.5 L75.0,30.0 L100.0,0.0"


def test_a_curve_that_is_flat_unknown_or_one_step_has_a_page():
    assert lines([(1.0, 1.0), (1.0, 1.0)]) == ["M0.0,30.0 L100.0,30.0"] * 2
    assert lines([(math.nan, math.nan)] * 2) == lines([(1.0, 2.0)]) == []


def test_features_that_make_up_nothing_are_counted_and_not_listed():
    words = Reader(render(report(importances={"much": 0.9997, "next": 0.0003, "none": 0.0}))).words
    assert "much" in words
    assert "next" not in words
    assert "2 smaller ones are not shown." in words


def test_errors_stand_by_how_many_had_watched():
    words = Reader(render(report())).words
    assert re.search(r"1,000,000 to 10,000,000\s*1,234\s*0.500", words)


def test_what_is_shown_in_place_of_frames_is_said():
    strip = Strip(b"\xff\xd8", "alt", "its cover; no frames: FAILED corrupt")
    words = Reader(render(report(best=[Example("x", "", "", 0.5, strip=strip)]))).words
    assert "its cover; no frames: FAILED corrupt" in words


def test_undefined_and_lacking_scores_say_so_and_nan_is_never_shown():
    words = Reader(render(report())).words
    assert "undefined" in words
    assert "\N{EN DASH}" in words
    assert "nan" not in words.lower()


def test_an_empty_run_still_has_a_page():
    words = Reader(render(ReportData("a run", {}, {}))).words
    assert "a run" in words
    assert "Coverage" not in words


def test_lone_surrogates_and_control_signs_do_not_stop_the_page(tmp_path):
    place = write_report(tmp_path, report("a\ud800\x00\x1bb"))
    assert place == tmp_path / "report.html"
    assert "a?b" in place.read_text(encoding="utf-8")


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="could not be written"):
        write_report(tmp_path / "file", report())


def test_a_dollar_in_a_title_is_a_dollar():
    assert "$title ${x}" in page.page("$title ${x}", page.Html(""))


def test_the_best_and_the_worst_rows_never_meet():
    best, worst = extremes(np.array([3.0, 1.0, 2.0, 5.0, 1.0]), count=2)
    assert best.tolist() == [1, 4]
    assert worst.tolist() == [3, 0]
    best, worst = extremes(np.array([1.0, 1.0, 1.0]), count=8)
    assert sorted([*best, *worst]) == [0, 1, 2]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.12345, "0.123"),
        (-12.346, "\N{MINUS SIGN}12.35"),
        (1234.56, "1234.6"),
        (1e-7, "1e-07"),
        (3e7, "3e+07"),
        (0.0, "0.000"),
        (1e-17, "0.000"),
        (math.nan, "undefined"),
        (math.inf, "undefined"),
    ],
)
def test_numbers_show_the_digits_that_count(value, shown):
    assert number(value) == shown
