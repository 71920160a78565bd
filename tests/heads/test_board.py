"""Boards: who stands beside whom, in what order, how surely."""

import dataclasses

import numpy as np
import pytest

from core.errors import RunError, UnknownName
from core.files import write_json
from heads.runs.board import boards
from heads.runs.finding import find_runs
from heads.runs.reading import read_fit
from scoring.board_page import difference_text, render, seconds_text
from scoring.bootstrap import Score, score_regression
from scoring.report_scores import interval
from tests.heads.finished import FIT, finished
from tests.scoring.test_report import EVIL, Reader


def worse(result, noise, rows=None):
    """Return a fit whose predictions are disturbed, of all its rows or of some."""
    scored, kept = result.scored, np.arange(len(result.scored.ids)) if rows is None else rows
    spoilt = scored.predicted + np.random.default_rng(3).normal(scale=noise, size=len(scored.ids))
    names = [field.name for field in dataclasses.fields(scored)]
    parts = {name: getattr(scored, name) for name in names} | {"predicted": spoilt}
    taken = type(scored)(**{n: None if v is None else v[kept] for n, v in parts.items()})
    metrics = score_regression(taken.target, taken.predicted, seed=1)
    return dataclasses.replace(result, scored=taken, metrics=metrics)


@pytest.fixture
def runs(numbers, classes, tmp_path):
    """Give four fits of one target: two on all rows, one on half of them, one of classes."""
    half = np.arange(0, len(numbers.scored.ids), 2)
    for name, result in {
        "good": numbers,
        "bad": worse(numbers, 2.0),
        "half": worse(numbers, 0.1, half),
        "classes": classes,
    }.items():
        finished(tmp_path / name, result)
    return tmp_path


def names(board):
    return [entry.name for entry in board.entries]


def test_only_runs_on_the_same_rows_are_ranked_together(runs):
    made = boards(find_runs([runs]).fits)
    assert [(board.task, names(board)) for board in made] == [
        ("classification", ["classes"]),
        ("regression", ["good", "bad"]),
        ("regression", ["half"]),
    ]


def test_a_board_says_which_other_rows_its_target_was_scored_on(runs):
    _, whole, half = boards(find_runs([runs]).fits)
    assert whole.others[half.digest] == half.rows == 117
    assert half.others[whole.digest] == 117
    page = Reader(render([whole, half], [])).words
    assert f"other rows ({half.digest}, 117 of them among these)" in page


def test_the_difference_to_the_best_is_paired_and_signed(runs):
    _, board, _ = boards(find_runs([runs]).fits)
    best, second = board.entries
    assert best.gap is None
    assert second.gap.difference.value == pytest.approx(
        second.scores["srocc"].value - best.scores["srocc"].value
    )
    assert second.gap.difference.high < 0
    assert (best.standing, second.standing) == ("best", "worse")


def test_the_order_of_rows_in_a_file_does_not_matter(runs):
    place = runs / "bad" / "predictions.csv"
    header, *rows = place.read_text().splitlines()
    before = boards([read_fit(runs / "good"), read_fit(runs / "bad")])
    place.write_text("\n".join([header, *reversed(rows)]) + "\n")
    assert boards([read_fit(runs / "good"), read_fit(runs / "bad")]) == before


def test_where_less_is_better_the_least_comes_first(runs):
    made = boards(find_runs([runs]).fits, "mae")
    assert [board.metric for board in made] == ["accuracy", "mae", "mae"]
    assert names(made[1]) == ["good", "bad"]
    assert made[1].entries[1].gap.difference.value > 0
    assert made[1].entries[1].standing == "worse"


def test_equal_runs_are_level_and_an_undefined_score_comes_last(numbers, tmp_path):
    flat = np.zeros(len(numbers.scored.ids))
    constant = dataclasses.replace(
        numbers,
        scored=dataclasses.replace(numbers.scored, predicted=flat),
        metrics=score_regression(numbers.scored.target, flat, seed=1),
    )
    results = {"a": constant, "b": numbers, "c": numbers}
    fits = [read_fit(finished(tmp_path / name, result)) for name, result in results.items()]
    (board,) = boards(fits)
    assert names(board) == ["b", "c", "a"]
    assert [entry.standing for entry in board.entries] == ["best", "level", "undefined"]


def test_other_labels_of_the_same_rows_make_another_board(numbers, tmp_path):
    moved = dataclasses.replace(numbers.scored, target=numbers.scored.target + 1)
    relabelled = dataclasses.replace(numbers, scored=moved)
    pair = [finished(tmp_path / "a", numbers), finished(tmp_path / "b", relabelled)]
    assert len(boards([read_fit(folder) for folder in pair])) == 2


