"""The report of a run: written by fit-head, written again by `report`."""

import json
import re
import shutil

import pytest

from tests.commands.test_flow import FIT

PICTURES = "data:image/jpeg;base64"


@pytest.fixture(scope="module")
def fitted(run_all, clips, tmp_path_factory):
    """Give a folder with one run, of a table that lies in it."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(clips.folder, home / "corpus")
    table = (home / "corpus" / "videos.csv", *clips.columns, "--cache", home / "cache")
    run_all(home, "extract", *table, "--features", "colour", "--out", "extracted")
    fit = (*FIT, "--target", "ecr", "--split", "kfold:5", "--open-samples", 2, "--out", "run")
    run_all(home, "fit-head", *table, *fit)
    return home


@pytest.fixture
def home(fitted, tmp_path):
    return shutil.copytree(fitted, tmp_path / "home")


def test_fit_head_leaves_a_report_with_frames_and_titles(fitted):
    page = (fitted / "run" / "report.html").read_text()
    assert page.count(PICTURES) == 4
    assert re.search(r"<bdi>clip \d+</bdi>", page)


def test_report_writes_the_same_page_again(run, fitted, home):
    before = (home / "run" / "report.html").read_text()
    done = run("report", home / "run", "--open-samples", 2)
    place = home / "run" / "report.html"
    assert (done.code, done.out) == (0, f"report {place}\n")
    again = place.read_text()
    assert without_paths(again) == without_paths(before)


def without_paths(page):
    return re.sub(r"--config \S+|report \S+", "", page)


def test_report_opens_as_many_samples_as_asked(run, home):
    answer = json.loads(run("report", home / "run", "--open-samples", 8, "--json").out)
    assert answer == {"report": str(home / "run" / "report.html")}
    assert (home / "run" / "report.html").read_text().count(PICTURES) == 16


def says_its_table_is(name, home):
    record = json.loads((home / "run" / "run.json").read_text())
    record["config"]["manifest"] = name
    (home / "run" / "run.json").write_text(json.dumps(record))


def test_a_table_is_found_from_any_folder(run, home, tmp_path):
    says_its_table_is("corpus/videos.csv", home)
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "videos.csv").write_text("id,video,ecr\nanother,x.mp4,1\n")
    assert run("report", home / "run", "--open-samples", 2).code == 0
    assert (home / "run" / "report.html").read_text().count(PICTURES) == 4


def test_a_run_outside_the_folder_it_was_started_in_finds_its_table(
    run, home, tmp_path, monkeypatch
):
    monkeypatch.chdir(home)
    table = ("corpus/videos.csv", "--columns", "id=id,video=video,text=title")
    fit = ("--head", "mean", "--target", "ecr", "--features", "colour", "--open-samples", 0)
    assert (
        run("fit-head", *table, *fit, "--cache", "cache", "--out", tmp_path / "far/run").code == 0
    )
    monkeypatch.chdir(tmp_path)
    (tmp_path / "far/corpus").mkdir()
    (tmp_path / "far/corpus/videos.csv").write_text("id,video,ecr\nanother,x.mp4,1\n")
    assert run("report", tmp_path / "far/run", "--open-samples", 1).code == 0
    assert (tmp_path / "far/run/report.html").read_text().count(PICTURES) == 2


def test_of_a_copy_and_a_changed_original_the_table_that_was_learnt_is_read(run, home, tmp_path):
    shutil.copytree(home, tmp_path / "copy")
    record = json.loads((home / "run" / "run.json").read_text())
    record["config"]["manifest"], record["data"]["started_in"] = "corpus/videos.csv", str(home)
    (tmp_path / "copy/run/run.json").write_text(json.dumps(record))
    (home / "corpus/videos.csv").write_text("id,other\nv1,2\n")
    assert run("report", tmp_path / "copy/run", "--open-samples", 1).code == 0
    page = (tmp_path / "copy/run/report.html").read_text()
    assert (page.count(PICTURES), "has changed since" in page) == (2, False)


def test_a_page_stays_where_its_table_is_gone(run, home):
    says_its_table_is("gone.csv", home)
    before = (home / "run" / "report.html").read_bytes()
    done = run("report", home / "run")
    assert (done.code, done.out) == (1, "")
    assert "stays as it was" in done.err
    assert "table gone.csv does not exist" in done.err
    assert (home / "run" / "report.html").read_bytes() == before


def test_a_table_that_is_gone_costs_texts_and_frames_only(run, home, fitted):
    says_its_table_is("gone.csv", home)
    done = run("report", home / "run", "--open-samples", 0)
    page = (home / "run" / "report.html").read_text()
    assert done.code == 0
    assert "no texts and no frames" in done.err
    assert "The table could not be read: there are no texts and no frames." in page


def test_a_table_that_was_moved_is_named(run, home):
    moved = (home / "corpus").rename(home / "elsewhere") / "videos.csv"
    assert run("report", home / "run", "--manifest", moved, "--open-samples", 1).code == 0
    page = (home / "run" / "report.html").read_text()
    assert PICTURES in page
    assert "has changed since" not in page


def test_a_table_that_has_changed_is_said_on_the_page(run, home):
    table = home / "corpus" / "videos.csv"
    table.write_text(table.read_text().replace("clip ", "<script>"))
    assert run("report", home / "run", "--manifest", table, "--open-samples", 0).code == 0
    page = (home / "run" / "report.html").read_text()
    assert "<bdi>&lt;script&gt;" in page
    assert "The table has changed since: texts and frames are of today." in page
    assert "<script>" not in page


def test_a_table_of_other_rows_is_refused(run, home):
    (home / "other.csv").write_text("id,video,title,author,ecr,duration\nx,,t,a,1,2\n")
    done = run("report", home / "run", "--manifest", home / "other.csv")
    assert done.code == 2
    assert "has none of the rows" in done.err


def test_few_scored_rows_are_said_at_the_top_of_the_page(run, clips, tmp_path):
    table = (clips.table, "--columns", "id=id,number=p1", "--features", "meta:p1")
    fit = ("--head", "linear", "--target", "ecr", "--split", "kfold:10", "--fold", 1)
    done = run("fit-head", *table, *fit, "--out", "few", "--open-samples", 0)
    said = "rows scored: 4; so few are not a measurement, and give no interval"
    assert f"{said}; --split kfold:5 scores every row" in done.err
    assert "[undefined, undefined] 4" in done.out
    page = (tmp_path / "few" / "report.html").read_text()
    assert 0 < page.index(said) < page.index("<section>")


def test_a_run_that_is_no_fit_is_refused(run, home):
    done = run("report", home / "extracted")
    assert done.code == 1
    assert "is a run of 'extract', not of fit-head" in done.err


def test_runs_that_are_no_fits_are_left_out_of_a_comparison_and_said(run, home):
    done = run("report", home / "run", home / "extracted", "--out", home / "page.html")
    assert (done.code, "1 runs of extract are not shown" in done.err) == (0, True)
    assert (home / "page.html").is_file()


def test_a_comparison_takes_no_table(run, home):
    done = run("report", home / "run", home / "run", "--root", home, "--out", home / "page.html")
    assert (done.code, "--root go with one run" in done.err) == (2, True)


def test_a_comparison_of_no_fit_is_refused_and_writes_no_page(run, home):
    shutil.copytree(home / "extracted", home / "again")
    done = run("report", home / "extracted", home / "again", "--out", home / "page.html")
    assert (done.code, (home / "page.html").exists()) == (1, False)
    assert "no finished run of fit-head to compare: 2 runs of extract" in done.err
