"""Folds: which rows are learnt from, which choose, which judge; checked, and kept as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core.errors import UsageError
from core.files import write_json
from core.fingerprint import digest_strings

PARTS = ("train", "valid", "test")
TRAIN, VALID, TEST = range(3)
SPLIT_WORDS = {  # what tables and files call the parts
    "train": TRAIN,
    "training": TRAIN,
    "valid": VALID,
    "val": VALID,
    "validation": VALID,
    "dev": VALID,
    "test": TEST,
    "testing": TEST,
}


@dataclass(frozen=True, eq=False)
class SplitRows:
    """What a split looks at, of N rows.

    ids        str [N], each once
    labels     int64 [N], what a stratified split balances (`TargetPlan.strata`); None if nothing
    author     str [N], "" where unknown: such a row is an author of its own
    posted_at  float64 [N], seconds since 1970, NaN where unknown
    split      str [N], the table's own words, "" where it has none
    groups     int64 [N], near-duplicate clusters, which no split tears apart; below 0: in none
    between    the label of rows between two quantiles; None where labels are classes
    """

    ids: np.ndarray
    labels: np.ndarray | None = None
    author: np.ndarray | None = None
    posted_at: np.ndarray | None = None
    split: np.ndarray | None = None
    groups: np.ndarray | None = None
    between: int | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: np.ndarray) -> SplitRows:
        """Return the rows `rows` (int64 [M] or bool [N]), in that order."""
        names = ("labels", "author", "posted_at", "split", "groups")
        optional = {
            name: None if (values := getattr(self, name)) is None else values[rows]
            for name in names
        }
        return replace(self, ids=self.ids[rows], **optional)


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows by their part: int64 indices, rising; every row is in exactly one of the three."""

    name: str
    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray

    @classmethod
    def of(cls, name: str, parts: np.ndarray) -> Fold:
        """Make a fold of int [N]: 0 train, 1 valid, 2 test."""
        return cls(name, *(np.flatnonzero(parts == part) for part in range(3)))


def check_folds(folds: Sequence[Fold], rows: SplitRows, rule: str) -> None:
    """Make sure that a split can be trusted.

    Raises:
        UsageError: if a part is empty, a row is in two parts or in none, or a group of
            near-duplicates is torn apart.
    """
    for fold in folds:
        parts = [fold.train, fold.valid, fold.test]
        for name, part in zip(PARTS, parts, strict=True):
            if not len(part):
                raise UsageError(
                    f"split {rule}: {fold.name} has no {name} rows out of {len(rows)}; "
                    "take more rows or another --split"
                )
        counts = np.bincount(np.concatenate(parts), minlength=len(rows))
        if (counts != 1).any():
            row = int(np.argmax(counts != 1))
            raise UsageError(
                f"split {rule}: {fold.name} has id {str(rows.ids[row])!r} in {counts[row]} of its "
                "parts; every id belongs to exactly one"
            )
        _check_groups(fold, rows, rule)


def _check_groups(fold: Fold, rows: SplitRows, rule: str) -> None:
    if rows.groups is None:
        return
    names, groups = np.unique(rows.groups, return_inverse=True)
    held = np.zeros((3, len(names)), dtype=bool)
    for part, members in enumerate((fold.train, fold.valid, fold.test)):
        held[part, groups[members]] = True
    torn = names[(held.sum(axis=0) > 1) & (names >= 0)]
    if len(torn):
        examples = rows.ids[rows.groups == torn[0]][:3]
        raise UsageError(
            f"split {rule}: {fold.name} tears apart {len(torn)} groups of near-duplicates, such as "
            f"ids {', '.join(repr(str(name)) for name in examples)}; use a rule that keeps groups "
            "together, such as --split kfold:5, or leave the groups out"
        )


def digest_folds(folds: Sequence[Fold], ids: np.ndarray) -> str:
    """Return the digest of who is where, 32 hexadecimal digits, whatever the order of the rows."""
    words: list[str] = []
    for fold in folds:
        words.append(fold.name)
        for name, part in zip(PARTS, (fold.train, fold.valid, fold.test), strict=True):
            words += [f"{name}:{len(part)}", *sorted(ids[part].tolist())]
    return digest_strings(words).hex()


def save_folds(path: Path, folds: Sequence[Fold], ids: np.ndarray, rule: str) -> None:
    """Write folds as lists of ids, whole or not at all.

    Raises:
        StorageError: if the disk is full, read-only or failing.
    """
    lists = [
        {"name": fold.name} | {part: ids[getattr(fold, part)].tolist() for part in PARTS}
        for fold in folds
    ]
    write_json(path, {"rule": rule, "digest": digest_folds(folds, ids), "folds": lists})


def load_folds(path: Path, rows: SplitRows) -> tuple[Fold, ...]:
    """Read what `save_folds` wrote, for the same ids in any order.

    Raises:
        UsageError: if the file is not such a split, or the ids are not those of the rows.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        lists = [[content_fold[part] for part in PARTS] for content_fold in content["folds"]]
        names = [str(content_fold["name"]) for content_fold in content["folds"]]
    except OSError as error:
        raise UsageError(f"split file {path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"split file {path} is not a saved split: {error!r}") from error
    index = {name: row for row, name in enumerate(rows.ids.tolist())}
    strange = [
        name for lists_of in lists for part in lists_of for name in part if name not in index
    ]
    if strange:
        raise UsageError(
            f"split file {path} has {len(strange)} ids that the table lacks, such as "
            f"{strange[0]!r}; give the table that it was made for"
        )
    folds = tuple(
        Fold(name, *(_rows(part, index) for part in parts))
        for name, parts in zip(names, lists, strict=True)
    )
    check_folds(folds, rows, f"of {path}")
    return folds


def _rows(names: Sequence[str], index: dict[str, int]) -> np.ndarray:
    return np.sort(np.array([index[name] for name in names], dtype=np.int64))
