"""Configuration: defaults, then a YAML file, then options; whoever comes later wins.

A file holds option names without the dashes (`batch-size` and `batch_size` are the same). What a
run resolved is dumped in the same form, so that feeding it back gives the same run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from core.errors import ConfigError, UnknownName


def read_config(path: Path, known: Collection[str]) -> dict[str, Any]:
    """Read a YAML file of option values.

    Raises:
        ConfigError: if the file is missing, is not YAML, or is not a mapping.
        UnknownName: if a key is none of `known`.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"config {path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"config {path} is not YAML: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(
            f"config {path} holds a {type(content).__name__}; expected `option: value`"
        )
    values = {str(key).replace("-", "_"): value for key, value in content.items()}
    for key in values:
        if key not in known:
            raise UnknownName(f"config {path}: option", key, known)
    return values


def dump_config(values: Mapping[str, Any]) -> str:
    """Return YAML that `read_config` reads back; options that were not set are left out."""
    plain = {key: _plain(value) for key, value in values.items() if value is not None}
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
