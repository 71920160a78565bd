"""From a run folder and a clip to a number: the bundle's features, through the same cache."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from cache.gather import is_meta, table_of
from cache.spec import FeatureSpec
from core.errors import CheckpointError, RunError, UnknownName
from core.runs import read_run
from corpus.folds import PARTS
from corpus.sample import Sample
from corpus.steps import step_names
from extract.catalog import Request, resolve
from extract.encoders.checkpoint import Places
from extract.encoders.encoding import Encoding
from extract.encoders.rows import ENCODERS
from extract.ensure import OpenCache, State, ensure
from extract.pipeline import Settings
from extract.today import encoders_of
from heads.bundle import Bundle, Predictions, check_features, load_bundle


@dataclass(frozen=True, eq=False)
class Predicted:
    """Predictions for N samples; `state` counts what was missing and lists what failed.

    `unit` is what they are told in, where it is not the bundle's.
    """

    ids: Sequence[str]
    predictions: Predictions
    state: State
    unit: str | None = None

    @cached_property
    def failures(self) -> dict[str, str]:
        """Why a sample has no prediction, by id: a part that is there could not be read."""
        reasons: dict[str, str] = {}
        for sample_id, feature, cause, reason in self.state.failures:
            reasons.setdefault(sample_id, f"{cause}: {reason} ({feature})")
        return reasons

    def table(self) -> list[tuple[str, Any, str, str]]:
        """Return (id, predicted, status, reason) of every sample; no number where it FAILED."""
        rows: list[tuple[str, Any, str, str]] = []
        for row, sample_id in enumerate(self.ids):
            reason = self.failures.get(sample_id)
            value = "" if reason else _cell(self.predictions.value[row])
            rows.append((sample_id, value, "FAILED" if reason else "OK", reason or ""))
        return rows

    def beside(self, bundle: Bundle) -> dict[str, list[Any]]:
        """Return what stands beside the predictions in a table, by column; "" where it FAILED.

        A number has `low` and `high`, a sequence `predicted (p2)`, `low (p2)`, `high (p2)` and so
        on for each step, classes `probability (NAME)`.
        """
        found, sequence = self.predictions, bundle.target.plan.task == "sequence"
        columns: dict[str, np.ndarray] = {}
        ends = {"low": found.low, "high": found.high}
        told = {name: values for name, values in ends.items() if values is not None}
        if sequence:
            steps = step_names(bundle.target.plan.column, found.value.shape[1])
            for place, step in enumerate(steps):
                every = {"predicted": found.value, **told}
                columns |= {f"{name} ({step})": all_[:, place] for name, all_ in every.items()}
        elif found.probabilities is not None:
            shares = zip(bundle.classes, found.probabilities.T, strict=True)
            columns |= {f"probability ({name})": share for name, share in shares}
        else:
            columns |= told
        failed = [sample_id in self.failures for sample_id in self.ids]
        return {
            name: ["" if gone else plain(value) for gone, value in zip(failed, values, strict=True)]
            for name, values in columns.items()
        }

    def rows(self, bundle: Bundle) -> list[dict[str, Any]]:
        """Return what is known of each sample, for JSON; one that FAILED has no numbers."""
        return [self._row(bundle, row) for row in range(len(self.ids))]

    def _row(self, bundle: Bundle, row: int) -> dict[str, Any]:
        found, reason = self.predictions, self.failures.get(self.ids[row])

        def known(values: np.ndarray | None) -> Any:
            return None if values is None or reason else plain(values[row])

        more = {} if reason else _probabilities(bundle, found, row)
        if bundle.target.plan.task == "sequence":
            more["steps"] = step_names(bundle.target.plan.column, found.value.shape[1])
        return {
            "id": self.ids[row],
            "target": bundle.unit,
            "value": known(found.value),
            "unit": self.unit or bundle.unit,
            "low": known(found.low),
            "high": known(found.high),
            "missing": list(found.missing[row]),
            "reason": reason,
            **more,
        }


class Predictor:
    """A run that predicts; making one checks that today's code gives the same features."""

    def __init__(self, run: Path, weights: Mapping[str, str] | None = None) -> None:
        """Read a run folder; `weights` says where checkpoints are now, by family of encoders.

        Raises:
            UnknownName: if `weights` has a family that there is not.
            RunError: if it is no finished run, or today's code would give another feature.
            CheckpointError: if a checkpoint is not to be had.
        """
        record = read_run(run)
        self.run = run
        self.bundle: Bundle = load_bundle(run / "bundle")
        for family in weights or ():
            if family not in ENCODERS:
                raise UnknownName("--weights: feature", family, ENCODERS)
        encoding = _encoding(self.bundle.features, {**_places_then(record), **(weights or {})})
        self._request = _request(self.bundle.features, encoding)

    @property
    def reads(self) -> frozenset[str]:
        """The parts that the features are computed from, such as "video" or "text:title"."""
        return frozenset(part for spec in self.bundle.features for part in spec.reads)

    @cached_property
    def learnt_from(self) -> frozenset[str]:
        """The ids of the rows that the run knows, in any part of any fold."""
        split = json.loads((self.run / "split.json").read_text(encoding="utf-8"))
        return frozenset(name for fold in split["folds"] for part in PARTS for name in fold[part])

    @property
    def numbers(self) -> frozenset[str]:
        """The fields of the table that are read as numbers."""
        specs = [spec for spec in self.bundle.features if is_meta(spec.name) and not spec.is_text]
        return frozenset(spec.name.partition(":")[2] for spec in specs)

    def predict(self, samples: Sequence[Sample], cache: Path, settings: Settings) -> Predicted:
        """Extract what the cache lacks of these samples, and predict them.

        Raises:
            CacheError: if the cache is not what it says it is.
        """
        opened = OpenCache.at(cache, samples)
        settings = replace(settings, decoder=_decoder(self.bundle.features))
        state = ensure(samples, self._request, opened, settings=settings)
        table, _ = table_of(samples, self.bundle.features, store=opened.store, keys=opened.keys)
        table = replace(table, author=_authors(samples), posted_at=_times(samples))
        return Predicted(opened.keys.index.ids, self.bundle.predict(table), state)


