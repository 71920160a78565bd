"""Published data sets from the command line: read, extracted, learnt from, predicted."""

import csv
import json

import numpy as np
import pytest

from tests.media.painted import paint

UCF = ("--source", "ucf101", "--features", "colour")


@pytest.fixture
def actions(tmp_path):
    """Give a tree of two classes, one bright, of 6 groups, with the first official lists."""
    tree, lists = tmp_path / "UCF-101", {"train": [], "test": []}
    for place, name in enumerate(("Archery", "Bowling")):
        (tree / name).mkdir(parents=True)
        for group in range(1, 7):
            path = f"{name}/v_{name}_g{group:02}_c01.avi"
            paint(tree / path, [60 + 100 * place + 4 * group] * 8)
            lists["test" if group < 3 else "train"].append(f"{path} {place + 1}")
    for part, lines in lists.items():
        (tmp_path / f"{part}list01.txt").write_text("\n".join(lines))
    return tree


def test_ucf101_is_learnt_on_an_official_split_and_predicted(run, actions):
    assert run("extract", actions, *UCF, "--cache", "cache").code == 0
    fit = ("--head", "linear", "--target", "class", "--split", "ucf101-1", "--out", "run")
    done = run("fit-head", actions, *UCF, *fit, "--cache", "cache", "--json")
    accuracy = json.loads(done.out)["metrics"]["accuracy"]
    assert (accuracy["value"], accuracy["n"]) == (1.0, 4)
    done = run("predict", "run", "--manifest", actions, "--cache", "cache", "--out", "p.csv")
    assert done.code == 0, done.err
    assert "Archery/v_Archery_g01_c01,Archery,OK," in (actions.parent / "p.csv").read_text()


def test_an_official_split_without_its_list_says_which_to_get(run, actions):
    done = run(
        "fit-head", actions, *UCF, "--head", "linear", "--target", "class", "--split", "ucf101-3"
    )
    assert done.code == 2
    assert "there are no official lists; put trainlist03.txt" in done.err


def test_smtpd_days_are_learnt_from_numbers_and_category(run, tmp_path):
    rng = np.random.default_rng(0)
    names = ["Comedy", "People  Blogs"]
    with (tmp_path / "smtpd.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([f"c{place}" for place in range(45)])
        for row in range(60):
            words = ["", "", "", "", f"user{row % 20}", names[row % 2], "title", "", ""]
            numbers = rng.normal(size=5).round(4).tolist()
            writer.writerow([f"v{row}", *words, *numbers, *np.linspace(3 + row % 2, 2, 30)])
    fit = ("--head", "linear", "--target", "p", "--features", "meta:f0,meta:category", "--json")
    done = run("fit-head", "smtpd.csv", "--source", "smtpd", *fit)
    answer = json.loads(done.out)
    assert answer["metrics"]["amae"]["value"] < 0.5 * answer["baselines"]["mean"]["amae"]["value"]


VIEWS = "id,v1,v2\na,1000,3000\nb,5,\n"


def test_views_become_popularity(run, tmp_path):
    (tmp_path / "views.csv").write_text(VIEWS)
    done = run("convert-views", "views.csv", "p.csv", "--views", "v", "--counts", "cumulative")
    assert (done.code, done.out) == (0, "2 rows, 1 cells without a count, in p.csv\n")
    lines = (tmp_path / "p.csv").read_text().splitlines()
    assert lines == ["id,p1,p2", "a,9.967226,10.551708", "b,2.584963,"]


def test_falling_counts_are_said(run, tmp_path):
    (tmp_path / "views.csv").write_text(VIEWS.replace("3000", "30"))
    options = ("--views", "v1..v2", "--counts", "cumulative", "--json")
    done = run("convert-views", "views.csv", "p.csv", *options)
    assert json.loads(done.out) == {"rows": 2, "days": 2, "gaps": 1, "falling": 1}
    assert "in 1 rows counts fall" in done.err


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("./views.csv", "views.csv is the table that is read"),
        ("p.parquet", "cannot be written; give the name of another table"),
    ],
)
def test_a_table_is_not_written_over_itself_nor_in_another_format(run, tmp_path, out, words):
    (tmp_path / "views.csv").write_text(VIEWS)
    done = run("convert-views", "views.csv", out, "--views", "v", "--counts", "cumulative")
    assert (done.code, (tmp_path / "views.csv").read_text()) == (2, VIEWS)
    assert words in done.err
