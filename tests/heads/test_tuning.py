"""Options chosen in each fold by its validation rows, and by nothing else."""

import json
from dataclasses import replace

import numpy as np
import pytest

from core.errors import FitError
from heads.catalog import HEADS
from heads.contract import Problem, Span
from heads.fit import fit_head
from heads.runs.files import trials_csv, write_run
from heads.runs.reading import read_trials
from heads.tuning.folds import central, loss_of
from heads.tuning.trials import Trial, Tuned, Tuning
from tests.heads.tables import config, raw

FEATURES = ("motion", "meta:likes", "meta:category")


def asked(head="gbm", task="regression", *, count=6, place=None, **others):
    options = {"options": {"rounds": 60}} if head == "gbm" else {}
    given = {"split": "kfold:2", "features": FEATURES, **options, **others}
    return config(head, task, tuning=Tuning(count, place), **given)


def choices(result):
    return [[(t.state, t.options, t.loss) for t in found.trials] for found in result.tuned]


@pytest.fixture(scope="module")
def tuned(planted):
    """Return a fit whose trees were tuned."""
    return fit_head(planted, raw(planted), asked())


@pytest.mark.parametrize("name", list(HEADS))
def test_the_space_of_a_head_holds_its_defaults_and_only_what_it_takes(name):
    head = HEADS.load(name)
    for option, span in head.space.items():
        default = getattr(head.options(), option)
        assert default is None or span.low <= default <= span.high, option
        for end in (span.low, span.high):
            head.options(**{option: int(end) if span.whole else end})


def changed(planted, fold, part):
    """Return the table and its cells with the labels and features of one part made nonsense."""
    rows = getattr(fold, part)
    rng = np.random.default_rng(5)
    cells, motion = np.array(raw(planted), float), planted.columns["motion"]
    labelled = np.flatnonzero(np.isfinite(cells))[rows]
    cells[labelled] = rng.permutation(cells[labelled]) * 10
    values = motion.values.copy()
    values[labelled] = rng.normal(size=values[labelled].shape)
    columns = planted.columns | {"motion": replace(motion, values=values)}
    table = replace(planted, columns=columns)
    return table, [None if np.isnan(cell) else float(cell) for cell in cells]


def test_test_rows_have_no_part_in_the_choice(planted, tuned):
    table, cells = changed(planted, tuned.folds[0], "test")
    again = fit_head(table, cells, asked(fold=1))
    assert choices(again)[0] == choices(tuned)[0]
    assert again.metrics["rmse"].value > 5 * tuned.metrics["rmse"].value


def test_validation_rows_have(planted, tuned):
    table, cells = changed(planted, tuned.folds[0], "valid")
    again = fit_head(table, cells, asked(fold=1))
    assert choices(again)[0] != choices(tuned)[0]


def test_the_choice_of_a_fold_is_its_trial_of_least_loss(tuned):
    for found in tuned.tuned:
        assert len(found.trials) == 6
        assert found.best.loss == min(trial.loss for trial in found.trials)


def test_the_fold_is_scored_with_its_own_choice(planted, tuned):
    by_hand = {"rounds": 60} | dict(tuned.tuned[0].options)
    one = fit_head(planted, raw(planted), replace(asked(options=by_hand), tuning=None, fold=1))
    mine = tuned.scored.predicted[tuned.scored.fold == "fold1"]
    np.testing.assert_array_equal(one.scored.predicted, mine)


def test_the_bundle_has_the_choice_of_a_fold(tuned):
    chosen = tuned.bundle.head.describe()
    options = [found.options for found in tuned.tuned]
    assert {name: chosen[name] for name in options[0]} in options
    assert chosen["rounds"] == 60


def test_the_same_seed_gives_the_same_choice_and_the_same_predictions(planted, tuned):
    again = fit_head(planted, raw(planted), asked())
    assert choices(again) == choices(tuned)
    np.testing.assert_array_equal(again.scored.predicted, tuned.scored.predicted)


def test_a_fit_that_was_interrupted_goes_on_to_the_same_result(planted, tuned, tmp_path):
    def interrupt(text):
        if text.startswith("fold1"):
            raise KeyboardInterrupt

    kept = asked(place=tmp_path / "tuning.db")
    with pytest.raises(KeyboardInterrupt):
        fit_head(planted, raw(planted), kept, progress=interrupt)
    again = fit_head(planted, raw(planted), kept)
    assert choices(again) == choices(tuned)
    assert again.metrics == tuned.metrics


