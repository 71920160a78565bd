"""Talk goes to stderr through one logger; results go to stdout and never pass through here."""

from __future__ import annotations

import logging
import sys

logger = logging.getLogger("shortcast")


def talk_to_stderr(*, verbose: bool = False) -> None:
    """Send the project's messages to stderr: notes and warnings, with `verbose` details too."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.handlers[:] = [handler]
    logger.propagate = False
    logger.setLevel(logging.DEBUG if verbose else logging.INFO)
