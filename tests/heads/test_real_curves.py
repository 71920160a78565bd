"""Heads on real curves, beside the ridge baselines that the data's README states."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from heads.fit import fit_head
from scoring.compare import compare
from tests.heads.tables import config, make_column, make_table

NUMBERS = ("duration_s", "channel_subscribers", "channel_videos", "channel_views", "title_len")


@pytest.fixture(scope="module")
def curves(real_data):
    with (real_data / "timeseries" / "yt_trending2021_22d.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [row for row in rows if all(row[f"p{day}"] for day in range(1, 23))]


def columns_of(rows, names):
    return [make_column(f"meta:{name}", [float(row[name] or 0) for row in rows]) for name in names]


def fit(rows, names, first_day, head="linear", **others):
    days = np.array([[float(row[f"p{day}"]) for day in range(first_day, 23)] for row in rows])
    category = make_column("meta:category", [row["category"] for row in rows])
    author = np.array([row["user_id"] for row in rows])
    table = make_table(*columns_of(rows, names), category, author=author)
    observed = ("meta:p1",) if "p1" in names else ()
    asked = config(head, "sequence", split="author-kfold:5", observed=observed, **others)
    target = replace(asked.target, column=f"p{first_day}..p22")
    return fit_head(table, list(days), replace(asked, target=target))


@pytest.mark.real
def test_curves_without_their_first_day_are_met_as_well_as_the_baseline(curves):
    result = fit(curves, [*NUMBERS, "first_day"], first_day=1)
    assert result.metrics["amae"].value < 1.118 * 1.01
    assert result.metrics["asrc"].value > 0.698 - 0.005
    assert 0.88 < result.interval["covered"] < 0.92


@pytest.mark.real
def test_curves_after_their_first_day_are_met_as_well_as_the_baseline(curves):
    result = fit(curves, [*NUMBERS, "first_day", "p1"], first_day=2)
    assert result.metrics["amae"].value < 0.231 * 1.02
    assert result.metrics["asrc"].value > 0.983 - 0.001


@pytest.mark.real
def test_the_baselines_of_the_real_curves_are_those_of_their_readme(curves):
    result = fit(curves, ["first_day", "p1"], first_day=2)
    persistence, observed = result.baselines["persistence"], result.baselines["observed"]
    assert persistence["amae"].value == pytest.approx(1.229, abs=0.001)
    assert persistence["asrc"].value == pytest.approx(0.924, abs=0.001)
    assert result.metrics["amae"].value < observed["amae"].value < persistence["amae"].value


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.parametrize("head", ["lstm", "mlp", "gbm"])
def test_networks_and_trees_are_below_ridge_once_the_first_day_is_known(curves, head):
    ridge, learnt = (
        fit(curves, [*NUMBERS, "first_day", "p1"], first_day=2, head=name, fold=1)
        for name in ("linear", head)
    )
    assert learnt.metrics["amae"].value < 0.97 * ridge.metrics["amae"].value


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.parametrize("head", ["knn", "blend"])
def test_neighbours_meet_curves_after_their_first_day_better_than_a_line(curves, head):
    names = [*NUMBERS, "first_day", "p1"]
    found = fit(curves, names, first_day=2, head=head, fold=1)
    line = fit(curves, names, first_day=2, fold=1)
    both = (found.scored.predicted, line.scored.predicted)
    judged = compare("amae", found.scored.target, both, seed=0, groups=found.scored.group)
    assert found.metrics["amae"].value < 0.21
    assert judged.better == "first"
