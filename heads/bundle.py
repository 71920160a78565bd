"""A fitted head with all that a prediction takes, in one folder of JSON, safetensors and text.

bundle/
    bundle.json     what it predicts, from which features, intervals, digests of the other files
    head/           the head's own files
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from cache.spec import FeatureSpec
from cache.table import FeatureTable
from core.errors import RunError, UsageError
from core.files import inside, write_json
from core.fingerprint import digest_file, digest_strings
from corpus.targets import FittedTarget
from heads.catalog import HEADS
from heads.conformal import Conformal
from heads.contract import Head

FORMAT = 1
_MARKER, _HEAD = "bundle.json", "head"
_LIBRARIES = ("numpy", "scikit-learn", "lightgbm", "torch", "safetensors")


@dataclass(frozen=True, eq=False)
class Predictions:
    """What is predicted for N rows, in the table's own unit.

    value          float64 [N], [N, T] (sequence), or str [N], the most probable class
    low, high      the interval, as `value`; None where there is none (classes, too few residuals)
    probabilities  float64 [N, classes] in the order of the bundle's classes; None for numbers
    missing        for each row the features it lacks, in whose place the head took its usual one
    """

    value: np.ndarray
    low: np.ndarray | None
    high: np.ndarray | None
    probabilities: np.ndarray | None
    missing: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, eq=False)
class Bundle:
    """A fitted head and the way from its numbers to the table's.

    features   what it reads, in the order it learnt them
    target     the target's codec, fitted on the rows the head has learnt from
    intervals  None for classes
    trained    digest of the ids it has learnt from, 32 hexadecimal digits
    libraries  versions that fitted it
    """

    head: Head
    features: tuple[FeatureSpec, ...]
    target: FittedTarget
    intervals: Conformal | None
    trained: str
    libraries: Mapping[str, str] = field(default_factory=dict)

    @property
    def unit(self) -> str:
        """The column whose numbers are predicted."""
        return self.target.plan.column

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names in the order of probabilities; none for numbers."""
        return self.target.classes

    def predict(self, table: FeatureTable) -> Predictions:
        """Predict rows; a row may lack a feature, the table may not.

        Raises:
            RunError: if the table lacks a feature, or has it by another recipe.
        """
        names = [spec.name for spec in self.features]
        check_features(self.features, {n: column.spec for n, column in table.columns.items()})
        predicted = self.head.predict(table.select(names))
        low, high = in_unit(self.target, predicted, self.intervals)
        return Predictions(
            value=self.target.decode(predicted),
            low=low,
            high=high,
            probabilities=predicted if self.classes else None,
            missing=missing_features(names, table),
        )

    def save(self, folder: Path) -> None:
        """Write the bundle; `bundle.json` comes last, and a folder without it is none.

        Raises:
            StorageError: if the disk is full, read-only or failing.
        """
        (folder / _HEAD).mkdir(parents=True, exist_ok=True)
        self.head.save(folder / _HEAD)
        files = sorted(path for path in (folder / _HEAD).rglob("*") if path.is_file())
        content = {
            "format": FORMAT,
            "head": self.head.name,
            "options": self.head.describe(),
            "unit": self.unit,
            "target": self.target.to_json(),
            "features": [spec.to_json() for spec in self.features],
            "intervals": self.intervals.to_json() if self.intervals else None,
            "trained": self.trained,
            "libraries": dict(self.libraries),
            "files": {
                path.relative_to(folder).as_posix(): digest_file(path).hex() for path in files
            },
        }
        write_json(folder / _MARKER, content)


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle after making sure that every file is what was written.

    Raises:
        RunError: if it is of another format, a file is missing or changed, or its head is unknown.
    """
    content = _read(folder)
    if content.get("format") != FORMAT:
        raise RunError(
            f"{folder / _MARKER} has format {content.get('format')!r}, this program "
            f"reads {FORMAT}; fit again with this version, or predict with the one that fitted it"
        )
    try:
        _check_files(folder, content["files"])
        return Bundle(
            head=HEADS.load(content["head"]).load(folder / _HEAD),
            features=tuple(FeatureSpec.from_json(value) for value in content["features"]),
            target=FittedTarget.from_json(content["target"]),
            intervals=Conformal.from_json(given) if (given := content["intervals"]) else None,
            trained=content["trained"],
            libraries=content["libraries"],
        )
    except UsageError as error:  # a path that leaves, a head or task of another version
        raise RunError(f"{folder / _MARKER}: {error}; fit again with this version") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunError(
            f"{folder} is not a whole bundle ({type(error).__name__}: {error}); fit again"
        ) from error


def in_unit(
    target: FittedTarget, predicted: np.ndarray, intervals: Conformal | None
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return the ends of the intervals of predictions on the head's scale, in the table's unit."""
    if intervals is None or not intervals.usable:
        return None, None
    return target.decode(predicted + intervals.low), target.decode(predicted + intervals.high)


