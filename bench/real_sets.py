"""What the classic features and light heads reach on three real sets, beside honest baselines.

    python -m bench.real_sets [--data DIR] [--cache DIR] [--sets emotion,fight,captions]

Every score is of rows that neither fitting nor choosing has seen: emotion leaves one actor out,
fight keeps a scene's clips together, captions are stratified. Intervals are 95 %, of a bootstrap
that draws actors and scenes whole; a difference is paired, both predictions under the same draws.
Baselines that are recomputed learn from the same rows (train and validation) of the same folds.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from bench.machine import machine
from cache.gather import number_spec, table_of
from cache.spec import Column
from cache.table import FeatureTable
from commands.loading import cpu_count, parts_of
from corpus.columns import Columns
from corpus.manifest import read_manifest
from corpus.sample import Target
from corpus.splits import SplitPlan
from corpus.targets import TargetPlan
from extract.catalog import family_of, resolve
from extract.ensure import OpenCache, ensure
from extract.pipeline import Settings
from heads.fit import fit_head
from heads.result import FitConfig, FitResult
from scoring.bootstrap import Score, score_classification
from scoring.compare import Comparison, compare

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("SHORTCAST_DATA", ROOT.parent / "shared" / "data"))
AUDIO = ("loudness", "spectrum", "mfcc", "rhythm")
PICTURE = ("colour", "sharpness", "motion")
TEXT = ("words", "characters", "textstats")
CONTAINER = ("fps", "width", "height", "bytes", "duration_s", "has_audio")
METRICS = ("accuracy", "f1_weighted")


@dataclass(frozen=True)
class RealSet:
    """A table of the data folder, what its columns are, and which rows judge."""

    table: str
    columns: str
    split: str
    families: tuple[str, ...]
    numbers: tuple[str, ...] = ()


_CLIPS = "id=path,video=path,author=group"
EMOTION = RealSet("clips/javanese_emotion.csv", _CLIPS, "author-kfold:10", (*AUDIO, *PICTURE))
FIGHT = RealSet(
    "clips/surv_fight.csv",
    f"{_CLIPS},number={'+'.join(CONTAINER)}",
    "author-kfold:5",
    (*AUDIO, *PICTURE),
    CONTAINER,
)
CAPTIONS = RealSet("snapugc/captions.csv", "id=id,text=caption", "stratified-kfold:5", TEXT)


@dataclass(frozen=True, eq=False)
class Loaded:
    """The rows of a set with their features (sequences too), labels and texts, in one order."""

    source: RealSet
    table: FeatureTable
    labels: Sequence[Target]
    texts: tuple[str, ...]


def load(source: RealSet, data: Path, cache: Path) -> Loaded:
    """Read a set; features that the cache lacks are computed first."""
    manifest = read_manifest(
        data / source.table, columns=Columns.parse(source.columns), targets=["label"]
    )
    opened = OpenCache.at(cache, manifest.samples)
    request = resolve(source.families, parts=parts_of(manifest))
    ensure(manifest.samples, request, opened, settings=Settings(workers=cpu_count()))
    specs = [*request.specs, *(number_spec(name) for name in source.numbers)]
    table, _ = table_of(manifest.samples, specs, store=opened.store, keys=opened.keys)
    texts = tuple(sample.text.get("caption", "") for sample in manifest.samples)
    return Loaded(source, replace(table, author=manifest.author), manifest.target("label"), texts)


def fit(loaded: Loaded, families: Sequence[str], head: str) -> FitResult:
    """Fit as `fit-head` does; "container" stands for the numbers of the table."""
    config = FitConfig(
        head=head,
        target=TargetPlan("label", "classification"),
        split=SplitPlan.parse(loaded.source.split, seed=0),
        features=tuple(name for name in loaded.table.columns if _is_of(loaded, name, families)),
        refit=True,
    )
    vectors = loaded.table.select(config.features)  # without numbers: no baseline of them here
    return fit_head(vectors, loaded.labels, config)


def _is_of(loaded: Loaded, name: str, families: Sequence[str]) -> bool:
    """Say whether a feature is one of those; sequences are left out, but for counts."""
    if name.startswith("meta:"):
        return "container" in families
    spec = loaded.table.columns[name].spec
    return family_of(name) in families and (spec.is_counts or not spec.is_ragged)


def shares_of(
    result: FitResult, predict: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> np.ndarray:
    """Return what a baseline predicts for the scored rows, one-hot float64 [N, classes].

    `predict` takes the rows that the head learnt from and those to predict, int64, and returns the
    names of classes.
    """
    predicted = np.zeros(len(result.ids), object)
    for fold in result.folds:
        learnt = np.sort(np.concatenate([fold.train, fold.valid]))
        predicted[fold.test] = predict(learnt, fold.test)
    classes = np.array(result.bundle.target.classes)
    shares: np.ndarray = (predicted.astype(np.str_)[:, None] == classes).astype(np.float64)
    return shares


def tfidf_shares(loaded: Loaded, result: FitResult) -> np.ndarray:
    """Words and pairs of words, TF-IDF, and logistic regression, as scikit-learn has them."""
    texts, labels = np.array(loaded.texts, object), _names(loaded)

    def predict(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        model = make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(max_iter=1000)
        )
        predicted: np.ndarray = model.fit(texts[train], labels[train]).predict(texts[test])
        return predicted

    return shares_of(result, predict)


def cepstrum_shares(loaded: Loaded, result: FitResult) -> np.ndarray:
    """Mean and deviation of 20 mel cepstra over the clip, scaled, and an RBF SVC with C = 10."""
    vectors, labels = _mean_and_deviation(loaded.table.columns["mfcc/frames"]), _names(loaded)

    def predict(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        model = make_pipeline(StandardScaler(), SVC(C=10))
        predicted: np.ndarray = model.fit(vectors[train], labels[train]).predict(vectors[test])
        return predicted

    return shares_of(result, predict)


def _mean_and_deviation(column: Column) -> np.ndarray:
    """Return float64 [N, 40] of the first 20 columns of each sample's tokens."""
    assert column.offsets is not None
    frames = np.split(column.values[:, :20].astype(np.float64), column.offsets[1:-1])
    return np.array([np.concatenate([part.mean(axis=0), part.std(axis=0)]) for part in frames])


