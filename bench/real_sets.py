"""What the classic features and light heads reach on three real sets, beside honest baselines.

    python -m bench.real_sets [--data DIR] [--cache DIR] [--sets emotion,fight,captions]

Every score is of rows that neither fitting nor choosing has seen: emotion leaves one actor out,
fight keeps a scene's clips together, captions are stratified. Intervals are 95 %, of a bootstrap
that draws actors and scenes whole; a difference is paired, both predictions under the same draws.
Baselines that are recomputed learn from the same rows (train and validation) of the same folds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from bench.machine import DATA, ROOT, machine
from bench.real_data import (
    AUDIO,
    CAPTIONS,
    EMOTION,
    FIGHT,
    METRICS,
    OPENINGS_S,
    PICTURE,
    TEXT,
    Loaded,
    cepstrum_shares,
    fit,
    load,
    paired,
    scores_of,
    tfidf_shares,
)
from extract.opening import with_opening
from heads.result import FitResult
from scoring.bootstrap import Score

HEADS = ("linear", "gbm", "mlp")
DRAWS = 10


def emotion(data: Path, cache: Path) -> None:
    """Acted emotions: sound, picture, both, and the cepstrum with an SVC."""
    loaded = load(EMOTION, data, cache, OPENINGS_S)
    _title("emotion clips, one actor left out", loaded)
    for label, families in {
        "sound": AUDIO,
        "motion": ("motion",),
        "video": PICTURE,
        "sound, motion": (*AUDIO, "motion"),
        "classic, complete": (*AUDIO, *PICTURE),
    }.items():
        for head in HEADS:
            result = _fitted(loaded, label, families, head)
            if head == "linear" and label in {"sound", "classic, complete"}:
                _beside(loaded, result, "cepstrum, SVC", cepstrum_shares(loaded, result))
    _openings(loaded)
    print("  quoted: cepstrum, SVC 0.517; motion 0.408; chance 0.167")


def fight(data: Path, cache: Path) -> None:
    """Fights: motion and all features, beside what the container alone gives away."""
    loaded = load(FIGHT, data, cache, OPENINGS_S)
    _title("fight clips, 5 folds by scene", loaded)
    shortcuts = {
        head: _fitted(loaded, "container alone: a shortcut", ("container",), head)
        for head in ("linear", "gbm")
    }
    best = max(shortcuts, key=lambda head: shortcuts[head].metrics["accuracy"].value)
    own = shortcuts[best].scored.probabilities
    assert own is not None
    labels = {"motion": ("motion",), "classic, complete": (*AUDIO, *PICTURE)}
    for label, families in labels.items():
        for head in HEADS:
            result = _fitted(loaded, label, families, head)
            if head == "linear":
                _beside(loaded, result, f"container, {best}", own)
    _openings(loaded)
    _draws(loaded, {**labels, "container": ("container",)})
    print("  quoted: motion 0.706; MobileNetV2 0.682; container 0.702")


def captions(data: Path, cache: Path) -> None:
    """Engagement from captions, beside TF-IDF and logistic regression; other heads, blended."""
    loaded = load(CAPTIONS, data, cache)
    _title("SnapUGC captions, 5 stratified folds", loaded)
    for families in (("words",), TEXT):
        result = _fitted(loaded, ", ".join(families), families, "linear")
        _beside(loaded, result, "TF-IDF, logistic", tfidf_shares(loaded, result))
    line = result.scored.probabilities
    assert line is not None
    for head in ("gbm", "knn", "blend"):
        _beside(loaded, _fitted(loaded, ", ".join(TEXT), TEXT, head), "linear", line)
    print("  quoted: TF-IDF, logistic 0.499, weighted F1 0.494 (other folds)")


def _openings(loaded: Loaded) -> None:
    """Print what the opening seconds tell: each head on all parts, and the parts one by one."""
    everything = (*AUDIO, *PICTURE)
    columns = {head: (head, everything) for head in HEADS}
    columns |= {"sound, linear": ("linear", AUDIO), "video, linear": ("linear", PICTURE)}
    print("  opening seconds" + "".join(f"  {label:22}" for label in columns))
    for seconds in OPENINGS_S:
        cells = []
        for head, families in columns.values():
            names = [with_opening(name, seconds) for name in families]
            cells.append(_cell(fit(loaded, names, head).metrics["accuracy"]))
        label = "all" if seconds is None else f"0-{seconds} s"
        print(f"    {label:13}" + "".join(f"  {cell:22}" for cell in cells), flush=True)


def _draws(loaded: Loaded, parts: Mapping[str, Sequence[str]]) -> None:
    """Print how much of a score is the draw of the folds."""
    print(f"  linear, {DRAWS} draws of the folds: mean accuracy, deviation, lowest, highest")
    for label, families in parts.items():
        fits = [fit(loaded, families, "linear", seed=seed) for seed in range(DRAWS)]
        found = np.array([each.metrics["accuracy"].value for each in fits])
        numbers = (found.mean(), found.std(ddof=1), found.min(), found.max())
        print(f"    {label:30}" + "".join(f"  {number:.3f}" for number in numbers), flush=True)


def _title(text: str, loaded: Loaded) -> None:
    print(f"{text}, n = {len(loaded.table)}")
    print(f"  {'features':34} {'head':8} {'accuracy':22} {'weighted F1':22} {'seconds':>7}")


def _fitted(loaded: Loaded, label: str, families: Sequence[str], head: str) -> FitResult:
    started = time.perf_counter()
    result = fit(loaded, families, head)
    _line(label, head, result.metrics, f"{time.perf_counter() - started:7.1f}")
    return result


def _beside(loaded: Loaded, result: FitResult, label: str, shares: np.ndarray) -> None:
    """Print a baseline and by how much the head is above it."""
    _line(f"  beside it: {label}", "", scores_of(loaded, result, shares), "")
    gaps = [paired(loaded, result, shares, metric).difference for metric in METRICS]
    _line("  head minus that, paired", "", dict(zip(METRICS, gaps, strict=True)), "")


def _line(label: str, head: str, scores: Mapping[str, Score], end: str) -> None:
    cells = [_cell(scores[name]) for name in METRICS]
    print(f"  {label:34} {head:8} {cells[0]:22} {cells[1]:22} {end}", flush=True)


def _cell(score: Score) -> str:
    return f"{score.value:6.3f} [{score.low:.3f}, {score.high:.3f}]"


SETS = {"emotion": emotion, "fight": fight, "captions": captions}


def main() -> None:
    """Print a table for each set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of real sets")
    parser.add_argument("--cache", type=Path, default=ROOT / "var" / "cache-bench")
    parser.add_argument("--sets", default=",".join(SETS), help="which, comma-separated")
    given = parser.parse_args()
    print(machine())
    for name in given.sets.split(","):
        SETS[name](given.data, given.cache)


if __name__ == "__main__":
    main()