def missing_features(names: list[str], table: FeatureTable) -> tuple[tuple[str, ...], ...]:
    """Return for each row the features of `names` that it lacks."""
    present = np.array([table.columns[name].present for name in names]).reshape(len(names), -1)
    return tuple(
        tuple(name for name, there in zip(names, row, strict=True) if not there)
        for row in present.T
    )


def check_features(features: Iterable[FeatureSpec], today: Mapping[str, FeatureSpec]) -> None:
    """Make sure that the features there are, by name, are those that were learnt from.

    Raises:
        RunError: naming the features that are not there, or what differs in the recipe of one.
    """
    features = tuple(features)
    lacking = [spec.name for spec in features if spec.name not in today]
    if lacking:
        raise RunError(
            f"the run reads features that were not given: {', '.join(lacking)}; "
            f"extract them first: python cli.py extract TABLE --features {','.join(lacking)}"
        )
    for spec in features:
        if today[spec.name].fingerprint != spec.fingerprint:
            raise RunError(
                f"feature {spec.name!r} is not the one the run has learnt from: "
                f"{_difference(_decisive(spec), _decisive(today[spec.name]))}; "
                "extract with the run's settings, or fit again"
            )


def trained_digest(ids: np.ndarray) -> str:
    """Return the digest of a set of ids, whatever their order, 32 hexadecimal digits."""
    return digest_strings(sorted(ids.tolist())).hex()


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that fit."""
    return {name: version(name) for name in _LIBRARIES}


def _read(folder: Path) -> dict[str, Any]:
    path = folder / _MARKER
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(
            f"{folder} holds no bundle (no {_MARKER}); name a run of fit-head that is done, "
            "or fit again"
        ) from error
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}; fit again") from error
    if not isinstance(content, dict):
        raise RunError(f"{path} is no bundle but a {type(content).__name__}; fit again")
    return content


def _check_files(folder: Path, files: Mapping[str, str]) -> None:
    for name, digest in files.items():
        path = inside(folder, name)
        if not path.is_file():
            raise RunError(f"{folder} lacks its file {name}; copy it whole, or fit again")
        if digest_file(path).hex() != digest:
            raise RunError(
                f"{path} is not what was written (its digest differs); copy it again, or fit again"
            )


def _decisive(spec: FeatureSpec) -> dict[str, Any]:
    """Return all that decides a feature's values, the recipe's keys among the others."""
    return {"dims": list(spec.dims), "dtype": spec.dtype, "reads": list(spec.reads), **spec.recipe}


def _difference(then: Mapping[str, Any], today: Mapping[str, Any], path: str = "") -> str:
    """Say which key of two nested mappings differs first, then and today."""
    for key in [*then, *sorted(today.keys() - then.keys())]:
        old, new = then.get(key), today.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            if found := _difference(old, new, f"{path}{key}."):
                return found
        elif old != new:
            return f"{path}{key} was {old!r}, is {new!r}"
    return ""
