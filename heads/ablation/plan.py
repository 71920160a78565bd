"""What an ablation runs: players, the sets of them that are arms, heads and seeds.

A player is a feature, or several that come and go together. An arm is a head that reads what is in
every arm and the features of a set of players.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import UsageError
from heads.ablation.fold import Selection
from heads.result import FitConfig
from scoring.shapley import MOST_EXACT, sampled_orders, sets_along

KINDS = ("all", "leave-one-out", "single", "sampled")
DEFAULT_PAIRS = 10
MOST_BY_DEFAULT = 8  # players, 256 arms; more are taken one by one unless asked for


@dataclass(frozen=True)
class Player:
    """A feature, or several that come and go together."""

    name: str
    features: Selection


@dataclass(frozen=True, eq=False)
class Arms:
    """Sets of players, rising: bit i of a set says whether player i is in it.

    text    what was asked for
    orders  int64 [orders, players], in which players join where Shapley values are sampled
    """

    text: str
    sets: tuple[int, ...]
    orders: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class AblationPlan:
    """An ablation; with the table it decides every number of the result.

    config   target, split, refit, fold and seed; its `features` are all that any arm reads
    heads    by name the options of each
    always   features of every arm; with none, the arm of nobody predicts the mean
    seeds    of the heads; the split has that of the config
    """

    config: FitConfig
    heads: Mapping[str, Mapping[str, Any]]
    players: tuple[Player, ...]
    always: Selection
    arms: Arms
    seeds: tuple[int, ...]

    @property
    def everybody(self) -> int:
        """The set of all players."""
        return (1 << len(self.players)) - 1

    def selection(self, players: int) -> Selection:
        """Return the features of an arm, in the order of the config."""
        seen = {*self.always, *(name for one in self.members(players) for name in one.features)}
        return tuple(name for name in self.config.features if name in seen)

    def members(self, players: int) -> list[Player]:
        """Return the players of a set."""
        return [one for bit, one in enumerate(self.players) if players >> bit & 1]

    def names(self, players: int) -> tuple[str, ...]:
        return tuple(one.name for one in self.members(players))


def players_of(features: Sequence[str], groups: Mapping[str, Sequence[str]]) -> tuple[Player, ...]:
    """Return groups of features, and each other feature, as players in the order of the features.

    Raises:
        UsageError: if a group has a feature that is none of these or is in two groups, or takes
            the name of a feature.
    """
    group_of: dict[str, str] = {}
    for name, members in groups.items():
        for feature in members:
            if feature not in features:
                raise UsageError(
                    f"--group {name}: {feature!r} is not among the features {', '.join(features)}"
                )
            if group_of.setdefault(feature, name) != name:
                raise UsageError(f"{feature!r} is in the groups {group_of[feature]} and {name}")
        if name in features and list(members) != [name]:
            raise UsageError(f"--group {name}: that is the name of a feature; take another")
    found: dict[str, list[str]] = {}
    for feature in features:
        found.setdefault(group_of.get(feature, feature), []).append(feature)
    return tuple(Player(name, tuple(members)) for name, members in found.items())


def arms_of(text: str | None, players: int, *, seed: int) -> Arms:
    """Read `--arms`: kinds of arms between commas, such as "single,leave-one-out".

    None is all subsets of up to `MOST_BY_DEFAULT` players; of more, each alone and each left out.

    Raises:
        UsageError: if it is no such list, or all subsets would be too many.
    """
    if text is None:
        text = "all" if players <= MOST_BY_DEFAULT else "single,leave-one-out"
    everybody, bits = (1 << players) - 1, [1 << player for player in range(players)]
    sets, orders = {0, everybody}, None
    for word in text.split(","):
        kind, colon, count = word.strip().partition(":")
        if kind not in KINDS or (colon and kind != "sampled"):
            raise UsageError(f"--arms {word.strip()!r} is unknown; known: {', '.join(KINDS)}")
        if kind == "all":
            _check_few(players)
            sets |= set(range(1 << players))
        elif kind == "sampled":
            orders = sampled_orders(players, _pairs(word, colon, count), seed=seed)
            sets |= set(sets_along(orders))
        else:
            sets |= {everybody ^ bit if kind == "leave-one-out" else bit for bit in bits}
    return Arms(text, tuple(sorted(sets)), orders)


def _pairs(word: str, colon: str, count: str) -> int:
    if not colon:
        return DEFAULT_PAIRS
    if not count.isdecimal() or int(count) < 2:
        raise UsageError(f"--arms {word.strip()!r}: sampled:N takes a number of pairs from 2")
    return int(count)


def _check_few(players: int) -> None:
    if players > MOST_EXACT:
        raise UsageError(
            f"all subsets of {players} features are {2**players} arms; at most {MOST_EXACT} "
            f"features ({2**MOST_EXACT}). Take --arms single,leave-one-out, or --arms "
            f"sampled:{DEFAULT_PAIRS} for Shapley values with a stated error, or fewer players: "
            "--features NAMES, --group NAME=FEATURE+FEATURE"
        )
