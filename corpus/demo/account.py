"""The account of the demo: the best attainable scores, and the cause in JSON and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from corpus.demo import cause
from corpus.demo.plan import ClipPlan

FAMILIES = tuple(dict.fromkeys(effect.family for effect in cause.EFFECTS))


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The best there is, for somebody who knows the cause of every clip but not the noise.

    srocc     rank correlation of the signal with engagement on this table; None for a single clip
    expected  the same in an endless table
    accuracy  share of the clips whose class the signal tells
    families  rank correlation of one family's part of the signal with engagement
    """

    srocc: float | None
    expected: float
    accuracy: float
    families: Mapping[str, float | None]


def attainable(plans: Sequence[ClipPlan]) -> Ceiling:
    """Return the best scores on the table of these clips."""
    truth = np.array([plan.engagement for plan in plans])
    known = np.array([plan.signal for plan in plans])
    told = [cause.popular(cause.engagement(signal)) for signal in known]
    parts = {
        family: np.array([cause.signal(plan.knobs, family) for plan in plans])
        for family in FAMILIES
    }
    return Ceiling(
        srocc=_rounded(truth, known),
        expected=round(cause.expected_ceiling(), 3),
        accuracy=round(
            float(np.mean([p.popular == t for p, t in zip(plans, told, strict=True)])), 3
        ),
        families={family: _rounded(truth, part) for family, part in parts.items()},
    )


def _rounded(truth: np.ndarray, known: np.ndarray) -> float | None:
    value = cause.rank_correlation(truth, known)
    return None if value is None else round(value, 3)


def describe(ceiling: Ceiling) -> dict[str, object]:
    """Return the cause and what can be attained, for JSON."""
    return {
        "effects": [asdict(effect) | {"weight": effect.weight} for effect in cause.EFFECTS],
        "noise_sd": cause.NOISE_SD,
        "engagement": {"middle": cause.MIDDLE, "steepness": cause.STEEPNESS},
        "popular_from": cause.POPULAR_FROM,
        "ceiling": asdict(ceiling),
    }


def readme(clips: int, *, ceiling: Ceiling, spoilt: Mapping[str, str]) -> str:
    """Return the README of a demo of so many clips."""
    effects = [
        f"| {effect.name} | {effect.family} | {100 * effect.share:.0f} % | {effect.meaning} |"
        for effect in cause.EFFECTS
    ]
    families = ", ".join(f"{name} {_shown(best)}" for name, best in ceiling.families.items())
    broken = ", ".join(f"{name} ({kind})" for name, kind in spoilt.items()) or "none"
    return _README.format(
        clips=clips,
        effects="\n".join(effects),
        noise=100 * cause.NOISE_SD**2 / (1 + cause.NOISE_SD**2),
        middle=cause.MIDDLE,
        steepness=cause.STEEPNESS,
        popular=cause.POPULAR_FROM,
        srocc=_shown(ceiling.srocc),
        expected=ceiling.expected,
        accuracy=ceiling.accuracy,
        families=families,
        broken=broken,
    )


def _shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


_README = """# A demo corpus with a known cause of popularity

Nothing here is real: {clips} clips were drawn and played by a program, and how well each one does
follows from the causes below. So a prediction can be compared not only with the truth but with the
best prediction there is.

- `videos.csv` is the table: texts, numbers and targets of the clips in `videos/` and `covers/`.
- `views.csv` has the raw counts of views behind p1, p2, ..., as `convert-views` reads them.
- `columns.yaml` says which column is what.
- `new.csv` lists two clips that the table does not hold; `new_truth.csv` says how they do too.
- `truth.csv` holds the causes of every clip, `cause.json` what is on this page: not to learn from.

## Try it

In this folder, with the path of `cli.py` in front:

```
python cli.py extract videos.csv --columns columns.yaml
python cli.py fit-head videos.csv --columns columns.yaml --head linear --target engagement \\
    --out var/first
python cli.py predict var/first --manifest new.csv
python cli.py evaluate var/first new_truth.csv
```

## The cause

| effect | family | share of the signal | more is better of |
|---|---|---|---|
{effects}

The score of a clip is the sum of the square root of each share times the effect in standard units,
plus noise that makes {noise:.0f} % of the variance.
Engagement = 1 / (1 + exp(-({middle} + {steepness} x score))); a clip is popular from {popular} on.
Views grow with the score and the followers, quickly at first: p1, p2, ... are
log2(views up to that day / days + 1). Hashtags, hues, and descriptions but for their language have
no effect. Some clips have no title, no description, or no sound track; what is not there counts as
average.

## The best there is

Knowing every cause but not the noise, the rank correlation (SROCC) with engagement is **{srocc}**
on this table ({expected} in an endless one), and the share of clips whose class is told right is
{accuracy:.3f}. With one family of causes alone the rank correlation is:
{families}.

Files that were broken on purpose: {broken}.
"""
