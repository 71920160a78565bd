"""The LSTM: whole curves day by day, by our network or, `faithful=true`, the published one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from safetensors.numpy import load_file

from cache.table import FeatureTable
from cache.table_digest import digest_table
from core.files import write_json
from core.fingerprint import canonical_json
from heads.columns.design import save_arrays
from heads.contract import FitReport, Problem, Span
from heads.networks.curve_model import CHUNK, Model, absent, curves_of, exact
from heads.networks.epoch_files import EpochFiles, kept_in
from heads.networks.gradient_loss import CALM, GradientLoss, distance
from heads.networks.inputs import Inputs
from heads.networks.lstm_options import LstmOptions
from heads.networks.sequence_model import SequenceModel, fit_simple, load_simple
from heads.networks.sequence_network import Shape
from heads.networks.smtpd_model import SmtpdModel, Words, fit_words
from heads.networks.stored import fit_on_some
from heads.networks.training import Course, Lesson, repeatable, train

_ASKED = 200  # train rows that tell what each feature is worth


class Lstm:
    """A recurrent network over days, learnt until validation rows get no better."""

    name: ClassVar[str] = "lstm"
    accepts: ClassVar[tuple[str, ...]] = ("pooled",)
    tasks: ClassVar[tuple[str, ...]] = ("sequence",)
    options: ClassVar[type] = LstmOptions
    space: ClassVar[Mapping[str, Span]] = {
        "hidden": Span(32, 256, log=True, whole=True),
        "cells": Span(16, 128, log=True, whole=True),
        "dropout": Span(0, 0.6),
        "feature_dropout": Span(0, 0.4),
        "rate": Span(3e-4, 1e-2, log=True),
        "decay": Span(1e-4, 0.3, log=True),
    }

    def __init__(self, problem: Problem, options: Any = None) -> None:
        self.problem = problem
        self._options: LstmOptions = (options or LstmOptions()).resolved()
        self._inputs: Inputs | None = None
        self._model: Model | None = None
        self._shares: dict[str, float] = {}

    def fit(
        self,
        train: FeatureTable,
        valid: FeatureTable | None,
        *,
        seed: int,
        fixed: Mapping[str, float],
    ) -> FitReport:
        """Learn from `train`; `valid` says when to stop."""
        given = self._options
        balance = 0.0 if given.faithful else given.balance
        self._inputs = fit_on_some(train, balance=balance, topics=given.topics, seed=seed)
        with repeatable(seed):
            self._model = self._untaught(train, fixed.get("penalty", given.penalty))
            report = self._descend(train, valid, fixed, seed)
            self._shares = self._worth(train)
        penalty = self._model.words().get("penalty")
        if penalty is None:
            return report
        return replace(report, chosen={**report.chosen, "penalty": fixed.get("penalty", penalty)})

    def _untaught(self, train: FeatureTable, penalty: float | None) -> Model:
        assert self._inputs is not None
        if self._options.faithful:
            words = fit_words(train)
            return SmtpdModel(self._inputs, words, self.problem.observed, self.problem.outputs)
        simple = fit_simple(self._inputs, self.problem.observed, train, penalty)
        return SequenceModel(
            self._inputs, simple, self.problem.observed, self._shape(), self._options.networks
        )

    def _shape(self) -> Shape:
        assert self._inputs is not None
        given = self._options
        return Shape(
            widths=tuple(self._inputs.widths),
            observed=len(self.problem.observed),
            days=self.problem.outputs,
            hidden=given.hidden,
            cells=given.cells,
            layers=given.layers,
            dropout=given.dropout,
            feature_dropout=given.feature_dropout,
        )

    def _descend(
        self,
        train_rows: FeatureTable,
        valid: FeatureTable | None,
        fixed: Mapping[str, float],
        seed: int,
    ) -> FitReport:
        given, model = self._options, self._fitted()
        batch_of, target = model.reading(train_rows), self._target(train_rows)
        loss = GradientLoss(
            beta=given.beta or 0.0,
            slope=given.slope or 0.0,
            bend=given.bend or 0.0,
            peak=given.peak or 0.0,
            calm=CALM if given.faithful else 0.0,
            softness=None if given.faithful else given.softness,
        )

        def loss_of(rows: torch.Tensor, done: float) -> torch.Tensor:
            curves = model.curves(batch_of(rows))
            told = target[rows]
            return torch.stack([loss(each, told, done) for each in curves]).sum()

        files = self._files(train_rows, valid, seed)
        judge = self._judge(valid, files)
        lesson = Lesson(len(train_rows), loss_of, judge)
        return train(model.network, lesson, self._course(), fixed=fixed, keeper=files)

    def _course(self) -> Course:
        given = self._options
        assert given.epochs
        assert given.patience
        assert given.batch
        assert given.rate
        return Course(
            epochs=given.epochs,
            unstopped=min(30, given.epochs),
            batch=given.batch,
            rate=given.rate,
            decay=given.decay or 0.0,
            patience=given.patience,
            adam=given.faithful,
            fall=0.2 if given.faithful else 0.3,
            hold=1 if given.faithful else 3,
            clip=10.0,
        )

    def _judge(
        self, valid: FeatureTable | None, files: EpochFiles | None
    ) -> Callable[[], float] | None:
        """Return what tells the loss of the validation rows; None where there are none."""
        if valid is None or not len(valid):
            return None
        model, target = self._fitted(), self._target(valid)
        batch_of, beta = model.reading(valid), 0.1 if self._options.faithful else 0.0

        def judge() -> float:
            rows = torch.split(torch.arange(len(valid)), CHUNK)
            curves = torch.cat([model.curves(batch_of(some)).mean(dim=0) for some in rows])
            if files:
                files.predicted = curves.double().numpy() * model.unit
            return float(distance(curves, target, beta)) * model.unit

        return judge

    def _files(
        self, train_rows: FeatureTable, valid: FeatureTable | None, seed: int
    ) -> EpochFiles | None:
        """Return where this training keeps its epochs; None where it keeps none."""
        folder = kept_in()
        if folder is None or valid is None or not len(valid):
            return None
        assert valid.target is not None
        learnt, judged = digest_table(train_rows), digest_table(valid)
        words = [self.describe(), self.problem.to_json(), seed, learnt, judged]
        return EpochFiles(folder, canonical_json(words), np.ascontiguousarray(valid.target))

    def _target(self, table: FeatureTable) -> torch.Tensor:
        assert table.target is not None
        return torch.from_numpy((table.target / self._fitted().unit).astype(np.float32))

    def predict(self, table: FeatureTable) -> np.ndarray:
        """Return float64 [N, T].

        Sums are made in float64, so that what is beside a row does not show in it.
        """
        return curves_of(exact(self._fitted()), table)

    def _worth(self, train_rows: FeatureTable) -> dict[str, float]:
        """Return by feature how far curves of train rows move without it, as shares of all."""
        rows = np.unique(np.linspace(0, len(train_rows) - 1, _ASKED).astype(np.int64))
        table = train_rows.take(rows)
        model, moved = exact(self._fitted()), {}
        usual = curves_of(model, table)
        for name, column in table.columns.items():
            without = {**table.columns, name: absent(column)}
            curves = curves_of(model, replace(table, columns=without))
            moved[name] = float(((curves - usual) ** 2).mean())
        total = sum(moved.values())
        return {name: value / total for name, value in moved.items()} if total > 0 else {}

    def save(self, folder: Path) -> None:
        """Write `lstm.json`, `lstm.safetensors` and the inputs' files."""
        model = self._fitted()
        words = {
            "problem": self.problem.to_json(),
            "options": self.describe(),
            "importances": self._shares,
            "model": model.words(),
        }
        write_json(folder / "lstm.json", words)
        state = model.network.state_dict()
        weights = {f"network.{name}": value.numpy() for name, value in state.items()}
        save_arrays(folder / "lstm.safetensors", {**model.arrays(), **weights})
        assert self._inputs is not None
        self._inputs.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Lstm:
        """Read what `save` wrote."""
        words = json.loads((folder / "lstm.json").read_text(encoding="utf-8"))
        arrays = load_file(folder / "lstm.safetensors")
        head = cls(Problem.from_json(words["problem"]), LstmOptions(**words["options"]))
        head._inputs, head._shares = Inputs.load(folder), words["importances"]
        observed, given = head.problem.observed, words["model"]
        model: Model
        if head._options.faithful:
            told = Words.from_json(given)
            model = SmtpdModel(head._inputs, told, observed, head.problem.outputs)
        else:
            simple, networks = load_simple(given, arrays), head._options.networks
            model = SequenceModel(head._inputs, simple, observed, head._shape(), networks)
        named = {n.removeprefix("network."): value for n, value in arrays.items() if "." in n}
        state = {name: torch.from_numpy(value) for name, value in named.items()}
        model.network.load_state_dict(state)
        head._model = model
        return head

    def importances(self) -> Mapping[str, float]:
        """Return how far curves of train rows move without a feature, as shares of all features."""
        return self._shares

    def describe(self) -> dict[str, Any]:
        """Return the options."""
        return asdict(self._options)

    def _fitted(self) -> Model:
        assert self._model is not None, "predict before fit"
        return self._model
