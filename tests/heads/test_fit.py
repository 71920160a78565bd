"""The fold rule: who learns, who chooses, who judges, and what becomes of rows without a label."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from core.errors import FitError, UnknownName, UsageError
from heads.fit import divide, fit_head
from heads.gather import coverage_of
from tests.heads.tables import config, make_column, make_table, raw


def test_every_labelled_row_is_scored_exactly_once_over_k_folds(numbers, planted):
    labelled = planted.ids[[cell is not None for cell in raw(planted)]]
    np.testing.assert_array_equal(numbers.scored.ids, labelled)
    assert numbers.rows == {"labelled": 234, "unlabelled": 6, "middle": 0, "scored": 234}
    assert {score.n for score in numbers.metrics.values()} == {234}


def test_one_fold_scores_its_test_rows_only(classes):
    test = classes.folds[0].test
    np.testing.assert_array_equal(classes.scored.ids, classes.ids[test])
    assert classes.rows["scored"] == len(test) < classes.rows["labelled"] == 240


def test_targets_of_scored_rows_are_those_of_the_table(numbers, planted):
    by_id = dict(zip(planted.ids, planted.target, strict=True))
    expected = [by_id[name] for name in numbers.scored.ids]
    np.testing.assert_array_equal(numbers.scored.target, expected)


def test_the_head_beats_all_baselines_on_a_planted_signal(numbers):
    assert list(numbers.baselines) == ["mean", "category", "metadata"]
    head = numbers.metrics["rmse"].value
    assert head < 0.6 * numbers.baselines["metadata"]["rmse"].value
    assert numbers.baselines["metadata"]["rmse"].value < numbers.baselines["mean"]["rmse"].value


def test_there_is_no_metadata_baseline_where_it_is_the_head_itself(planted):
    own = config("linear", features=("meta:likes", "meta:category"))
    assert list(fit_head(planted, raw(planted), own).baselines) == ["mean", "category"]


def test_there_is_no_metadata_baseline_where_metadata_is_constant(planted):
    table = make_table(planted.columns["motion"], make_column("meta:likes", np.ones(240)))
    result = fit_head(table, raw(planted), config(split="kfold:3"))
    assert list(result.baselines) == ["mean"]


def test_columns_of_the_baseline_are_not_learnt_from(planted):
    result = fit_head(planted, raw(planted), config(features=("motion",)))
    assert [spec.name for spec in result.bundle.features] == ["motion"]
    assert set(result.coverage) == {"motion"}
    assert "metadata" in result.baselines


def test_the_bundle_is_fitted_with_the_medians_of_the_folds(numbers):
    chosen = [row["fold"] for row in numbers.history]
    assert set(chosen) == {"fold1", "fold2", "fold3", "fold4"}
    best = [
        min((row for row in numbers.history if row["fold"] == fold), key=lambda row: row["loss"])
        for fold in sorted(set(chosen))
    ]
    assert numbers.chosen["penalty"] == np.median([row["penalty"] for row in best])


def test_intervals_cover_about_the_level(numbers):
    assert numbers.interval["level"] == 0.9
    assert 0.82 < numbers.interval["covered"] < 0.98
    assert (numbers.scored.low < numbers.scored.high).all()
    assert coverage_of(numbers.scored, 0.9) == numbers.interval


def test_classes_have_probabilities_and_no_interval(classes):
    assert classes.bundle.classes == ("down", "up")
    assert classes.scored.probabilities.shape == (len(classes.scored.ids), 2)
    assert set(classes.scored.predicted) <= {"down", "up"}
    assert classes.scored.low is classes.interval is None
    assert classes.metrics["accuracy"].value > 0.7


def test_sequences_skip_gaps_and_have_intervals_for_each_step(sequences):
    assert sequences.scored.target.shape == sequences.scored.low.shape == (240, 3)
    assert np.isnan(sequences.scored.target).sum() == 22
    assert sequences.metrics["asrc"].value > 0.8
    assert 0.85 < sequences.interval["covered"] < 0.95


def test_the_order_of_rows_changes_no_prediction(numbers, planted):
    order = np.random.default_rng(0).permutation(len(planted))
    cells = raw(planted)
    turned = fit_head(planted.take(order), [cells[row] for row in order], numbers.config)
    assert turned.split_digest == numbers.split_digest
    back = np.argsort(turned.scored.ids)
    np.testing.assert_allclose(
        turned.scored.predicted[back], numbers.scored.predicted, atol=1e-6
    )  # the sums of floats differ in their last digits


def test_the_same_seed_gives_the_same_result_bit_for_bit(numbers, planted):
    again = fit_head(planted, raw(planted), numbers.config)
    assert again.metrics == numbers.metrics
    np.testing.assert_array_equal(again.scored.predicted, numbers.scored.predicted)


def test_rows_of_the_test_part_do_not_reach_the_scalers(planted):
    asked = config(split="random:0.6,0.2,0.2", features=("motion",))
    first = fit_head(planted, raw(planted), asked)
    strange = np.isin(planted.ids, first.scored.ids[1:])
    motion = planted.columns["motion"]
    values = np.where(strange[:, None], 1e6, motion.values)
    table = make_table(make_column("motion", values, motion.present), author=planted.author)
    second = fit_head(table, raw(planted), asked)
    assert second.scored.predicted[0] == pytest.approx(first.scored.predicted[0], rel=1e-12)


def test_only_one_fold_may_be_asked_for(planted):
    result = fit_head(planted, raw(planted), config(fold=2))
    assert set(result.scored.fold) == {"fold2"}
    with pytest.raises(UsageError, match=r"fold 5 is not in 1\.\.4, the folds of author-kfold:4"):
        fit_head(planted, raw(planted), config(fold=5))


def test_refitting_learns_from_validation_rows_too(planted):
    asked = config(split="random:0.3,0.5,0.2", features=("motion",))
    once = fit_head(planted, raw(planted), asked)
    twice = fit_head(planted, raw(planted), replace(asked, refit=True))
    assert twice.chosen == once.chosen
    assert twice.metrics["rmse"].value != once.metrics["rmse"].value
    assert twice.bundle.intervals.to_json() == once.bundle.intervals.to_json()


def test_middle_rows_are_dropped_and_counted(planted):
    scale = {"quantiles": (0.33, 0.67)}
    asked = config("linear", "classification", split="kfold:3", scale=scale)
    result = fit_head(planted, raw(planted), asked)
    assert result.bundle.classes == ("low", "high")
    assert result.rows["middle"] == pytest.approx(234 / 3, abs=3)
    assert result.rows["labelled"] + result.rows["middle"] == 234
    assert result.metrics["accuracy"].value > 0.9


def test_the_popularity_split_draws_middle_rows_apart(planted):
    scale = {"quantiles": (0.33, 0.67)}
    split = "popularity-83.6-11.4-5"
    asked = config("linear", "classification", split=split, scale=scale)
    data, (fold,), _ = divide(planted, raw(planted), asked)
    strata = asked.target.strata(data.values)
    study = np.flatnonzero(strata != 1)
    _, test = train_test_split(study, test_size=0.05, stratify=strata[study], random_state=42)
    assert fold.test[strata[fold.test] != 1].tolist() == sorted(test.tolist())


@pytest.mark.parametrize("transform", ["log1p", "rank", "logit"])
def test_what_a_transform_learns_comes_back_in_the_unit(planted, transform):
    cells = list(1 / (1 + np.exp(-planted.target)))
    asked = config("linear", split="kfold:3", scale={"transform": transform})
    result = fit_head(planted, cells, asked)
    assert result.metrics["srocc"].value > 0.85
    assert -0.2 < result.scored.low.min() < result.scored.high.max() < 2.5
    assert 0.8 < result.interval["covered"] <= 1


def test_few_rows_give_predictions_without_intervals(planted):
    table = planted.take(np.arange(30))
    result = fit_head(table, list(table.target), config(split="random:0.6,0.2,0.2"))
    assert result.scored.low is result.interval is None
    assert not result.bundle.intervals.usable


def test_splits_by_author_draw_authors_for_their_intervals(numbers, planted):
    by_row = fit_head(planted, raw(planted), config(split="kfold:4"))
    width = [score.high - score.low for score in (numbers.metrics["rmse"], by_row.metrics["rmse"])]
    assert width[0] != width[1]


def test_progress_says_what_begins(planted):
    said = []
    fit_head(planted, raw(planted), config("mean", split="kfold:2"), progress=said.append)
    leaks = "leaks of split kfold:2: of 234 test rows, 234 have an author whom train rows have too"
    assert said == [leaks, "fold 1 of 2", "fold 2 of 2", "all rows, for the bundle"]


def test_the_split_column_is_taken_for_labelled_rows(planted):
    words = np.array(["train", "valid", "test"])[np.arange(240) % 3]
    result = fit_head(planted, raw(planted), config("mean", split="column"), words=words)
    assert result.rows["scored"] == sum(
        cell is not None for cell, word in zip(raw(planted), words, strict=True) if word == "test"
    )


@pytest.mark.parametrize(
    ("cells", "task", "error", "text"),
    [
        ([None] * 240, "regression", FitError, "target 'ecr' has no label in any of 240 rows"),
        ([1.0] * 240, "regression", FitError, "target 'ecr' is 1 in all 240 labelled"),
        (["a"] * 240, "classification", FitError, "target 'ecr' has only the class 'a'"),
        (["a", "b"] * 120, "regression", UsageError, "must be a number, but 240 of 240 rows"),
    ],
)
def test_labels_that_leave_nothing_to_learn_are_refused(planted, cells, task, error, text):
    with pytest.raises(error, match=text):
        fit_head(planted, cells, config("linear", task))


def test_wrong_names_are_refused_before_any_work(planted):
    with pytest.raises(UnknownName, match="feature 'moton' is unknown; did you mean 'motion'"):
        fit_head(planted, raw(planted), config(features=("moton",)))
    with pytest.raises(UnknownName, match="head 'lasso' is unknown"):
        fit_head(planted, raw(planted), config("lasso"))
    with pytest.raises(UnknownName, match="option of head 'gbm' 'trees' is unknown"):
        fit_head(planted, raw(planted), config("gbm", options={"trees": 3}))


def test_features_that_nobody_has_are_refused(planted):
    nothing = make_column("mfcc", np.zeros((240, 3)), np.zeros(240, bool))
    with pytest.raises(FitError, match=r"1 of 1 have none at all: mfcc"):
        fit_head(make_table(nothing), raw(planted), config(split="kfold:3"))


@pytest.mark.parametrize("refit", [False, True])
def test_baselines_learn_from_the_rows_that_the_head_learns_from(planted, refit):
    asked = config(split="random:0.3,0.5,0.2", features=("motion",), refit=refit)
    result = fit_head(planted, list(planted.target), asked)
    (fold,) = result.folds
    learnt = np.concatenate([fold.train, fold.valid]) if refit else fold.train
    mean = planted.target[learnt].mean()
    error = np.sqrt(((planted.target[fold.test] - mean) ** 2).mean())
    assert result.baselines["mean"]["rmse"].value == pytest.approx(error)


def test_a_fold_that_has_no_row_to_score_is_passed_over(planted):
    scale = {"quantiles": (0.33, 0.67)}
    asked = config("linear", "classification", split="kfold:40", scale=scale, features=("motion",))
    result = fit_head(planted.take(np.arange(60)), raw(planted.take(np.arange(60))), asked)
    assert len(set(result.scored.fold)) < 40