def _authors(samples: Sequence[Sample]) -> np.ndarray:
    """Return the authors, str [N], "" where unknown."""
    return np.array([sample.author or "" for sample in samples], dtype=np.str_)


def _times(samples: Sequence[Sample]) -> np.ndarray:
    """Return when samples were posted, float64 [N], NaN where unknown."""
    times = [sample.posted_at for sample in samples]
    return np.array([np.nan if time is None else time for time in times], np.float64)


def _places_then(record: Mapping[str, Any]) -> dict[str, str]:
    """Return where a run found its checkpoints, by family: folders from wherever it was started."""
    then = dict(item.split("=", 1) for item in record["config"].get("weights") or ())
    started = Path(record["data"].get("started_in", ""))
    folders = {family: started / Path(place).expanduser() for family, place in then.items()}
    return then | {family: str(place) for family, place in folders.items() if place.exists()}


def _encoding(features: Sequence[FeatureSpec], weights: Mapping[str, str]) -> Encoding:
    """Return how the bundle's features were encoded, whatever this machine would choose.

    Checkpoints of a hub are those that were learnt from; those of folders are where `weights` says.
    """
    recipes = encoders_of(features)
    for family, recipe in recipes.items():
        here = Path(weights.get(family, "")).expanduser()
        if "digest" in recipe["checkpoint"] and (family not in weights or not here.exists()):
            raise CheckpointError(
                f"the run learnt from {family} with weights of a folder; say where it is: "
                f"--weights {family}=FOLDER"
            )
    hubs = {
        family: "{hub}@{revision}".format_map(recipe["checkpoint"])
        for family, recipe in recipes.items()
        if "hub" in recipe["checkpoint"]
    }
    return Encoding(
        Places({**weights, **hubs}),
        dtype={family: recipe["compute"] for family, recipe in recipes.items()},
        quantize={family: recipe["quantize"] for family, recipe in recipes.items()},
    )


def _request(features: Sequence[FeatureSpec], encoding: Encoding) -> Request:
    """Find the extractors of a bundle's features.

    Raises:
        RunError: if one of them is not there today, or would give another feature.
    """
    stored = {spec.name: spec for spec in features if not is_meta(spec.name)}
    if not stored:
        return Request((), ())
    parts = {part: None for spec in stored.values() for part in spec.reads}
    try:
        request = resolve(list(stored), parts=parts, decoder=_decoder(features), encoding=encoding)
    except UnknownName as error:
        raise RunError(
            f"the run reads what this version of Shortcast does not have: {error}. "
            "Fit the head again, or use the version that fitted it"
        ) from error
    today = {spec.name: spec for extractor in request.extractors for spec in extractor.specs}
    check_features(stored.values(), today)
    return replace(request, features=tuple(stored))


def _decoder(features: Sequence[FeatureSpec]) -> str:
    """Return the decoder that the bundle's features were read with."""
    found = {spec.recipe["decoder"] for spec in features if "decoder" in spec.recipe}
    return str(found.pop()) if found else "pyav"


def _probabilities(bundle: Bundle, found: Predictions, row: int) -> dict[str, Any]:
    """Return the share of each class, for a classification."""
    if found.probabilities is None:
        return {}
    shares = found.probabilities[row].tolist()
    return {"probabilities": dict(zip(bundle.classes, shares, strict=True))}


def _cell(value: Any) -> Any:
    """Return a predicted value as one cell of a table; the steps of a sequence joined by spaces."""
    listed = plain(value)
    return " ".join(map(_digits, listed)) if isinstance(listed, list) else listed


def _digits(value: float) -> str:
    """Return six digits of a number, views in millions without an exponent."""
    return np.format_float_positional(value, 6, unique=False, fractional=False, trim="-")


def plain(value: Any) -> Any:
    """Return a predicted value as JSON has it: a number, a class name, or a list; null for NaN."""
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return str(value)
    return float(value) if np.isfinite(value) else None
