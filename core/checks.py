"""What `doctor` finds: one line each, with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["OK", "WARN", "FAIL"]


@dataclass(frozen=True)
class Check:
    """One thing that works, works badly, or does not.

    what    the thing, in a word or two
    found   what was seen of it
    remedy  what to do; "" where nothing is to be done
    """

    state: State
    what: str
    found: str
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        """Return a mapping for JSON."""
        return {
            "state": self.state,
            "what": self.what,
            "found": self.found,
            "remedy": self.remedy,
        }


def gibibytes(size: float) -> str:
    """Return bytes as people read them."""
    if size >= 2**30:
        return f"{size / 2**30:.1f} GiB"
    return f"{size / 2**20:.0f} MiB"
