"""The plan of the demo: the knobs, words, numbers and targets of every clip, before it is drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from corpus.demo import cause
from corpus.demo.words import Wording, write_words
from corpus.popularity import views_of

FRAME_RATES = (24, 25, 30)
CLIPS_PER_AUTHOR = 6
NO_TITLE, NO_DESCRIPTION, NO_SOUND = 0.08, 0.3, 0.08
SPREAD = math.sqrt(3)  # a uniform number in -SPREAD..SPREAD has variance 1
CUT_TRIES, CUT_CHANCE = 5, 0.4
FIRST_POST = 1_704_067_200  # 2024-01-01, UTC
POSTING_DAYS = 120
AUTHOR_STREAM, CLIP_STREAM = 0, 1


@dataclass(frozen=True, slots=True)
class ClipPlan:
    """Everything that decides one clip.

    knobs      the causes that the clip has, in standard units (see `cause.EFFECTS`)
    noise      what is added to the score and cannot be known
    curve      p_d = log2(views up to day d / d + 1), d = 1..days
    posted_at  seconds since 1970, UTC
    seed       of the numbers that decide how it looks and sounds beyond its knobs
    """

    id: str
    category: str
    language: str
    words: Wording
    author: str
    followers: int
    posted_at: int
    rate: int
    frames: int
    knobs: dict[str, float]
    noise: float
    curve: tuple[float, ...]
    seed: tuple[int, ...]

    @property
    def duration_s(self) -> float:
        return self.frames / self.rate

    @property
    def silent(self) -> bool:
        return "loudness" not in self.knobs

    @property
    def signal(self) -> float:
        return cause.signal(self.knobs)

    @property
    def engagement(self) -> float:
        return cause.engagement(self.signal + self.noise)

    @property
    def popular(self) -> str:
        return cause.popular(self.engagement)

    @property
    def views(self) -> dict[str, str]:
        """Return how often the clip was seen up to each day, by column: v1, v2, ..."""
        days = np.arange(1, len(self.curve) + 1)
        seen = views_of(np.array(self.curve), days).round().astype(int).tolist()
        return {f"v{day}": str(count) for day, count in zip(days, seen, strict=True)}

    @property
    def posted(self) -> str:
        """Return the time of posting as ISO 8601, UTC."""
        return datetime.fromtimestamp(self.posted_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def plan_clips(videos: int, *, seed: int, days: int) -> list[ClipPlan]:
    """Return the plans of the table's clips; the same seed and numbers give the same plans."""
    authors = max(5, videos // CLIPS_PER_AUTHOR)
    width = max(3, len(str(videos)))
    return [
        _plan_clip(f"clip-{index + 1:0{width}}", (seed, index), authors=authors, days=days)
        for index in range(videos)
    ]


def plan_new_clips(videos: int, *, seed: int, days: int) -> list[ClipPlan]:
    """Return the plans of two clips that are not in the table, "new-1" good and "new-2" poor.

    They have all parts, and are the best and the worst, by their signal, of a dozen: far apart, so
    that a prediction shows.
    """
    authors = max(5, videos // CLIPS_PER_AUTHOR)
    drawn = (
        _plan_clip("new", (seed, videos + extra), authors=authors, days=days) for extra in range(60)
    )
    complete = [plan for plan in drawn if len(plan.knobs) == len(cause.EFFECTS)][:12]
    ordered = sorted(complete, key=lambda plan: plan.signal)
    return [replace(ordered[-1], id="new-1"), replace(ordered[0], id="new-2")]


def _plan_clip(name: str, seed: tuple[int, int], *, authors: int, days: int) -> ClipPlan:
    """Draw one clip from its own stream: it depends on the number of clips only by its author."""
    rng = np.random.default_rng([CLIP_STREAM, *seed])
    author = int(rng.integers(authors))
    fame = float(np.random.default_rng([AUTHOR_STREAM, seed[0], author]).normal())
    category = str(rng.choice(list(cause.CATEGORIES)))
    chances = [chance for chance, _ in cause.LANGUAGES.values()]
    language = str(rng.choice(list(cause.LANGUAGES), p=chances))
    posted_at = FIRST_POST + int(rng.integers(POSTING_DAYS * 86_400))
    rate = int(rng.choice(FRAME_RATES))
    frames = round(float(rng.uniform(3, 6)) * rate)
    knobs = _draw_knobs(rng) | {
        "language": cause.language_knobs()[language],
        "category": cause.category_knobs()[category],
        "followers": fame,
        "hour": cause.hour_knob(posted_at % 86_400 / 3600),
        "duration": (4.5 - frames / rate) / 1.5 * SPREAD,
    }
    hook, punch = knobs["hook"] > 0, knobs["punch"] > 0
    words = write_words(category, language, rng, hook=hook, punch=punch)
    words, knobs = _leave_out(words, knobs, rng)
    noise = float(rng.normal(0, cause.NOISE_SD))
    return ClipPlan(
        id=name,
        category=category,
        language=language,
        words=words,
        author=f"author-{author + 1:02}",
        followers=round(10 ** (3.8 + 0.6 * fame)),
        posted_at=posted_at,
        rate=rate,
        frames=frames,
        knobs=knobs,
        noise=noise,
        curve=_draw_curve(cause.signal(knobs) + noise, fame, rng, days=days),
        seed=seed,
    )


def _draw_knobs(rng: np.random.Generator) -> dict[str, float]:
    """Return the knobs that are free: those of picture, sound and title."""
    free = ("motion", "colour", "brightness", "sharpness", "loudness", "tempo", "timbre")
    knobs = {name: float(rng.uniform(-SPREAD, SPREAD)) for name in free}
    cuts = int(rng.binomial(CUT_TRIES, CUT_CHANCE))
    mean, spread = CUT_TRIES * CUT_CHANCE, math.sqrt(CUT_TRIES * CUT_CHANCE * (1 - CUT_CHANCE))
    knobs["cuts"] = (cuts - mean) / spread
    return knobs | {name: float(rng.choice((-1.0, 1.0))) for name in ("hook", "punch")}


def _leave_out(
    words: Wording, knobs: dict[str, float], rng: np.random.Generator
) -> tuple[Wording, dict[str, float]]:
    """Take away title, description or sound from some clips, and the knobs with them."""
    no_title, no_description, no_sound = rng.random(3) < (NO_TITLE, NO_DESCRIPTION, NO_SOUND)
    gone: set[str] = set()
    if no_title:
        words, gone = replace(words, title=""), gone | {"hook", "punch"}
    if no_description:
        words = replace(words, description="")
    if no_title and no_description:
        gone |= {"language"}
    if no_sound:
        gone |= {"loudness", "tempo", "timbre"}
    return words, {name: value for name, value in knobs.items() if name not in gone}


def _draw_curve(
    score: float, fame: float, rng: np.random.Generator, *, days: int
) -> tuple[float, ...]:
    """Return p1..p[days] of a saturating growth with noise, and now and then a second wave.

    Views are whole numbers and never fall; they grow with the followers and with the score.
    """
    total = 10 ** (3.2 + 0.35 * score + 0.3 * fame + 0.1 * rng.normal())
    half_life = 3.0 * 2 ** rng.normal(0, 0.6)
    day = np.arange(days + 1)
    reached = total * (1 - 0.5 ** ((day / half_life) ** 0.8))
    if rng.random() < 0.12:
        reached += 0.5 * total / (1 + np.exp(-(day - rng.uniform(8, 22)))) * (day > 0)
    gained = np.diff(reached) * np.exp(rng.normal(0, 0.2, days))
    views = np.round(np.cumsum(gained))
    return tuple(float(level) for level in np.round(np.log2(views / day[1:] + 1), 5))


def cuts(plan: ClipPlan) -> int:
    """Return the number of cuts that the knob stands for."""
    mean, spread = CUT_TRIES * CUT_CHANCE, math.sqrt(CUT_TRIES * CUT_CHANCE * (1 - CUT_CHANCE))
    return round(plan.knobs["cuts"] * spread + mean)
