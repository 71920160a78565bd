"""From the plan of a clip to its frames: where the cuts are, and how each shot looks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np

from corpus.demo.picture import Look, frames
from corpus.demo.plan import ClipPlan, cuts
from corpus.demo.scenes import SCENES

PICTURE_STREAM = 2
SHORTEST_SHOT_S = 0.3
HUES = {  # of the shots of a scene, in turn
    "travel": (0.57, 0.06, 0.62, 0.95, 0.52, 0.75),
    "music": (0.75, 0.62, 0.95, 0.45, 0.85, 0.55),
    "food": (0.0, 0.58, 0.3, 0.1, 0.75, 0.48),
    "talk": (0.58, 0.1, 0.75, 0.45, 0.0, 0.65),
    "gaming": (0.55, 0.7, 0.48, 0.05, 0.6, 0.85),
    "pets": (0.12, 0.3, 0.58, 0.02, 0.2, 0.8),
}
TYPICAL_BEAT = 110 / 60  # beats a second, where there is no sound to have a tempo


def draw_clip(plan: ClipPlan) -> Iterator[np.ndarray]:
    """Give the frames of a clip, uint8 [320, 180, 3] each."""
    rng = np.random.default_rng([PICTURE_STREAM, *plan.seed])
    cast = float(rng.random())
    edges = [0, *cut_frames(plan, rng), plan.frames]
    hues, turn = HUES[plan.category], int(rng.integers(len(HUES[plan.category])))
    for shot, (first, end) in enumerate(pairwise(edges)):
        hue = hues[(shot + turn) % len(hues)] + float(rng.normal(0, 0.03))
        look = replace(_look(plan, end - first, rng), hue=hue, cast=cast)
        yield from frames(SCENES[plan.category](look))


def cut_frames(plan: ClipPlan, rng: np.random.Generator) -> list[int]:
    """Return the numbers of the frames that begin a new shot, ascending; most of them are early."""
    number, room = cuts(plan), plan.duration_s - SHORTEST_SHOT_S
    spare = room - number * SHORTEST_SHOT_S
    places = np.sort(rng.random(number) ** 1.7) * spare + SHORTEST_SHOT_S * np.arange(1, number + 1)
    return [round(float(place) * plan.rate) for place in places]


def _look(plan: ClipPlan, count: int, rng: np.random.Generator) -> Look:
    """Turn the knobs (-1.7..1.7) into what the scenes need; see `cause.EFFECTS`."""
    knobs = plan.knobs
    return Look(
        times=np.arange(count) / plan.rate,
        speed=40 * 2.25 ** knobs["motion"],
        blur=max(0.0, 1.1 - 0.64 * knobs["sharpness"]),
        level=0.5 + 0.13 * knobs["brightness"],
        colours=0.85 + 0.38 * knobs["colour"],
        beat=beats_per_second(plan),
        hue=0.0,
        cast=0.0,
        rng=rng,
    )


def beats_per_second(plan: ClipPlan) -> float:
    """Return the tempo of a clip; one without sound moves at a middling tempo."""
    return TYPICAL_BEAT * float(1.18 ** plan.knobs.get("tempo", 0.0))
