"""How rows are divided into train, validation and test: `--split` as a plan, and its folds.

A rule takes the rows in the order of their ids, so the same rows in another order are split the
same way. The published splits go by the order of the table, as their authors' code does.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import UnknownName, UsageError
from corpus.folds import PARTS, TEST, TRAIN, VALID, Fold, SplitRows, check_folds

DEFAULT = "random:0.7,0.15,0.15"
DEFAULT_BY_AUTHOR = "author-kfold:5"
PUBLISHED = {"popularity-83.6-11.4-5": 42, "smtpd-5fold": 23}  # name -> its seed
UCF101 = ("ucf101-1", "ucf101-2", "ucf101-3")
_BY_FRACTIONS = ("random", "stratified", "time")
_KFOLDS = ("kfold", "stratified-kfold", "author-kfold")
_EXAMPLES = {
    **{rule: f"{rule}:0.7,0.15,0.15" for rule in _BY_FRACTIONS},
    **{rule: f"{rule}:5" for rule in _KFOLDS},
    "column": "column",
    "files": "files:DIR",
    **{name: name for name in (*PUBLISHED, *UCF101)},
}


@dataclass(frozen=True)
class SplitPlan:
    """One rule with its numbers.

    rule       "random", "stratified", "time" (with fractions); "kfold", "stratified-kfold",
               "author-kfold" (with k); "column"; "files" (with folder); or a published name
    fractions  of train, validation and test
    seed       of every draw; a published split has its own
    """

    rule: str
    seed: int = 0
    fractions: tuple[float, float, float] = (0.7, 0.15, 0.15)
    k: int = 5
    folder: Path | None = None

    @classmethod
    def parse(cls, text: str, *, seed: int = 0) -> SplitPlan:
        """Read `--split`, such as "author-kfold:5" or "random:0.7,0.15,0.15".

        Raises:
            UnknownName: if there is no such rule.
            UsageError: if its numbers are not what it takes.
        """
        rule, colon, value = text.strip().partition(":")
        if rule not in _EXAMPLES:
            raise UnknownName("split", rule, _EXAMPLES, "Example: --split author-kfold:5")
        if bool(colon) != (":" in _EXAMPLES[rule]):
            raise UsageError(f"split {text!r} is not complete; write it like {_EXAMPLES[rule]}")
        if rule in _BY_FRACTIONS:
            return cls(rule, seed, fractions=_fractions(text, value))
        if rule in _KFOLDS:
            if not value.isdecimal() or int(value) < 2:
                raise UsageError(f"split {text!r} needs a number of folds from 2, like {rule}:5")
            return cls(rule, seed, k=int(value))
        if rule == "files":
            return cls(rule, seed, folder=Path(value))
        return cls(rule, PUBLISHED.get(rule, seed))

    @classmethod
    def default(cls, *, has_author: bool, seed: int = 0) -> SplitPlan:
        """Return the split of a run that names none: by author where authors are known."""
        return cls.parse(DEFAULT_BY_AUTHOR if has_author else DEFAULT, seed=seed)

    @property
    def text(self) -> str:
        """The plan as `--split` takes it."""
        if self.rule in _BY_FRACTIONS:
            return f"{self.rule}:" + ",".join(f"{fraction:g}" for fraction in self.fractions)
        if self.rule in _KFOLDS:
            return f"{self.rule}:{self.k}"
        return f"files:{self.folder}" if self.rule == "files" else self.rule

    @property
    def keeps_authors(self) -> bool:
        """Whether an author is on one side of every fold, so that authors are what is drawn."""
        return self.rule == "author-kfold" or self.rule in UCF101

    @property
    def keeps_groups(self) -> bool:
        """Whether the rule draws, so that it can keep near-duplicates on one side of every fold."""
        return self.rule in (*_BY_FRACTIONS, *_KFOLDS)

    @property
    def needs_labels(self) -> bool:
        """Whether the rule balances classes, so that `SplitRows.labels` must be given."""
        return self.rule.startswith(("stratified", "popularity"))

    def folds(self, rows: SplitRows) -> tuple[Fold, ...]:
        """Divide the rows: one fold, or k, in which every row is tested exactly once.

        Raises:
            UsageError: if the rows lack what the rule looks at, are too few for it, or it would
                tear apart groups of near-duplicates.
        """
        if self.needs_labels and rows.labels is not None and (rows.labels < 0).any():
            count = int((rows.labels < 0).sum())
            raise UsageError(f"split {self.text}: {count} rows have no label; leave them out first")
        number = np.arange(len(rows))
        order = number if self.rule in PUBLISHED else np.argsort(rows.ids, kind="stable")
        back = np.empty(len(rows), dtype=np.int64)
        back[order] = number
        try:
            divided = self._divide(rows.take(order))
        except UsageError as error:
            raise UsageError(f"split {self.text}: {error}") from error
        single = len(divided) == 1
        folds = tuple(
            Fold.of("split" if single else f"fold{place}", parts[back])
            for place, parts in enumerate(divided, start=1)
        )
        check_folds(folds, rows, self.text)
        return folds

    def _divide(self, rows: SplitRows) -> list[np.ndarray]:
        """Return the parts of the rows, int8 [N] for each fold."""
        from corpus import split_rules as rules  # loads scikit-learn

        if not len(rows):
            raise UsageError("there are no rows to split")
        single: dict[str, Callable[[], np.ndarray]] = {
            "random": lambda: rules.random_parts(rows, self.fractions, self.seed),
            "stratified": lambda: rules.stratified_parts(rows, self.fractions, self.seed),
            "time": lambda: rules.time_parts(rows, self.fractions),
            "column": lambda: self._validated(rules.column_parts(rows), rows),
            "files": lambda: self._validated(self._listed(rows), rows),
            **{rule: lambda: self._official(rows) for rule in UCF101},
            "popularity-83.6-11.4-5": lambda: rules.popularity_parts(rows, self.seed),
        }
        if self.rule in single:
            return [single[self.rule]()]
        if self.rule == "smtpd-5fold":
            tested = _smtpd_folds(len(rows), self.seed)
        elif self.rule == "stratified-kfold":
            tested = rules.stratified_kfold(rows, self.k, self.seed)
        else:
            by_author = self.rule == "author-kfold"
            tested = rules.kfold(rows, self.k, self.seed, by_author=by_author)
        return [
            self._fold(np.where(tested == fold, TEST, TRAIN).astype(np.int8), rows, fold)
            for fold in range(int(tested.max()) + 1)
        ]

    def _fold(self, parts: np.ndarray, rows: SplitRows, fold: int) -> np.ndarray:
        """Return the parts of one fold of several, with its validation."""
        from corpus import split_rules as rules

        if self.rule == "stratified-kfold":
            return rules.stratified_validation(parts, rows, self.seed + fold)
        by_author = self.rule == "author-kfold"
        return rules.with_validation(parts, rows, self.seed + fold, by_author=by_author)

    def _validated(self, parts: np.ndarray, rows: SplitRows) -> np.ndarray:
        """Return the parts, with validation taken from train where the split names none."""
        from corpus import split_rules as rules

        if (parts == VALID).any():
            return parts
        return rules.with_validation(parts, rows, self.seed)

    def _official(self, rows: SplitRows) -> np.ndarray:
        """Return the parts of one of UCF101's splits; its lists have no validation."""
        from corpus import split_rules as rules

        parts = rules.official_parts(rows, UCF101.index(self.rule))
        return rules.with_validation(parts, rows, self.seed, by_author=rows.author is not None)

    def _listed(self, rows: SplitRows) -> np.ndarray:
        """Return the parts that train.txt, valid.txt and test.txt give, one id in a line."""
        assert self.folder is not None
        part_of: dict[str, int] = {}
        for part, name in enumerate(PARTS):
            for listed in _read_ids(self.folder / f"{name}.txt", optional=part == VALID):
                if part_of.setdefault(listed, part) != part:
                    raise UsageError(
                        f"id {listed!r} is in both {PARTS[part_of[listed]]}.txt and {name}.txt"
                    )
        lacking = [name for name in rows.ids.tolist() if name not in part_of]
        if lacking:
            raise UsageError(
                f"{len(lacking)} of {len(rows)} ids are in none of the files, such as "
                f"{lacking[0]!r}; add them, or take their rows out of the table"
            )
        return np.array([part_of[name] for name in rows.ids.tolist()], dtype=np.int8)


