"""What a report says, before it is a page. Texts are plain; nothing in them is taken for HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from scoring.bootstrap import Score
from scoring.classification import ClassScore
from scoring.decades import Decade
from scoring.spread import Spread

# Every metric in a few words. "days" are the steps of a sequence.
METRIC_WORDS = {
    "srocc": "rank correlation",
    "plcc": "linear correlation",
    "krcc": "rank correlation, by pairs",
    "final": "0.6 srocc + 0.4 plcc",
    "rmse": "root of the mean squared error",
    "mae": "mean absolute error",
    "amae": "absolute error, mean of days",
    "amse": "squared error, mean of days",
    "asrc": "rank correlation, mean of days",
    "accuracy": "share that is right",
    "top5_accuracy": "share with the class among the five most probable",
    "f1_weighted": "F1, by class size",
    "f1_macro": "F1, mean of classes",
    "precision_weighted": "share of a predicted class that is right, by class size",
    "precision_macro": "the same, mean of classes",
    "recall_weighted": "share of a class that is found, by class size",
    "recall_macro": "the same, mean of classes",
    "auc": "area under the ROC curve",
    "log_loss": "how surprised the probabilities are",
    "brier": "squared error of the probabilities",
    "ece": "how far sureness is from being right",
}
MAIN_METRIC = {"regression": "srocc", "classification": "accuracy", "sequence": "amae"}  # by task


@dataclass(frozen=True)
class Strip:
    """A few small frames of a clip side by side, or its cover; or why there are none.

    picture  JPEG; b"" where there is none
    said     what it shows, for those who do not see it; or the reason
    note     what all must know of it, such as that it is no frame
    """

    picture: bytes
    said: str
    note: str = ""


@dataclass(frozen=True)
class Example:
    """One row's prediction, as it is shown; texts may come from anybody and are escaped.

    texts  by field, such as "title"
    strip  None where nothing was looked for
    curve  of a sequence the true and the predicted step, NaN where it is not known; else empty
    """

    id: str
    true: str
    predicted: str
    error: float
    texts: Mapping[str, str] = field(default_factory=dict)
    strip: Strip | None = None
    curve: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True)
class Gaps:
    """Of how many rows one feature has a value, and by cause why others have none."""

    ok: int
    absent: Mapping[str, int] = field(default_factory=dict)
    failed: Mapping[str, int] = field(default_factory=dict)
    never: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """The number of rows by status; "never" is those that were never extracted."""
        absent, failed = sum(self.absent.values()), sum(self.failed.values())
        return {"ok": self.ok, "absent": absent, "failed": failed, "never": self.never}


@dataclass(frozen=True)
class Steps:
    """How each step of a sequence is met: names and float arrays [T]."""

    names: Sequence[str]
    mae: np.ndarray
    src: np.ndarray


@dataclass(frozen=True)
class Tried:
    """One set of options that was tried on one fold.

    loss  of the validation rows
    """

    fold: str
    trial: int
    loss: float
    options: str
    chosen: bool


@dataclass(frozen=True)
class ReportData:
    """What a report says.

    subtitle     run, date, duration
    notes        what a reader must know before believing the numbers
    scores       by metric
    baselines    by baseline, then by metric
    forest       scores beside baselines, PNG; b"" without
    plots        by caption, PNG
    classes      each class's own scores
    steps        each day's own scores
    decades      errors by how many views there were, of curves of popularity
    spread       by kind of group, how errors spread over groups of rows
    best, worst  predictions of single rows, most telling first
    error_name   what `Example.error` measures, such as "absolute error"; "" hides it
    importances  by feature, its share of the fitted head
    tried        options that were tried before the fit
    coverage     by feature
    rows         what became of the table's rows: how many by what
    facts        what was done, in order: head, features, data set, target, split, seed, ...
    repeat       by sentence, the commands that do it
    """

    title: str
    facts: Mapping[str, str]
    scores: Mapping[str, Score]
    subtitle: str = ""
    notes: Sequence[str] = ()
    baselines: Mapping[str, Mapping[str, Score]] = field(default_factory=dict)
    forest: bytes = b""
    plots: Mapping[str, bytes] = field(default_factory=dict)
    classes: Sequence[ClassScore] = ()
    steps: Steps | None = None
    decades: Sequence[Decade] = ()
    spread: Mapping[str, Spread] = field(default_factory=dict)
    best: Sequence[Example] = ()
    worst: Sequence[Example] = ()
    error_name: str = "error"
    importances: Mapping[str, float] = field(default_factory=dict)
    tried: Sequence[Tried] = ()
    coverage: Mapping[str, Gaps] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    repeat: Mapping[str, Sequence[str]] = field(default_factory=dict)
