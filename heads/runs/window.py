"""Some of the days of a finished run, scored again: what `--from-day` and `--to-day` look at.

Days are those of the table: p7 is day 7, whatever the first day is that a run predicts. So runs
that know the first day and runs that do not can be compared on the days that both predict.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from corpus.steps import first_step, step_names
from heads.runs.reading import FitRun
from scoring.bootstrap import score_sequence


def days_of(run: FitRun) -> range:
    """Return the days that a run of a sequence predicts."""
    first = first_step(run.target)
    return range(first, first + run.scored.target.shape[1])


def steps_within(days: range, first: int | None, last: int | None) -> slice:
    """Return where the days from `first` to `last` stand, both included; None is no bound."""
    start = max(first or days.start, days.start) - days.start
    end = min(last or days.stop, days.stop - 1) - days.start + 1
    return slice(start, max(end, start))


def windowed(run: FitRun, first: int | None, last: int | None) -> FitRun | None:
    """Return the run as if it had predicted no other days; None if it predicts none of these.

    Its target is named by its days, `p2..p30`. Baselines are left out where days are: what they
    predicted for each day is not kept.

    Raises:
        RunError: if the run's rows cannot be read.
    """
    if run.task != "sequence":
        return None
    days = days_of(run)
    steps = steps_within(days, first, last)
    names = step_names(run.target, len(days))[steps]
    if not names:
        return None
    content = {**run.content, "target": "..".join(dict.fromkeys((names[0], names[-1])))}
    if len(names) == len(days):
        return replace(run, content=content)
    cut = replace(run, steps=steps)
    scored, seed = cut.scored, int(run.content.get("seed", 0))
    known = np.isfinite(scored.target)
    if not known.any():
        return None
    scores = score_sequence(scored.target, scored.predicted, seed=seed, groups=scored.group)
    content["metrics"] = {name: score.to_json() for name, score in scores.items()}
    return replace(cut, content={**content, "baselines": {}})
