"""The heads by name, and how one is made from a name and its options."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from core.errors import UnknownName, UsageError
from core.registry import Registry
from heads.contract import Head, Problem

HEADS: Registry[type[Head]] = Registry(
    "head",
    {
        "linear": "heads.linear:Linear",
        "gbm": "heads.gbm:Gbm",
        "mlp": "heads.mlp:Mlp",
        "lstm": "heads.lstm:Lstm",
        "knn": "heads.knn:Knn",
        "retrieval": "heads.retrieval:Retrieval",
        "blend": "heads.blend:Blend",
        "mean": "heads.mean:Mean",
    },
)

_OF_PARTS = "members"  # the option of a head made of others that holds the options of its parts


def make_head(name: str, problem: Problem, options: Mapping[str, Any] | None = None) -> Head:
    """Return a new head that has learnt nothing yet.

    Options may be texts, as a command line gives them; they become what the head's defaults are.

    Raises:
        UnknownName: if there is no such head or option.
        UsageError: if the head cannot learn this task, or an option's value is of the wrong type.
    """
    head = HEADS.load(name)
    if problem.task not in head.tasks:
        able = [other for other in HEADS if problem.task in HEADS.load(other).tasks]
        raise UsageError(
            f"head {name!r} learns {' and '.join(head.tasks)}, not {problem.task}; "
            f"for {problem.task}: --head {' or '.join(able)}"
        )
    return head(problem, _options(name, head.options, options or {}))


def _options(head: str, kind: type, given: Mapping[str, Any]) -> Any:
    """Return the options dataclass, filled; unknown names, wrong types are errors."""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    if _OF_PARTS in fields:
        given = _by_part(given)
    for name in given:
        if name not in fields:
            raise UnknownName(f"option of head {head!r}", name, fields)
    try:
        values = {name: _value(name, given[name], str(fields[name].type)) for name in given}
        return kind(**values)
    except ValueError as error:
        raise UsageError(f"head {head!r}: {error}") from error


def _by_part(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with those of parts, such as "gbm.rounds", under the name of their part."""
    parts = {name: dict(own) for name, own in given.get(_OF_PARTS, {}).items()}
    for name, value in given.items():
        part, dot, option = name.partition(".")
        if dot:
            parts.setdefault(part, {})[option] = value
    own = {name: value for name, value in given.items() if "." not in name}
    return {**own, _OF_PARTS: parts}


def _value(name: str, value: Any, annotation: str) -> Any:
    """Return an option's value as its annotation wants it; names are joined by "," or ";"."""
    if annotation == "str":
        return str(value)
    if annotation == "tuple[str, ...]":
        return tuple(value.replace(";", ",").split(",") if isinstance(value, str) else value)
    return value if annotation.startswith("Mapping") else _number(name, value, annotation)


def _number(name: str, value: Any, annotation: str) -> Any:
    """Return an option's value as its annotation ("int", "float | None", "bool") wants it."""
    if annotation == "bool":
        return _truth(name, value)
    if value is None or (isinstance(value, str) and value.lower() in {"none", "auto"}):
        if "None" not in annotation:
            raise ValueError(f"{name}: {value!r} is not a number")
        return None
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: {value!r} is not a number") from error
    if not annotation.startswith("int"):
        return number
    if not number.is_integer():
        raise ValueError(f"{name}: {value!r} is not a whole number")
    return int(number)


def _truth(name: str, value: Any) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    found = words.get(str(value).lower())
    if found is None:
        raise ValueError(f"{name}: {value!r} is neither true nor false")
    return found
