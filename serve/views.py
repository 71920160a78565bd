"""Predicted popularity as views: log2(views / days + 1) the other way round, day by day."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.errors import UsageError
from corpus.popularity import is_popularity, views_of
from corpus.steps import first_step, step_names
from heads.bundle import Bundle
from serve.predictor import Predicted

UNIT = "views"


def in_views(predicted: Predicted, bundle: Bundle) -> Predicted:
    """Return what is predicted as all views since the release; day d is d days after it.

    Raises:
        UsageError: if the run does not predict a curve.
    """
    plan, found = bundle.target.plan, predicted.predictions
    if plan.task != "sequence" or not is_popularity(step_names(plan.column, 1)[0]):
        raise UsageError(
            f"the run predicts {plan.column!r}, which is no curve p1, p2, ... of popularity; "
            "leave out --views"
        )
    days = first_step(plan.column) + np.arange(found.value.shape[1])

    def told(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else np.maximum(views_of(values, days), 0.0)

    views = told(found.value)
    assert views is not None
    changed = replace(found, value=views, low=told(found.low), high=told(found.high))
    return replace(predicted, predictions=changed, unit=UNIT)