def _fractions(text: str, value: str) -> tuple[float, float, float]:
    try:
        first, second, third = (float(part) for part in value.split(","))
    except ValueError as error:
        raise UsageError(
            f"split {text!r} needs three fractions, like {DEFAULT.partition(':')[2]}"
        ) from error
    if not min(first, second, third) > 0 or abs(first + second + third - 1) > 1e-6:
        raise UsageError(
            f"split {text!r}: the fractions must be positive and sum to 1, not "
            f"{first + second + third:g}"
        )
    return first, second, third


def _smtpd_folds(number: int, seed: int) -> np.ndarray:
    """Return the fold that tests each row, int64 [N], as SMTPD's code draws it.

    Its folds have N // 5 rows, and the N % 5 rows left over are never tested there; here the last
    fold tests them, so that every row is scored once. There, validation is test; here it is part of
    train.
    """
    if number < 5:
        raise UsageError(f"5 folds need at least 5 rows; the table has {number}")
    shuffled = list(range(number))
    random.Random(seed).shuffle(shuffled)
    tested = np.empty(number, dtype=np.int64)
    tested[shuffled] = np.minimum(np.arange(number) // (number // 5), 4)
    return tested


def _read_ids(path: Path, *, optional: bool) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        if optional:
            return []
        raise UsageError(f"there is no file {path}; it lists ids, one in a line") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as UTF-8 text: {error}") from error
    return [line for line in text.split("\n") if line.strip()]
