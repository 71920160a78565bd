"""Ridge and logistic regression against scikit-learn, and against refitting the slow way."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from core.errors import FitError
from heads.linear import clusters_of
from heads.penalised.descent import Weights, descend
from heads.penalised.logistic import fit_logistic
from heads.penalised.ridge import fit_ridge, left_out_errors
from heads.penalised.rotation import cells_of, rotate, variance_of, without_zeros
from tests.heads.tables import make_column, make_table

SHAPES = pytest.mark.parametrize("shape", [(60, 8), (40, 200)])


def problem(shape, outputs=1, seed=0):
    generator = np.random.default_rng(seed)
    matrix = (generator.normal(size=shape) + 3).astype(np.float32)
    target = matrix[:, :1] * np.arange(1, outputs + 1) + generator.normal(size=(shape[0], outputs))
    return matrix, target


def alpha(matrix, penalty):
    return penalty * variance_of(matrix) * len(matrix)


@SHAPES
def test_a_rotation_keeps_products_of_rows(shape):
    matrix, _ = problem(shape)
    rotation = rotate(matrix)
    centred = matrix - matrix.mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(
        rotation.rotated @ rotation.rotated.T, centred @ centred.T, atol=0.01
    )
    assert rotation.spectrum.scale == pytest.approx(variance_of(matrix), rel=1e-4)


@SHAPES
def test_ridge_is_that_of_scikit_learn(shape):
    matrix, target = problem(shape, outputs=3)
    weights, intercepts, curve = fit_ridge(matrix, target, None, 0.01)
    model = Ridge(alpha=alpha(matrix, 0.01)).fit(matrix.astype(np.float64), target)
    np.testing.assert_allclose(weights, model.coef_.T, atol=1e-4)
    np.testing.assert_allclose(intercepts, model.intercept_, atol=1e-3)
    assert curve == {}


@pytest.mark.parametrize("clusters", [None, np.arange(40) // 4, np.repeat([0, 1, 2], [1, 30, 9])])
def test_left_out_errors_are_those_of_refitting(clusters):
    matrix, target = problem((40, 6))
    errors = left_out_errors(rotate(matrix).spectrum, target, clusters)
    groups = np.arange(40) if clusters is None else clusters
    strength = alpha(matrix, 0.1)
    left = [refit_without(matrix, target, groups == group, strength) for group in np.unique(groups)]
    assert errors[0.1] == pytest.approx(np.concatenate(left).mean() / target.var(), rel=1e-3)


def refit_without(matrix, target, out, strength):
    model = Ridge(alpha=strength).fit(matrix[~out].astype(np.float64), target[~out])
    return (target[out] - model.predict(matrix[out]).reshape(-1, 1)) ** 2


def test_one_cluster_of_all_rows_is_taken_apart():
    matrix, target = problem((40, 6))
    whole = left_out_errors(rotate(matrix).spectrum, target, np.zeros(40, np.int64))
    assert whole == left_out_errors(rotate(matrix).spectrum, target, None)


def test_the_chosen_penalty_grows_with_noise():
    matrix, target = problem((60, 40))
    noise = np.random.default_rng(1).normal(size=(60, 1))
    clear = fit_ridge(matrix, target, None, None)[2]
    drowned = fit_ridge(matrix, noise, None, None)[2]
    assert min(clear, key=clear.get) < min(drowned, key=drowned.get)


def test_gaps_of_a_sequence_leave_out_only_their_step():
    matrix, target = problem((60, 8), outputs=3)
    target[::3, 1] = np.nan
    weights, intercepts, _ = fit_ridge(matrix, target, None, 0.01)
    known = np.isfinite(target[:, 1])
    alone = fit_ridge(matrix[known], target[known, 1:2], None, 0.01)
    np.testing.assert_allclose(weights[:, 1], alone[0][:, 0], rtol=1e-9)
    assert intercepts[1] == pytest.approx(alone[1][0])


def test_a_step_that_never_changes_does_not_choose_the_penalty():
    rng = np.random.default_rng(4)
    matrix, target = rng.normal(size=(40, 3)), rng.normal(size=(40, 1))
    with_constant = np.concatenate([target, np.full((40, 1), 0.1)], axis=1)
    alone, both = (
        left_out_errors(rotate(matrix).spectrum, t, None) for t in (target, with_constant)
    )
    assert list(both.values()) == pytest.approx([error / 2 for error in alone.values()])


def test_a_step_known_only_where_nothing_varies_has_its_mean():
    matrix, target = np.eye(20, 2, dtype=np.float32), np.arange(40.0).reshape(20, 2)
    target[:2, 1] = np.nan
    weights, intercepts, _ = fit_ridge(matrix, target, None, None)
    assert not weights[:, 1].any()
    assert intercepts[1] == np.nanmean(target[:, 1])


def test_a_step_with_one_value_is_refused():
    matrix, target = problem((60, 8), outputs=3)
    target[1:, 2] = np.nan
    with pytest.raises(FitError, match=r"step 3 of the target has fewer than 2 values in the 60"):
        fit_ridge(matrix, target, None, None)


def classes_of(matrix, count):
    edges = np.quantile(matrix[:, 0], np.arange(1, count) / count)
    return np.digitize(matrix[:, 0] + matrix[:, 1] - 3, edges)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("kind", ["tall", "wide", "sparse"])
def test_logistic_regression_is_that_of_scikit_learn(kind, count):
    matrix, _ = problem((40, 200) if kind == "wide" else (90, 20))
    if kind == "sparse":
        matrix[np.random.default_rng(0).random(matrix.shape) < 0.95] = 0
    given = without_zeros(matrix)
    assert isinstance(given, np.ndarray) == (kind != "sparse")
    target = classes_of(problem((len(matrix), 9))[0], count)
    weights, intercepts, _ = fit_logistic(given, target, None, 0.05, seed=0)
    strength = 1 / alpha(matrix, 0.05)
    model = LogisticRegression(C=strength, max_iter=5000, tol=1e-8).fit(matrix, target)
    ours = matrix @ weights + intercepts
    odds = ours[:, 1] - ours[:, 0]
    theirs = model.decision_function(matrix)
    theirs = theirs if count == 2 else theirs[:, 1] - theirs[:, 0]
    np.testing.assert_allclose(odds, theirs, atol=0.01)


def test_a_sparse_matrix_is_treated_as_a_dense_one():
    matrix, target = problem((40, 200))
    matrix[np.random.default_rng(0).random(matrix.shape) < 0.95] = 0
    matrix[:, 0] = 1  # a column that every row has is multiplied apart
    sparse = without_zeros(matrix)
    assert cells_of(sparse) == cells_of(matrix)
    assert variance_of(sparse) == pytest.approx(variance_of(matrix), rel=1e-5)
    for fit in (fit_ridge, lambda *given: fit_logistic(*given, seed=0)):
        labels = target if fit is fit_ridge else (target[:, 0] > 3).astype(np.int64)
        for ours, theirs in zip(
            *(fit(x, labels, None, None)[:2] for x in (sparse, matrix)), strict=True
        ):
            np.testing.assert_allclose(ours, theirs, atol=1e-3)


@pytest.mark.parametrize("classes", [2, 4])
def test_a_loss_falls_to_the_same_valley_from_any_start(classes):
    matrix, _ = problem((90, 20))
    target = classes_of(problem((90, 9))[0], classes)
    start = Weights.nothing(20, classes)
    far = Weights(start.slopes + 3, start.intercepts - 5)
    found = [
        descend(matrix.astype(np.float64), target, 0.1, start=each, rough=False).slopes
        for each in (start, far)
    ]
    np.testing.assert_allclose(*found, atol=1e-3)


@pytest.mark.parametrize(
    "clusters", [None, np.arange(60) // 3, np.zeros(60, np.int64), np.arange(60) % 2]
)
@pytest.mark.parametrize("smallest", [1, 3, 30])
def test_a_penalty_is_chosen_with_few_rows_and_few_clusters(clusters, smallest):
    matrix, _ = problem((60, 8))
    target = np.repeat([0, 1], [60 - smallest, smallest])
    weights, _, curve = fit_logistic(matrix, target, clusters, None, seed=0)
    assert np.isfinite(weights).all()
    assert np.isfinite(list(curve.values())).all()


def test_rows_without_an_author_are_clusters_of_their_own():
    table = make_table(make_column("x", np.arange(5)), author=np.array(["a", "", "b", "", "a"]))
    clusters = clusters_of(table)
    assert clusters[0] == clusters[4]
    assert len(np.unique(clusters)) == 4


def test_classes_that_two_authors_do_not_share_are_learnt_all_the_same():
    """Each class is one author's: left out whole, nothing would be left to tell it from."""
    generator = np.random.default_rng(0)
    target = np.repeat([0, 1], 30)
    matrix = (generator.normal(size=(60, 4)) + target[:, None]).astype(np.float32)
    weights, intercepts, curve = fit_logistic(matrix, target, target, None, seed=0)
    assert len(curve) > 1
    assert ((matrix @ weights + intercepts).argmax(axis=1) == target).mean() > 0.8
    fit_logistic(matrix[29:31], target[29:31], None, None, seed=0)  # one row of each
