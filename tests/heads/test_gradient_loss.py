"""The composite gradient loss: its golden values, its gaps, its gradients."""

import numpy as np
import pytest
import torch

from heads.networks.gradient_loss import BETA_INTENDED, BETA_RUN, GradientLoss

PREDICTED = torch.tensor([[1.0, 2, 3, 4, 5], [2, 2, 2, 2, 2]])
TARGET = torch.tensor([[1.0, 3, 2, 5, 4], [0, 1, 0, 1, 0]])
TERMS = {
    BETA_RUN: {"base": 0.75, "slope": 0.875, "bend": 2.333333, "peak": 0.4, "calm": 0.000004},
    BETA_INTENDED: {"base": 1.155, "slope": 1.325, "bend": 2.783333, "peak": 0.4, "calm": 4e-6},
}


@pytest.mark.parametrize(("beta", "terms"), TERMS.items())
def test_terms_are_those_of_the_published_code(beta, terms):
    found = GradientLoss(beta=beta).terms(PREDICTED, TARGET)
    assert {name: float(value) for name, value in found.items()} == pytest.approx(terms, abs=1e-6)


@pytest.mark.parametrize(
    ("beta", "step", "total"),
    [
        (1.0, 0, 4.358337), (1.0, 5, 2.554171), (1.0, 10, 0.750004),
        (0.1, 0, 5.663338), (0.1, 5, 3.409171), (0.1, 10, 1.155004),
    ],
)  # fmt: skip
def test_totals_fade_as_those_of_the_published_code(beta, step, total):
    loss = GradientLoss(beta=beta)(PREDICTED, TARGET, step / 10)
    assert float(loss) == pytest.approx(total, abs=2e-6)


def test_a_day_that_was_not_observed_changes_no_other_day():
    gap = TARGET.clone()
    gap[0, 4] = torch.nan
    loss = GradientLoss(calm=0)
    moved = PREDICTED.clone()
    moved[0, 4] = -70
    assert loss(PREDICTED, gap) == loss(moved, gap)
    shorter = loss.terms(PREDICTED[:1, :4], TARGET[:1, :4])
    whole = loss.terms(PREDICTED[:1], gap[:1])
    assert {name: float(whole[name]) for name in whole} == {n: float(shorter[n]) for n in shorter}


def test_a_gap_gives_no_gradient_that_is_not_a_number():
    gap = TARGET.clone()
    gap[1] = torch.nan
    predicted = PREDICTED.clone().requires_grad_()
    GradientLoss(softness=0.1)(predicted, gap).backward()
    assert torch.isfinite(predicted.grad).all()
    assert not GradientLoss(calm=0)(PREDICTED, torch.full_like(TARGET, torch.nan))


def test_only_the_soft_peak_has_a_gradient():
    for softness, moved in ((None, False), (0.5, True)):
        predicted = torch.tensor([[1.0, 2, 1.5]], requires_grad=True)
        loss = GradientLoss(softness=softness)
        peak = loss.terms(predicted, torch.tensor([[3.0, 1, 1]]))["peak"]
        assert peak.requires_grad == moved
    peak.backward()
    assert predicted.grad[0, 0] < 0  # towards the true peak


def test_the_soft_peak_is_the_published_one_where_it_is_hard():
    clear = torch.from_numpy(np.array([[1.0, 2, 3, 4, 5], [2, 9, 2, 2, 2]]))
    hard, soft = (GradientLoss(softness=s).terms(clear, TARGET.double()) for s in (None, 1e-3))
    assert float(soft["peak"]) == pytest.approx(float(hard["peak"]))
