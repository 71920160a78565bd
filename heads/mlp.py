"""The multi-layer perceptron: dense layers on all features at once, which may be missing."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from safetensors.numpy import load_file

from cache.table import FeatureTable
from core.files import write_json
from heads.columns.design import Design, save_arrays
from heads.contract import TASKS, FitReport, Problem, Span
from heads.networks.anchor import Anchor
from heads.networks.goal import Goal, fit_goal
from heads.networks.inputs import TOPICS, Inputs, fit_inputs
from heads.networks.perceptron import Perceptron
from heads.networks.training import Course, Lesson, repeatable, train

_UNSTOPPED = 30  # epochs without validation rows
_ASKED = 2000  # train rows that tell what each feature is worth
_CHUNK = 8192  # rows predicted at a time


@dataclass(frozen=True)
class MlpOptions:
    """Options of the perceptron.

    networks          that learn side by side, their answers averaged
    hidden            units of each hidden layer
    layers            hidden layers
    dropout           share of hidden units left out of a step
    feature_dropout   share of features, whole, left out of a row in a step
    topics            columns that a feature of hashed n-grams is brought to
    balance           1: every feature starts at the same weight whatever its width; 0: each column
    rate, decay       of AdamW
    batch             rows of a step, 2 or more
    epochs, patience  the most epochs; those without a better validation loss before it stops
    smoothing         classes: share of the truth that is given to all classes alike
    class_weights     classes: 1 weighs them all the same however rare, 0 every row; probabilities
                      are then those of classes that often
    """

    networks: int = 8
    hidden: int = 64
    layers: int = 2
    dropout: float = 0.3
    feature_dropout: float = 0.1
    topics: int = TOPICS
    balance: float = 1.0
    rate: float = 1e-3
    decay: float = 0.01
    batch: int = 64
    epochs: int = 200
    patience: int = 15
    smoothing: float = 0.0
    class_weights: float = 0.0

    def __post_init__(self) -> None:
        for name, least in _LEAST.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name} {getattr(self, name)} is not {least} or more")
        for name in ("dropout", "feature_dropout", "smoothing"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} is not in 0..1, below 1")
        for name in ("balance", "class_weights"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} {getattr(self, name)} is not in 0..1")
        if not 0 < self.rate < float("inf"):
            raise ValueError(f"rate {self.rate} is not above 0")


_LEAST = {
    "networks": 1,
    "hidden": 1,
    "layers": 1,
    "topics": 1,
    "decay": 0,
    "batch": 2,
    "epochs": 1,
    "patience": 1,
}


class Mlp:
    """A network that learns from train rows until validation rows get no better."""

    name: ClassVar[str] = "mlp"
    accepts: ClassVar[tuple[str, ...]] = ("pooled",)
    tasks: ClassVar[tuple[str, ...]] = TASKS
    options: ClassVar[type] = MlpOptions
    space: ClassVar[Mapping[str, Span]] = {
        "hidden": Span(16, 256, log=True, whole=True),
        "layers": Span(1, 3, whole=True),
        "dropout": Span(0, 0.6),
        "feature_dropout": Span(0, 0.4),
        "balance": Span(0, 1),
        "rate": Span(3e-4, 1e-2, log=True),
        "decay": Span(1e-4, 0.3, log=True),
        "batch": Span(32, 256, log=True, whole=True),
    }

    def __init__(self, problem: Problem, options: Any = None) -> None:
        self.problem = problem
        self._options: MlpOptions = options or MlpOptions()
        self._inputs = Inputs(Design(()), {})
        self._goal = Goal(problem, np.zeros((2, problem.outputs)))
        self._shares: dict[str, float] = {}
        self._network: Perceptron | None = None

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
        self._inputs = fit_inputs(train, balance=given.balance, topics=given.topics, seed=seed)
        self._goal = fit_goal(self.problem, train, class_weights=given.class_weights)
        with repeatable(seed):
            self._network = self._untaught()
            report = self._descend(train, valid, fixed)
            self._shares = self._worth(train)
        return report

    def _untaught(self) -> Perceptron:
        given = self._options
        return Perceptron(
            self._inputs.widths,
            self.problem.outputs,
            networks=given.networks,
            hidden=[given.hidden] * given.layers,
            dropout=given.dropout,
            feature_dropout=given.feature_dropout,
        )

    def _descend(
        self, train_rows: FeatureTable, valid: FeatureTable | None, fixed: Mapping[str, float]
    ) -> FitReport:
        given, network, goal = self._options, self._fitted(), self._goal
        values, flags = self._inputs.apply(train_rows)
        target = goal.encode(train_rows)

        def loss_of(rows: torch.Tensor, _: float) -> torch.Tensor:
            scores = network(values[rows], flags[rows])
            told = target[rows].expand(len(scores), *target[rows].shape)
            return goal.loss(scores.flatten(0, 1), told.flatten(0, 1), given.smoothing)

        course = Course(
            epochs=given.epochs,
            unstopped=min(_UNSTOPPED, given.epochs),
            batch=given.batch,
            rate=given.rate,
            decay=given.decay,
            patience=given.patience,
            fall=0.3,
            hold=4,
            clip=10.0,
        )
        lesson = Lesson(len(train_rows), loss_of, self._judge(valid))
        return train(network, lesson, course, fixed=fixed)

    def _judge(self, valid: FeatureTable | None) -> Callable[[], float] | None:
        """Return what tells the loss of the validation rows; None where there are none."""
        if valid is None or not len(valid):
            return None
        values, flags = self._inputs.apply(valid)
        network, goal, target = self._fitted(), self._goal, self._goal.encode(valid)
        return lambda: float(goal.loss(goal.joined(network(values, flags)), target))

    def predict(self, table: FeatureTable) -> np.ndarray:
        """Return float64 [N], probabilities [N, classes], or [N, T].

        Sums are made in float64, so that what is beside a row does not show in it.
        """
        return self._goal.decode(self._scores(*self._inputs.apply(table)), table)

    def _scores(self, values: torch.Tensor, flags: torch.Tensor) -> np.ndarray:
        """Return the scores of the networks together, float64 [N, outputs]."""
        network = copy.deepcopy(self._fitted()).double().eval()
        with torch.inference_mode(), repeatable(0):
            chunks = zip(torch.split(values, _CHUNK), torch.split(flags, _CHUNK), strict=True)
            parts = [self._goal.joined(network(v.double(), f.double())) for v, f in chunks]
        scores: np.ndarray = torch.cat(parts).numpy()
        return scores

    def _worth(self, train_rows: FeatureTable) -> dict[str, float]:
        """Return by feature how far scores of train rows move without it, as shares of all."""
        rows = np.unique(np.linspace(0, len(train_rows) - 1, _ASKED).astype(np.int64))
        values, flags = self._inputs.apply(train_rows.take(rows))
        usual = self._scores(values, flags)
        moved = {}
        for place, name in enumerate(self._inputs.names):
            without = flags.clone()
            without[:, place] = 0
            moved[name] = float(((self._scores(values, without) - usual) ** 2).mean())
        total = sum(moved.values())
        return {name: value / total for name, value in moved.items()} if total > 0 else {}

    def save(self, folder: Path) -> None:
        """Write `mlp.json`, `mlp.safetensors` and the inputs' files."""
        words = {
            "problem": self.problem.to_json(),
            "options": asdict(self._options),
            "importances": self._shares,
            "fallback": self._goal.anchor.fallback,
        }
        write_json(folder / "mlp.json", words)
        state = self._fitted().state_dict()
        weights = {f"network.{name}": value.numpy() for name, value in state.items()}
        save_arrays(folder / "mlp.safetensors", {"scale": self._goal.scale, **weights})
        self._inputs.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Mlp:
        """Read what `save` wrote."""
        words = json.loads((folder / "mlp.json").read_text(encoding="utf-8"))
        arrays = load_file(folder / "mlp.safetensors")
        head = cls(Problem.from_json(words["problem"]), MlpOptions(**words["options"]))
        head._inputs = Inputs.load(folder)
        observed = head.problem.observed if head.problem.task == "sequence" else ()
        anchor = Anchor(observed, words["fallback"])
        head._goal = Goal(head.problem, arrays.pop("scale"), anchor=anchor)
        head._network = head._untaught()
        head._network.load_state_dict(
            {n.removeprefix("network."): torch.from_numpy(value) for n, value in arrays.items()}
        )
        head._shares = words["importances"]
        return head

    def importances(self) -> Mapping[str, float]:
        """Return how far scores of train rows move without a feature, as shares of all features."""
        return self._shares

    def describe(self) -> dict[str, Any]:
        """Return the options."""
        return asdict(self._options)

    def _fitted(self) -> Perceptron:
        assert self._network is not None, "predict before fit"
        return self._network
