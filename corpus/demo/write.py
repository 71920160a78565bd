"""The demo on the disk: clips, covers, the table, two new clips, and the cause of it all.

OUT/
├── README.md        what is here, the cause in a table, and commands to try
├── columns.yaml     which column is what: --columns columns.yaml
├── cause.json       settings, effects, noise, the best attainable scores, broken files
├── views.csv        how often each clip was seen up to each day: v1, v2, ...
├── truth.csv        the knobs, signal and noise of every clip: not for learning from
├── videos/*.mp4     180 x 320, H.264 and AAC        covers/*.jpg
├── new/             two clips that are not in the table, with covers
├── new.csv          their rows, without targets     new_truth.csv   the same with targets
└── videos.csv       the table, written last: it is there when all else is
"""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from pathlib import Path

from core.errors import ProjectError, UsageError
from core.files import TEMPORARY_PREFIX, replacing, storage_errors, write_json, write_text
from core.progress import Meter
from corpus.demo import cause
from corpus.demo.account import Ceiling, attainable, describe, readme
from corpus.demo.film import write_clip
from corpus.demo.plan import ClipPlan, plan_clips, plan_new_clips

MADE_BY = "shortcast demo"
BREAKAGES = ("truncated", "missing", "empty")  # the kinds of broken files, in turn
TRUNCATED_TO = 0.5
LARGEST_CREW = 8
COLUMNS = {
    "id": "id",
    "video": "video",
    "image": "image",
    "text": "title+description+hashtags",
    "number": "duration+followers",
    "category": "category",
    "author": "author",
    "time": "time",
}
_OURS = ("videos/clip-*.mp4", "covers/clip-*.jpg", "new/new-*.mp4", "new/new-*.jpg")


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What was written.

    columns   the file for --columns that reads both tables
    ceiling   the best scores there can be on this table
    broken    the kind of breakage by sample id; every other file is sound
    new       for each new clip its true engagement
    bytes     on the disk
    """

    folder: Path
    table: Path
    new_table: Path
    new_truth: Path
    columns: Path
    videos: int
    silent: int
    untitled: int
    ceiling: Ceiling
    broken: Mapping[str, str]
    new: Mapping[str, float]
    bytes: int

    def to_json(self) -> dict[str, object]:
        values = asdict(self)
        places = ("folder", "table", "new_table", "new_truth", "columns")
        return values | {name: str(values[name]) for name in places}


def write_demo(
    out: Path,
    *,
    videos: int = 120,
    seed: int = 7,
    days: int = 30,
    broken: int = 0,
    workers: int | None = None,
) -> DemoSummary:
    """Write a corpus whose popularity has a known cause, and say what it holds.

    The same numbers give the same frames, sounds and tables, and the same bytes where the codecs
    are the same. `broken` of the clips are spoilt afterwards: truncated, missing and empty in turn.
    `workers` is the number of processes, 1 for this one alone; by default one for each core, up to
    8. A folder that an earlier call made is written anew; other files in it are left alone.

    Raises:
        UsageError: if a number makes no sense, or `out` holds something that is not a demo.
        StorageError: if the disk is full, read-only or failing.
    """
    _check_numbers(videos=videos, seed=seed, days=days, broken=broken, workers=workers)
    _make_room(out)
    plans = plan_clips(videos, seed=seed, days=days)
    new = plan_new_clips(videos, seed=seed, days=days)
    spoilt = choose_broken(plans, broken)
    ceiling = attainable(plans)
    settings = {"videos": videos, "seed": seed, "days": days, "broken": broken}
    facts = {"made_by": MADE_BY, "settings": settings, "broken": spoilt} | describe(ceiling)
    write_json(out / "cause.json", facts)  # first: from here on the folder is known as ours
    _clear(out)
    places = [(plan, *_places(out, plan)) for plan in (*plans, *new)]
    _write_clips(places, workers or min(_cores(), LARGEST_CREW))
    for plan, kind in zip(_chosen(plans, spoilt), spoilt.values(), strict=True):
        _break(_places(out, plan)[0], kind)
    return _write_tables(out, plans, new, spoilt=spoilt, ceiling=ceiling)


def _check_numbers(**numbers: int | None) -> None:
    least = {"videos": 1, "seed": 0, "days": 1, "broken": 0, "workers": 1}
    wrong = [
        f"{name} is {number}, but must be at least {least[name]}"
        for name, number in numbers.items()
        if number is not None and number < least[name]
    ]
    videos, broken = numbers["videos"] or 0, numbers["broken"] or 0
    if broken > videos > 0:
        wrong.append(f"broken is {broken}, but there are only {videos} videos")
    if wrong:
        raise UsageError("no such demo: " + "; ".join(wrong))


def _make_room(out: Path) -> None:
    """Make the folder, or make sure that it is one of ours."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file, but the demo needs a folder; choose another name")
    with storage_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        taken = any(place for place in out.iterdir() if not place.name.startswith(TEMPORARY_PREFIX))
    if taken and not _is_ours(out):
        raise UsageError(
            f"{out} is not empty and was not made by this command; "
            "choose a new folder, or empty this one first"
        )