@pytest.mark.parametrize("part", ["motion", "meta:category", "words:title"])
def test_changed_features_are_another_question(planted, tmp_path, part):
    kept = asked("linear", count=2, place=tmp_path / "tuning.db", fold=1)
    kept = replace(kept, features=("motion", "meta:category", "words:title"))
    first = fit_head(planted, raw(planted), kept)
    turned = planted.columns[part].take(np.roll(np.arange(240), 1))
    table = replace(planted, columns=planted.columns | {part: turned})
    assert choices(fit_head(table, raw(planted), kept)) != choices(first)


@pytest.mark.parametrize(("head", "task"), [("linear", "sequence"), ("mlp", "classification")])
def test_every_task_can_be_tuned(planted, head, task):
    cells = ["up" if value > 1.5 else "down" for value in planted.target]
    if task == "sequence":
        cells = list(np.stack([planted.target, planted.target + 1], axis=1))
    options = {"networks": 1, "epochs": 5} if head == "mlp" else {}
    result = fit_head(planted, cells, asked(head, task, count=3, options=options, fold=1))
    assert all(np.isfinite(trial.loss) for trial in result.tuned[0].trials)


def test_options_that_are_given_stay(planted):
    given = {"rounds": 20, "rate": 0.1, "leaves": 5, "leaf_rows": 5}
    result = fit_head(planted, raw(planted), asked(count=2, fold=1, options=given))
    assert set(result.tuned[0].trials[1].options) == {"columns"}
    assert result.bundle.head.describe()["rate"] == 0.1


def test_a_head_without_anything_to_tune_says_so_and_is_fitted(planted):
    said = []
    result = fit_head(planted, raw(planted), asked("mean", fold=1), progress=said.append)
    assert "head 'mean' has nothing to tune beside what is given; its options stay" in said
    assert result.tuned == ()
    assert result.metrics["rmse"].n > 100


def test_what_was_tried_and_what_it_brought_is_said(planted):
    said = []
    fit_head(planted, raw(planted), asked(fold=1), progress=said.append)
    assert said[1] == "tuning rate, leaves, leaf_rows, columns: 6 trials in each fold"
    assert said[2].startswith(("fold1: squared error 0.", "fold1: no options beat the defaults"))


def test_options_of_which_none_can_be_fitted_are_an_error(planted):
    options = {"rate": 1e30, "networks": 1, "epochs": 2}
    with pytest.raises(FitError, match="fold1: none of 2 sets of options can be fitted; the defau"):
        fit_head(planted, raw(planted), asked("mlp", count=2, options=options, fold=1))


def test_trials_are_written_as_they_are_read(tuned, tmp_path):
    write_run(tmp_path, tuned)
    read = read_trials(tmp_path / "trials.csv")
    assert [found.options for found in read] == [found.options for found in tuned.tuned]
    assert [found.best.loss for found in read] == [found.best.loss for found in tuned.tuned]
    assert read[0].trials[0].options == {"rate": 0.05, "leaves": None} | {
        "leaf_rows": None, "columns": None,
    }  # fmt: skip
    content = json.loads((tmp_path / "metrics.json").read_text())["tuned"]
    assert [each["options"] for each in content] == [found.options for found in tuned.tuned]


def test_trials_that_failed_or_were_stopped_have_no_loss_on_paper():
    trials = (
        Trial(0, "done", 1.0, 0.5, {"rate": None}),
        Trial(1, "failed", float("nan"), 0.1, {"rate": 2.0}, "the loss, is not finite"),
    )
    assert trials_csv([Tuned("split", trials)]).splitlines() == [
        "fold,trial,state,loss,chosen,seconds,reason,rate",
        "split,0,done,1.0,yes,0.5,,auto",
        'split,1,failed,,,0.1,"the loss, is not finite",2.0',
    ]


def test_the_bundle_takes_the_choice_nearest_to_all():
    space = {"rate": Span(0.001, 1, log=True), "leaves": Span(2, 64, whole=True)}
    given = [(0.9, 60), (0.1, 20), (0.05, None), (0.09, 18), (0.002, 3)]
    folds = [
        Tuned(f"fold{n}", (Trial(0, "done", 1.0, 0.0, {"rate": rate, "leaves": leaves}),))
        for n, (rate, leaves) in enumerate(given)
    ]
    assert central(folds, space) == {"rate": 0.09, "leaves": 18}


def test_losses_are_those_of_the_task():
    target = np.array([1.0, 3.0])
    assert loss_of(Problem("regression"), np.array([2.0, 1.0]), target) == 2.5
    shares = np.array([[0.25, 0.75], [1.0, 0.0]])
    surprise = loss_of(Problem("classification", 2), shares, np.array([0, 0]))
    assert surprise == pytest.approx(np.log(4) / 2)
    steps = np.array([[1.0, np.nan], [3.0, 5.0]])
    assert loss_of(Problem("sequence", 2), np.zeros((2, 2)), steps) == (2 + 5) / 2
