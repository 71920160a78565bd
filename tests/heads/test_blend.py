"""What joins the members of a blend, and what it never sees."""

import itertools

import numpy as np
import pytest

from core.errors import RunError, UsageError
from heads.blending import best_weights, mixed
from heads.bundle import load_bundle
from heads.catalog import make_head
from heads.contract import Problem
from heads.fit import fit_head
from tests.heads.tables import config, plant, raw

NUMBERS = Problem("regression")
FEW = {"of": "linear,knn", "knn.k": "8", "knn.relevance": 1}


@pytest.fixture(scope="module")
def planted():
    return plant()


@pytest.fixture(scope="module")
def blended(planted):
    return fit_head(planted, raw(planted), config("blend", options=FEW, split="kfold:3"))


def fit(table, problem=NUMBERS, **options):
    head = make_head("blend", problem, options)
    return head, head.fit(table, None, seed=0, fixed={})


@pytest.mark.parametrize("name", ["linear", "gbm", "knn"])
def test_a_blend_of_one_is_that_one(planted, name):
    train, rest = planted.take(np.arange(160)), planted.take(np.arange(160, 240))
    head, report = fit(train, of=name)
    alone = make_head(name, NUMBERS)
    alone.fit(train, None, seed=0, fixed={})
    np.testing.assert_array_equal(head.predict(rest), alone.predict(rest))
    assert report.chosen[f"weight.{name}"] == 1
    assert head.importances() == pytest.approx(alone.importances())


def test_weights_are_shares_of_all_members(blended):
    weights = [blended.chosen[f"weight.{name}"] for name in ("linear", "knn")]
    assert min(weights) >= 0
    assert sum(weights) == pytest.approx(1)


def test_test_labels_do_not_influence_weights(planted):
    asked = config("blend", options=FEW, split="random:0.6,0.2,0.2")
    first = fit_head(planted, list(planted.target), asked)
    tested = np.isin(planted.ids, first.scored.ids)
    turned = np.where(tested, -planted.target, planted.target)
    second = fit_head(planted, list(turned), asked)
    assert second.chosen == first.chosen
    np.testing.assert_array_equal(second.scored.predicted, first.scored.predicted)


def test_a_member_that_knows_its_rows_by_heart_gains_nothing_by_it(planted):
    noise = np.random.default_rng(0).permutation(planted.target)
    options = {"of": "mean,knn", "knn.k": 1, "knn.temperature": 0.01}
    _, report = fit(planted.with_target(noise), **options)
    assert report.chosen["weight.mean"] > 0.9
    assert report.chosen["knn.k"] == 1


def test_a_member_that_is_only_noise_is_left_out(planted):
    _, report = fit(planted, of="linear,mean")
    assert report.chosen["weight.mean"] < 0.05


def test_a_blend_is_no_worse_than_its_best_member(planted):
    train, rest = planted.take(np.arange(160)), planted.take(np.arange(160, 240))
    errors = {}
    for of in ("linear", "knn", "linear,knn"):
        head, _ = fit(train, of=of)
        errors[of] = ((head.predict(rest) - rest.target) ** 2).mean()
    assert errors.pop("linear,knn") < 1.02 * min(errors.values())


def test_options_reach_members(planted):
    _, report = fit(planted, **{"of": "linear,gbm", "gbm.rounds": "7"})
    assert report.chosen["gbm.iterations"] == 7


@pytest.mark.parametrize("task", ["regression", "classification", "sequence"])
def test_stacking_beats_the_mean_of_all(planted, task):
    target, outputs = planted.target, 1
    if task == "classification":
        target, outputs = (target > 1).astype(np.int64), 2
    elif task == "sequence":
        target, outputs = np.stack([target, 2 * target, target + 1], axis=1), 3
    table = planted.with_target(target)
    head, report = fit(table.take(np.arange(160)), Problem(task, outputs), **FEW, how="stack")
    rest = table.take(np.arange(160, 240))
    found = head.predict(rest)
    assert report.chosen["stack.penalty"] > 0
    assert found.shape == ((80,) if outputs == 1 else (80, outputs))
    told = found[:, 1] if task == "classification" else found
    assert np.corrcoef(told.ravel(), rest.target.ravel())[0, 1] > 0.7


