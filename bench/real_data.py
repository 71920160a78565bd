"""The three real sets: features, fits as `fit-head` makes them, and baselines on their rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from cache.gather import number_spec, table_of
from cache.spec import Column
from cache.table import FeatureTable
from commands.loading import cpu_count, parts_of
from corpus.columns import Columns
from corpus.manifest import read_manifest
from corpus.sample import Target
from corpus.splits import SplitPlan
from corpus.targets import TargetPlan
from extract.catalog import resolve
from extract.encoders.encoding import Encoding
from extract.ensure import OpenCache, ensure
from extract.families import FAMILIES, PRESETS
from extract.opening import with_opening
from extract.pipeline import Settings
from heads.fit import fit_head
from heads.result import FitConfig, FitResult
from scoring.bootstrap import Score, score_classification
from scoring.compare import Comparison, compare

AUDIO = tuple(name for name in PRESETS["classic"] if FAMILIES[name].reads == "audio")
PICTURE = tuple(name for name in PRESETS["classic"] if FAMILIES[name].reads == "video")
OPENINGS_S = (1, 3, 5, None)  # None is all
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


def load(
    source: RealSet,
    data: Path,
    cache: Path,
    openings_s: Sequence[float | None] = (None,),
    weights: Mapping[str, Path] | None = None,
) -> Loaded:
    """Read a set, its features of some opening seconds; what the cache lacks is computed first.

    `weights` are the folders of encoders' checkpoints, by family; they compute in float32.
    """
    manifest = read_manifest(
        data / source.table, columns=Columns.parse(source.columns), targets=["label"]
    )
    opened = OpenCache.at(cache, manifest.samples)
    families = [with_opening(name, s) for s in openings_s for name in source.families]
    places = {family: str(folder) for family, folder in (weights or {}).items()}
    encoding = Encoding.parse(cache, weights=places, dtype="float32")
    request = resolve(families, parts=parts_of(manifest), encoding=encoding)
    ensure(manifest.samples, request, opened, settings=Settings(workers=cpu_count()))
    specs = [*request.specs, *(number_spec(name) for name in source.numbers)]
    table, _ = table_of(manifest.samples, specs, store=opened.store, keys=opened.keys)
    texts = tuple(sample.text.get("caption", "") for sample in manifest.samples)
    return Loaded(source, replace(table, author=manifest.author), manifest.target("label"), texts)


def fit(loaded: Loaded, families: Sequence[str], head: str, *, seed: int = 0) -> FitResult:
    """Fit as `fit-head` does; families have a variant where one is meant.

    "container" stands for the numbers of the table; `seed` draws the folds.
    """
    config = FitConfig(
        head=head,
        target=TargetPlan("label", "classification"),
        split=SplitPlan.parse(loaded.source.split, seed=seed),
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
    family = name.partition("/")[0].partition(":")[0]  # with its variant
    return family in families and (spec.is_counts or not spec.is_ragged)


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