def test_a_metric_that_no_run_has_is_refused(runs):
    with pytest.raises(UnknownName, match="metric 'maee' is unknown; did you mean 'mae'"):
        boards(find_runs([runs]).fits, "maee")


def test_a_page_compares_every_metric_every_pair_and_the_settings(runs):
    made = boards(find_runs([runs / "good", runs / "bad"]).fits, detailed=True)
    details = made[0].details
    assert set(details.pairs) == {("bad", "good")}
    assert {metric for _, metric in details.by_metric} == set(made[0].entries[0].scores)
    assert len(details.disputed) == 8
    page = Reader(render(made, [], ["python cli.py leaderboard"]))
    assert "ecr: every metric" in page.words
    assert not page.open


def test_a_board_names_the_baselines_of_the_best_run_with_their_intervals(runs):
    (board,) = boards(find_runs([runs / "good", runs / "bad"]).fits)
    words = Reader(render([board], [])).words
    for name, scores in board.entries[0].baselines.items():
        assert f"baseline {name}" in words
        assert interval(scores["srocc"]) in words


def test_the_settings_that_differ_are_named(numbers, tmp_path):
    pair = [finished(tmp_path / n, numbers, config={"head": n, "seed": 0}) for n in ("x", "y")]
    (board,) = boards([read_fit(folder) for folder in pair], detailed=True)
    assert board.details.settings == {"head": ["x", "y"]}


def test_foreign_texts_become_no_tags_on_a_page(numbers, tmp_path):
    evil = EVIL.replace("/", "")
    fits = [
        read_fit(finished(tmp_path / evil / name, numbers, config={evil: name, "x": evil + name}))
        for name in ("run", "again", evil)
    ]
    lost = find_runs([finished(tmp_path / "lost", numbers, state="failed", error=EVIL)]).unranked
    page = Reader(render(boards(fits, detailed=True), lost, [EVIL]))
    assert "script" not in page.tags
    assert not any(name.startswith("on") for name, _ in page.attributes)
    assert not page.open
    assert page.words.count("<script>") >= 4


@pytest.mark.parametrize(
    ("change", "state", "why"),
    [
        ({"state": "running"}, "running", "it still runs, or was killed"),
        ({"state": "failed", "error": "full\ndisk"}, "failed", "it failed: full"),
        ({"state": "interrupted"}, "interrupted", "the same command"),
        ({"state": "done"}, "unreadable", "metrics.json"),
    ],
)
def test_runs_without_a_result_are_listed_with_their_state(change, state, why, tmp_path):
    write_json(tmp_path / "a" / "run.json", FIT | change)
    write_json(tmp_path / "b" / "run.json", FIT | {"command": "extract"})
    found = find_runs([tmp_path])
    (lost,) = found.unranked
    assert (lost.state, found.other) == (state, {"extract": 1})
    assert why in lost.why


def test_a_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(RunError, match="is no run folder and holds none"):
        find_runs([tmp_path])


def test_a_run_that_is_named_twice_stands_once(runs):
    assert len(find_runs([runs / "good", runs, runs / "good"]).fits) == 4


@pytest.mark.parametrize(
    ("score", "shown"),
    [
        (Score(-0.05, -0.1, 0.00003, 9), ("-0.050", "[-0.100, +0.000]")),
        (Score(0.001, 0.0005, 0.002, 9), ("+0.00100", "[+0.00050, +0.00200]")),
        (Score(123.4, -5.0, 200.0, 9), ("+123.4", "[-5.0, +200.0]")),
        (Score(np.nan, np.nan, np.nan, 9), ("undefined", "no interval")),
    ],
)
def test_a_difference_and_its_interval_have_the_same_places(score, shown):
    assert difference_text(score) == tuple(text.replace("-", "\N{MINUS SIGN}") for text in shown)


def test_durations_are_read_in_seconds_and_minutes():
    assert [seconds_text(s) for s in (None, 0, 65, 600)] == ["", "< 1 s", "65 s", "10 min"]


def test_runs_that_draw_other_groups_are_compared_by_both(numbers, tmp_path):
    rows = len(numbers.scored.ids)
    author = np.array([f"a{row // 4}" for row in range(rows)])
    twins = np.array([f"t{row // 6}" if row % 6 else "" for row in range(rows)])
    gaps = []
    for name, groups in {"ab": (author, twins), "ba": (twins, author)}.items():
        for which, group in zip(("good", "bad"), groups, strict=True):
            made = worse(numbers, 0.0 if which == "good" else 1.0)
            scored = dataclasses.replace(made.scored, group=group)
            finished(tmp_path / name / which, dataclasses.replace(made, scored=scored))
        (board,) = boards(find_runs([tmp_path / name]).fits)
        gaps.append(board.entries[1].gap.difference)
    assert (gaps[0].low, gaps[0].high) == (gaps[1].low, gaps[1].high)
