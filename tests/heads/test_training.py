"""The epochs: what stops them, what lowers the rate, which weights are left."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import FitError
from heads.networks.training import Course, Lesson, repeatable, train

COURSE = Course(epochs=20, unstopped=7, batch=8, rate=0.1, decay=0.0, patience=4, fall=0.5, hold=1)


def lesson(network, rows=40, losses=None, **others):
    """Return rows of y = 3x to learn; validation losses are told one after another."""
    x = torch.linspace(-1, 1, rows)[:, None]
    told = None if losses is None else iter(losses)
    judge = None if told is None else (lambda: next(told))
    return Lesson(rows, lambda r, _: ((network(x[r]) - 3 * x[r]) ** 2).mean(), judge, **others)


def learn(losses=None, course=COURSE, fixed=None, **others):
    with repeatable(0):
        network = nn.Linear(1, 1)
        report = train(network, lesson(network, losses=losses, **others), course, fixed=fixed or {})
    return network, report


def test_the_weights_of_the_best_epoch_are_left():
    weights = []

    def note(_):
        weights.append(network.weight.item())

    with repeatable(0):
        network = nn.Linear(1, 1)
        losses = [3, 2, 5, 6, 7, 8]
        report = train(network, lesson(network, losses=losses, after_epoch=note), COURSE, fixed={})
    assert report.chosen["epochs"] == 2
    assert len(weights) == 6
    assert network.weight.item() == weights[1]
    assert not network.training


def test_the_rate_falls_where_validation_rests_longer_than_it_may():
    _, report = learn([9, 8, 8, 8, 7, 8, 8, 8, 8])
    assert [row["rate"] for row in report.history] == [
        0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025,
    ]  # fmt: skip
    assert report.chosen == {"epochs": 5, "falls": 1}


def test_what_was_chosen_before_is_run_without_asking_validation_rows():
    done = []
    _, report = learn([], fixed={"epochs": 3.0, "falls": 1.0}, after_epoch=done.append)
    assert done == [1, 2, 3]
    assert report.chosen == {"epochs": 3, "falls": 1}
    assert not report.history


def test_without_validation_rows_a_fixed_number_of_epochs_is_run():
    done = []
    _, report = learn(after_epoch=done.append)
    assert len(done) == COURSE.unstopped
    assert report.chosen == {"epochs": 7, "falls": 2}


def test_no_batch_is_smaller_than_asked_and_every_row_is_in_one():
    seen = []
    with repeatable(0):
        network = nn.Linear(1, 1)
        given = lesson(network, rows=43)
        given = replace(given, loss_of=lambda rows, done: note(network, rows, done, seen))
        train(network, given, COURSE, fixed={"epochs": 2.0, "falls": 0.0})
    sizes, shares = [len(rows) for rows, _ in seen], [done for _, done in seen]
    assert sizes == [9, 9, 9, 8, 8] * 2
    assert sorted(np.concatenate([rows for rows, _ in seen[:5]])) == list(range(43))
    np.testing.assert_allclose(shares, np.arange(10) / 10)


def note(network, rows, done, seen):
    seen.append((rows.numpy(), done))
    return network(torch.ones(len(rows), 1)).mean()


def test_a_loss_that_is_not_finite_is_an_error_with_its_remedy():
    with pytest.raises(FitError, match="loss of epoch 1 is not finite; lower the rate"):
        learn(course=replace(COURSE, rate=float("inf")))


def test_l2_in_the_gradient_and_decay_of_weights_are_different_things():
    decayed = replace(COURSE, decay=0.1)
    first, _ = learn(course=decayed)
    second, _ = learn(course=replace(decayed, adam=True))
    assert first.weight.item() != second.weight.item()


def test_a_long_gradient_is_cut():
    _, free = learn([1] * 20)
    _, cut = learn([1] * 20, replace(COURSE, clip=1e-9, decay=0.0, adam=True))
    assert cut.history[1]["train_loss"] > free.history[1]["train_loss"]


def test_what_torch_was_set_to_neither_decides_nor_changes():
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            torch.manual_seed(threads)
            expected = torch.random.get_rng_state()
            found.append(learn()[0].weight.item())
            assert torch.get_num_threads() == threads
            assert torch.equal(torch.random.get_rng_state(), expected)
    finally:
        torch.set_num_threads(before)
    assert found[0] == found[1]
