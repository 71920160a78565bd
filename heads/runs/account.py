"""What a report tells of a finished fit in words: facts, notes, rows, coverage, commands."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from heads.runs.reading import EPOCHS, FitRun
from heads.tuning.trials import DONE, text_of
from scoring.report_data import Gaps, Tried

_MAX_FEATURES = 24  # that are named one by one
_BEST_TRIALS = 3  # of each fold, that are shown


def coverage_of(run: FitRun) -> dict[str, Gaps]:
    """Return the gaps of each feature of a run by cause, as far as it wrote them down."""
    rows = run.content["rows"]["labelled"] + run.content["rows"].get("middle", 0)
    found = {}
    for name, present in run.content.get("coverage", {}).items():
        known = run.content.get("gaps", {}).get(name)
        if known:
            found[name] = Gaps(known["ok"], known["absent"], known["failed"], known["never"])
        else:
            lacking = rows - present
            found[name] = Gaps(present, {"not-given": lacking} if lacking else {})
    return found


def subtitle_of(run: FitRun) -> str:
    """Return which run it is, of when, and how long it took."""
    parts = [f"run {run.name}"]
    if started := _moment(run.record.get("started")):
        parts.append(f"{started:%Y-%m-%d %H:%M} UTC")
    if (seconds := seconds_of(run.record)) is not None:
        parts.append(f"fitted in {seconds:.0f} s" if seconds >= 1 else "fitted in under 1 s")
    return ", ".join(parts)


def seconds_of(record: Mapping[str, Any]) -> float | None:
    """Return how long a run took; None where it did not end."""
    started, finished = _moment(record.get("started")), _moment(record.get("finished"))
    return (finished - started).total_seconds() if started and finished else None


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


def notes_of(run: FitRun) -> list[str]:
    """Return what a reader must know before believing the numbers."""
    notes = []
    if interval := run.content.get("interval"):
        notes.append(
            f"Intervals are meant to cover {interval['level']:.0%} of rows; they cover "
            f"{interval['covered']:.1%} of those scored here."
        )
    if leaks := run.content.get("leaks"):
        notes.append(f"Between the parts of the split: {leaks['text']}.")
    rows = run.content["rows"]
    if dropped := rows.get("unlabelled"):
        notes.append(f"{dropped} rows have no label and were left out.")
    if middle := rows.get("middle"):
        notes.append(f"{middle} rows lie between the quantiles and were left out.")
    if (fold := run.content.get("fold")) is not None:
        notes.append(f"Only fold {fold} was fitted: a quick look, not a result.")
    return notes


def facts_of(run: FitRun) -> dict[str, str]:
    """Return what was done, by name."""
    content, record = run.content, run.record
    split, data = content["split"], record.get("data", {})
    environment = record.get("environment", {})
    facts = {
        "head": content["head"],
        "options": ", ".join(f"{n} {_option(v)}" for n, v in content.get("options", {}).items()),
        "features": _some(run.features),
        "target": _target_text(content),
        "split": f"{split['rule']}, {split['folds']} folds, seed {split['seed']}, "
        f"digest {split['digest']}",
        "chosen": ", ".join(f"{name} {value:g}" for name, value in content["chosen"].items()),
        "seed": str(content.get("seed", "")),
        "table": f"{record.get('config', {}).get('manifest', '')}, digest {data['manifest']}"
        if "manifest" in data
        else "",
        "code": str(record.get("git") or ""),
        "with": ", ".join(f"{name} {version}" for name, version in environment.items()),
    }
    return {name: text for name, text in facts.items() if text}


def _option(value: object) -> str:
    return "auto" if value is None else f"{value}"


def _some(words: tuple[str, ...]) -> str:
    more = len(words) - _MAX_FEATURES
    return ", ".join(words[:_MAX_FEATURES]) + (f" and {more} more" if more > 0 else "")


def _target_text(content: Mapping[str, Any]) -> str:
    text = f"{content['target']}, {content['task']}"
    if (transform := content.get("transform", "none")) != "none":
        text += f", learnt as {transform}"
    if quantiles := content.get("quantiles"):
        text += f", classes by the quantiles {quantiles[0]:g} and {quantiles[1]:g}"
    return text


def tried_of(run: FitRun) -> list[Tried]:
    """Return the defaults and the best few sets of options that were tried in each fold."""
    tried = []
    for found in run.tuned:
        others = [trial for trial in found.trials[1:] if trial.state == DONE]
        best = sorted(others, key=lambda trial: trial.loss)[:_BEST_TRIALS]
        for trial in (*found.trials[:1], *best):
            chosen = trial is found.best
            told = text_of(trial.options)
            tried.append(Tried(found.fold, trial.number, trial.loss, told, chosen))
    return tried


def rows_of(run: FitRun) -> dict[str, int]:
    """Return what became of the table's rows; reasons that no row had are left out."""
    counts, data = run.content["rows"], run.record.get("data", {})
    unscored = counts["labelled"] + counts.get("middle", 0) - counts["scored"]
    middle = min(counts.get("middle", 0), unscored)  # of all rows; the quantiles of folds differ
    reasons = {
        "left out as bad rows (--skip-bad-rows)": data.get("bad_rows", 0),
        "left out without a label": counts.get("unlabelled", 0),
        "left out between the quantiles": middle,
        "learnt from or chosen by, in no test part": unscored - middle,
    }
    return {
        "in the table": sum(reasons.values()) + counts["scored"],
        **{why: count for why, count in reasons.items() if count},
        "scored": counts["scored"],
    }


def repeat_of(run: FitRun) -> dict[str, list[str]]:
    """Return by a sentence the commands that made the run, or make it again."""
    argv = [str(word) for word in run.record.get("argv", ())]
    folder = shlex.quote(str(run.folder))
    found = {"The command that made this run:": [f"python {shlex.join(argv)}"]} if argv else {}
    if (run.folder / EPOCHS).is_dir():
        found["Its epochs, by their validation rows:"] = [
            f"python cli.py leaderboard {folder} --epochs"
        ]
    if (run.folder / "config.yaml").is_file():
        found["The same with every option as it was, and this page again:"] = [
            f"python cli.py fit-head --config {folder}/config.yaml --out var/again",
            f"python cli.py report {folder}",
        ]
    return found