def test_a_saved_stack_predicts_the_same(planted, tmp_path):
    head, _ = fit(planted, **FEW, how="stack")
    head.save(tmp_path)
    np.testing.assert_array_equal(type(head).load(tmp_path).predict(planted), head.predict(planted))


def test_a_blend_is_a_bundle_with_its_members(blended, planted, tmp_path):
    blended.bundle.save(tmp_path)
    loaded = load_bundle(tmp_path)
    names = {path.parent.name for path in tmp_path.rglob("*.json")}
    assert {"linear", "knn"} < names
    np.testing.assert_array_equal(
        loaded.predict(planted).value, blended.bundle.predict(planted).value
    )


def test_a_changed_file_of_a_member_is_refused(blended, tmp_path):
    blended.bundle.save(tmp_path)
    path = tmp_path / "head" / "knn" / "knn.json"
    path.write_text(path.read_text() + " ")
    with pytest.raises(RunError, match="is not what was written"):
        load_bundle(tmp_path)


def test_the_weights_are_the_best_that_a_grid_finds():
    generator = np.random.default_rng(0)
    target = generator.normal(size=400)
    told = {
        name: target + generator.normal(scale=scale, size=400)
        for name, scale in (("a", 0.5), ("b", 0.8), ("c", 3.0))
    }
    weights = best_weights(NUMBERS, told, target)
    found = ((mixed(told, weights) - target) ** 2).mean()
    grid = [
        dict(zip(told, (a, b, 1 - a - b), strict=True))
        for a, b in itertools.product(np.linspace(0, 1, 41), repeat=2)
        if a + b <= 1
    ]
    assert found <= min(((mixed(told, each) - target) ** 2).mean() for each in grid) + 1e-9
    assert sum(weights.values()) == pytest.approx(1)


def test_the_weights_of_classes_have_the_smallest_log_loss():
    generator = np.random.default_rng(1)
    target = generator.integers(0, 3, 500)
    told = {}
    for name, sharpness in (("a", 2.0), ("b", 1.0), ("c", 0.0)):
        scores = sharpness * (target[:, None] == np.arange(3)) + generator.normal(size=(500, 3))
        told[name] = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    problem = Problem("classification", 3)
    weights = best_weights(problem, told, target)

    def loss(given):
        return -np.log(mixed(told, given)[np.arange(500), target]).mean()

    others = [dict(zip(told, w, strict=True)) for w in generator.dirichlet(np.ones(3), 300)]
    assert loss(weights) <= min(map(loss, others)) + 1e-6


def test_members_that_say_the_same_share_their_weight():
    target = np.random.default_rng(0).normal(size=100)
    told = {"a": target + 1, "b": target + 1}
    weights = best_weights(NUMBERS, told, target)
    assert sum(weights.values()) == pytest.approx(1)
    assert best_weights(NUMBERS, {"a": target, "b": target}, target) == {"a": 0.5, "b": 0.5}


def test_weights_that_are_all_nothing_are_all_the_same():
    told = {"a": np.zeros(3), "b": np.ones(3)}
    np.testing.assert_array_equal(mixed(told, {"a": 0.0, "b": 0.0}), np.full(3, 0.5))
    np.testing.assert_array_equal(mixed(told, {"a": 1.0, "b": 3.0}), np.full(3, 0.75))


def test_gaps_of_a_curve_count_for_no_member(planted):
    steps = np.stack([planted.target, planted.target + 1], axis=1)
    steps[::3, 1] = np.nan
    head, _ = fit(planted.with_target(steps), Problem("sequence", 2), **FEW)
    assert np.isfinite(head.predict(planted)).all()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"of": "linear,linear"}, "of 'linear,linear' is not 1 to 8 different heads"),
        ({"of": "linear,blend"}, "a blend is no member of a blend"),
        ({"of": "liner"}, r"head 'liner' is unknown; did you mean 'linear'\?"),
        ({"of": "linear", "how": "sum"}, "how 'sum' is none of mean, stack"),
        ({"of": "linear", "gbm.rounds": 3}, r"gbm\.\* are options of a head that is not a member"),
        ({"of": "gbm", "gbm.trees": 3}, "option of head 'gbm' 'trees' is unknown"),
    ],
)
def test_wrong_requests_are_refused(options, text):
    with pytest.raises(UsageError, match=text):
        make_head("blend", NUMBERS, options)
