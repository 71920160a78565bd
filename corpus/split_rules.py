"""The rules of splits: each gives the part of every row, int8 [N]: 0 train, 1 valid, 2 test.

Rows that must stay together are a *unit*: those of one author (author-kfold only), those of one
group of near-duplicates, and chains of both. A share is a share of the units.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedKFold,
    train_test_split,
)

from core.errors import UsageError
from corpus.folds import SPLIT_WORDS, TEST, TRAIN, VALID, SplitRows

VALID_SHARE = 1 / 8  # of the train units, in a k-fold and where a published split has no validation


def random_parts(rows: SplitRows, fractions: Sequence[float], seed: int) -> np.ndarray:
    """Draw test and validation at random: the fractions of the units, at least one each."""
    units = units_of(rows)
    number = int(units.max()) + 1
    test, valid = (max(1, round(fraction * number)) for fraction in (fractions[2], fractions[1]))
    if test + valid >= number:
        raise UsageError(f"{number} rows or groups are too few for three parts; at least 3 needed")
    rest, tested = train_test_split(np.arange(number), test_size=test, random_state=seed)
    _, validated = train_test_split(rest, test_size=valid, random_state=seed)
    return _of_units(units, validated, tested)


def stratified_parts(rows: SplitRows, fractions: Sequence[float], seed: int) -> np.ndarray:
    """Draw test and validation with the classes in the proportions of the whole."""
    units = units_of(rows)
    labels = _unit_labels(rows, units)
    rest, tested = _drawn(np.arange(len(labels)), labels, fractions[2], seed)
    share = fractions[1] / (fractions[0] + fractions[1])
    _, validated = _drawn(rest, labels, share, seed)
    return _of_units(units, validated, tested)


def kfold(rows: SplitRows, folds: int, seed: int, *, by_author: bool = False) -> np.ndarray:
    """Return the fold that tests each row, int64 [N]; they are as even as units allow."""
    units = units_of(rows, by_author=by_author)
    number = int(units.max()) + 1
    if number < folds:
        what = "authors" if by_author else "rows"
        what += " without near-duplicates in common" if rows.groups is not None else ""
        raise UsageError(
            f"{folds} folds need at least {folds} {what}; the table has {number}; take fewer "
            "folds, or another --split such as random:0.7,0.15,0.15"
        )
    if number == len(rows):
        return _numbered(KFold(folds, shuffle=True, random_state=seed).split(units), len(rows))
    # Renaming the units draws among those of one size; the sizes of the folds stay balanced, which
    # GroupKFold's own shuffle gives up.
    renamed = np.random.default_rng(seed).permutation(number)[units]
    return _numbered(GroupKFold(folds).split(units, groups=renamed), len(rows))


def stratified_kfold(rows: SplitRows, folds: int, seed: int) -> np.ndarray:
    """Return the fold that tests each row, int64 [N], the classes spread evenly."""
    units = units_of(rows)
    labels = _unit_labels(rows, units)
    smallest = int(np.unique(labels, return_counts=True)[1].min())
    if smallest < folds:
        raise UsageError(
            f"{folds} stratified folds need at least {folds} rows of every class; the smallest has "
            f"{smallest}; take fewer folds, or kfold:{folds}"
        )
    rule = StratifiedKFold(folds, shuffle=True, random_state=seed)
    return np.asarray(_numbered(rule.split(labels, labels), len(labels))[units])


def with_validation(
    parts: np.ndarray, rows: SplitRows, seed: int, *, by_author: bool = False
) -> np.ndarray:
    """Return the parts with an eighth of the train units made validation, at least one unit."""
    train = np.flatnonzero(parts == TRAIN)
    units = units_of(rows.take(train), by_author=by_author) if len(train) else train
    number = int(units.max(initial=-1)) + 1
    if number < 2:
        raise UsageError(
            "what is left for training is one author, group or row, so that nothing is left for "
            "validation; take more folds or another rule"
        )
    size = max(1, round(VALID_SHARE * number))
    _, chosen = train_test_split(np.arange(number), test_size=size, random_state=seed)
    filled = parts.copy()
    filled[train[np.isin(units, chosen)]] = VALID
    return filled


def stratified_validation(parts: np.ndarray, rows: SplitRows, seed: int) -> np.ndarray:
    """Return the parts with an eighth of train made validation, by class if rows suffice."""
    train = np.flatnonzero(parts == TRAIN)
    inner = rows.take(train)
    folds = round(1 / VALID_SHARE)
    labels = _unit_labels(inner, units_of(inner))
    if np.unique(labels, return_counts=True)[1].min() < folds:
        return with_validation(parts, rows, seed)
    filled = parts.copy()
    filled[train[stratified_kfold(inner, folds, seed) == 0]] = VALID
    return filled


def time_parts(rows: SplitRows, fractions: Sequence[float]) -> np.ndarray:
    """Cut at two moments: train is the past, then validation, then test; equal times stay together.

    A group that reaches over a cut goes whole to the later side: nothing is trained on that is
    later than the cut.
    """
    times = rows.posted_at
    if times is None:
        raise UsageError("a split by time needs a column of times: --columns time=NAME")
    unknown = np.flatnonzero(np.isnan(times))
    if len(unknown):
        raise UsageError(
            f"a split by time needs a time in every row; {len(unknown)} have none, such as id "
            f"{str(rows.ids[unknown[0]])!r}"
        )
    rising = np.sort(times)
    edges = np.cumsum(fractions)[:2] * len(rows)
    starts = rising[np.clip(edges.round().astype(np.int64), 1, len(rows) - 1)]
    parts = np.searchsorted(starts, times, side="right")
    units = units_of(rows)
    latest = np.zeros(int(units.max()) + 1, dtype=parts.dtype)
    np.maximum.at(latest, units, parts)
    return np.asarray(latest[units], dtype=np.int8)


def column_parts(rows: SplitRows) -> np.ndarray:
    """Take the table's own words: train, valid and test, and what else they are called."""
    if rows.split is None:
        raise UsageError("a split from a column needs one: --columns split=NAME")
    words = {word: SPLIT_WORDS.get(word.strip().lower()) for word in set(rows.split.tolist())}
    unknown = sorted(word for word, part in words.items() if part is None)
    if unknown:
        count = int(np.isin(rows.split, unknown).sum())
        raise UsageError(
            f"the split column says {', '.join(map(repr, unknown[:5]))} in {count} rows; "
            f"expected one of {', '.join(SPLIT_WORDS)}"
        )
    return np.array([words[word] for word in rows.split.tolist()], dtype=np.int8)


