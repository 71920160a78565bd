"""The page of a run, made from its folder."""

import re
from dataclasses import replace

import numpy as np
import pytest

from heads.fit import fit_head
from heads.runs.account import rows_of
from heads.runs.reading import read_fit
from heads.runs.report import Outside, shown_rows, write_run_report
from heads.tuning.trials import Tuning
from scoring.report_data import Strip
from scoring.report_scores import interval, number
from tests.heads.finished import finished
from tests.heads.tables import config, make_column, make_table, plant
from tests.scoring.test_report import EVIL, Reader


def page_of(folder, outside=None, count=6):
    run = read_fit(folder)
    return write_run_report(run, shown_rows(run, count), outside).read_text()


EVERYWHERE = {
    "Scores", "Pictures", "Where it errs most", "Where it is nearest", "What it looks at",
    "Coverage", "What became of the rows", "What was done", "How to repeat it",
}  # fmt: skip


@pytest.mark.parametrize(
    ("task", "sections", "plots"),
    [
        ("numbers", set(), {"predicted_and_true", "residuals", "levels"}),
        ("classes", {"Class by class"}, {"confusion", "calibration", "classes"}),
        ("sequences", {"Day by day"}, {"steps"}),
    ],
)
def test_each_task_has_its_sections_and_plots(task, sections, plots, request, tmp_path):
    page = page_of(finished(tmp_path, request.getfixturevalue(task)))
    assert sections | EVERYWHERE <= set(re.findall("<h2>(.*?)</h2>", page))
    pictures = list((tmp_path / "plots").iterdir())
    assert {path.stem for path in pictures} == plots | {"baselines", "history"}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)
    assert page.count("data:image/png;base64") == len(pictures)


def test_names_texts_and_ids_from_anybody_are_escaped(planted, tmp_path):
    table = make_table(planted.columns["motion"], make_column(EVIL, np.arange(240)))
    table.ids[:] = [f"{EVIL}{row}"[:200] for row in range(240)]
    folder = finished(tmp_path, fit_head(table, list(planted.target), config(split="kfold:3")))
    texts = {name: {EVIL: EVIL} for name in table.ids.tolist()}
    strips = {name: Strip(b"\xff\xd8", EVIL) for name in table.ids.tolist()}
    seen = Reader(page_of(folder, Outside(texts, strips, (EVIL,))))
    assert "script" not in seen.tags
    assert not any(name.startswith("on") for name, _ in seen.attributes)
    assert not seen.open


@pytest.mark.parametrize("task", ["numbers", "classes", "sequences"])
def test_every_score_and_baseline_stands_with_its_interval(task, request, tmp_path):
    result = request.getfixturevalue(task)
    words = Reader(page_of(finished(tmp_path, result))).words
    for scores in (result.metrics, *result.baselines.values()):
        for score in scores.values():
            assert number(score.value) in words
            assert interval(score) in words or not np.isfinite(score.value)


def test_the_page_names_nothing_outside_itself(classes, tmp_path):
    page = re.sub('data:[^"]*', "", page_of(finished(tmp_path, classes)))
    assert not re.search(r"https?:|//|url\(|@import|<script|<link", page)


def test_rows_of_a_sequence_show_their_curves(sequences, tmp_path):
    page = page_of(finished(tmp_path, sequences), count=4)
    assert page.count('<svg class="curves"') == 8
    assert page.count("Lines: the true curve; dashed, the predicted one.") == 2


def test_the_page_shows_strips_and_words_or_the_reason(numbers, tmp_path):
    folder = finished(tmp_path, numbers)
    shown = shown_rows(read_fit(folder), 6)
    worst, best = (str(numbers.scored.ids[rows[0]]) for rows in (shown.worst, shown.best))
    strips = {worst: Strip(b"\xff\xd8\xff", "5 frames"), best: Strip(b"", "no frames: corrupt")}
    page = page_of(folder, Outside({worst: {"title": "a title"}}, strips))
    assert 'alt="5 frames" src="data:image/jpeg;base64' in page
    assert "no frames: corrupt" in page
    assert "a title" in page


def test_the_page_says_what_a_reader_must_know(numbers, tmp_path, planted):
    page = page_of(finished(tmp_path / "whole", numbers))
    assert "Intervals are meant to cover 90% of rows; they cover" in page
    assert "6 rows have no label and were left out." in page
    quick = fit_head(planted, list(planted.target), config("mean", split="kfold:3", fold=1))
    assert "a quick look, not a result" in page_of(finished(tmp_path / "quick", quick))


def test_the_page_says_how_to_repeat_the_run_and_what_became_of_rows(numbers, tmp_path):
    words = Reader(page_of(finished(tmp_path, numbers))).words
    assert "python cli.py fit-head 'my videos.csv' --head linear" in words
    assert "fitted in 7 s" in words
    assert re.search(r"in the table\s*242\s*left out as bad rows \(--skip-bad-rows\)\s*2", words)
    assert re.search(r"left out without a label\s*6\s*scored\s*234", words)


def test_a_class_shows_how_probable_it_was_said_to_be(classes, tmp_path):
    words = Reader(page_of(finished(tmp_path, classes))).words
    assert re.search(r"true(up|down) \(\d+\.\d%\)predicted(up|down) \(\d+%\)", words)


def test_the_same_folder_gives_the_same_page(classes, tmp_path):
    folder = finished(tmp_path, classes)
    assert page_of(folder) == page_of(folder)


def test_the_page_says_what_the_split_lets_through_and_how_errors_spread(numbers, tmp_path):
    words = Reader(page_of(finished(tmp_path, numbers))).words
    assert "Between the parts of the split: no leaks found; looked for: same author" in words
    assert re.search(r"How errors spread.*author\s*8", words, re.DOTALL)


def test_the_page_has_the_defaults_and_the_best_trials_of_each_fold(planted, tmp_path):
    asked = config("linear", split="kfold:2", features=("motion",), tuning=Tuning(6))
    result = fit_head(planted, list(planted.target), asked)
    words = Reader(page_of(finished(tmp_path, result))).words
    tables = re.search(r"Which options were tried(.*?)What", words, re.DOTALL)[1]
    assert tables.count("balance") == 8
    assert re.search(r"fold1\s*0\s*\d+\.\d+\s*balance 1\s", tables)


def test_rows_add_up_where_quantiles_of_folds_differ(tmp_path):
    table = plant(rows=60)
    scale = {"quantiles": (0.33, 0.67)}
    for seed in range(4):
        asked = config("mean", "classification", split="kfold:5", scale=scale, features=("motion",))
        split = replace(asked.split, seed=seed)
        result = fit_head(table, list(table.target), replace(asked, split=split))
        account = rows_of(read_fit(finished(tmp_path / str(seed), result)))
        rest = {name: count for name, count in account.items() if name != "in the table"}
        assert min(rest.values()) > 0
        assert account["in the table"] == sum(rest.values()) == 62