def _is_ours(out: Path) -> bool:
    try:
        facts = json.loads((out / "cause.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(facts, dict) and facts.get("made_by") == MADE_BY


def _clear(out: Path) -> None:
    """Remove the table and the clips of an earlier demo, and what a killed one left behind."""
    with storage_errors(out):
        (out / "videos.csv").unlink(missing_ok=True)
        for folder in ("videos", "covers", "new"):
            (out / folder).mkdir(exist_ok=True)
        litter = [f"{folder}/{TEMPORARY_PREFIX}*" for folder in (".", "videos", "covers", "new")]
        for pattern in (*_OURS, *litter):
            for place in out.glob(pattern):
                place.unlink()


def _places(out: Path, plan: ClipPlan) -> tuple[Path, Path]:
    """Return where the video and the cover of a clip are."""
    if plan.id.startswith("new"):
        return out / "new" / f"{plan.id}.mp4", out / "new" / f"{plan.id}.jpg"
    return out / "videos" / f"{plan.id}.mp4", out / "covers" / f"{plan.id}.jpg"


def _write_clips(places: Sequence[tuple[ClipPlan, Path, Path]], workers: int) -> None:
    with Meter("draw clips", len(places), unit="clips") as meter:
        if workers > 1:
            _share_out(places, workers, meter)
            return
        for place in places:
            write_clip(*place)
            meter.advance()


def _cores() -> int:
    """Return how many cores this process may use; not every system says which."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _share_out(places: Sequence[tuple[ClipPlan, Path, Path]], workers: int, meter: Meter) -> None:
    """Write clips in several processes; the first error ends them all."""
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
    try:
        for done in as_completed([pool.submit(write_clip, *place) for place in places]):
            done.result()
            meter.advance()
    except BrokenProcessPool as error:
        raise ProjectError(
            "a process that draws the demo was ended from outside, perhaps for want of memory; "
            "run again with one worker"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def choose_broken(plans: Sequence[ClipPlan], broken: int) -> dict[str, str]:
    """Return the kind of breakage by id, for `broken` clips spread over the table."""
    chosen = [plans[(2 * place + 1) * len(plans) // (2 * broken)] for place in range(broken)]
    return {plan.id: BREAKAGES[turn % len(BREAKAGES)] for turn, plan in enumerate(chosen)}


def _chosen(plans: Sequence[ClipPlan], spoilt: Mapping[str, str]) -> list[ClipPlan]:
    return [plan for plan in plans if plan.id in spoilt]


def _break(video: Path, kind: str) -> None:
    """Spoil a file in one of the three ways that real collections know."""
    with storage_errors(video):
        if kind == "missing":
            video.unlink()
        else:
            size = video.stat().st_size
            os.truncate(video, 0 if kind == "empty" else int(size * TRUNCATED_TO))


def _write_tables(
    out: Path,
    plans: Sequence[ClipPlan],
    new: Sequence[ClipPlan],
    *,
    spoilt: Mapping[str, str],
    ceiling: Ceiling,
) -> DemoSummary:
    """Write every table and the README, the table of the clips last, and count up."""
    _write_csv(out / "truth.csv", [_cause_row(plan) for plan in (*plans, *new)])
    _write_csv(out / "views.csv", [{"id": plan.id} | plan.views for plan in plans])
    _write_csv(out / "new.csv", [_row(out, plan) for plan in new])
    told = [{"id": plan.id} | _targets(plan) | _row(out, plan) for plan in new]
    _write_csv(out / "new_truth.csv", told)
    page = readme(len(plans), ceiling=ceiling, spoilt=spoilt)
    write_text(out / "README.md", page)
    lines = (f"{role}: {column}\n" for role, column in COLUMNS.items())
    write_text(out / "columns.yaml", "".join(lines))
    _write_csv(out / "videos.csv", [_row(out, plan) | _targets(plan) for plan in plans])
    return DemoSummary(
        folder=out,
        table=out / "videos.csv",
        new_table=out / "new.csv",
        new_truth=out / "new_truth.csv",
        columns=out / "columns.yaml",
        videos=len(plans),
        silent=sum(plan.silent for plan in plans),
        untitled=sum(not plan.words.title for plan in plans),
        ceiling=ceiling,
        broken=dict(spoilt),
        new={plan.id: plan.engagement for plan in new},
        bytes=sum(place.stat().st_size for place in out.rglob("*") if place.is_file()),
    )


def _row(out: Path, plan: ClipPlan) -> dict[str, str]:
    video, cover = _places(out, plan)
    return {
        "id": plan.id,
        "video": video.relative_to(out).as_posix(),
        "image": cover.relative_to(out).as_posix(),
        "title": plan.words.title,
        "description": plan.words.description,
        "hashtags": plan.words.hashtags,
        "category": plan.category,
        "duration": f"{plan.duration_s:.3f}",
        "followers": str(plan.followers),
        "author": plan.author,
        "time": plan.posted,
    }


def _targets(plan: ClipPlan) -> dict[str, str]:
    curve = {f"p{day}": f"{level:.5f}" for day, level in enumerate(plan.curve, 1)}
    return {"engagement": f"{plan.engagement:.4f}", "popular": plan.popular} | curve


def _cause_row(plan: ClipPlan) -> dict[str, str]:
    """Return the knobs of a clip; one that it does not have is empty."""
    effects = (effect.name for effect in cause.EFFECTS)
    knobs = {name: f"{plan.knobs[name]:.4f}" if name in plan.knobs else "" for name in effects}
    known = {"signal": f"{plan.signal:.4f}", "noise": f"{plan.noise:.4f}"}
    return {"id": plan.id, "language": plan.language} | known | knobs


def _write_csv(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    rows = list(rows)
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