def official_parts(rows: SplitRows, place: int) -> np.ndarray:
    """Take the word at `place` of the words "train,test,train" that a source has put together."""
    words = [] if rows.split is None else [text.split(",") for text in rows.split.tolist()]
    found = [each[place] if place < len(each) and len(each) > 1 else "" for each in words]
    if not any(found):
        raise UsageError(
            f"there are no official lists; put trainlist{place + 1:02}.txt and "
            f"testlist{place + 1:02}.txt into ucfTrainTestlist beside the class folders, and read "
            "them with --source ucf101"
        )
    unlisted = [name for name, word in zip(rows.ids.tolist(), found, strict=True) if not word]
    if unlisted:
        raise UsageError(
            f"{len(unlisted)} of {len(rows)} videos are in neither official list, such as "
            f"{unlisted[0]!r}; take them out, or use another --split such as author-kfold:5"
        )
    return column_parts(replace(rows, split=np.array(found)))


def popularity_parts(rows: SplitRows, seed: int) -> np.ndarray:
    """Take 5 % for test, then 12 % of the rest to validate, by class: 836/114/50 of 1000.

    The study first leaves out the rows between the quantiles. They are drawn apart here, so that
    the others fall as they do there.
    """
    labels = _unit_labels(rows, np.arange(len(rows)))
    between = np.full(len(rows), False) if rows.between is None else labels == rows.between
    parts = np.full(len(rows), TRAIN, dtype=np.int8)
    for drawn in (~between, between):
        number = np.flatnonzero(drawn)
        if len(number):
            rest, tested = _drawn(number, labels, 0.05, seed)
            _, validated = _drawn(rest, labels, 0.12, seed)
            parts[tested], parts[validated] = TEST, VALID
    return parts


def units_of(rows: SplitRows, *, by_author: bool = False) -> np.ndarray:
    """Return int64 [N], the unit of each row, numbered from 0 in the order of first rows."""
    number = len(rows)
    keys = []
    if rows.groups is not None:
        keys.append(_singled(rows.groups, rows.groups < 0))
    if by_author:
        if rows.author is None:
            raise UsageError("a split by author needs a column of authors: --columns author=NAME")
        keys.append(_singled(rows.author, rows.author == ""))
    if not keys:
        return np.arange(number)
    links = np.concatenate([key + number * (place + 1) for place, key in enumerate(keys)])
    members = np.tile(np.arange(number), len(keys))
    nodes = number * (len(keys) + 1)
    graph = coo_array((np.ones(len(links), np.int8), (members, links)), shape=(nodes, nodes))
    _, units = connected_components(graph, directed=False)
    _, first, inverse = np.unique(units[:number], return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[inverse])


def _singled(values: np.ndarray, unknown: np.ndarray) -> np.ndarray:
    """Return int64 [N] below N: one number for each value, and for each row without one."""
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    return np.where(unknown, np.arange(len(values)), first[inverse])


def _unit_labels(rows: SplitRows, units: np.ndarray) -> np.ndarray:
    """Return the class of each unit: that of its first row, as near-duplicates mostly share theirs.

    StratifiedGroupKFold weighs every row of a unit, but takes minutes for 100,000 small units.
    """
    if rows.labels is None:
        raise UsageError(
            "a stratified split needs classes, and the target is a number or sequence; use "
            "--split random:0.7,0.15,0.15 or kfold:5"
        )
    _, first = np.unique(units, return_index=True)
    return np.asarray(rows.labels[first])


def _drawn(
    rows: np.ndarray, labels: np.ndarray, share: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that stay and those drawn, the classes in proportion."""
    try:
        rest, drawn = train_test_split(
            rows, test_size=share, random_state=seed, stratify=labels[rows]
        )
    except ValueError as error:  # too few rows for so many classes
        raise UsageError(
            f"{len(rows)} rows cannot be split by class: {error}; use --split random:0.7,0.15,0.15"
        ) from error
    return rest, drawn


def _of_units(units: np.ndarray, validated: np.ndarray, tested: np.ndarray) -> np.ndarray:
    parts = np.full(int(units.max()) + 1, TRAIN, dtype=np.int8)
    parts[validated], parts[tested] = VALID, TEST
    return np.asarray(parts[units])


def _numbered(folds: Iterable[tuple[np.ndarray, np.ndarray]], number: int) -> np.ndarray:
    numbered = np.empty(number, dtype=np.int64)
    for index, (_, test) in enumerate(folds):
        numbered[test] = index
    return numbered