def _names(loaded: Loaded) -> np.ndarray:
    """Return the classes as the bundle names them, str [N]."""
    return np.array(
        [str(int(x)) if isinstance(x, float) else str(x) for x in loaded.labels], np.str_
    )


def paired(loaded: Loaded, result: FitResult, shares: np.ndarray, metric: str) -> Comparison:
    """Compare a head with a baseline's shares [N, classes] on the rows of both."""
    own = result.scored.probabilities
    assert own is not None
    return compare(metric, _truth(result), (own, shares), seed=0, groups=_groups(loaded))


def _truth(result: FitResult) -> np.ndarray:
    """Return class indices int64 [N] of the scored rows, which are all rows of these sets."""
    classes = list(result.bundle.target.classes)
    return np.array([classes.index(name) for name in result.scored.target.tolist()], np.int64)


def _groups(loaded: Loaded) -> np.ndarray | None:
    return loaded.table.author


def scores_of(loaded: Loaded, result: FitResult, shares: np.ndarray) -> dict[str, Score]:
    """Score a baseline on the rows of a fit."""
    classes = result.bundle.target.classes
    found = score_classification(_truth(result), shares, classes, seed=0, groups=_groups(loaded))
    return dict(found)


def emotion(data: Path, cache: Path) -> None:
    """Acted emotions: sound, picture, both, and the cepstrum with an SVC."""
    loaded = load(EMOTION, data, cache)
    _title("emotion clips, one actor left out", loaded)
    for label, families in {
        "sound": AUDIO,
        "motion": ("motion",),
        "colour, sharpness, motion": PICTURE,
        "sound, motion": (*AUDIO, "motion"),
        "all": (*AUDIO, *PICTURE),
    }.items():
        for head in ("linear", "gbm"):
            result = _fitted(loaded, label, families, head)
            if head == "linear" and label in {"sound", "all"}:
                _beside(loaded, result, "cepstrum, SVC", cepstrum_shares(loaded, result))
    print("  quoted: cepstrum, SVC 0.517; motion 0.408; chance 0.167")


def fight(data: Path, cache: Path) -> None:
    """Fights: motion and all features, beside what the container alone gives away."""
    loaded = load(FIGHT, data, cache)
    _title("fight clips, 5 folds by scene", loaded)
    shortcuts = {
        head: _fitted(loaded, "container alone: a shortcut", ("container",), head)
        for head in ("linear", "gbm")
    }
    best = max(shortcuts, key=lambda head: shortcuts[head].metrics["accuracy"].value)
    own = shortcuts[best].scored.probabilities
    assert own is not None
    for label, families in {"motion": ("motion",), "all": (*AUDIO, *PICTURE)}.items():
        for head in ("linear", "gbm"):
            result = _fitted(loaded, label, families, head)
            if head == "linear":
                _beside(loaded, result, f"container, {best}", own)
    print("  quoted: motion 0.706; MobileNetV2 0.682; container 0.702")


def captions(data: Path, cache: Path) -> None:
    """Engagement from captions, beside TF-IDF and logistic regression."""
    loaded = load(CAPTIONS, data, cache)
    _title("SnapUGC captions, 5 stratified folds", loaded)
    for families in (("words",), TEXT):
        result = _fitted(loaded, ", ".join(families), families, "linear")
        _beside(loaded, result, "TF-IDF, logistic", tfidf_shares(loaded, result))
    print("  quoted: TF-IDF, logistic 0.499, weighted F1 0.494 (other folds)")


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
    cells = [
        f"{s.value:6.3f} [{s.low:.3f}, {s.high:.3f}]" for s in (scores[name] for name in METRICS)
    ]
    print(f"  {label:34} {head:8} {cells[0]:22} {cells[1]:22} {end}", flush=True)


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
